"""Results of several surveys on one map (划界整合上图): which lines came twice, which contradict each other, which areas overlap.

Register id C3. Everything delivered stays; what is the same or contradicts is shown, and only what lies wholly on another line
of the same river, bank and type and says nothing else is proposed to be left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs, geometry
from rivergis.errors import InputError

OF_FILE = ("file", "layer", "feature", "source_crs")
SAID = (
    "river_code",
    "reach_code",
    "bank",
    "line_type",
    "basis",
    "announce_gov",
    "announce_doc_no",
    "announced_on",
    "survey_scale",
    "xy_error_m",
)
_LEAST = 10.0
"""A stretch shorter than so many tolerances is where two lines touch or cross, not where they run together."""
_SAME_AREA = 0.98
_STEPS = 64


@dataclass(frozen=True)
class Limits:
    """Metres: lines nearer than ``near_m`` are one line; lines of one river and bank up to ``far_m`` apart contradict each other;
    overlaps of areas below ``sliver_m2`` are not told."""

    near_m: float
    far_m: float
    sliver_m2: float


@dataclass(frozen=True)
class Merged:
    """All lines and areas (EPSG:4490) with where they come from, ``relation`` (single, duplicate, conflict) and ``proposal`` (keep,
    leave_out); ``duplicates`` and ``conflicts``: one row a pair with the stretch concerned; ``overlaps``: pairs of areas with the ground."""

    lines: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame
    duplicates: gpd.GeoDataFrame
    conflicts: gpd.GeoDataFrame
    overlaps: gpd.GeoDataFrame
    unjudged: int
    """Lines that name no river or no bank: whether they contradict others cannot be told."""


def merge(lines: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, limits: Limits) -> Merged:
    """Put lines and areas of several deliveries together. Frames in EPSG:4490 with the columns ``OF_FILE`` and any of a delivery's."""
    if lines.empty and areas.empty:
        raise InputError("None of the files has a line or an area that can be used: nothing was merged.")
    metric = crs.metric_crs(*crs.centre(lines if len(lines) else areas))
    shapes = np.asarray(lines.to_crs(metric).geometry.values, dtype=object)
    told = {c: _column(lines, c).to_numpy(dtype=object) for c in (*SAID, *_ASKED)}
    judged = [
        r for a, b in _pairs(told, shapes, limits) if (r := _judged(lines, told, shapes, a, b, limits)) is not None
    ]
    same = [r for r in judged if r["relation"] == "duplicate"]
    twice = _frame(same, metric)
    against = _frame([r for r in judged if r["relation"] == "conflict" and not _explained(r, same, told)], metric)
    return Merged(
        _flagged(lines, twice, against), areas, twice, against, _overlaps(areas, metric, limits), _unjudged(lines)
    )


_ASKED = ("file", "layer", "river", "from_m", "to_m")


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    return frame[name] if name in frame else pd.Series(None, index=frame.index, dtype=object)


_OF_RIVER = ("river_code", "river", "reach_code")


def _unjudged(lines: pd.DataFrame) -> int:
    nameless = pd.concat([_column(lines, c).isna() for c in _OF_RIVER], axis=1).all(axis=1)
    return int((_column(lines, "bank").isna() | nameless).sum())


def _pairs(told: dict[str, np.ndarray], shapes: np.ndarray, limits: Limits) -> list[tuple[int, int]]:
    """Lines of different deliveries that come near each other, each pair once."""
    if not len(shapes):
        return []
    one, other = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=limits.far_m)
    source = np.array([f"{f}\0{y}" for f, y in zip(told["file"], told["layer"], strict=True)])
    chosen = (source[one] != source[other]) & (one < other)
    return [(int(a), int(b)) for a, b in zip(one[chosen], other[chosen], strict=True)]


