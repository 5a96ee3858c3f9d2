"""入河排污口 outfalls."""

from rivergis.outfall import check

__all__ = ["check"]
