"""四乱 encroachments: overlay of candidates with boundaries, and the ledger of leads."""

from rivergis.encroachment import ledger, overlay

__all__ = ["ledger", "overlay"]
