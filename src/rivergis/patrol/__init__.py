"""巡河 patrols: which metres of which bank a track has seen."""

from rivergis.patrol import authenticity, clean, compliance, coverage

__all__ = ["authenticity", "clean", "compliance", "coverage"]
