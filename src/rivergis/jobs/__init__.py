"""Jobs: whole pieces of work from the command line, a timer or the web."""
