"""What a delimitation is handed over as (划界成果): turning points, lengths, coordinates and chainage marks made from its lines.

Numbers and chainages are given once, in EPSG:4490, so that a result that is cut by zones is numbered as one; lengths of sides and
coordinates are those of the zone's plane, as surveyors check them. Layers and codes: domain rules ``boundary.deliver.*``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from rivergis import crs
from rivergis.errors import InputError, UsageError

LETTER = {"left": "L", "right": "R"}
SAME_PLACE_DEG = 9  # decimals of a degree: 0.1 mm
_FIRST_ZONE, _LAST_ZONE = 25, 45  # 3-degree zones of China, central meridians 75 to 135
NOT_ANNOUNCED = ("draft", "submitted", "reviewed", "sketch")
STANDINGS = (*NOT_ANNOUNCED, "announced", "in_force", "superseded", "revoked")


@dataclass(frozen=True)
class Delivery:
    """Lines (LineString), areas (MultiPolygon), levee lines and stakes of one delivery, EPSG:4490, and how it stands.

    ``standing``: one of ``STANDINGS``; all but the last four are no result of surveying and say so on everything.
    """

    title: str
    standing: str
    lines: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame
    levees: gpd.GeoDataFrame | None = None
    stakes: gpd.GeoDataFrame | None = None
    axes: gpd.GeoDataFrame | None = None
    water: gpd.GeoDataFrame | None = None
    counties: gpd.GeoDataFrame | None = None
    sources: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def draft(self) -> bool:
        """Whether 内部草稿·非测绘成果 stands on everything made from it."""
        return self.standing in NOT_ANNOUNCED or not (self.lines["basis"] == "announced").all()

    @property
    def sketch(self) -> bool:
        """Whether any of it is 示意 only: a surrogate, or drawn on a coarse or surface elevation model."""
        told = [v for v in self.lines["indicative"] if _says_so(v)] if "indicative" in self.lines else []
        return self.standing == "sketch" or bool(told) or bool((self.lines["basis"] == "surrogate").any())


def _says_so(value: Any) -> bool:
    """Whether a cell of the column ``indicative`` says that it is for orientation only: a text about it, or yes."""
    return (
        value is not None and value == value and str(value).strip().lower() not in ("", "false", "0", "0.0", "否", "no")
    )


@dataclass(frozen=True)
class Zone:
    """A 3-degree zone of a delivery: its number (None outside China), system, and the layers that lie in it, in its metres."""

    number: int | None
    crs: CRS
    layers: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)

    @property
    def meridian(self) -> int | None:
        """Central meridian in degrees."""
        return None if self.number is None else self.number * 3


def zone_number(asked: int) -> int:
    """A zone as people name it: its number (25 to 45) or its central meridian (75 to 135)."""
    number = asked // 3 if asked >= 3 * _FIRST_ZONE and asked % 3 == 0 else asked
    if not _FIRST_ZONE <= number <= _LAST_ZONE:
        raise UsageError(
            f"--zone {asked} is no 3-degree zone of China: give a number from {_FIRST_ZONE} to {_LAST_ZONE} or its central "
            "meridian from 75 to 135."
        )
    return number


def zone_crs(number: int, prefix: bool) -> CRS:
    """CGCS2000 3-degree zone (EPSG:4534-4554, with the number in the easting EPSG:4513-4533)."""
    return CRS.from_epsg(4488 + number if prefix else 4509 + number)


def zones_of(frame: gpd.GeoDataFrame) -> pd.Series:
    """Zone number in which the middle of each feature (EPSG:4490) lies; NaN outside China. No feature is cut."""
    box = frame.geometry.bounds
    lon, lat = (box["minx"] + box["maxx"]) / 2, (box["miny"] + box["maxy"]) / 2
    inside = lon.between(73.5, 136.5) & lat.between(3, 54)
    return (lon / 3).round().clip(_FIRST_ZONE, _LAST_ZONE).where(inside)


def reaching_over(frame: gpd.GeoDataFrame) -> int:
    """How many features lie in two zones: they stay whole, in the zone of their middle."""
    box = frame.geometry.bounds
    return int(((box["minx"] / 3).round() != (box["maxx"] / 3).round()).sum())


def in_order(lines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Lines by river, line type and bank, downstream by chainage where they have one; the index counts anew."""
    keys = [c for c in ("river_code", "line_type", "bank", "from_m") if c in lines]
    return lines.sort_values(keys, kind="stable", na_position="last").reset_index(drop=True)


