"""Does what stands match a permit (许可) by content, position and limits? Each: yes, no, or not told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import shapely

YES, NO, NOT_TOLD = "yes", "no", "not_told"


@dataclass(frozen=True)
class Permitted:
    """What a permit says, as far as it says it; geometry in the metres of the object it is compared with."""

    code: str
    doc_no: str | None
    allows: str  # candidate kind
    kind: str  # permanent_work, temporary_use, sand_mining, dredging
    position_kind: str  # polygon, stretch, point, name
    geometry: shapely.Geometry | None = None
    word: str | None = None
    """What work or use it permits, in its own words (桥梁, 码头 ...); None = it says no more than the kind."""
    valid_from: date | None = None
    valid_to: date | None = None
    accepted_on: date | None = None
    bank: str | None = None
    from_m: float | None = None
    to_m: float | None = None
    limits: dict[str, float] = field(default_factory=dict)
    """Largest area_m2, length_m, volume_m3 or count it permits; empty = it names no size."""
    id: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class PermitMatch:
    """One object against one permit; ``why`` holds a reason of the catalogue (group ``permit_match``) for each answer."""

    permit: str
    doc_no: str | None
    content: str
    position: str
    limits: str
    offset_m: float | None
    """How far the farthest part of what stands lies outside what is permitted, m; 0 = wholly within it."""
    why: tuple[str, ...]
    figures: dict[str, Any] = field(default_factory=dict)
    id: str | None = None
    version: int | None = None

    @property
    def outcome(self) -> str:
        """matches (all yes), differs (one no) or open (something is not told)."""
        answers = {self.content, self.position, self.limits}
        return "differs" if NO in answers else "open" if NOT_TOLD in answers else "matches"
