"""The verdict on where a layer lies: how sure, which reading of its numbers, why, and what else was possible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shapely

from rivergis.intake.crs_datum import DatumTest
from rivergis.intake.crs_numbers import Axis, Datum, Hypothesis
from rivergis.intake.delivery import Defect, defect

Certainty = Literal["declared", "recognised", "suspected", "refused"]
ASK = "Ask the survey office, or say which with --crs EPSG:CODE once it is documented."


@dataclass(frozen=True)
class Candidate:
    """A reading that is possible, with what speaks for it."""

    epsg: int | None
    datum: Datum
    axis: Axis
    reason: str
    unit_factor: float = 1.0
    median_m: float | None = None
    """Median distance to the known rivers, metres."""

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self)}


@dataclass(frozen=True)
class Group:
    """Features of one layer that lie in a system of their own."""

    features: tuple[str, ...]
    count: int
    epsg: int | None
    datum: Datum
    axis: Axis
    reason: str

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "features": list(self.features[:20])}


@dataclass(frozen=True)
class Verdict:
    """Where the coordinates of a layer lie, how sure that is, and why. ``hypothesis``: the reading to use, or the best guess."""

    verdict: Certainty
    hypothesis: Hypothesis | None = None
    epsg: int | None = None
    declared: str = ""
    reasons: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    defects: tuple[Defect, ...] = ()
    outliers: tuple[Any, ...] = ()
    """Ids of features with a vertex that does not lie with the others."""
    groups: tuple[Group, ...] = ()

    @property
    def certain(self) -> bool:
        return self.verdict in ("declared", "recognised") and self.hypothesis is not None

    @property
    def datum(self) -> Datum:
        return self.hypothesis.datum if self.hypothesis else "wgs84"

    @property
    def axis(self) -> Axis:
        return self.hypothesis.axis if self.hypothesis else "normal"

    @property
    def source_crs(self) -> str:
        return self.hypothesis.words if self.hypothesis else "unknown"

    def as_dict(self) -> dict[str, Any]:
        """As ``inspect --json`` prints it."""
        return {
            "verdict": self.verdict,
            "epsg": self.epsg,
            "datum": self.datum,
            "axis": self.axis,
            "declared": self.declared or None,
            "reasons": list(self.reasons),
            "candidates": [c.as_dict() for c in self.candidates],
            "groups": [g.as_dict() for g in self.groups],
        }


def place(verdict: Verdict, shapes: np.ndarray) -> np.ndarray:
    """Shapes as the file has them brought to EPSG:4490 (x = longitude, 2D) by a verdict's reading.

    A shape with a vertex that has no place in that system becomes None.
    """
    h = verdict.hypothesis
    if h is None:
        raise ValueError("a refused layer has no place")
    flat = (
        shapely.force_2d(shapes) if (shapely.has_z(shapes) | shapely.has_m(shapes)).any() else np.array(shapes, object)
    )
    xy, feature = shapely.get_coordinates(flat, return_index=True)
    home = h.degrees(xy) if len(xy) else xy
    # most layers are in degrees already: their shapes are taken as they are
    moved = flat if np.array_equal(home, xy) else shapely.set_coordinates(flat, home)
    moved[np.unique(feature[~np.isfinite(home).all(axis=1)])] = None
    return np.asarray(moved)


def axis_defect() -> Defect:
    return defect(
        "axis_swapped",
        "warning",
        "The axes are exchanged: the first ordinate (or the column named for longitude) holds north.",
        "They are exchanged at the door, and said.",
    )


def shift_defect(datum: Datum, test: DatumTest) -> Defect:
    name = {"gcj02": "GCJ-02", "bd09": "BD-09"}[datum]
    message = f"The layer looks shifted to {name}: {test.words}."
    return defect(
        "datum_shift_suspected",
        "warning",
        message,
        f"Nothing is shifted without consent: say --datum {datum} if the producer confirms it.",
    )
