"""管理范围线 boundary lines: surrogate drafts, checks, versions."""

from rivergis.boundary import check
from rivergis.boundary.drafting import surrogate as draft

__all__ = ["check", "draft"]
