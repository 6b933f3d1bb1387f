raise SystemExit('the wrong setup was imported')
