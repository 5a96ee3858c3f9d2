"""Scenes as tiles: which, how they look, sums of their bands."""