def _judged(
    lines: gpd.GeoDataFrame, told: dict[str, np.ndarray], shapes: np.ndarray, a: int, b: int, limits: Limits
) -> dict[str, Any] | None:
    """What two lines are to each other: the same for a stretch, in conflict for a stretch, or nothing."""
    if _differ(told["line_type"], a, b):
        return None
    first, second = shapes[a], shapes[b]
    least = min(_LEAST * limits.near_m, 0.5 * min(first.length, second.length))
    if shapely.dwithin(first, second, limits.near_m):
        together = first.intersection(second.buffer(limits.near_m))
        if together.length >= least:
            return _row(lines, told, a, b, "duplicate", together, second, min(first.length, second.length))
    if not _same_side(told, a, b):
        return None
    beside = first.intersection(second.buffer(limits.far_m, cap_style="flat"))
    return (
        _row(lines, told, a, b, "conflict", beside, second, min(first.length, second.length))
        if beside.length >= least
        else None
    )


def _explained(row: dict[str, Any], same: Sequence[dict[str, Any]], told: dict[str, np.ndarray]) -> bool:
    """Whether a line that names no type is the other delivery's line of another type, beside which it does not count as another."""
    sides = (row["row"], row["other_row"])
    if all(_there(told["line_type"][i]) for i in sides):
        return False
    files = {told["file"][i] for i in sides}
    return any(
        {told["file"][r["row"]], told["file"][r["other_row"]]} == files and {r["row"], r["other_row"]} & set(sides)
        for r in same
    )


def _differ(values: np.ndarray, a: int, b: int) -> bool:
    return _there(values[a]) and _there(values[b]) and str(values[a]) != str(values[b])


def _same(values: np.ndarray, a: int, b: int) -> bool:
    return _there(values[a]) and _there(values[b]) and str(values[a]) == str(values[b])


def _there(value: Any) -> bool:
    return value is not None and value == value


def _same_side(told: dict[str, np.ndarray], a: int, b: int) -> bool:
    """Whether two lines are of one bank of one river, and of one stretch of it where both name their chainages."""
    if not _same(told["bank"], a, b) or not any(_same(told[c], a, b) for c in _OF_RIVER):
        return False
    try:
        begin, end = ([float(told[c][i]) for i in (a, b)] for c in ("from_m", "to_m"))
    except (TypeError, ValueError):
        return True
    return not np.isfinite([*begin, *end]).all() or min(end) > max(begin)


def _row(
    lines: gpd.GeoDataFrame,
    told: dict[str, np.ndarray],
    a: int,
    b: int,
    relation: str,
    stretch: Any,
    second: Any,
    shorter: float,
) -> dict[str, Any]:
    """One pair: both sources, how long and how far apart, what they say differently, and the stretch."""
    line = geometry_lines(stretch)
    at = [line.interpolate(s, normalized=True) for s in np.linspace(0, 1, _STEPS)]
    apart = shapely.distance(np.array(at, dtype=object), second)
    differs = [c for c in SAID if _differ(told[c], a, b)]
    one, other = lines.iloc[a], lines.iloc[b]
    return {
        "relation": relation, "row": a, "other_row": b, **{k: one[k] for k in OF_FILE}, **{f"other_{k}": other[k] for k in OF_FILE},
        "code": one.get("code"), "other_code": other.get("code"), "river_code": one.get("river_code"), "river": one.get("river"),
        "bank": one.get("bank"), "length_m": round(float(stretch.length), 1), "share": min(1.0, float(stretch.length) / max(shorter, 1e-9)),
        "apart_m": round(float(apart.max()), 3), "mean_m": round(float(apart.mean()), 3), "differs": ",".join(differs),
        "place": at[int(apart.argmax())], "geometry": line,
    }  # fmt: skip


def geometry_lines(shape: Any) -> Any:
    """The lines of an intersection as one shape."""
    parts = [p for p in shapely.get_parts(shape) if p.geom_type == "LineString"]
    inner = [q for p in shapely.get_parts(shape) if p.geom_type == "MultiLineString" for q in p.geoms]
    return shapely.multilinestrings([*parts, *inner])


