raise SystemExit('the wrong encodings was imported')
