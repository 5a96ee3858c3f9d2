"""Drafts in the database, their review and announcement, and what is law on any day."""