def _frame(rows: Sequence[dict[str, Any]], metric: Any) -> gpd.GeoDataFrame:
    columns = ["relation", "row", "other_row", *OF_FILE, *(f"other_{k}" for k in OF_FILE), "code", "other_code", "river_code", "river", "bank",
               "length_m", "share", "apart_m", "mean_m", "differs", "lon", "lat"]  # fmt: skip
    if not rows:
        return gpd.GeoDataFrame({c: [] for c in columns}, geometry=[], crs=crs.STORAGE)
    frame = gpd.GeoDataFrame(pd.DataFrame(rows), geometry="geometry", crs=metric)
    places = gpd.GeoSeries(frame["place"].to_list(), crs=metric).to_crs(crs.STORAGE)
    frame = frame.assign(lon=places.x.round(7).to_numpy(), lat=places.y.round(7).to_numpy())
    return (
        frame[[*columns, "geometry"]]
        .to_crs(crs.STORAGE)
        .sort_values("length_m", ascending=False)
        .reset_index(drop=True)
    )


_WHOLE = 0.995


def _flagged(lines: gpd.GeoDataFrame, twice: pd.DataFrame, against: pd.DataFrame) -> gpd.GeoDataFrame:
    """Lines with their relation to others, and what is proposed: of two that are wholly one and say the same, the later file's goes."""
    relation = np.full(len(lines), "single", dtype=object)
    proposal = np.full(len(lines), "keep", dtype=object)
    of = np.full(len(lines), None, dtype=object)
    for name, pairs in (("conflict", against), ("duplicate", twice)):
        for side in ("row", "other_row"):
            relation[pairs[side].astype(int)] = name
    for pair in twice[(twice["share"] >= _WHOLE) & (twice["differs"] == "")].to_dict("records"):
        a, b = int(pair["row"]), int(pair["other_row"])
        shorter = a if lines.geometry.iloc[a].length < _WHOLE * lines.geometry.iloc[b].length else b
        kept = a if shorter == b else b
        if proposal[kept] == "keep" and not _more(lines, shorter, kept):
            proposal[shorter], of[shorter] = "leave_out", f"{lines['file'].iloc[kept]}/{lines['feature'].iloc[kept]}"
    return lines.assign(relation=relation, proposal=proposal, duplicate_of=of)


def _more(lines: pd.DataFrame, one: int, other: int) -> bool:
    """Whether a line says something that the other does not."""
    return any(_there(_column(lines, c).iloc[one]) and not _there(_column(lines, c).iloc[other]) for c in SAID)


def _overlaps(areas: gpd.GeoDataFrame, metric: Any, limits: Limits) -> gpd.GeoDataFrame:
    """Areas of different deliveries on one ground."""
    columns = [*OF_FILE, *(f"other_{k}" for k in OF_FILE), "river_code", "other_river_code", "area_m2", "same"]
    rows, shapes = [], []
    if len(areas):
        made = np.array(
            [geometry.polygons_of(shapely.make_valid(g)) for g in areas.to_crs(metric).geometry], dtype=object
        )
        one, other = shapely.STRtree(made).query(made, predicate="intersects")
        source = (areas["file"].astype(str) + "\0" + areas["layer"].astype(str)).to_numpy()
        for a, b in zip(one, other, strict=True):
            if a < b and source[a] != source[b]:
                common = shapely.intersection(made[a], made[b])
                if common.area >= limits.sliver_m2:
                    same = common.area / max(made[a].area, made[b].area) >= _SAME_AREA
                    rows.append(_pair_of_areas(areas, int(a), int(b), common.area, same))
                    shapes.append(geometry.polygons_of(common))
    frame = gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry=shapes, crs=metric)
    return frame.to_crs(crs.STORAGE).sort_values("area_m2", ascending=False).reset_index(drop=True)


def _pair_of_areas(areas: gpd.GeoDataFrame, a: int, b: int, area_m2: float, same: bool) -> dict[str, Any]:
    one, other = areas.iloc[a], areas.iloc[b]
    return {
        **{k: one[k] for k in OF_FILE}, **{f"other_{k}": other[k] for k in OF_FILE}, "river_code": one.get("river_code"),
        "other_river_code": other.get("river_code"), "area_m2": round(float(area_m2), 1), "same": same,
    }  # fmt: skip
