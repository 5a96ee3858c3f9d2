"""What is wrong with shapes as they were drawn: missing, empty, not finite, crossing themselves, doubled, without extent.

Only what a person should look at is a warning; what surveys leave behind everywhere (a vertex twice, two stations on one
place) is information. Any geometry types, in the file's own coordinates; nothing is repaired here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from rivergis.intake.delivery import SHOWN, Defect, Severity, defect
from rivergis.intake.limits import DEFAULT, Limits

# beyond so many features, doubles are no longer looked for: each costs memory
_REMEMBERED = 2_000_000
_PLACE = re.compile(r"\[\s*(\S+)\s+([^\s\]]+)")
_FAMILIES = {0: "points", 4: "points", 1: "lines", 2: "lines", 5: "lines", 3: "areas", 6: "areas", 7: "collections"}
_SELF, _RINGS, _FEW = "self_crossing", "rings_misplaced", "too_few_points"
# code -> severity, sentence about the features, what would be done
_SAID: dict[str, tuple[Severity, str, str]] = {
    "geometry_missing": ("warning", "have no shape", "They cannot be put on a map; layers that need a shape set them aside."),
    "geometry_empty": ("warning", "have an empty shape", "They cannot be put on a map; layers that need a shape set them aside."),
    "coordinates_not_finite": ("error", "have coordinates that are not numbers (NaN or infinite)", "They are set aside: correct or digitise them again."),
    "too_many_vertices": ("error", "have more vertices than is read of one feature", "They are set aside: ask for them in parts."),
    _SELF: ("warning", "have an outline that crosses or touches itself", "An import makes them valid and reports it."),
    _RINGS: ("warning", "have rings that do not lie within one another as they should", "An import makes them valid and reports it."),
    _FEW: ("warning", "have an outline of too few points", "They are set aside where nothing is left of them."),
    "zero_length": ("warning", "are lines without length", "They are set aside: digitise them again."),
    "zero_area": ("warning", "are areas without extent", "They are set aside: digitise them again."),
    "repeated_vertices": ("info", "have the same vertex twice in a row", "Harmless; an import leaves the second out."),
    "duplicate_geometry": ("info", "have exactly the shape of an earlier feature", "Both are kept: look whether one was delivered twice."),
}  # fmt: skip


class Faults:
    """Faults of a layer's shapes, gathered piece by piece."""

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self.limits = limits
        self._found: dict[str, tuple[list[Any], int, str | None]] = {}
        self._seen: set[int] = set()
        self._families: dict[str, int] = {}

    def add(self, shapes: np.ndarray, ids: Sequence[Any] | np.ndarray) -> None:
        """Look at some features: an array of shapely geometries (None: no shape) and their numbers."""
        shapes, ids = np.asarray(shapes, object), np.asarray(ids)
        missing = shapely.is_missing(shapes)
        empty = ~missing & shapely.is_empty(shapes)
        self._note("geometry_missing", ids[missing])
        self._note("geometry_empty", ids[empty])
        there = np.flatnonzero(~missing & ~empty)
        sound = self._not_finite(shapes, ids, there)
        many = shapely.get_num_coordinates(shapes[sound]) > self.limits.vertices
        self._note("too_many_vertices", ids[sound[many]])
        self._look(shapes[sound[~many]], ids[sound[~many]])

    def defects(self) -> list[Defect]:
        """All that was found, the gravest first."""
        said = [self._said(code) for code in _SAID if code in self._found]
        if len(self._families) > 1:
            kinds = ", ".join(f"{n} {k}" for k, n in sorted(self._families.items()))
            said.append(
                defect(
                    "mixed_geometry",
                    "info",
                    f"The layer mixes kinds of shapes: {kinds}.",
                    "A layer takes one kind; the others are set aside.",
                )
            )
        order = ("error", "warning", "info")
        return sorted(said, key=lambda d: order.index(d.severity))

    def _said(self, code: str) -> Defect:
        severity, what, action = _SAID[code]
        features, count, place = self._found[code]
        names = "Feature" if count == 1 else f"{count} features"
        if count == 1:
            what = (
                what.replace("have ", "has ", 1)
                if what.startswith("have ")
                else what.replace("are ", "is one of the ", 1)
            )
            names = f"Feature {features[0]}"
        return defect(code, severity, f"{names} {what}.", action, features, count, place)

    def _note(self, code: str, ids: np.ndarray, places: Sequence[str | None] = ()) -> None:
        if not len(ids):
            return
        features, count, place = self._found.get(code, ([], 0, None))
        features = [*features, *ids[: SHOWN - len(features)].tolist()] if len(features) < SHOWN else features
        self._found[code] = (features, count + len(ids), place or next((p for p in places if p), None))

    def _not_finite(self, shapes: np.ndarray, ids: np.ndarray, there: np.ndarray) -> np.ndarray:
        """Note shapes with coordinates that are no numbers; positions of the others."""
        coords, index = shapely.get_coordinates(shapes[there], include_z=False, return_index=True)
        bad = np.unique(index[~np.isfinite(coords).all(axis=1)])
        self._note("coordinates_not_finite", ids[there[bad]])
        return np.delete(there, bad)

    def _look(self, shapes: np.ndarray, ids: np.ndarray) -> None:
        kinds = shapely.get_type_id(shapes)
        for kind, count in zip(*np.unique(kinds, return_counts=True), strict=True):
            family = _FAMILIES.get(int(kind), "others")
            self._families[family] = self._families.get(family, 0) + int(count)
        self._extent(shapes, ids, kinds)
        self._invalid(shapes, ids, kinds)
        self._repeated(shapes, ids, kinds)
        self._doubled(shapes, ids)

    def _extent(self, shapes: np.ndarray, ids: np.ndarray, kinds: np.ndarray) -> None:
        for code, chosen in (
            ("zero_length", _flat(shapes, kinds, (1, 2, 5))),
            ("zero_area", _flat(shapes, kinds, (3, 6))),
        ):
            self._note(code, ids[chosen], [_first_place(shapes[i]) for i in chosen[:1]])

    def _invalid(self, shapes: np.ndarray, ids: np.ndarray, kinds: np.ndarray) -> None:
        areas = np.setdiff1d(np.flatnonzero(np.isin(kinds, (3, 6, 7))), _flat(shapes, kinds, (3, 6)))
        bad = areas[~shapely.is_valid(shapes[areas])]
        reasons = [shapely.is_valid_reason(s) for s in shapes[bad]]
        for code in (_SELF, _RINGS, _FEW):
            mine = [i for i, r in enumerate(reasons) if _kind_of(r) == code]
            self._note(code, ids[bad[mine]], [_place(reasons[i]) for i in mine])

    def _repeated(self, shapes: np.ndarray, ids: np.ndarray, kinds: np.ndarray) -> None:
        drawn = np.flatnonzero(~np.isin(kinds, (0, 4)))
        coords, index = shapely.get_coordinates(shapes[drawn], include_z=True, return_index=True)
        same = (index[1:] == index[:-1]) & ((coords[1:] == coords[:-1]) | np.isnan(coords[1:])).all(axis=1)
        self._note(
            "repeated_vertices", ids[drawn[np.unique(index[1:][same])]], [_spot(*c) for c in coords[1:][same][:1, :2]]
        )

    def _doubled(self, shapes: np.ndarray, ids: np.ndarray) -> None:
        if len(self._seen) > _REMEMBERED:
            return
        again = []
        for i, wkb in enumerate(shapely.to_wkb(shapes)):
            code = hash(wkb)
            if code in self._seen:
                again.append(i)
            self._seen.add(code)
        self._note("duplicate_geometry", ids[again], [_first_place(shapes[i]) for i in again[:1]])


