"""What else bounds a draft: flood walls, lakes, reservoirs, spoil, surrogates, as their files tell them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely

from rivergis import crs, geometry
from rivergis.boundary.drafting import read_files as reading_
from rivergis.boundary.drafting import rules as draft_rules
from rivergis.boundary.drafting.edges import Linework
from rivergis.boundary.drafting.flood import Heights, level_area
from rivergis.boundary.drafting.frames import SIDES, Basis, Note, Reach
from rivergis.boundary.drafting.make import Ground, Work
from rivergis.boundary.drafting.read_files import Layer, Reading, blank, number, text
from rivergis.boundary.drafting.spoil import Spoil
from rivergis.boundary.drafting.standing import Standing
from rivergis.rules import RuleView

DESIGN_LEVEL = ("design_level_m", "设计洪水位", "level_m")
GROUND = ("ground_m", "墙后地面高程", "地面高程")
LINE_KIND = ("line_kind", "依据", "basis", "kind", "类型")
CHECK_LEVEL = ("check_level_m", "校核洪水位", "check_flood_m")
SIZE = ("reservoir_size", "size", "规模", "水库规模")
_LINES = {
    "check_flood": ("check_flood", "校核洪水位", "校核洪水位线"),
    "land_acquisition": ("land_acquisition", "征地线", "移民线", "调整土地线"),
    "normal_level": ("normal_level", "正常蓄水位", "正常蓄水位线"),
    "design_flood": ("design_flood", "设计洪水位", "设计洪水位线"),
    "dam": ("dam", "大坝", "坝"),
}
_SIZES = {
    "large": ("large", "大型", "大(1)型", "大(2)型"),
    "medium": ("medium", "中型"),
    "small": ("small", "小型", "小(1)型", "小(2)型"),
}
_SURROGATES = {
    "levee_toe": ("levee_toe", "堤脚", "堤外坡脚"),
    "road": ("road", "道路", "公路", "渠道", "canal"),
    "village_edge": ("village_edge", "村庄", "村边线", "居民地"),
    "gorge_foot": ("gorge_foot", "山脚", "峡谷坡脚"),
    "scarp": ("scarp", "陡坎"),
    "flood_trace": ("flood_trace", "洪痕", "洪水痕迹"),
}


def _word(value: Any, of: Mapping[str, Sequence[str]]) -> str | None:
    said = "" if blank(value) else str(value).strip().lower()
    return next((k for k, words in of.items() if said in words), None)


def walls_of(
    given: Layer, reaches: Sequence[Reach], reading: Reading, view: RuleView, system: Any, heights: Heights | None
) -> list[Work]:
    """Flood walls (防洪墙): behind each a virtual levee from the design flood level plus freeboard, down to the ground."""
    free = view.find("boundary.leveed.floodwall.freeboard")
    out = []
    far = draft_rules.drawing_of(view).farthest_m
    for b in reading_.beside(given, reaches, reading, system, far):
        level = number(given.column(DESIGN_LEVEL)[b.row])
        ground = number(given.column(GROUND)[b.row])
        if not np.isfinite(ground) and heights is not None and not heights.relative:
            ground = _behind(b.line, SIDES[b.bank], heights, system)
        source = given.source(b.row)
        if free is None or not np.isfinite(level) or not np.isfinite(ground):
            lacks = (
                "the rules give no freeboard"
                if free is None
                else "its design level or the ground behind it is not known"
            )
            reading.notes.append(
                _note(
                    reaches[b.reach],
                    b.bank,
                    "no_virtual_section",
                    f"Flood wall {source['feature']}: {lacks}, so that no virtual levee could be drawn behind it.",
                )
            )
            continue
        slope, crest = (view.number(f"boundary.draft.floodwall.{k}") for k in ("slope", "crest_width"))
        rise = max(level + float(free.value) - ground, 0.0)
        section = {
            "design_level_m": level,
            "ground_m": round(ground, 2),
            "freeboard_m": free.value,
            "slope": slope,
            "crest_width_m": crest,
        }
        out.append(
            Work(
                b.reach,
                b.bank,
                b.line,
                reading_.levee_facts(given, b.row),
                source | section,
                "flood_wall",
                crest + slope * rise,
            )
        )
    return out


def _behind(line: shapely.LineString, side: int, heights: Heights, system: Any) -> float:
    """Mean height of the ground 5 m behind a wall."""
    beside = shapely.offset_curve(line, side * 5.0)
    points = shapely.line_interpolate_point(beside, np.linspace(0, 1, 11), normalized=True)
    lonlat = crs.into_storage(system)(shapely.get_coordinates(points))
    dem, _ = heights.read(lonlat, 50.0)
    row, column = dem.cells_of(crs.out_of_storage(dem.crs)(lonlat))
    return float(np.nanmean(np.where(row >= 0, dem.z_m[row, column], np.nan)))


def _note(reach: Reach, bank: str | None, code: str, sentence: str) -> Note:
    middle = reach.axis.interpolate(0.5, normalized=True)
    return Note(reach.code, bank, reach.origin_m, reach.origin_m + reach.length_m, code, sentence, middle)


def _apart(code: str, shape: Any, kind: str, sentence: str) -> Note:
    return Note(code, None, 0.0, 0.0, kind, sentence, shape.representative_point())


def _polygons(given: Layer) -> list[tuple[Any, str, shapely.MultiPolygon]]:
    """Row, code and whole shape (islands inside) of the areas of a layer."""
    codes = given.column(reading_.OWN_CODE)
    out = []
    for row in given.frame.index:
        whole = [
            shapely.Polygon(p.exterior) for p in shapely.get_parts(geometry.polygons_of(given.frame.geometry[row]))
        ]
        if whole:
            out.append(
                (
                    row,
                    str(row) if blank(codes[row]) else text(codes[row]),
                    geometry.polygons_of(shapely.union_all(whole)),
                )
            )
    return out


def lakes_of(given: Layer, view: RuleView, reading: Reading) -> list[Standing]:
    """Lakes: a line of the design flood level as it is; a shore plus the local distance (``boundary.unleveed``)."""
    out = []
    for row, code, shape in _polygons(given):
        if _word(given.column(LINE_KIND)[row], _LINES) == "design_flood":
            out.append(Standing(code, shape, Basis("lake", None, given.source(row), tolerance_m=0.05)))
            continue
        answer = draft_rules.bank_offset(view, 1e6)
        if answer is None:
            reading.notes.append(
                _apart(
                    code,
                    shape,
                    "no_lake_rule",
                    f"Lake {code}: the rules give no distance outside the shore, and the file no line of the design flood level: nothing was drawn.",
                )
            )
            continue
        area = geometry.polygons_of(shape.buffer(answer.metres + 0.02, quad_segs=32))
        out.append(Standing(code, area, Basis("lake", answer.row, given.source(row), tolerance_m=0.05)))
    return out


def reservoirs_of(
    given: Layer, view: RuleView, reading: Reading, system: Any, heights: Heights | None
) -> list[Standing]:
    """Reservoirs: the line the rules name (check flood level, land acquisition, normal level), and the range of dams."""
    wanted = view.find("boundary.reservoir.basis")
    kind, size, level = given.column(LINE_KIND), given.column(SIZE), given.column(CHECK_LEVEL)
    out: list[Standing] = []
    for row, code, shape in _polygons(given):
        said = _word(kind[row], _LINES)
        if said == "dam":
            continue
        if wanted is None:
            reading.notes.append(
                _apart(
                    code,
                    shape,
                    "no_reservoir_rule",
                    f"Reservoir {code}: the rules do not say which line bounds reservoirs (boundary.reservoir.basis): nothing was drawn.",
                )
            )
            continue
        drawn_by = "land_acquisition" if wanted.value == "land_acquisition" else "reservoir"
        high = number(level[row])
        if said == wanted.value:
            out.append(Standing(code, shape, Basis(drawn_by, wanted, given.source(row), tolerance_m=0.05)))
        elif wanted.value == "check_flood" and np.isfinite(high) and heights is not None and not heights.relative:
            area = level_area(heights, shape, high, system)
            basis = Basis(
                drawn_by,
                wanted,
                given.source(row) | {"dem": heights.name},
                "surrogate" if heights.indicative else "draft",
                high,
                vertical_datum=heights.vertical_datum,
                tolerance_m=round(heights.cell_m, 2),
                indicative=heights.indicative,
            )
            out.append(Standing(code, area, basis))
        else:
            reading.notes.append(
                _apart(
                    code,
                    shape,
                    "reservoir_line_missing",
                    f"Reservoir {code}: the rules bound it by {wanted.value}, which the file does not give ({kind[row]!r}): nothing was drawn; give that line, or check_level_m with a DEM.",
                )
            )
    return _with_dams(out, given, view, reading, size, kind)


def _with_dams(
    out: list[Standing], given: Layer, view: RuleView, reading: Reading, size: Any, kind: Any
) -> list[Standing]:
    """Reservoirs with the range round their dams."""
    codes = given.column(reading_.OWN_CODE)
    for row in given.frame.index:
        if _word(kind[row], _LINES) != "dam":
            continue
        dam = given.frame.geometry[row]
        near = [k for k, s in enumerate(out) if s.area.distance(dam) < 50.0]
        answer = draft_rules.dam_toe(view, {"reservoir_size": _word(size[row], _SIZES)})
        if answer is None or not near:
            why = "no reservoir lies beside it" if not near else "the rules give no range for its size"
            reading.notes.append(
                _apart(
                    "" if blank(codes[row]) else text(codes[row]),
                    dam,
                    "no_dam_range",
                    f"Dam {given.source(row)['feature']}: {why}: nothing was drawn round it.",
                )
            )
            continue
        old = out[near[0]]
        area = geometry.polygons_of(shapely.union(old.area, dam.buffer(answer.metres, quad_segs=32)))
        source = {**old.basis.source, "dam": given.source(row)["feature"], "dam_range_m": answer.metres}
        out[near[0]] = Standing(old.code, area, Basis(**{**vars(old.basis), "source": source}))
    return out


def spoil_of(given: Layer) -> list[Spoil]:
    """Heaps of spoil."""
    return [Spoil(p, given.source(row)) for row, _, shape in _polygons(given) for p in shapely.get_parts(shape)]


def surrogates_of(given: Layer, view: RuleView, reading: Reading) -> list[Ground]:
    """Lines that stand for the boundary in remote sensing, in the order of the rules (``boundary.surrogate.order``)."""
    row = view.value("boundary.surrogate.order")
    far = view.number("boundary.draft.surrogate_reach")
    kinds = given.column(("kind", "类型", "line_kind")).map(lambda v: _word(v, _SURROGATES))
    unknown = int(kinds.isna().sum())
    if unknown:
        reading.said.append(
            f"{given.about['layer']}: {unknown} features are of no kind that the rules know ({', '.join(row.value)}) and were not used."
        )
    out = []
    for kind in row.value:
        frame = given.frame[kinds == kind]
        lines = frame.geometry.map(_outline).explode()
        if len(lines):
            basis = Basis("surrogate", row, {}, "surrogate", indicative=True)
            out.append(Ground(kind, Linework(lines), {**given.about, "kind": kind}, basis=basis, farthest_m=far))
    return out


def _outline(shape: Any) -> list[shapely.LineString]:
    return geometry.lines_of(shape.boundary if shape.geom_type.endswith("Polygon") else shape)
