raise SystemExit('the wrong numpy was imported')
