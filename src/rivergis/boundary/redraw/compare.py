"""What a redraw of management areas (管理范围调整) takes in and what it lets go: the pure heart of ``rivergis boundary diff``.

For every river and for all of them together: old + entering - leaving = new. What is narrower than two surveys of the same line
differ by is resurvey noise: it counts apart and is summed, never dropped. The ministry forbids shrinking a line to leave
illegal buildings outside (水利部 2020-08: 严禁为避让违建项目故意缩小河湖管理范围), therefore every reduction is listed by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from rivergis import crs
from rivergis.boundary.ground.closing import Said
from rivergis.boundary.redraw import overlay
from rivergis.errors import UsageError

ENTERING, LEAVING = "entering", "leaving"
PIECE_COLUMNS = (
    "change", "noise", "river_code", "other_river", "reach_code", "bank", "stretch", "from_m", "to_m", "m2", "width_m", "reason", "geom",
)  # fmt: skip
RIVER_COLUMNS = (
    "river_code", "old_m2", "new_m2", "entering_m2", "leaving_m2", "taken_over_m2", "handed_over_m2", "noise_in_m2", "noise_out_m2",
)  # fmt: skip


@dataclass(frozen=True)
class Reduction:
    """One stretch of ground let go: Polygon in the CRS of the redraw, m2, where, why, and what it touches.

    ``cases``: numbers of the open cases on it; ``flags``: codes of what speaks against it (``diff_ground``), ``reason``: as
    given with the new line; empty = none was given.
    """

    geom: shapely.Polygon
    m2: float
    river_code: str
    bank: str | None
    stretch: str
    from_m: float | None
    to_m: float | None
    reason: str
    cases: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Redraw:
    """What a redraw changes. All frames in one CRS in metres.

    ``pieces``: Polygons, ``PIECE_COLUMNS``: change (entering, leaving), noise (narrower than ``tolerance_m``), other_river (the
    river it comes from or goes to: then nothing enters or leaves the management areas as a whole), bank (left, right, both, None),
    stretch in words, m2, width_m (mean). ``old``, ``new``: the areas compared, no ground of a river twice. ``rivers``: ``RIVER_COLUMNS``, one a river. ``total``: the same of the ground of all.
    ``things``: what lies on changed ground (``diff_things``); ``flags``: what speaks against a reduction (``diff_ground``);
    ``places``: m2 by village or town; ``reaches``, ``observed``: what it was placed on and held against; ``said``: what was repaired or guessed on the way.
    """

    pieces: gpd.GeoDataFrame
    rivers: pd.DataFrame
    total: dict[str, float]
    tolerance_m: float
    old: gpd.GeoDataFrame
    new: gpd.GeoDataFrame
    things: gpd.GeoDataFrame | None = None
    flags: gpd.GeoDataFrame | None = None
    places: pd.DataFrame | None = None
    reaches: gpd.GeoDataFrame | None = None
    observed: gpd.GeoDataFrame | None = None
    layers: tuple[str, ...] = ()
    """Layers that were looked at: one that is not among them was not given, and nothing is known of it."""
    said: list[Said] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)
    """What old and new are: files, versions, days, rules."""

    @property
    def changed(self) -> gpd.GeoDataFrame:
        """The pieces without noise."""
        return self.pieces[~self.pieces["noise"].to_numpy(dtype=bool)]

    @cached_property
    def reduced(self) -> gpd.GeoDataFrame:
        """The pieces that leave the management areas altogether, largest first."""
        mine = self.changed
        mine = mine[(mine["change"] == LEAVING) & mine["other_river"].isna()]
        return mine.sort_values(["m2"], ascending=False, kind="stable")


def plane(lon: float, lat: float) -> CRS:
    """A plane in metres around a place in which areas are those of the ellipsoid; lengths within 1e-5 across a county."""
    return CRS.from_proj4(
        f"+proj=laea +lat_0={round(lat, 2)} +lon_0={round(lon, 2)} +x_0=500000 +y_0=500000 +ellps=GRS80 +units=m +no_defs"
    )


def compare(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame, tolerance_m: float) -> Redraw:
    """What area enters and what leaves the management areas (划入、划出), per river.

    ``old``, ``new``: areas (Polygon, MultiPolygon) in metres of one CRS; optional columns river_code (what is compared with what;
    without it all is one), reach_code and reason. ``tolerance_m``: width up to which a change is resurvey noise. m2 are those
    of the frames' plane (``plane`` gives one in which they are the ellipsoid's). Raises ``CrsRefused`` for degrees,
    ``UsageError`` for two different CRS.
    """
    for frame in (old, new):
        crs.require_metric(frame)
    if old.crs != new.crs:
        raise UsageError("Old and new areas are to be compared in one coordinate system: bring both to the same first.")
    rivers = pd.Index(sorted(set(_column(old, "river_code", "")) | set(_column(new, "river_code", ""))))
    sides = [_Side.of(frame, rivers) for frame in (old, new)]
    pieces = pd.concat(
        [
            _pieces(LEAVING, sides[0], sides[1], rivers, tolerance_m, old.crs),
            _pieces(ENTERING, sides[1], sides[0], rivers, tolerance_m, old.crs),
        ],
        ignore_index=True,
    )
    pieces = gpd.GeoDataFrame(pieces, geometry="geom", crs=old.crs)
    grounds = [s.frame[[]].assign(river_code=rivers[s.group]).set_geometry(list(s.shapes), crs=old.crs) for s in sides]
    return Redraw(pieces, _by_river(pieces, sides, rivers), _total(pieces, sides), tolerance_m, *grounds)


def reductions(redraw: Redraw) -> list[Reduction]:
    """Every reduction (缩小) by itself, largest first, with its reason, the open cases on it and what speaks against it."""
    cases = _touching(redraw.things, lambda t: t[t["layer"] == "case"], "name")
    flags = _touching(redraw.flags, lambda f: f, "code")
    return [
        Reduction(
            row.geom, float(row.m2), row.river_code, row.bank, row.stretch or "", _number(row.from_m), _number(row.to_m),
            row.reason or "", tuple(sorted(cases.get(i, ()))), tuple(sorted(flags.get(i, ()))),
        )
        for i, row in zip(redraw.reduced.index, redraw.reduced.itertuples(), strict=True)
    ]  # fmt: skip


def one_sided(redraw: Redraw, share: float, least_m2: float) -> list[str]:
    """Rivers whose noise goes outwards: thin strips let go all along a line are a reduction, not a survey.

    ``share`` of the noise that is let go, and how many m2 it must be, for a river to be named.
    """
    rivers = redraw.rivers
    both = rivers["noise_in_m2"] + rivers["noise_out_m2"]
    told = (rivers["noise_out_m2"] >= share * both) & (rivers["noise_out_m2"] >= least_m2)
    return list(rivers.loc[told, "river_code"])


def _touching(frame: Any, chosen: Any, column: str) -> dict[int, set[str]]:
    """Values of a column by the number of the piece they belong to."""
    out: dict[int, set[str]] = {}
    if frame is not None and len(frame):
        for row in chosen(frame)[["piece", column]].itertuples(index=False):
            out.setdefault(int(row[0]), set()).add(str(row[1]))
    return out


def _number(value: Any) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)


@dataclass(frozen=True)
class _Side:
    """One side of a comparison: its areas (of each river, no ground twice), rows, and m2 by river."""

    frame: gpd.GeoDataFrame
    shapes: overlay.Shapes
    group: overlay.Ints

    @classmethod
    def of(cls, frame: gpd.GeoDataFrame, rivers: pd.Index) -> _Side:
        group = rivers.get_indexer(_column(frame, "river_code", "")).astype(np.int64)
        return cls(frame, overlay.disjoint(overlay.polygonal(frame.geometry.to_numpy()), group), group)

    @property
    def m2(self) -> Any:
        return shapely.area(self.shapes)

    def taken(self, chosen: Any) -> _Side:
        return _Side(self.frame[chosen], self.shapes[chosen], self.group[chosen])


def _column(frame: gpd.GeoDataFrame, name: str, missing: Any) -> pd.Series:
    """A column of texts, ``missing`` where nothing stands."""
    if name not in frame:
        return pd.Series([missing] * len(frame), index=frame.index, dtype=object)
    told = [missing if pd.isna(v) else str(v) for v in frame[name]]
    return pd.Series(told, index=frame.index, dtype=object)


def _pieces(change: str, one: _Side, other: _Side, rivers: pd.Index, tolerance_m: float, plane_: Any) -> pd.DataFrame:
    """Pieces of one side that the same river does not have on the other side."""
    same, _ = overlay.common(one.shapes, one.group, other.shapes, other.group)
    mine = one.taken(~same)
    rest, of = overlay.outside(mine.shapes, mine.group, other.shapes, other.group)
    parts, owner, noise = overlay.split_noise(rest, tolerance_m)
    row = of[owner]
    parts, again, beside = _beside(parts, mine.group[row], other)
    row, noise = row[again], noise[again]
    of_river = np.array([*rivers, None], dtype=object)
    return pd.DataFrame(
        {
            "change": change,
            "noise": noise.astype(bool),
            "river_code": of_river[mine.group[row]],
            "other_river": of_river[beside],
            "reach_code": _column(mine.frame, "reach_code", None).to_numpy()[row],
            "bank": None,
            "stretch": None,
            "from_m": np.nan,
            "to_m": np.nan,
            "m2": shapely.area(parts),
            "width_m": 2 * shapely.area(parts) / np.maximum(shapely.length(parts), 1e-12),
            "reason": _column(mine.frame, "reason", None).to_numpy()[row]
            if change == ENTERING
            else _why(parts, noise, other),
            "geom": gpd.GeoSeries(parts, crs=plane_),
        }
    )[list(PIECE_COLUMNS)]


def _beside(parts: overlay.Shapes, group: overlay.Ints, other: _Side) -> tuple[Any, Any, Any]:
    """Pieces parted by the river that has them on the other side: the parts, whose each is, and that river (-1 = none)."""
    held, of, by = overlay.within(parts, group, other.shapes, other.group)
    if not len(held):
        return parts, np.arange(len(parts)), np.full(len(parts), -1)
    held = overlay.disjoint(held, of)
    free, whose_free = overlay.outside(parts, np.arange(len(parts)), held, of)
    shapes, owner = overlay.polygons(np.concatenate([held, free]))
    whose = np.concatenate([of, whose_free])[owner]
    river = np.concatenate([other.group[by], np.full(len(free), -1)])[owner]
    order = np.argsort(whose, kind="stable")
    return shapes[order], whose[order], river[order]


def _why(parts: overlay.Shapes, noise: Any, new: _Side) -> Any:
    """The reason given with the new area that is nearest to each piece let go; noise needs none."""
    reason = _column(new.frame, "reason", None).to_numpy()
    out = np.full(len(parts), None, dtype=object)
    if len(reason) and any(r is not None for r in reason):
        out[~noise] = reason[shapely.STRtree(new.shapes).nearest(parts[~noise])]
    return out


def _by_river(pieces: gpd.GeoDataFrame, sides: list[_Side], rivers: pd.Index) -> pd.DataFrame:
    """Old and new m2 of each river and what lies between: entering and leaving hold what other rivers gave and took."""
    number = rivers.get_indexer(pieces["river_code"])
    enters, noise = (pieces["change"] == ENTERING).to_numpy(), pieces["noise"].to_numpy(dtype=bool)
    between = pieces["other_river"].notna().to_numpy()

    def summed(chosen: Any) -> Any:
        return np.bincount(number[chosen], pieces["m2"].to_numpy()[chosen], len(rivers))

    out = pd.DataFrame(
        {
            "river_code": rivers,
            "old_m2": np.bincount(sides[0].group, sides[0].m2, len(rivers)),
            "new_m2": np.bincount(sides[1].group, sides[1].m2, len(rivers)),
            "entering_m2": summed(enters),
            "leaving_m2": summed(~enters),
            "taken_over_m2": summed(enters & between),
            "handed_over_m2": summed(~enters & between),
            "noise_in_m2": summed(enters & noise),
            "noise_out_m2": summed(~enters & noise),
        }
    )
    return out[list(RIVER_COLUMNS)]


def _total(pieces: gpd.GeoDataFrame, sides: list[_Side]) -> dict[str, float]:
    """The ground of all rivers together: what two rivers share counts once."""
    old, new = (float(shapely.area(_once(s.shapes, s.group)).sum()) for s in sides)
    told = {"old_m2": old, "new_m2": new}
    alone = pieces[pieces["other_river"].isna()]
    for change in (ENTERING, LEAVING):
        mine = alone[alone["change"] == change]
        once = shapely.area(_once(mine.geometry.to_numpy(), pd.factorize(mine["river_code"])[0].astype(np.int64)))
        noise = mine["noise"].to_numpy(dtype=bool)
        told |= {f"{change}_m2": float(once.sum()), f"{change}_noise_m2": float(once[noise].sum())}
    return told


def _once(shapes: overlay.Shapes, group: overlay.Ints) -> overlay.Shapes:
    """Shapes that do not overlap within a group, without what two groups share."""
    _, i, j = overlay.within(shapes, group, shapes, group)
    some = np.unique(np.concatenate([i, j]))
    out = shapes.copy()
    out[some] = overlay.disjoint(shapes[some], np.zeros(len(some), np.int64))
    return out
