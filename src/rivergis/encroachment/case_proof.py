"""Evidence of rectification (整改佐证): where and when it was taken, and what person, picture and place of the case say differently.

Nothing that differs is accepted in silence: it is told with the move, kept with the evidence, and the acceptor says that it was seen.
Pure; positions are degrees of WGS 84, which at the accuracy of a telephone is EPSG:4490.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import geopandas as gpd
import shapely

from rivergis import crs
from rivergis.errors import UsageError
from rivergis.rules import RuleView

_EARLIEST = 1949  # older than any case: a clock that was never set


@dataclass(frozen=True)
class Bounds:
    """From where on a difference is told."""

    case_m: float
    """Farther from the case than this."""
    said_m: float
    """Picture and person farther apart than this."""
    said_min: float
    """Picture and person more minutes apart than this."""

    @classmethod
    def of(cls, view: RuleView) -> Bounds:
        """The bounds that the rules of a place set."""
        return cls(
            view.number("ledger.evidence.max_distance"),
            view.number("ledger.evidence.said_distance"),
            view.number("ledger.evidence.said_minutes"),
        )


@dataclass(frozen=True)
class Place:
    """Where the case lies (EPSG:4490), and when it was assigned."""

    shape: shapely.Geometry
    assigned_at: datetime | None


@dataclass(frozen=True)
class Seen:
    """A piece of evidence placed and timed, and what is to be told of it."""

    lon: float
    lat: float
    at: datetime
    grade: str
    """measured (the picture tells its place) or hand_placed (only the person does)."""
    said: dict[str, Any]
    doubts: list[dict[str, Any]] = field(default_factory=list)
    """code of the catalogue (proof_doubt) with its figures."""


def seen(
    name: str,
    said: tuple[float, float] | None,
    said_at: datetime | None,
    facts: Mapping[str, Any],
    place: Place,
    bounds: Bounds,
    now: datetime,
) -> Seen:
    """A piece of evidence by what the person says and what the picture says (``facts`` of ``intake.photo``; empty = no picture).

    The person's word is used where both speak, and the difference is told. Raises ``UsageError`` where neither tells position or
    time, or the time is still to come.
    """
    shown = None if facts.get("lon") is None else (float(facts["lon"]), float(facts["lat"]))
    shown_at = datetime.fromisoformat(facts["taken_at"]) if facts.get("taken_at") else None
    where, at = said or shown, said_at or shown_at
    if where is None:
        raise UsageError(f"{name} tells no position and none is said: give --at LON,LAT for it.")
    if at is None:
        raise UsageError(f"{name} does not tell when it was taken and nobody says it: give --taken-at for it.")
    if at.year < _EARLIEST:
        raise UsageError(f"{name} cannot have been taken in {at.year}: give the time it was taken.")
    if at > now:
        raise UsageError(
            f"{name} cannot have been taken in the future ({at:%Y-%m-%d %H:%M}): give the time it was taken."
        )
    told = {
        "position": said,
        "at": said_at and said_at.isoformat(),
        "picture_position": shown,
        "picture_at": shown_at and shown_at.isoformat(),
    }
    doubts = [
        *_positions(said, shown, facts, bounds),
        *_times(said_at, shown_at, facts, bounds),
        *_against_case(where, shown, at, place, bounds),
    ]
    return Seen(
        where[0],
        where[1],
        at.astimezone(UTC),
        "measured" if shown is not None else "hand_placed",
        {k: v for k, v in told.items() if v is not None},
        doubts,
    )


def _positions(
    said: tuple[float, float] | None, shown: tuple[float, float] | None, facts: Mapping[str, Any], bounds: Bounds
) -> list[dict[str, Any]]:
    if shown is None:
        return [{"code": "no_position"}] if facts else [{"code": "not_a_picture"}]
    if said is None:
        return []
    apart = float(crs.GEOD.inv(*said, *shown)[2])
    near = apart <= bounds.said_m + float(facts.get("error_m") or 0.0)
    return [] if near else [{"code": "elsewhere_than_said", "m": round(apart)}]


def _times(
    said: datetime | None, shown: datetime | None, facts: Mapping[str, Any], bounds: Bounds
) -> list[dict[str, Any]]:
    if shown is None:
        return [{"code": "no_time"}] if facts else []
    apart = abs((said - shown).total_seconds()) / 60 if said is not None else 0.0
    return [{"code": "other_time_than_said", "min": round(apart)}] if apart > bounds.said_min else []


def _against_case(
    where: tuple[float, float], shown: tuple[float, float] | None, at: datetime, place: Place, bounds: Bounds
) -> list[dict[str, Any]]:
    # the picture's own place counts where it has one: it is the one that was not typed
    far = distance_m(shown or where, place.shape)
    out: list[dict[str, Any]] = [{"code": "far_from_case", "m": round(far)}] if far > bounds.case_m else []
    if place.assigned_at is not None and at < place.assigned_at:
        early_h = (place.assigned_at - at).total_seconds() / 3600
        out.append({"code": "before_assigned", "h": round(early_h, 1)})
    return out


def distance_m(point: tuple[float, float], shape: shapely.Geometry) -> float:
    """How far a point (degrees) is from a thing (EPSG:4490), m; 0 on it."""
    both = gpd.GeoSeries([shapely.Point(point), shape], crs=crs.STORAGE)
    zone = crs.metric_crs(*crs.centre(both.iloc[1:]))
    metric = both.to_crs(zone)
    return float(metric.iloc[0].distance(metric.iloc[1]))
