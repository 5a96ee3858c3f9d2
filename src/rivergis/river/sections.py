"""The list by sections (分级分段): which stretch of which river lies in which administrative unit, level by level.

Every metre of a main course lies in exactly one section of each level: inside a unit, on the border of several, or outside
of all that are known. Lakes are told by the area they have in each unit.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from rivergis import crs, geometry
from rivergis.errors import InputError
from rivergis.layers import LEVELS

Floats = npt.NDArray[np.float64]
NEAR_DEG = 1e-9
"""A tenth of a millimetre: a stretch drawn on the border of two units lies in both, in spite of rounding."""
CLIPPED_DEG = 1e-5
"""About a metre: rivers are clipped at borders, so what is no farther outside of all units counts as in the nearest."""
COLUMNS = (
    "river_id", "level", "unit_code", "unit", "with_code", "with_unit", "from_m", "to_m", "length_m", "area_m2",
)  # fmt: skip


# headings of files of administrative units, the surest first
_CODE = ("code", "adcode", "xzqdm", "pac", "行政区划代码", "行政区代码", "代码", "区划代码")
_NAME = ("name", "xzqmc", "行政区名称", "名称", "village", "town", "county", "district", "city", "province")


def units_of(frame: gpd.GeoDataFrame, what: str) -> gpd.GeoDataFrame:
    """Administrative units of a file as code, name, level (province ... village) and geometry.

    The level is that of a column ``level``, else told by the code (GB/T 2260 and GB/T 10114: 6, 9 or 12 digits).
    ``what`` names the file; ``InputError`` where codes or names are not to be found or a code has no level.
    """
    columns = {str(c).lower(): c for c in frame.columns}
    code, name = (next((columns[c] for c in wanted if c in columns), None) for wanted in (_CODE, _NAME))
    if code is None or name is None:
        raise InputError(f"{what} has no fields for code and name of a unit: call them code and name.", file=what)
    codes = frame[code].map(lambda v: str(int(v)) if isinstance(v, float) else str(v).strip())
    given = frame[columns["level"]] if "level" in columns else pd.Series(None, index=frame.index, dtype=object)
    levels = [g if g in LEVELS else _level_of(c) for g, c in zip(given, codes, strict=True)]
    if None in levels:
        raise InputError(
            f"{what}: the unit {codes.iloc[levels.index(None)]!r} has no known level: give it a field level.", file=what
        )
    rows = {"code": codes.to_numpy(), "name": frame[name].astype(str).to_numpy(), "level": levels}
    units = gpd.GeoDataFrame(rows, geometry=frame.geometry.to_numpy(), crs=frame.crs)
    return units[units.geom_type.isin(["Polygon", "MultiPolygon"])].reset_index(drop=True)


def _level_of(code: str) -> str | None:
    if not code.isdigit() or len(code) not in (6, 9, 12):
        return None
    full = code.ljust(12, "0")
    for digits, level in ((2, "province"), (4, "city"), (6, "county"), (9, "town")):
        if not full[digits:].strip("0"):
            return level
    return "village"


class Units:
    """Administrative units (MultiPolygon, EPSG:4490; columns code, name, level) of all levels, ready to be asked."""

    def __init__(self, units: gpd.GeoDataFrame) -> None:
        given = units["level"].unique()
        self.levels = [level for level in LEVELS if level in given]
        self._of = {level: units[units["level"] == level].sort_values("code") for level in self.levels}
        self._trees = {level: shapely.STRtree(frame.geometry.values) for level, frame in self._of.items()}

    def frame(self, level: str) -> gpd.GeoDataFrame:
        return self._of[level]

    def tree(self, level: str) -> shapely.STRtree:
        return self._trees[level]

    def at(self, points: Sequence[shapely.Point | None]) -> list[str | None]:
        """Names of the units a point lies in, largest first, as one word (云溪县栖云镇鹭洲村); None outside of all.

        A point within a metre of a unit counts as in it where no other unit holds it: rivers are clipped at borders.
        """
        said: list[list[str]] = [[] for _ in points]
        shapes = np.empty(len(points), dtype=object)
        shapes[:] = points
        for level in self.levels:
            names = self._of[level]["name"].to_numpy()
            for k, unit in enumerate(self._holding(level, shapes).tolist()):
                if unit >= 0:
                    said[k].append(str(names[unit]))
        return ["".join(s) or None for s in said]

    def _holding(self, level: str, points: Any) -> Any:
        """Position of the unit that holds each point, -1 where none does."""
        held = np.full(len(points), -1)
        for distance in (0.0, CLIPPED_DEG):
            point, unit = self._trees[level].query(points, predicate="dwithin", distance=distance)
            first, at = np.unique(point, return_index=True)
            held[first] = np.where(held[first] < 0, unit[at], held[first])
        return held


def of_courses(course: gpd.GeoDataFrame, units: Units) -> pd.DataFrame:
    """Sections of main courses (分段): rows with ``COLUMNS``, by river, level and chainage.

    ``course``: reaches (LineString, EPSG:4490, digitised downstream) with river_id, from_m, to_m, length_m. ``unit_code`` is
    null outside of all units; ``with_code`` names the neighbour (several joined by +) where the stretch runs on a border.
    The ``length_m`` of a level add up to the length of the course.
    """
    rows = [row for level in units.levels for row in _of_level(course, units, level)]
    frame = pd.DataFrame(rows, columns=["river_id", "level", "codes", "from_m", "to_m", "length_m"])
    return _named(_merged(frame), units)


def _of_level(course: gpd.GeoDataFrame, units: Units, level: str) -> Iterator[tuple[Any, ...]]:
    lines = course.geometry.to_numpy()
    codes = units.frame(level)["code"].to_numpy()
    line, unit = units.tree(level).query(lines, predicate="intersects")
    touching: list[list[int]] = [[] for _ in lines]
    for i, u in zip(line.tolist(), unit.tolist(), strict=True):
        touching[i].append(u)
    touching = [sorted(t) for t in touching]
    inside = np.full(len(lines), -1)
    line, unit = units.tree(level).query(lines, predicate="within")
    inside[line] = unit
    shapes = units.frame(level).geometry.to_numpy()
    columns = (course[c].to_numpy() for c in ("river_id", "from_m", "to_m", "length_m"))
    for i, (river, from_m, to_m, length) in enumerate(zip(*columns, strict=True)):
        if not touching[i] or (inside[i] >= 0 and len(touching[i]) == 1):
            yield river, level, tuple(codes[touching[i]]), from_m, to_m, length
            continue
        for share_a, share_b, found in _pieces(lines[i], shapes[touching[i]], codes[touching[i]]):
            a, b = (from_m + (to_m - from_m) * s for s in (share_a, share_b))
            yield river, level, found, a, b, length * (share_b - share_a)


def _pieces(line: shapely.LineString, shapes: Any, codes: Any) -> Iterator[tuple[float, float, tuple[str, ...]]]:
    """Stretches of a line between the borders it crosses, as shares of its length, with the units each lies in."""
    shares, degrees = _measure(line)
    cuts = np.unique(np.concatenate([[0.0, degrees[-1]], _crossings(line, shapes)]))
    stops = np.interp(cuts, degrees, shares)
    middles = shapely.line_interpolate_point(line, (cuts[:-1] + cuts[1:]) / 2)
    near = shapely.dwithin(middles[:, None], shapes[None, :], NEAR_DEG)
    outside = ~near.any(axis=1)
    near[outside] = shapely.dwithin(middles[outside, None], shapes[None, :], CLIPPED_DEG)
    for (a, b), which in zip(itertools.pairwise(stops), near, strict=True):
        yield float(a), float(b), tuple(codes[which])


def _crossings(line: shapely.LineString, shapes: Any) -> Floats:
    """Positions along a line, in degrees, where it meets or leaves the border of a shape."""
    met = shapely.get_parts(shapely.intersection(line, shapely.boundary(shapes)))
    ends = shapely.get_coordinates(met)
    return (
        np.asarray(shapely.line_locate_point(line, shapely.points(ends)), dtype=np.float64) if len(ends) else ends[:, 0]
    )


def _measure(line: shapely.LineString) -> tuple[Floats, Floats]:
    """For each vertex its share of the ellipsoidal length, and its position along the line in degrees."""
    xy = shapely.get_coordinates(line)
    steps = np.asarray(crs.GEOD.inv(*xy[:-1].T, *xy[1:].T)[2])
    along = np.concatenate([[0.0], np.cumsum(steps)])
    return along / along[-1], np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])


def _merged(rows: pd.DataFrame) -> pd.DataFrame:
    """Stretches that follow one another in the same units as one row."""
    if rows.empty:
        return rows
    rows = rows.sort_values(["river_id", "level", "from_m", "to_m"], kind="stable", ignore_index=True)
    key = rows[["river_id", "level", "codes"]]
    apart = (rows["from_m"] - rows["to_m"].shift()).abs() > 0.01
    new = (key != key.shift()).any(axis=1) | apart
    grouped = rows.groupby(new.cumsum())
    out = grouped[["river_id", "level", "codes", "from_m"]].first()
    out["to_m"], out["length_m"] = grouped["to_m"].last(), grouped["length_m"].sum()
    return out.reset_index(drop=True)


def _named(rows: pd.DataFrame, units: Units) -> pd.DataFrame:
    name = {
        (level, r.code): r.name
        for level in units.levels
        for r in units.frame(level)[["code", "name"]].itertuples(index=False)
    }
    first = [c[0] if c else None for c in rows["codes"]]
    out = rows.drop(columns="codes").assign(
        unit_code=first,
        unit=[name.get((level, c)) for level, c in zip(rows["level"], first, strict=True)],
        with_code=["+".join(c[1:]) or None for c in rows["codes"]],
        with_unit=[
            "+".join(name[level, k] for k in c[1:]) or None
            for level, c in zip(rows["level"], rows["codes"], strict=True)
        ],
        area_m2=np.nan,
    )
    rank = {level: i for i, level in enumerate(LEVELS)}
    order = pd.DataFrame({"river": out["river_id"], "rank": out["level"].map(rank), "from": out["from_m"]})
    return out.loc[order.sort_values(["river", "rank", "from"], kind="stable").index, list(COLUMNS)].reset_index(
        drop=True
    )


def of_waters(waters: gpd.GeoDataFrame, units: Units) -> pd.DataFrame:
    """Area of lakes, reservoirs and ponds (MultiPolygon, EPSG:4490; column river_id) in each unit, m2 on the ellipsoid."""
    rows: list[dict[str, Any]] = []
    shapes = waters.geometry.to_numpy()
    ids = waters["river_id"].to_numpy()
    for level in units.levels:
        frame = units.frame(level)
        water, unit = units.tree(level).query(shapes, predicate="intersects")
        parts = shapely.intersection(shapes[water], frame.geometry.to_numpy()[unit])
        for w, u, part in zip(water, unit, parts, strict=True):
            area = crs.area_m2(geometry.polygons_of(part))
            if area > 0:
                code, name = frame["code"].iloc[u], frame["name"].iloc[u]
                rows.append({"river_id": ids[w], "level": level, "unit_code": code, "unit": name, "area_m2": area})
    return pd.DataFrame(rows, columns=list(COLUMNS))
