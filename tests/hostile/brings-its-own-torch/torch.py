raise SystemExit('the wrong torch was imported')