def look(shapes: np.ndarray, ids: Sequence[Any] | np.ndarray, limits: Limits = DEFAULT) -> list[Defect]:
    """Faults of a layer's shapes (any types, the file's coordinates), features named by ``ids``; gravest first."""
    faults = Faults(limits)
    faults.add(shapes, ids)
    return faults.defects()


def _flat(shapes: np.ndarray, kinds: np.ndarray, family: tuple[int, ...]) -> np.ndarray:
    """Positions of lines without length or areas without extent; a bow tie's halves cancel out, its hull does not."""
    chosen = np.flatnonzero(np.isin(kinds, family))
    measure = shapely.area if 3 in family else shapely.length
    none = chosen[measure(shapes[chosen]) == 0]
    return none[shapely.area(shapely.convex_hull(shapes[none])) == 0]


def _kind_of(reason: str) -> str:
    if "elf-intersection" in reason:
        return _SELF
    return _FEW if reason.startswith("Too few") else _RINGS


def _place(reason: str) -> str | None:
    found = _PLACE.search(reason)
    return _spot(float(found.group(1)), float(found.group(2))) if found else None


def _first_place(shape: Any) -> str:
    return _spot(*shapely.get_coordinates(shape)[0])


def _spot(x: float, y: float) -> str:
    return f"{x:.10g}, {y:.10g}"
