"""成果: deliverables, quality, publications."""
