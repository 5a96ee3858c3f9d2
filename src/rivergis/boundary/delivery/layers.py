"""The layers a delimitation is delivered as (成果图层): by national name and code, with their attributes, zone by zone.

Which layers there are, their codes and what they hold are rules (``boundary.deliver.layers``, ``boundary.layer_codes``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS

from rivergis import crs
from rivergis.boundary.delivery import tables as d
from rivergis.boundary.delivery.tables import Delivery, Zone
from rivergis.errors import CrsRefused, InputError
from rivergis.river import chainage

_OF_ACT = (
    "announce_gov",
    "announce_doc_no",
    "announced_on",
    "valid_to",
    "survey_scale",
    "survey_date",
    "xy_error_m",
    "county",
)
_LINE = ("code", "version_code", "river_code", "river", "reach_code", "bank", "line_type", "basis", "standing")
_MARK = ("code", "version_code", "river_code", "river", "reach_code", "bank", "basis", "standing")
COLUMNS: dict[str, tuple[str, ...]] = {
    "lines": (
        *_LINE, "drawn_by", "rule", "source", "levee_grade", "return_period_a", "flood_level_m", "vertical_datum",
        "tolerance_m", "band_in_m", "band_out_m", "from_m", "to_m", "length_m", "indicative", "hand_edited", *_OF_ACT, "reason",
    ),
    "points": ("point_no", *_MARK, "role", "at_m", "x_north_m", "y_east_m", "lon", "lat"),
    "lengths": (*_MARK, "length_m", "text"),
    "coordinates": ("point_no", *_MARK, "role", "at_m", "x_north_m", "y_east_m", "lon", "lat", "text"),
    "chainage": (*_MARK, "at_m", "text"),
    "areas": ("code", "version_code", "river_code", "river", "reach_code", "line_type", "basis", "standing", "area_m2", *_OF_ACT),
    "levees": ("code", "river_code", "bank", "levee_grade", "line_role", "length_m"),
    "stakes": (
        "code", "river_code", "river", "bank", "kind", "at_m", "status", "height_m", "vertical_datum", "x_north_m",
        "y_east_m", "lon", "lat",
    ),
}  # fmt: skip
NUMBERS = frozenset((
    "return_period_a", "flood_level_m", "tolerance_m", "band_in_m", "band_out_m", "from_m", "to_m", "at_m", "length_m",
    "area_m2", "xy_error_m", "x_north_m", "y_east_m", "lon", "lat", "height_m",
))  # fmt: skip
INTEGERS = frozenset(("survey_scale", "levee_grade"))
TRUTHS = frozenset(("hand_edited",))
DATES = frozenset(("announced_on", "valid_to", "survey_date"))


@dataclass(frozen=True)
class Terms:
    """The rules of a delivery: layers, their codes, how points are numbered, distance of chainage marks in m, zone in eastings."""

    layers: Mapping[str, Mapping[str, Any]]
    codes: Mapping[str, str]
    point_number: str
    chainage_step_m: float
    zone_prefix: bool


def zones(delivery: Delivery, terms: Terms, asked: int | None = None) -> list[Zone]:
    """A delivery (EPSG:4490) as layers in metres of its zones: each feature in the zone of its middle, or all in the one asked for.

    Turning points are numbered over the whole. Raises ``InputError`` where there is nothing, ``CrsRefused`` for a zone far away.
    """
    lines = d.in_order(d.lone(delivery.lines)) if len(delivery.lines) else delivery.lines
    parts = _parts(delivery, lines, terms)
    if not parts:
        raise InputError("There is no line and no area to deliver: name a file or a version that has some.")
    home = _homes(parts, asked)
    numbers = sorted({z for h in home.values() for z in h.dropna().unique()})
    if asked is None and any(h.isna().any() for h in home.values()):
        return [_zone(None, crs.metric_crs(*crs.centre(next(iter(parts.values())))), parts, terms)]
    out = []
    for z in numbers:
        own = {k: f[home[k] == z].reset_index(drop=True) for k, f in parts.items()}
        out.append(_zone(int(z), d.zone_crs(int(z), terms.zone_prefix), own, terms))
    return out


def _parts(delivery: Delivery, lines: gpd.GeoDataFrame, terms: Terms) -> dict[str, gpd.GeoDataFrame]:
    """All that is delivered, in EPSG:4490, with numbers and chainages given over the whole."""
    parts: dict[str, gpd.GeoDataFrame | None] = {
        "areas": delivery.areas,
        "levees": delivery.levees,
        "stakes": delivery.stakes,
    }
    if len(lines):
        lines = lines.assign(standing=delivery.standing, length_m=np.round(crs.length_m(lines.geometry.values), 3))
        parts |= {"lines": lines, "points": d.turning_points(lines, terms.point_number)}
        parts["chainage"] = d.chainage_marks(lines, terms.chainage_step_m, chainage.label)
    return {k: f for k, f in parts.items() if f is not None and len(f)}


def _homes(parts: Mapping[str, gpd.GeoDataFrame], asked: int | None) -> dict[str, pd.Series]:
    """Zone of every feature; points go where their line goes."""
    if asked is not None:
        _check_near(parts, asked)
        return {k: pd.Series(float(asked), index=f.index) for k, f in parts.items()}
    home = {k: d.zones_of(f) for k, f in parts.items()}
    if "lines" in parts:
        home["points"] = home["lines"].reindex(parts["points"]["line"]).set_axis(parts["points"].index)
    return home


def _check_near(parts: Mapping[str, gpd.GeoDataFrame], asked: int) -> None:
    """A zone far from the place would distort without bound."""
    boxes = np.array([f.total_bounds for f in parts.values()])
    west, east = boxes[:, 0].min(), boxes[:, 2].max()
    if max(abs(west - 3 * asked), abs(east - 3 * asked)) > 3:
        raise CrsRefused(
            f"Zone {asked} (central meridian {3 * asked}) is meant for {3 * asked - 1.5} to {3 * asked + 1.5} E, but the lines lie "
            f"in {west:.2f} to {east:.2f} E: leave --zone away to have the zone of the place."
        )


def _zone(number: int | None, system: CRS, own: dict[str, gpd.GeoDataFrame], terms: Terms) -> Zone:
    metric: dict[str, gpd.GeoDataFrame] = {k: f.to_crs(system) for k, f in own.items() if len(f)}
    for k in ("points", "stakes"):
        if k in metric:
            metric[k] = d.with_coordinates(own[k], system)
    if "areas" in metric:
        metric["areas"] = metric["areas"].assign(area_m2=np.round(crs.area_m2(own["areas"].geometry.values), 2))
    if "levees" in metric:
        metric["levees"] = metric["levees"].assign(length_m=np.round(crs.length_m(own["levees"].geometry.values), 3))
    if "lines" in metric:
        metric["lengths"] = d.sides(metric["lines"])
        metric["coordinates"] = d.end_marks(metric["points"])
    layers = {name: _layer(name, said, metric, terms) for name, said in terms.layers.items()}
    return Zone(number, system, {k: f for k, f in layers.items() if f is not None})


def _layer(
    name: str, said: Mapping[str, Any], metric: Mapping[str, gpd.GeoDataFrame], terms: Terms
) -> gpd.GeoDataFrame | None:
    """Features of one national layer with its columns; None where there are none."""
    frame = metric.get(said["of"])
    if frame is None:
        return None
    for column in ("line_type", "line_role"):
        wanted = said.get(column)
        if wanted is not None:
            given = frame[column] if column in frame else pd.Series(None, index=frame.index, dtype=object)
            frame = frame[_of_type(given, column).isin(wanted if isinstance(wanted, list) else [wanted])]
    if frame.empty:
        return None
    own: dict[str, Any] = {"element_code": terms.codes.get(name), "element": said["zh"]}
    own |= {c: typed(c, frame[c]) for c in COLUMNS[said["of"]] if c in frame}
    made = gpd.GeoDataFrame(pd.DataFrame(own, index=frame.index), geometry=frame.geometry.values, crs=frame.crs)
    return made.reset_index(drop=True)


def _of_type(column: pd.Series, name: str) -> pd.Series:
    return column.fillna("management" if name == "line_type" else "landward_toe")


def typed(column: str, values: pd.Series) -> pd.Series:
    """Values in the kind that the column has in every delivery, so that empty ones do not change it.

    Dates of which one cannot be read stay text as they were given: nothing is lost, and the doctor tells them (bad_date).
    """
    if column in NUMBERS:
        return pd.to_numeric(values, errors="coerce").astype(float)
    if column in INTEGERS:
        return pd.to_numeric(values, errors="coerce").round().astype("Int64")
    if column in TRUTHS:
        return pd.Series([None if _missing(v) else true(v) for v in values], index=values.index, dtype=object)
    days = [_day(v) for v in values] if column in DATES else []
    if days and not any(day is None and not _missing(v) for day, v in zip(days, values, strict=True)):
        return pd.Series(days, index=values.index, dtype=object)
    return pd.Series([None if _missing(v) else str(v) for v in values], index=values.index, dtype=object)


def true(value: Any) -> bool:
    """Whether a cell says yes, as files write it."""
    return str(value).strip().lower() in ("true", "t", "1", "1.0", "yes", "是")


def _missing(value: Any) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value))


def _day(value: Any) -> Any:
    day = pd.to_datetime(value, errors="coerce") if not _missing(value) else pd.NaT
    return None if day is pd.NaT else day.date()
