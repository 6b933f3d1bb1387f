raise SystemExit('the wrong json was imported')
