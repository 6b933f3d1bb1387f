raise SystemExit('the wrong sitecustomize was imported')
