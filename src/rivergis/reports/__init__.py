"""Reports: reading only; the facts of a night as plain data (``book``), and one file per report."""
