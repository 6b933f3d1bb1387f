raise SystemExit('the wrong usercustomize was imported')
