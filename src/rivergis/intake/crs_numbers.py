"""What the numbers alone say: which systems coordinates could be in, before any place is consulted.

Sources: EPSG v11 ranges 4490-4554 (zone prefixes 13-23 and 25-45, central meridians 75-135); docs/units_and_crs.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS

from rivergis import crs as crs_
from rivergis.intake import crs_reference
from rivergis.intake.crs_declared import Meaning
from rivergis.intake.crs_words import Hint
from rivergis.intake.delivery import Delivered

Array = npt.NDArray[np.float64]
Datum = Literal["wgs84", "gcj02", "bd09"]
Axis = Literal["normal", "swapped"]

# China with its seas in degrees: west, south, east, north
CHINA = (73.0, 3.0, 136.0, 54.0)
# metres: half width that numbers of one zone may reach (features of the next zone among them), northings of 3 to 54
# degrees, and of the mainland and Hainan
_HALF_ZONE_M = 490_000.0
_NORTH_M = (330_000.0, 5_990_000.0)
_MAINLAND_M = (1_600_000.0, 5_990_000.0)
# file unit -> metres, tried only where no reading in metres or degrees is possible
UNITS = {
    1e-3: "millimetres",
    1e-2: "centimetres",
    1e-1: "decimetres",
    1e3: "kilometres",
    1e-4: "tenths of a millimetre",
}
# fewer vertices than this have no spread to speak of
_FEW = 6


@dataclass(frozen=True)
class Hypothesis:
    """One way to read the numbers: system, order of axes, unit, packed degrees, datum."""

    epsg: int | None
    basis: str
    crs: CRS | None = None
    """Only where the system has no code."""
    axis: Axis = "normal"
    factor: float = 1.0
    packed: bool = False
    datum: Datum = "wgs84"

    @property
    def geographic(self) -> bool:
        return self.epsg in (4490, 4326) or (self.crs is not None and self.crs.is_geographic)

    def degrees(self, xy: Array) -> Array:
        """Positions as the file has them (n, 2) to CGCS2000 longitude and latitude."""
        xy = xy[:, ::-1] if self.axis == "swapped" else xy
        if self.packed:
            xy = unpacked(xy)
        source = self.epsg if self.epsg is not None else self.crs
        assert source is not None
        out = crs_reference.to_degrees(xy * self.factor, source)
        if self.datum != "wgs84":
            out = np.column_stack(crs_.to_wgs84(out[:, 0], out[:, 1], self.datum))
        return out

    def shifted(self, datum: Datum) -> Hypothesis:
        return replace(self, datum=datum)

    @property
    def words(self) -> str:
        name = f"EPSG:{self.epsg}" if self.epsg else (self.crs.name if self.crs is not None else "no system")
        more = [
            "axes exchanged" if self.axis == "swapped" else "",
            f"numbers in {UNITS[self.factor]}" if self.factor != 1.0 else "",
            "packed as dd.mmssss" if self.packed else "",
            {"gcj02": "shifted to GCJ-02", "bd09": "shifted to BD-09"}.get(self.datum, ""),
        ]
        return ", ".join([name, *(m for m in more if m)])


def unpacked(values: Array) -> Array:
    """Degrees written as dd.mmssss to decimal degrees."""
    sign, v = np.sign(values), np.abs(values)
    degrees = np.floor(v + 1e-9)
    rest = np.round((v - degrees) * 1e4, 6)
    minutes = np.floor(rest / 100 + 1e-9)
    return sign * (degrees + minutes / 60 + (rest - minutes * 100) / 3600)


@dataclass(frozen=True)
class Numbers:
    """Coordinates of a layer as evidence: vertices with the position of their feature, and one centre for each feature."""

    xy: Array
    feature: npt.NDArray[np.intp]
    """Row of each vertex in ``ids``."""
    centres: Array
    """Median of the vertices of each feature that has any, in the order of ``rows``."""
    rows: npt.NDArray[np.intp]
    ids: npt.NDArray[Any]

    @property
    def empty(self) -> bool:
        return not len(self.xy)

    def of(self, rows: npt.NDArray[np.intp]) -> Numbers:
        """Only these features."""
        here, there = np.isin(self.feature, rows), np.isin(self.rows, rows)
        return Numbers(self.xy[here], self.feature[here], self.centres[there], self.rows[there], self.ids)

    def without(self, vertices: npt.NDArray[np.bool_]) -> Numbers:
        """Without these vertices; centres are made anew for the features that keep some."""
        return numbers(self.xy[~vertices], self.feature[~vertices], self.ids)

    def sample(self, most: int = 3_000) -> Array:
        """An even choice of vertices, enough to see where a layer lies."""
        return self.xy[:: max(1, -(-len(self.xy) // most))]


def numbers(xy: Array, feature: npt.NDArray[np.intp], ids: npt.NDArray[Any]) -> Numbers:
    rows, start = np.unique(feature, return_index=True)
    if not len(rows):
        return Numbers(xy, feature, np.empty((0, 2)), rows, ids)
    low, high = np.minimum.reduceat(xy, start), np.maximum.reduceat(xy, start)
    counts = np.diff(np.append(start, len(xy)))
    middle = xy[start + counts // 2]
    # the middle vertex where there are several: one bad vertex does not move it far; one vertex is its own centre
    return Numbers(xy, feature, np.clip(middle, low, high), rows, ids)


def numbers_of(layer: Delivered) -> Numbers:
    """The finite coordinates of a layer; of a layer too large to hold, the corners of every feature's bounds."""
    if layer.bounds is not None:
        ids = np.arange(layer.count)
        corners = layer.bounds.reshape(-1, 2, 2)
        there = np.isfinite(corners).all(axis=(1, 2))
        rows = np.flatnonzero(there)
        return numbers(corners[there].reshape(-1, 2), np.repeat(rows, 2), ids)
    if layer.shapes is None or not len(layer.shapes):
        return numbers(np.empty((0, 2)), np.empty(0, np.intp), np.empty(0, object))
    ids = np.asarray(layer.frame.index) if layer.frame is not None else np.arange(len(layer.shapes))
    xy, feature = shapely.get_coordinates(layer.shapes, return_index=True)
    finite = np.isfinite(xy).all(axis=1)
    return numbers(xy[finite], feature[finite], ids)


