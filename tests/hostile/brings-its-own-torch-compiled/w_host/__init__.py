raise SystemExit('the wrong host was imported')
