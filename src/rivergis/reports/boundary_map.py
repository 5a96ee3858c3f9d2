"""The announcement map (公告图) of a delimitation: a PDF to print in A3 or A4, with an index and numbered sheets for a long river.

Everything is vector with embedded fonts; what is not announced says 内部草稿·非测绘成果 on every page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from rivergis import __version__, crs, words
from rivergis.boundary.delivery import tables as d
from rivergis.boundary.delivery.tables import Delivery
from rivergis.errors import InputError, UsageError
from rivergis.maps import map_drawing as drawing
from rivergis.maps import map_frame
from rivergis.maps.map_drawing import Drawn
from rivergis.maps.map_frame import Paper, View
from rivergis.reports import boundary_delivery, morning, patrol_paper
from rivergis.reports.writing import whole
from rivergis.river import chainage

MOST_SHEETS = 80
_LINE_TYPES = ("management", "protection", "blue_line", "waterside", "outer")


@dataclass(frozen=True)
class Sheet:
    """How a map is printed. ``scale``: denominator of the sheets, None = as the place asks for; ``unindexed_scale``: the smallest
    (denominator) at which one sheet shows all; ``chainage_step_m``: distance of the chainage marks."""

    paper: str = "A3"
    scale: int | None = None
    unindexed_scale: int = 10_000
    chainage_step_m: float = 500.0
    point_number: str = "{bank}J{number:04d}"
    review_no: str | None = None
    on: date | None = None
    drawn_by: str | None = None
    zone: int | None = None
    zone_prefix: bool = False


@dataclass(frozen=True)
class Printed:
    """What the map came out as: number of pages, denominators of index (or the only sheet) and of the sheets."""

    pages: int
    index_scale: int
    sheet_scale: int
    system: str
    notes: tuple[str, ...] = ()


def write(told: Delivery, sheet: Sheet, path: Path) -> Printed:
    """Print the map. Raises ``InputError`` where there is no line to show, ``UsageError`` for a paper or scale that cannot be."""
    page, printed = render(told, sheet)
    with whole(path) as part:
        part.write_bytes(patrol_paper.pdf(page))
    return printed


def render(told: Delivery, sheet: Sheet) -> tuple[str, Printed]:
    """The map as one page of HTML to be printed, and what it is."""
    if told.lines.empty and told.areas.empty:
        raise InputError("There is no line and no area to map: name a file or a version that has some.")
    if sheet.paper not in map_frame.PAPERS:
        raise UsageError(f"--paper {sheet.paper}: there are {', '.join(map_frame.PAPERS)}.")
    paper, system = map_frame.PAPERS[sheet.paper], _system(told, sheet)
    drawn = _drawn(told, sheet, system)
    first, sheets, notes = _views(told, sheet, paper, system)
    pages = _pages(first, sheets, drawn, told)
    template = morning.environment().get_template("boundary_map.html")
    html = template.render(
        paper=paper, small=sheet.paper == "A4", panel=_panel(paper), pages=pages, title=told.title, mark=_mark(told),
        facts=_facts(told, system), review_no=sheet.review_no, day=sheet.on, drawn_by=sheet.drawn_by, foot=_foot(told, system),
    )  # fmt: skip
    scale = sheets[0].scale if sheets else first.scale
    return html, Printed(len(pages), int(first.scale), int(scale), _name(system), tuple(notes))


def _system(told: Delivery, sheet: Sheet) -> CRS:
    if sheet.zone is not None:
        return d.zone_crs(sheet.zone, sheet.zone_prefix)
    own = told.lines if len(told.lines) else told.areas
    there = crs.metric_crs(*crs.centre(own))
    code = there.to_epsg()
    return d.zone_crs(code - 4509, True) if sheet.zone_prefix and code else there


def _name(system: CRS) -> str:
    code = system.to_epsg()
    return (
        f"CGCS2000 / 3°带 中央子午线{3 * (code - (4509 if code >= 4534 else 4488))}° EPSG:{code}"
        if code
        else str(system.name)
    )


def _mark(told: Delivery) -> str | None:
    if told.sketch:
        return f"{words.say('deliver.standing.sketch')} · {words.say('deliver.standing.draft')}"
    return (
        boundary_delivery.standing(told).split(" ")[0]
        if told.draft or told.standing in ("superseded", "revoked")
        else None
    )


def _panel(paper: Paper) -> dict[str, float]:
    left = paper.left + paper.field_width + 9
    bottom = paper.height - paper.top - paper.field_height
    return {
        "left": left,
        "top": paper.top,
        "width": paper.width - left - 7,
        "height": paper.field_height * 0.36,
        "bottom": bottom,
    }


def _views(told: Delivery, sheet: Sheet, paper: Paper, system: CRS) -> tuple[View, list[View], list[str]]:
    """The first page and the sheets that follow it: none where one page shows all at a scale that is large enough."""
    frames = [f.to_crs(system) for f in (told.lines, told.areas) if len(f)]
    first = map_frame.whole(paper, list(_bounds(frames)))
    if sheet.scale is None and first.scale <= sheet.unindexed_scale:
        return first, [], []
    if sheet.scale is not None and not 100 <= sheet.scale <= 5_000_000:
        raise UsageError(f"--scale {sheet.scale}: give a denominator from 100 to 5000000.")
    if sheet.scale is not None and first.scale <= sheet.scale:
        return View(paper, float(sheet.scale), first.x, first.y), [], []
    scale = float(sheet.scale or sheet.unindexed_scale)
    places = _places(frames[0], scale, paper)
    sheets = map_frame.sheets(paper, scale, places)
    notes = []
    while len(sheets) > MOST_SHEETS and sheet.scale is None:
        scale = next(s for s in map_frame.SCALES if s > scale)
        sheets = map_frame.sheets(paper, scale, places)
        notes = [
            f"At 1:{sheet.unindexed_scale} it would be more than {MOST_SHEETS} sheets: they are at 1:{scale:.0f}; --scale says another."
        ]
    return (first, sheets, notes) if len(sheets) > 1 else (first, [], notes)


def _bounds(frames: Sequence[gpd.GeoDataFrame]) -> np.ndarray:
    boxes = np.array([f.total_bounds for f in frames])
    return np.r_[boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)]


def _places(frame: gpd.GeoDataFrame, scale: float, paper: Paper) -> np.ndarray:
    """Positions along the lines (or round the areas), downstream, close enough that no stretch falls between two sheets."""
    step = paper.field_height * scale / 1000 * 0.04
    lines = (
        [part for g in shapely.boundary(frame.geometry.values) for part in shapely.get_parts(g)]
        if frame.geom_type.iloc[0] != "LineString"
        else list(frame.geometry)
    )
    if len(lines) != len(frame) or "from_m" not in frame:
        return map_frame.along_the_river(lines, [("", math.nan, math.nan)] * len(lines), step)
    ends = [pd.to_numeric(frame[c], errors="coerce") for c in ("from_m", "to_m")]
    river = frame["river_code"].fillna("").astype(str) if "river_code" in frame else [""] * len(frame)
    return map_frame.along_the_river(lines, list(zip(river, *ends, strict=True)), step)


def _drawn(told: Delivery, sheet: Sheet, system: CRS) -> Drawn:
    def of(frame: gpd.GeoDataFrame | None) -> list[Any]:
        return [] if frame is None or frame.empty else list(frame.to_crs(system).geometry)

    shapes: dict[tuple[str, str], list[Any]] = {("area", "water"): of(told.water)}
    kinds = (
        told.areas["line_type"].fillna("management")
        if "line_type" in told.areas
        else pd.Series("management", index=told.areas.index)
    )
    for code in ("protection", "management"):
        shapes["area", code] = of(told.areas[kinds == code])
    shapes |= {
        ("line", "county"): of(told.counties),
        ("line", "axis"): of(told.axes),
        ("line", "levee"): of(told.levees),
    }
    for code in (*reversed(_LINE_TYPES), "surrogate"):
        shapes["line", code] = of(told.lines[_look(told.lines) == code])
    return Drawn(system, {k: v for k, v in shapes.items() if v}, _points(told, sheet, system), _names(told, system))


def _look(lines: gpd.GeoDataFrame) -> pd.Series:
    kinds = (
        lines["line_type"].fillna("management") if "line_type" in lines else pd.Series("management", index=lines.index)
    )
    kinds = kinds.where(kinds.isin(_LINE_TYPES), "management")
    return kinds.mask(lines["basis"] == "surrogate", "surrogate")


def _points(told: Delivery, sheet: Sheet, system: CRS) -> list[tuple[str, float, float, str]]:
    """Starts and ends with their numbers, stakes, and chainage marks; the weightiest first, so that their texts win."""
    out: list[tuple[str, float, float, str]] = []
    if len(told.lines):
        lines = d.in_order(d.lone(told.lines))
        points = d.turning_points(lines, sheet.point_number)
        ends = points[points["role"] != "turn"]
        out += _rows("end", ends.to_crs(system), ends["point_no"])
    if told.stakes is not None and len(told.stakes):
        out += _rows("stake", told.stakes.to_crs(system), told.stakes["code"])
    if len(told.lines):
        marks = d.chainage_marks(lines, sheet.chainage_step_m, chainage.label)
        out += _rows("chainage", marks.to_crs(system), marks["text"])
    return out


def _rows(code: str, frame: gpd.GeoDataFrame, texts: Any) -> list[tuple[str, float, float, str]]:
    return [
        (code, float(g.x), float(g.y), "" if t is None or t != t else str(t))
        for g, t in zip(frame.geometry, texts, strict=True)
    ]


def _names(told: Delivery, system: CRS) -> list[tuple[Any, str]]:
    """Rivers with their names: along the axis, where there is one."""
    if told.axes is None or told.axes.empty or "river" not in told.axes:
        return []
    metric = told.axes.to_crs(system)
    return [(g, str(n)) for g, n in zip(metric.geometry, metric["river"], strict=True) if n is not None and n == n]


def _pages(first: View, sheets: Sequence[View], drawn: Drawn, told: Delivery) -> list[dict[str, Any]]:
    small = first.paper.name == "A4"
    numbered = [(str(i + 1), s) for i, s in enumerate(sheets)]
    bare = Drawn(drawn.system, drawn.shapes, (), drawn.names) if sheets else drawn
    title = words.both("deliver.map.index") if sheets else ""
    pages = [_page(first, bare, told, title, numbered, small)]
    for i, view in enumerate(sheets):
        near = [(j + 1, o) for j, o in enumerate(sheets) if j != i and _touches(view, o)]
        name = words.both("deliver.map.sheet", n=i + 1, total=len(sheets))
        pages.append(_page(view, drawn, told, name, [], small, drawing.joins(view, near)))
    return pages


def _touches(one: View, other: View) -> bool:
    return bool(shapely.box(*one.bounds).intersects(shapely.box(*other.bounds)))


def _page(
    view: View,
    drawn: Drawn,
    told: Delivery,
    title: str,
    frames: Sequence[tuple[str, View]],
    small: bool,
    more: str = "",
) -> dict[str, Any]:
    panel = _panel(view.paper)
    left, y = panel["left"], panel["top"] + panel["height"] + 3
    body = drawing.field_of(view, drawn, frames, 1.8 if small else 2.2) + more
    if told.draft:
        body += _watermark(view)
    legend = _legend(drawn, bool(frames), left, y, small)
    below = y + 4 + len(_classes(drawn, bool(frames))) * (3.4 if small else 4.4)
    arrow = drawing.north_arrow(left + panel["width"] - 7, below + 1, 9 if small else 13)
    bar = drawing.scale_bar(view, left + 2, below + (7 if small else 9), panel["width"] - 24)
    return {"svg": body + legend + arrow + bar, "scale": f"{view.scale:.0f}", "sheet": title}


def _classes(drawn: Drawn, index: bool) -> list[tuple[str, str]]:
    """The classes that the map shows, lines first."""
    there = [k for k in drawn.shapes if k[0] == "line"][::-1] + [k for k in drawn.shapes if k[0] == "area"][::-1]
    points = [] if index else [("point", c) for c in dict.fromkeys(row[0] for row in drawn.points)]
    return [*there, *points]


def _legend(drawn: Drawn, index: bool, left: float, top: float, small: bool) -> str:
    step, size = (3.4, 2.0) if small else (4.4, 2.5)
    out = [drawing.words_at(words.both("deliver.map.legend"), left, top, size + 0.6)]
    for i, (kind, code) in enumerate(_classes(drawn, index)):
        y = top + step * (i + 1)
        said = drawing.palette.load().of(f"boundary_print_{kind}", code)
        out += [drawing.sample(kind, code, left, y), drawing.words_at(said.zh, left + 11, y + size * 0.35, size)]
    return "".join(out)


def _watermark(view: View) -> str:
    p = view.paper
    x, y = p.left + p.field_width / 2, p.top + p.field_height / 2
    size = p.field_width / 16
    return drawing.words_at(
        words.say("deliver.standing.draft"),
        x,
        y,
        size,
        anchor="middle",
        color="#b3001b",
        turn=-28.0,
        more=' fill-opacity="0.12"',
    )


def _facts(told: Delivery, system: CRS) -> list[tuple[str, str]]:
    lines, say = told.lines, words.say
    rows = [
        ("standing", boundary_delivery.standing(told)),
        ("announced", boundary_delivery.announced(lines, 3)),
        ("rivers", boundary_delivery.values(lines, "river") or boundary_delivery.values(lines, "river_code")),
        ("lines", f"{np.sum(crs.length_m(lines.geometry.values)) / 1000:.3f} km" if len(lines) else ""),
        ("areas", f"{np.sum(crs.area_m2(told.areas.geometry.values)) / 1e6:.4f} km²" if len(told.areas) else ""),
        (
            "scale",
            boundary_delivery.scales(lines) if "survey_scale" in lines and lines["survey_scale"].notna().any() else "",
        ),
        ("datum", _name(system)),
        ("height", boundary_delivery.values(lines, "vertical_datum") or say("deliver.about.height_none")),
    ]
    return [(say(f"deliver.about.{k}"), v) for k, v in rows if v]


def _foot(told: Delivery, system: CRS) -> str:
    grid = words.say("deliver.map.grid", crs=_name(system))
    source = f"{words.say('deliver.about.source')}: {'; '.join(told.sources)}" if told.sources else ""
    return " · ".join(p for p in (grid, source, words.say("page.disclaimer"), f"rivergis {__version__}") if p)
