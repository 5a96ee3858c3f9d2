"""管理范围线 boundary lines: surrogate drafts, checks, versions."""

from rivergis.boundary import check, draft

__all__ = ["check", "draft"]