def gross_outliers(n: Numbers) -> npt.NDArray[np.bool_]:
    """Vertices whose numbers are of another size than those of the layer: a digit too many or too few, exact zeros."""
    nowhere = zeros(n)
    if len(n.xy) < _FEW:
        return nowhere | _unlike_the_others(n)
    middle = np.median(n.centres if len(n.centres) > 4 else n.xy, axis=0)
    spread = np.quantile(np.abs(n.xy - middle), 0.9, axis=0)
    allowed = np.maximum(8 * spread, 0.3 * max(abs(middle[0]), abs(middle[1])))
    return np.asarray(nowhere | (np.abs(n.xy - middle) > allowed).any(axis=1))


def zeros(n: Numbers) -> npt.NDArray[np.bool_]:
    """Vertices at exactly (0, 0), as devices write that know no position, in a layer that lies elsewhere."""
    zero = (n.xy == 0).all(axis=1)
    if not zero.any() or zero.all():
        return np.zeros(len(n.xy), bool)
    return zero & bool(np.abs(np.median(n.xy[~zero], axis=0)).max() > 10)


def _unlike_the_others(n: Numbers) -> npt.NDArray[np.bool_]:
    """Of very few vertices: those whose numbers fit no system, where half of them or more do."""
    kinds = np.array([shape_of(*c) for c in n.xy])
    unknown = kinds == "other"
    return unknown if 0 < unknown.sum() <= len(kinds) / 2 else np.zeros(len(kinds), bool)