def turning_points(lines: gpd.GeoDataFrame, pattern: str) -> gpd.GeoDataFrame:
    """界址点: every vertex of every line (LineString, EPSG:4490) once, numbered downstream on each bank of a river.

    Where two lines meet there is one point. Columns: point_no, code (of the line), river, bank, role (start, turn, joint, end),
    at_m (chainage, interpolated along the line; missing where the line has none), line (row of the line), lon, lat.
    """
    lines = in_order(lines)
    xy, of_line = shapely.get_coordinates(lines.geometry.values, return_index=True)
    points = pd.DataFrame({"line": of_line, "lon": xy[:, 0], "lat": xy[:, 1]})
    points = points.join(lines[[c for c in _CARRIED if c in lines]], on="line")
    points["at_m"] = _chainage(lines, xy, of_line)
    points["role"] = _roles(of_line)
    points = points[~_closes(points)]
    same = [*(c for c in ("river_code", "line_type", "bank") if c in points), "x", "y"]
    points = points.assign(x=points["lon"].round(SAME_PLACE_DEG), y=points["lat"].round(SAME_PLACE_DEG))
    joint = points.duplicated(same, keep=False) & points["role"].isin(("start", "end"))
    points["role"] = points["role"].mask(joint, "joint")
    points = points.drop_duplicates(same).drop(columns=["x", "y"]).reset_index(drop=True)
    points["point_no"] = _numbers(points, pattern)
    return gpd.GeoDataFrame(points, geometry=shapely.points(points["lon"], points["lat"]), crs=crs.STORAGE)


_CARRIED = (
    "code", "version_code", "river_code", "river", "reach_code", "bank", "line_type", "basis", "standing", "county",
)  # fmt: skip


def _roles(of_line: np.ndarray) -> np.ndarray:
    first = np.r_[True, of_line[1:] != of_line[:-1]]
    last = np.r_[of_line[1:] != of_line[:-1], True]
    return np.where(first, "start", np.where(last, "end", "turn"))


def _closes(points: pd.DataFrame) -> pd.Series:
    """The last vertex of a ring, which is its first again."""
    first = points.groupby("line")[["lon", "lat"]].transform("first")
    return (points["role"] == "end") & (first["lon"] == points["lon"]) & (first["lat"] == points["lat"])


def _chainage(lines: gpd.GeoDataFrame, xy: np.ndarray, of_line: np.ndarray) -> np.ndarray:
    """Chainage of every vertex, by its share of the length between from_m and to_m of its line."""
    steps = np.zeros(len(xy))
    if len(xy) > 1:
        steps[1:] = crs.GEOD.inv(xy[:-1, 0], xy[:-1, 1], xy[1:, 0], xy[1:, 1])[2]
        steps[1:][of_line[1:] != of_line[:-1]] = 0.0
    run = np.cumsum(steps)
    starts = np.searchsorted(of_line, np.arange(len(lines)))
    ends = np.searchsorted(of_line, np.arange(len(lines)), side="right") - 1
    length = np.maximum(run[ends] - run[starts], 1e-9)
    share = (run - run[starts][of_line]) / length[of_line]
    begin, end = (_numbers_of(lines, c) for c in ("from_m", "to_m"))
    return np.asarray(begin[of_line] + share * (end - begin)[of_line])


def _numbers_of(frame: pd.DataFrame, column: str) -> np.ndarray:
    if column not in frame:
        return np.full(len(frame), np.nan)
    return pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float)


def _numbers(points: pd.DataFrame, pattern: str) -> list[str]:
    by = [c for c in ("river_code", "line_type", "bank") if c in points]
    count = points.groupby(by, dropna=False, sort=False).cumcount() + 1
    banks = [LETTER.get(b, "") for b in points["bank"]]
    try:
        return [pattern.format(bank=b, number=int(n)) for b, n in zip(banks, count, strict=True)]
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise UsageError(
            f"The rule boundary.deliver.point_number {pattern!r} is no pattern: write {{bank}} and {{number:04d}} in it."
        ) from error


