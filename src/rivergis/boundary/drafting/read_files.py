"""The files a draft is made of, read once and brought to metres: reaches, levees, walls, water, banks, counties, surrogates.

Field names are those of the trade in English and Chinese; what lies nowhere certain, or belongs to no reach, is told and left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from rivergis import crs, geometry
from rivergis.boundary.drafting.edges import Linework
from rivergis.boundary.drafting.frames import Note, Reach
from rivergis.boundary.drafting.make import Ground, Work
from rivergis.errors import InputError, RivergisError
from rivergis.intake import vector
from rivergis.intake.delivery import Asked
from rivergis.river import banks, chainage

REACH = ("reach_code", "reach_id", "河段编码", "河段编号", "reach")
OWN_CODE = (*REACH, "code", "id", "编号", "fid_1")
RIVER = ("river_code", "river_id", "河流编码", "河流代码")
BANK = ("bank", "岸别", "side")
WIDTH = ("width_m", "河宽", "width", "河宽_m")
GRADE = ("levee_grade", "grade", "堤防级别", "堤防等级", "级别", "等级")
PLACE = ("levee_place", "place", "堤防所在")
NAME = ("levee_name", "name", "堤防名称", "名称", "河流名称")
PERIOD = ("design_return_period_a", "return_period_a", "防洪标准", "设计重现期", "重现期", "return_period")
PLAN_AREA = ("plan_area", "规划区")
FEATURE = ("levee_id", "wall_id", "code", "id", "编号", "feature_id", "name", "名称")
DAY = ("survey_date", "surveyed_on", "date", "测量日期", "日期", "更新日期")
COUNTY = ("county", "县", "name", "名称", "xzqmc", "县名", "行政区名称", "code")
TOE_KIND = ("line_kind", "toe", "线别", "堤线类型")
_NO_TOE = (
    "crest",
    "inner",
    "centre",
    "center",
    "堤顶",
    "堤顶线",
    "堤顶中心线",
    "堤肩线",
    "临水坡脚",
    "内坡脚",
    "迎水坡脚",
)
_LAYERS = {
    "reaches": ("reaches", "reach", "河段"),
    "levees": ("levees", "levee_toe", "levee", "堤防", "堤脚线"),
    "water": ("water", "waters", "water_area", "水域", "水面"),
    "counties": ("counties", "county", "admin_unit", "县界", "行政区"),
    "banks": ("banks", "bank_line", "bank_lines", "岸线", "河口线"),
    "levels": ("levels", "flood_levels", "水位"),
    "lakes": ("lakes", "lake", "湖泊"),
    "reservoirs": ("reservoirs", "reservoir", "水库"),
}
_SCRAP_M = 20.0
_COUNTY_LEVEL = ("county", "district", "县", "县级", "区县")
_KEPT = ("code", "reach_code", "bank", "from_m", "to_m", "drawn_by", "hand_edited")
_NUMERALS = {**{c: i + 1 for i, c in enumerate("ⅠⅡⅢⅣⅤ")}, **{c: i + 1 for i, c in enumerate("一二三四五")}}
_BANKS = {
    **dict.fromkeys(("left", "l", "左", "左岸"), "left"),
    **dict.fromkeys(("right", "r", "右", "右岸"), "right"),
}


@dataclass(frozen=True)
class Layer:
    """A layer as read, in metres. ``about``: file, layer and day, as they stand with every line drawn from it."""

    frame: gpd.GeoDataFrame
    about: Mapping[str, Any]

    def column(self, names: Sequence[str]) -> pd.Series:
        """The first of these columns (whatever its case); all missing where none is there."""
        known = {str(c).strip().lower(): c for c in self.frame.columns}
        found = next((known[n] for n in names if n in known), None)
        return self.frame[found] if found is not None else pd.Series(None, index=self.frame.index, dtype=object)

    def to(self, system: Any) -> Layer:
        """The same in another system; a table without geometry as it is."""
        return Layer(self.frame.to_crs(system), self.about) if isinstance(self.frame, gpd.GeoDataFrame) else self

    def source(self, row: Any) -> dict[str, Any]:
        """Layer, feature and day of one feature."""
        name = self.column(FEATURE)[row]
        day = self.column(DAY)[row]
        told = {**self.about, "feature": str(row) if blank(name) else text(name)}
        return told if blank(day) else told | {"date": str(day)[:10]}


@dataclass
class Reading:
    """What was found out while reading."""

    said: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def blank(value: Any) -> bool:
    return value is None or (pd.api.types.is_scalar(value) and pd.isna(value)) or not str(value).strip()


def text(value: Any) -> str:
    """A code as people write it: spreadsheets make 7.0 of the number 7."""
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    return str(int(value)) if whole else str(value).strip()


def opened(paths: Mapping[str, Path], asked: Asked) -> dict[str, list[vector.Opened]]:
    """All files of a draft, opened together; the first that cannot be used is refused with its sentence."""
    names = [n for n, p in paths.items() if p is not None]
    out = {}
    for name, found in zip(names, vector.open_each([paths[n] for n in names], asked), strict=True):
        if isinstance(found, RivergisError):
            raise found
        out[name] = found
    return out


def layer(name: str, path: Path, found: list[vector.Opened], layer_name: str | None, reading: Reading) -> Layer:
    """One layer in EPSG:4490: the one named, the only one, or the one whose name says what it is."""
    if layer_name is None and len(found) > 1:
        usual = [o.name for o in found if o.name.lower() in _LAYERS.get(name, (name,))]
        layer_name = usual[0] if len(usual) == 1 else None
    chosen = vector.chosen(path, found, layer_name)
    chosen.check_place()
    pieces = list(chosen.pieces())
    frame = pd.concat([p.frame for p in pieces]) if len(pieces) > 1 else pieces[0].frame
    if not isinstance(frame, gpd.GeoDataFrame):
        if name == "levels":
            return Layer(frame, {"layer": path.name})
        raise InputError(f"{path.name}, layer {chosen.name} has no geometry: give a layer of {name}.", file=str(path))
    faults = {f: s for p in pieces for f, (_, s) in p.faults.items()}
    for feature, sentence in list(faults.items())[:20]:
        reading.said.append(f"{path.name}, layer {chosen.name}, feature {feature} was left out: {sentence}")
    frame = frame[~frame.index.isin(list(faults)) & frame.geometry.notna() & ~frame.geometry.is_empty]
    return Layer(frame, {"layer": f"{path.name}:{chosen.name}" if len(found) > 1 else path.name})


def number(value: Any) -> float:
    """A number that a person or a spreadsheet wrote ("20年一遇", "2级", Ⅱ); NaN where there is none."""
    if blank(value):
        return float("nan")
    if isinstance(value, (int, float, np.number)):
        return float(value)
    found = re.search(r"\d+(\.\d+)?", str(value))
    if found:
        return float(found[0])
    return float(next((_NUMERALS[c] for c in str(value) if c in _NUMERALS), "nan"))


def bank_of(value: Any) -> str | None:
    return None if blank(value) else _BANKS.get(str(value).strip().lower())


def one_line(shape: Any) -> shapely.LineString | None:
    """A line of one part, its parts joined head to tail; None where they do not join."""
    merged = shapely.line_merge(shape, directed=True) if shape.geom_type == "MultiLineString" else shape
    if merged.geom_type == "MultiLineString":
        merged = shapely.line_merge(shape)
    return merged if merged.geom_type == "LineString" and merged.length > 0 else None


# ---- reaches ---------------------------------------------------------------------------------------------------------


def reaches_of(given: Layer, reading: Reading, facts: Mapping[str, Any]) -> list[Reach]:
    """Reaches of a layer in metres, first vertex upstream. ``facts``: what rules may ask of them (schema of the rules)."""
    code, river = given.column(OWN_CODE), given.column(RIVER)
    half, width = given.column(("half_width_m",)), given.column(WIDTH)
    start, kind = given.column(("from_m",)), given.column(("kind", "类型"))
    period, area = given.column(PERIOD), given.column(PLAN_AREA)
    kinds, areas = facts["reach_kind"]["values"], facts["plan_area"]["values"]
    out, seen = [], set()
    for row in given.frame.index:
        axis = one_line(given.frame.geometry[row])
        name = str(row) if blank(code[row]) else text(code[row])
        if axis is None or name in seen or kind[row] == "shoreline":
            why = "its code is there twice" if name in seen else "it is no single line downstream"
            if kind[row] != "shoreline":
                reading.said.append(f"{given.about['layer']}, feature {row} ({name}) was left out: {why}; mend it.")
            continue
        seen.add(name)
        wide = number(half[row]) if not blank(half[row]) else number(width[row]) / 2
        own = {
            "reach_kind": kind[row] if kind[row] in kinds else None,
            "plan_area": area[row] if area[row] in areas else None,
        }
        out.append(
            Reach(
                name, shapely.force_2d(axis), None if blank(river[row]) else text(river[row]),
                0.0 if blank(start[row]) else number(start[row]), wide, own["reach_kind"], number(period[row]), own,
            )
        )  # fmt: skip
    if not out:
        raise InputError(
            f"{given.about['layer']} holds no lines of reaches: give the centre lines, digitised downstream."
        )
    return out


# ---- lines beside reaches --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Beside:
    """A piece of a line beside one bank of one reach."""

    reach: int
    bank: str
    line: shapely.LineString
    row: Any


def beside(given: Layer, reaches: Sequence[Reach], reading: Reading, system: Any, farthest_m: float) -> list[Beside]:
    """Lines given to reach and bank: by their fields, else by where they run (``river.banks.attach``)."""
    number_of = {r.code: i for i, r in enumerate(reaches)}
    reach, bank = given.column(REACH), given.column(BANK)
    done, rest = [], []
    for row in given.frame.index:
        line = one_line(given.frame.geometry[row])
        i = None if blank(reach[row]) else number_of.get(text(reach[row]))
        if line is None or i is None:
            rest.append(row)
            continue
        seen = _side_of(reaches[i].axis, line)
        said = bank_of(bank[row])
        if said is not None and seen is not None and said != seen:
            reading.notes.append(_disagrees(given, row, reaches[i], said, seen))
        chosen = seen or said
        if chosen is None:
            rest.append(row)
        else:
            done.append(Beside(i, chosen, shapely.force_2d(line), row))
    return [*done, *_attached(given, rest, reaches, number_of, reading, system, farthest_m)]


def _side_of(axis: shapely.LineString, line: shapely.LineString) -> str | None:
    points = shapely.line_interpolate_point(line, np.linspace(0.05, 0.95, 11), normalized=True)
    vote = geometry.side_of(axis, points).sum()
    return None if abs(vote) < 6 else ("left" if vote > 0 else "right")


def _disagrees(given: Layer, row: Any, reach: Reach, said: str, seen: str) -> Note:
    return Note(
        reach.code, seen, reach.origin_m, reach.origin_m + reach.length_m, "bank_disagrees",
        f"{given.about['layer']}, {given.source(row)['feature']} says {said}, but lies {seen} of the reach looking downstream: it was used as {seen}; check the field or the direction of the reach.",
        given.frame.geometry[row].interpolate(0.5, normalized=True) if given.frame.geometry[row].geom_type == "LineString" else None,
    )  # fmt: skip


def _attached(
    given: Layer,
    rows: list[Any],
    reaches: Sequence[Reach],
    number_of: Mapping[str, int],
    reading: Reading,
    system: Any,
    farthest_m: float,
) -> list[Beside]:
    """Lines laid beside reaches; those that name a river beside its reaches only."""
    river = given.column(RIVER)
    known = {r.river for r in reaches if r.river is not None}
    named = {row: text(river[row]) for row in rows if not blank(river[row]) and text(river[row]) in known}
    out: list[Beside] = []
    for name in [*dict.fromkeys(named.values()), None]:
        mine = [row for row in rows if named.get(row) == name]
        own = [r for r in reaches if name is None or r.river == name]
        out += _beside_these(given, mine, own, number_of, reading, system, farthest_m)
    return out


def _beside_these(
    given: Layer,
    rows: list[Any],
    reaches: Sequence[Reach],
    number_of: Mapping[str, int],
    reading: Reading,
    system: Any,
    farthest_m: float,
) -> list[Beside]:
    if not rows:
        return []
    axes = gpd.GeoDataFrame(
        {"reach_id": [r.code for r in reaches], "half_width_m": [r.half_width_m for r in reaches]},
        geometry=[r.axis for r in reaches], crs=system,
    )  # fmt: skip
    axes["half_width_m"] = axes["half_width_m"].fillna(0.0)
    pieces, _ = banks.attach(
        crs.to_storage(given.frame.loc[rows]),
        crs.to_storage(axes),
        max_offset_m=farthest_m,
        step_m=20.0,
        min_confidence=0.5,
    )
    lost = pieces[pieces["bank"].isna()]
    for row in lost["line"].unique()[:20]:
        reading.said.append(f"{given.about['layer']}, feature {row}: part of it lies beside no reach and was not used.")
    whole = pieces.groupby("line")["length_m"].transform("sum")
    enough = pieces["length_m"] > np.minimum(
        _SCRAP_M, whole / 2
    )  # a levee laid over a mouth runs beside the brook for a moment
    kept = pieces[pieces["bank"].notna() & enough].to_crs(system)
    return [Beside(number_of[r.reach_id], r.bank, r.geometry, r.line) for r in kept.itertuples(index=False)]


def levees_of(given: Layer, reaches: Sequence[Reach], reading: Reading, system: Any, farthest_m: float) -> list[Work]:
    """Levees as outer toes with what the rules ask of them. A line that says it is no toe is told and not used."""
    kind = given.column(TOE_KIND)
    toes = [r for r in given.frame.index if str(kind[r]).strip().lower() not in _NO_TOE]
    for row in given.frame.index.difference(toes)[:20]:
        reading.said.append(
            f"{given.about['layer']}, feature {row} is {kind[row]!r}, not an outer toe (背水坡脚): it was not used."
        )
    lines = Layer(given.frame.loc[toes], given.about)
    return [
        Work(b.reach, b.bank, b.line, levee_facts(lines, b.row), lines.source(b.row))
        for b in beside(lines, reaches, reading, system, farthest_m)
    ]


def levee_facts(given: Layer, row: Any) -> dict[str, Any]:
    """What the rules ask of a levee, as far as its fields tell it."""
    grade, period = number(given.column(GRADE)[row]), number(given.column(PERIOD)[row])
    place, name, soil = given.column(PLACE)[row], given.column(NAME)[row], given.column(("soil", "堤基"))[row]
    return {
        "levee_grade": int(grade) if grade in (1, 2, 3, 4, 5) else None,
        "design_return_period_a": int(period) if np.isfinite(period) else None,
        "levee_place": None if blank(place) else str(place).strip(),
        "levee_name": None if blank(name) else str(name).strip(),
        "soil": "sand" if str(soil).strip() in ("sand", "砂", "砂基", "沙基") else None,
    }


# ---- edges -----------------------------------------------------------------------------------------------------------


def water_of(given: Layer) -> Ground:
    """Water areas as edges; islands in them are no banks. With a reach of their own, areas are seen from that reach only."""
    reach = given.column(REACH)
    owned = bool(len(reach)) and not any(blank(v) for v in reach)
    frame = given.frame[given.frame.geom_type.isin(["Polygon", "MultiPolygon"])]
    if frame.empty:
        raise InputError(f"{given.about['layer']} holds no areas of water: give polygons.")
    if not owned:
        whole = geometry.polygons_of(shapely.union_all(shapely.make_valid(frame.geometry.to_numpy())))
        shapely.prepare(whole)
        return Ground("water", Linework(_rims([whole], frame.crs)), given.about, area=whole)
    names = [text(v) for v in reach[frame.index]]
    merged = {n: geometry.polygons_of(shapely.union_all(frame.geometry.to_numpy()[rows])) for n, rows in _groups(names)}
    rims = [_rims([s], frame.crs) for s in merged.values()]
    owner = np.array([n for n, r in zip(merged, rims, strict=True) for _ in range(len(r))], dtype=object)
    return Ground(
        "water", Linework(gpd.GeoSeries(pd.concat(rims, ignore_index=True), crs=frame.crs), owner), given.about, True
    )


def _groups(names: list[str]) -> Iterable[tuple[str, np.ndarray]]:
    order: dict[str, list[int]] = {}
    for k, n in enumerate(names):
        order.setdefault(n, []).append(k)
    return ((n, np.array(rows)) for n, rows in order.items())


def _rims(shapes: Sequence[Any], system: Any) -> gpd.GeoSeries:
    return gpd.GeoSeries(
        [shapely.LineString(p.exterior.coords) for s in shapes for p in shapely.get_parts(s)], crs=system
    )


def banks_of(
    given: Layer, reaches: Sequence[Reach], reading: Reading, system: Any, farthest_m: float
) -> dict[tuple[int, str], tuple[shapely.LineString, Mapping[str, Any]]]:
    """Bank lines (河口线、岸线), the longest of each reach and bank; others of the same bank are told."""
    out: dict[tuple[int, str], tuple[shapely.LineString, Mapping[str, Any]]] = {}
    for b in sorted(beside(given, reaches, reading, system, farthest_m), key=lambda b: -b.line.length):
        if (b.reach, b.bank) not in out:
            out[b.reach, b.bank] = (b.line, given.source(b.row))
        elif b.line.length > 20:
            reading.said.append(
                f"{given.about['layer']}: the {b.bank} bank of {reaches[b.reach].code} has several lines; the longest was followed."
            )
    return out


def counties_of(given: Layer) -> gpd.GeoDataFrame:
    """Counties (Polygon) with their name as ``county``; of a layer of all administrative levels those of the level county."""
    level = given.column(("level", "级别")).map(lambda v: str(v).strip().lower())
    chosen = given.frame[level.isin(_COUNTY_LEVEL)] if level.isin(_COUNTY_LEVEL).any() else given.frame
    names = given.column(COUNTY)[chosen.index]
    frame = gpd.GeoDataFrame({"county": names.map(text)}, geometry=chosen.geometry, crs=given.frame.crs)
    frame["geometry"] = [geometry.polygons_of(g) for g in frame.geometry]
    return frame[~frame.geometry.is_empty].reset_index(drop=True)


LEVEL = (
    "level_m",
    "level",
    "water_level_m",
    "water_level",
    "wse_m",
    "水位",
    "水位_m",
    "设计洪水位",
    "洪水位",
    "stage_m",
    "depth_m",
    "水深",
)
CHAINAGE = ("at_m", "chainage_m", "chainage", "桩号", "里程", "at")
DATUM = ("vertical_datum", "高程基准")


def levels_of(given: Layer, reaches: Sequence[Reach], axes_near: Any) -> tuple[pd.DataFrame, set[str]]:
    """Flood levels: reach_code or river_code, at_m, level_m, return_period_a, and the vertical datums they name.

    Levels that come as points without chainage lie at the nearest place of the nearest reach (``axes_near``: tree of the axes).
    """
    name = given.about["layer"]
    level = given.column(LEVEL).map(number)
    if level.isna().all():
        raise InputError(f"{name} has no field of levels: name it level_m (metres above the datum).", file=name)
    table = pd.DataFrame({"level_m": level, "return_period_a": given.column(PERIOD).map(number)})
    table["reach_code"] = [None if blank(v) else text(v) for v in given.column(REACH)]
    table["river_code"] = [None if blank(v) else text(v) for v in given.column(RIVER)]
    at = given.column(CHAINAGE)
    if at.notna().any():
        table["at_m"] = [chainage.parse(str(v)) if "+" in str(v) else number(v) for v in at]
    else:
        table["reach_code"], table["at_m"] = _placed(given, reaches, axes_near)
    bad = np.flatnonzero(table[["at_m", "level_m"]].isna().any(axis=1))
    if len(bad):
        raise InputError(
            f"{name}, row {table.index[bad[0]]}: a level has no chainage at_m or no height level_m: complete or remove it.",
            file=name,
        )
    datum = given.column(DATUM)
    return table.reset_index(drop=True), {text(v) for v in datum.unique() if not blank(v)}


def _placed(given: Layer, reaches: Sequence[Reach], tree: shapely.STRtree) -> tuple[list[str], list[float]]:
    shapes = given.frame.geometry if isinstance(given.frame, gpd.GeoDataFrame) else None
    if shapes is None or not (shapes.geom_type == "Point").all():
        raise InputError(
            f"{given.about['layer']} says of its levels neither chainage nor place: give a field at_m, or points."
        )
    near = tree.nearest(shapes.to_numpy())
    mine = [reaches[i] for i in near]
    return [r.code for r in mine], [r.origin_m + r.axis.project(p) for r, p in zip(mine, shapes, strict=True)]


def earlier(path: Path) -> gpd.GeoDataFrame:
    """Layer ``lines`` of an earlier draft, in EPSG:4490, untouched; ``InputError`` where the file is none."""
    try:
        frame = pyogrio.read_dataframe(path, layer="lines")
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise InputError(
            f"{path} is no draft with a layer lines: give a file of rivergis boundary draft.", file=str(path)
        ) from error
    frame = crs.inward(frame)
    missing = [c for c in _KEPT if c not in frame]
    if missing or frame.crs != crs.STORAGE:
        why = f"lacks {', '.join(missing)}" if missing else "is not in EPSG:4490"
        raise InputError(
            f"{path.name}, layer lines {why}: give a draft as rivergis boundary draft wrote it.", file=str(path)
        )
    return frame if frame.geometry.name == "geometry" else frame.rename_geometry("geometry")
