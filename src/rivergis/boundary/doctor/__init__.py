"""界线体检: every fault of boundary lines, found, explained and folded."""