def shape_of(x: float, y: float) -> str:
    """The kind of a pair of numbers; features of one layer must be of one kind."""
    if _in_china(x, y):
        return "degrees"
    if _in_china(y, x):
        return "degrees, axes exchanged"
    if abs(x) <= 180 and abs(y) <= 90:
        return "degrees elsewhere"
    for a, b, said in ((x, y, ""), (y, x, ", axes exchanged")):
        zone = int(a // 1_000_000)
        if _prefixed(a, b):
            return f"zone {zone}{said}"
        if _plain(a, b):
            return f"no zone number{said}"
    return "other"


def _in_china(lon: float, lat: float) -> bool:
    west, south, east, north = CHINA
    return west <= lon <= east and south <= lat <= north


def _prefixed(e: float, n: float) -> bool:
    zone = int(e // 1_000_000)
    known = 13 <= zone <= 23 or 25 <= zone <= 45
    return known and abs(e - zone * 1e6 - 5e5) <= _HALF_ZONE_M and _NORTH_M[0] <= n <= _NORTH_M[1]


def _plain(e: float, n: float) -> bool:
    return abs(e - 5e5) <= _HALF_ZONE_M and _MAINLAND_M[0] <= n <= _MAINLAND_M[1]


def hypotheses(
    n: Numbers, meaning: Meaning, hint: Hint, *, packed: bool, north_first: bool | None, any_unit: bool = False
) -> list[Hypothesis]:
    """Every way to read the numbers that is possible, the declared one first; ``north_first``: what column names settle.

    Other units than metres and degrees are tried where neither fits, or always (``any_unit``).
    """
    x, y = (float(v) for v in np.median(n.centres, axis=0))
    found: list[Hypothesis] = []
    if meaning.usable:
        declared = Hypothesis(meaning.epsg, "declared", None if meaning.epsg else meaning.crs)
        found += [declared, replace(declared, axis="swapped")]
    for factor in (1.0, *UNITS):
        for axis in ("normal", "swapped"):
            e, n_ = (x * factor, y * factor) if axis == "normal" else (y * factor, x * factor)
            found += [replace(h, axis=axis, factor=factor) for h in _systems(e, n_, hint, factor)]
        if not any_unit and any(h.basis != "declared" for h in found):
            break
    if not found and abs(x) <= 180 and abs(y) <= 90:
        found.append(Hypothesis(4326, "numbers are degrees, of a place outside China"))
    if packed:
        found += [replace(h, packed=True) for h in found if h.geographic and h.axis == "normal"]
    if north_first is not None:
        # the names of the columns settle the order, unless the numbers are impossible in it
        wanted = "swapped" if north_first else "normal"
        as_named = [h for h in found if h.axis == wanted and h.basis != "declared" and not h.geographic]
        found = [h for h in found if h.axis == wanted or h.geographic or not as_named]
    return list(dict.fromkeys(found))


def _systems(e: float, n: float, hint: Hint, factor: float) -> list[Hypothesis]:
    out: list[Hypothesis] = []
    if factor == 1.0 and _in_china(e, n):
        out.append(Hypothesis(4490, "numbers are degrees in China"))
    if _prefixed(e, n):
        zone = int(e // 1_000_000)
        out.append(Hypothesis(4488 + zone if zone >= 25 else 4478 + zone, f"zone number {zone} in the easting"))
    if _plain(e, n):
        meridians = [c for c in range(4534, 4555) if hint.allows(c)]
        out += [Hypothesis(c, f"central meridian {3 * (c - 4509)}") for c in meridians]
        if hint.family in ("none", "wgs84"):
            out += [Hypothesis(c, f"UTM zone {c - 32600}") for c in range(32643, 32654)]
    if factor == 1.0 and 8.1e6 <= e <= 15.2e6 and 0.33e6 <= n <= 7.2e6:
        out.append(Hypothesis(3857, "Web Mercator metres"))
    return out
