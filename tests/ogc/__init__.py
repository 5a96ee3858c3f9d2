"""The OGC API: laws of what is served, and how it is asked."""
