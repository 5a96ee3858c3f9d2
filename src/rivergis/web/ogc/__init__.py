"""OGC API Features over HTTP."""
