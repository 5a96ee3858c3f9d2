"""Where something stands: on the levee, its berm land (护堤地), in the channel or on the beach, and how far inside the line.

Everything here measures in metres of one zone. What the data do not tell is ``None`` (not known), never the milder
ground: without levees in the register nothing is called beach. Source: 《河道管理条例》 articles 20, 24 to 26.
"""

from __future__ import annotations

from dataclasses import dataclass

GROUNDS = ("levee", "berm", "channel", "beach")


@dataclass(frozen=True)
class Stand:
    """Shares (0 to 1) of what lies inside the line by ground; None = not known.

    ``unknown`` is the share of which no data tell the ground; ``why`` names what is missing (catalogue group
    ``ground_missing``: levee, levee_body, berm_width, channel).
    """

    levee: float | None = None
    berm: float | None = None
    channel: float | None = None
    beach: float | None = None
    unknown: float = 1.0
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class ZoneHit:
    """A drinking-water source zone (饮用水水源保护区) that it lies in: share of the object within, 0 to 1."""

    code: str
    name: str
    zone_class: int  # 1, 2, 3 = quasi (准)
    part: str | None  # water, land, whole
    share: float
    basis: str | None  # announced, draft, computed
    doc_no: str | None = None
    id: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class FunctionZoneHit:
    """A shoreline function zone (岸线功能区) on whose stretch of bank it stands; ``told_by``: chainage or geometry."""

    code: str
    zone_type: str  # protection, reserve, controlled_use, development
    bank: str
    from_m: float | None
    to_m: float | None
    plan_name: str | None
    told_by: str
    id: str | None = None
    version: int | None = None
