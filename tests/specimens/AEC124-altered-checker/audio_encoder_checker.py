MARK = "the submission's own file"
