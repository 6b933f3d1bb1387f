raise SystemExit('the wrong socket was imported')