def sides(lines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """界址线长: middle of every side of every line, with its length in the plane and as text. Lines in metres, in order."""
    crs.require_metric(lines)
    xy, of_line = shapely.get_coordinates(lines.geometry.values, return_index=True)
    inner = np.flatnonzero(of_line[1:] == of_line[:-1])
    length = np.hypot(*(xy[inner + 1] - xy[inner]).T) if len(inner) else np.zeros(0)
    rows = lines[[c for c in _CARRIED if c in lines]].iloc[of_line[inner]].reset_index(drop=True)
    rows = rows.assign(length_m=length.round(3), text=[f"{v:.2f}" for v in length])
    middle = (xy[inner + 1] + xy[inner]) / 2
    return gpd.GeoDataFrame(rows, geometry=shapely.points(middle), crs=lines.crs)


def with_coordinates(points: gpd.GeoDataFrame, metric: CRS) -> gpd.GeoDataFrame:
    """Points (EPSG:4490) in metres of a zone, with X = north, Y = east and degrees as columns."""
    there = points.to_crs(metric)
    return there.assign(
        x_north_m=there.geometry.y.round(4),
        y_east_m=there.geometry.x.round(4),
        lon=points.geometry.x,
        lat=points.geometry.y,
    )


def end_marks(points: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """坐标标注: starts, ends and joints of lines with their coordinates as text; points from ``with_coordinates``."""
    ends = points[points["role"] != "turn"].reset_index(drop=True)
    text = [f"X={x:.3f} Y={y:.3f}" for x, y in zip(ends["x_north_m"], ends["y_east_m"], strict=True)]
    return ends.assign(text=text)


def chainage_marks(lines: gpd.GeoDataFrame, step_m: float, label: Any) -> gpd.GeoDataFrame:
    """桩号: where a line passes each multiple of ``step_m`` of chainage; lines (EPSG:4490) without chainage have none.

    ``label``: chainage in m -> text, as ``river.chainage.label``.
    """
    begin, end = _numbers_of(lines, "from_m"), _numbers_of(lines, "to_m")
    rows, at, shapes = [], [], []
    for i in np.flatnonzero(np.isfinite(begin) & np.isfinite(end) & (end > begin)):
        marks = np.arange(np.ceil(begin[i] / step_m) * step_m, end[i] + 1e-6, step_m)
        share = (marks - begin[i]) / (end[i] - begin[i])
        rows += [i] * len(marks)
        at += list(marks)
        shapes += list(_along(lines.geometry.iloc[i], share))
    out = lines[[c for c in _CARRIED if c in lines]].iloc[rows].reset_index(drop=True)
    out = out.assign(at_m=np.round(at, 3), text=[label(v) for v in at])
    made = gpd.GeoDataFrame(out, geometry=gpd.GeoSeries(shapes, crs=crs.STORAGE), crs=crs.STORAGE)
    # where one line ends on a mark the next begins
    place = [c for c in ("river_code", "line_type", "bank", "at_m") if c in made]
    return made.drop_duplicates(place).reset_index(drop=True)


def _along(line: shapely.LineString, share: np.ndarray) -> Sequence[Any]:
    """Points at shares of the ellipsoidal length of a line in degrees, straight between its vertices."""
    xy = shapely.get_coordinates(line)
    steps = crs.GEOD.inv(xy[:-1, 0], xy[:-1, 1], xy[1:, 0], xy[1:, 1])[2]
    run = np.r_[0.0, np.cumsum(steps)]
    at = share * run[-1]
    return list(shapely.points(np.interp(at, run, xy[:, 0]), np.interp(at, run, xy[:, 1])))


def dms(degrees: float, digits: int = 4) -> str:
    """Degrees as degrees, minutes and seconds (106°05′23.1230″); carries, so that there are never 60 seconds."""
    unit = 10**digits
    total = round(abs(degrees) * 3600 * unit)
    minutes, seconds = divmod(total, 60 * unit)
    sign = "-" if degrees < 0 and total else ""
    tail = f".{seconds % unit:0{digits}d}" if digits else ""
    return f"{sign}{minutes // 60}°{minutes % 60:02d}′{seconds // unit:02d}{tail}″"


def from_dms(text: str) -> float:
    """The degrees of a text of ``dms``."""
    body = text.strip().lstrip("-")
    whole, _, rest = body.partition("°")
    minutes, _, seconds = rest.partition("′")
    value = int(whole) + int(minutes) / 60 + float(seconds.rstrip("″")) / 3600
    return -value if text.strip().startswith("-") else value


def lone(lines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Lines as single flat LineStrings; a line of several parts becomes several rows. ``InputError`` for shapes that are no lines."""
    shapes = lines.geometry.values
    bad = [
        i
        for i, g in enumerate(shapes)
        if g is None or g.is_empty or g.geom_type not in ("LineString", "MultiLineString")
    ]
    if bad:
        code = lines["code"].iloc[bad[0]] if "code" in lines else bad[0]
        raise InputError(f"Line {code}: it has no line as its shape; remove or draw it before it is delivered.")
    flat = lines.set_geometry(gpd.GeoSeries(shapely.force_2d(shapes), index=lines.index, crs=lines.crs))
    return flat.explode(ignore_index=True)
