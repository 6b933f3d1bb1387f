raise SystemExit('the wrong conftest was imported')
