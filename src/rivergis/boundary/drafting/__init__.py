"""Boundary lines drawn by rule, with the basis of every piece."""
