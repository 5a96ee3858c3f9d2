"""All that a verdict rests on: what was measured, seen and overlaid, with its errors; what is not known stays None."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from rivergis.encroachment.permit_match import PermitMatch
from rivergis.encroachment.position import FunctionZoneHit, Stand, ZoneHit
from rivergis.encroachment.severity import Measured

UNITS = ("m2", "m3", "m", "count")


@dataclass(frozen=True)
class Facts:
    """All that a verdict rests on. None = not known, and is said to be."""

    kind: str
    """Kind of candidate: building, quarry, dump, occupation, net_pen, unknown."""
    basis: str
    """Basis of the line: announced, draft, surrogate, computed."""
    source_kind: str
    word: str | None = None
    """Sub-type in the source's own word, as delivered."""
    area: Measured | None = None
    volume: Measured | None = None
    length: Measured | None = None
    count: Measured | None = None
    gsd_m: float | None = None
    """Ground sample distance of the image it was taken from."""
    accuracy_m: float | None = None
    """Position error of the source, one sigma; None = by rule for the kind of source."""
    last_without: date | None = None
    """Civil day of the last image or visit that shows the place without it."""
    first_with: date | None = None
    stand: Stand = field(default_factory=Stand)
    zones: tuple[ZoneHit, ...] = ()
    function_zones: tuple[FunctionZoneHit, ...] = ()
    permits: tuple[PermitMatch, ...] = ()
    distance_m: float | None = None
    """To the line: positive = how deep its deepest part lies inside, negative = how far outside."""
    line_error_m: float | None = None
    """Position error of the line, one sigma, as delivered."""
    survey_scale: int | None = None
    """Denominator of the scale at which the line was surveyed."""
    water: str | None = None
    """main or tributary: main stem of the basin's river, or not."""
    line: dict[str, Any] = field(default_factory=dict)
    """Identity and version of the line, document and announcing government: kept in the record as given."""
    sources: tuple[dict[str, Any], ...] = ()

    @property
    def measured(self) -> dict[str, Measured]:
        """What was measured, by unit."""
        given = (self.area, self.volume, self.length, self.count)
        return {u: m for u, m in zip(UNITS, given, strict=True) if m is not None}


@dataclass(frozen=True)
class Value:
    """One explained value: what, how much, in which unit, with which one-sigma error."""

    name: str
    value: Any
    unit: str | None = None
    sigma: float | None = None
