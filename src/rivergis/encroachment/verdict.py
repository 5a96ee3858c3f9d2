"""What the law may call what was found, as one explained record: class, gravity, age, ground, zones, permits, position.

Pure: the same facts under the same rules give the same bytes, years later too. The machine says 疑似问题线索
(suspected lead) on announced lines only; people decide. Rules: gis/rules, classes and prohibitions: taxonomy.yaml.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from rivergis.encroachment.permit_match import PermitMatch
from rivergis.encroachment.position import FunctionZoneHit, Stand, ZoneHit
from rivergis.encroachment.severity import Measured, Period, Severity
from rivergis.rules import RuleView


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


@dataclass(frozen=True)
class Value:
    """One explained value: what, how much, in which unit, with which one-sigma error."""

    name: str
    value: Any
    unit: str | None = None
    sigma: float | None = None


@dataclass(frozen=True)
class Verdict:
    """The record; ``as_dict`` is JSON-ready and stable."""

    class_code: str
    group: str
    clause: str
    competent_authority: str
    our_action: str
    word: dict[str, Any]
    """The source's word, whether it is known, the local list and national groups it belongs to."""
    severity: Severity
    built_period: Period
    stands_on: tuple[str, ...]
    prohibitions: tuple[dict[str, Any], ...]
    """What the ground, the zones and the shoreline function zone forbid or let pass by approval, with clause."""
    zones: tuple[dict[str, Any], ...]
    function_zones: tuple[dict[str, Any], ...]
    buffers: tuple[dict[str, Any], ...]
    allowed_use: dict[str, Any] | None
    permit_match: tuple[dict[str, Any], ...]
    position: str
    """inside, edge, outside or undecided."""
    wording: str
    """Key of the catalogue: ``verdict_wording.*``."""
    notes: tuple[str, ...]
    values: tuple[Value, ...]
    rules: tuple[dict[str, Any], ...]
    line: dict[str, Any]
    sources: tuple[dict[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready form, stable."""
        raise NotImplementedError


def verdict(facts: Facts, view: RuleView) -> Verdict:
    """The verdict on one object inside or near a line, under the rules of its place on that day."""
    raise NotImplementedError
