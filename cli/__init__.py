"""The command line: one file a verb over functions of the other packages."""
