"""OGC API Features: what is asked, where it lies, and what the service says of itself."""
