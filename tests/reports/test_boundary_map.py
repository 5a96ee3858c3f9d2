"""Announcement maps: true to scale, nothing left between two sheets, fonts in the file, drafts marked, nothing asked of anybody."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from rivergis import crs
from rivergis.boundary.delivery.tables import Delivery
from rivergis.errors import InputError, UsageError
from rivergis.maps import map_drawing, map_frame
from rivergis.maps.map_frame import PAPERS, View
from rivergis.reports import boundary_map
from rivergis.reports.boundary_map import Sheet
from tests import tiny
from tests.boundary.deliver_ground import delivery, lines

WALK = st.lists(st.tuples(st.floats(-900, 2500), st.floats(-1500, 1500)), min_size=1, max_size=40)


def inside(view: View, xy: np.ndarray) -> np.ndarray:
    west, south, east, north = view.bounds
    return (xy[:, 0] >= west) & (xy[:, 0] <= east) & (xy[:, 1] >= south) & (xy[:, 1] <= north)


@given(WALK, st.sampled_from(["A3", "A4"]), st.sampled_from([500, 2000, 10_000]))
def test_every_place_lies_on_a_sheet_and_no_sheet_is_empty(
    steps: list[tuple[float, float]], paper: str, scale: int
) -> None:
    line = shapely.LineString(np.cumsum(np.array([(0.0, 0.0), *steps, (1.0, 1.0)]), axis=0))
    xy = map_frame.along_the_river([line], [("R", 0.0, line.length)], 40.0)
    sheets = map_frame.sheets(PAPERS[paper], scale, xy)
    seen = np.array([inside(v, xy) for v in sheets])
    assert seen.any(axis=0).all() and seen.any(axis=1).all()
    corners = shapely.get_coordinates(line)  # between two positions the margin of a sheet holds what the line does
    step = PAPERS[paper].field_height * scale / 1000 * 0.04
    close = map_frame.sheets(PAPERS[paper], scale, map_frame.along_the_river([line], [("R", 0.0, line.length)], step))
    assert np.array([inside(v, corners) for v in close]).any(axis=0).all()


def test_both_banks_of_a_river_go_downstream_together() -> None:
    left, right = shapely.LineString([(0, 100), (5000, 100)]), shapely.LineString([(5000, -100), (0, -100)])
    xy = map_frame.along_the_river([left, right.reverse()], [("R", 0.0, 5000.0)] * 2, 50.0)
    assert (np.diff(xy[:, 0]) >= -1e-6).all()
    sheets = map_frame.sheets(PAPERS["A4"], 5000, xy)
    assert len(sheets) == 6 and all(a.x < b.x for a, b in itertools.pairwise(sheets))


def test_water_wider_than_a_sheet_is_cut_by_a_grid() -> None:
    ring = shapely.Point(0, 0).buffer(4000).exterior
    xy = map_frame.along_the_river([shapely.LineString(ring.coords)], [("", np.nan, np.nan)], 50.0)
    sheets = map_frame.sheets(PAPERS["A4"], 5000, xy)
    assert np.array([inside(v, xy) for v in sheets]).any(axis=0).all() and len(sheets) < 60


@given(st.floats(1, 3e5), st.floats(1, 3e5))
def test_a_map_shows_all_at_the_largest_usual_scale(width: float, height: float) -> None:
    view = map_frame.whole(PAPERS["A3"], (0, 0, width, height))
    assert inside(view, np.array([(0, 0), (width, height)])).all()
    smaller = [s for s in map_frame.SCALES if s < view.scale]
    if smaller:
        west, south, east, north = View(view.paper, smaller[-1], view.x, view.y).bounds
        assert max(width / (east - west), height / (north - south)) > 0.87


@given(st.sampled_from(map_frame.SCALES))
def test_grid_and_bar_are_round_and_fit(scale: int) -> None:
    view = View(PAPERS["A3"], scale, 597_123.4, 3_253_211.9)
    step, eastings, northings = view.grid()
    assert step * 1000 / scale >= 45 and all(e % step == 0 for e in eastings) and all(n % step == 0 for n in northings)
    metres, width = view.bar(40.0)
    assert width <= 40.0 and str(metres)[0] in "125" and metres * 1000 / scale == pytest.approx(width)


def test_a_kilometre_is_a_decimetre_at_one_to_ten_thousand() -> None:
    view = View(PAPERS["A4"], 10_000, 0, 0)
    (x0, y0), (x1, y1) = view.place(np.array([[0, 0], [1000, -1000]]))
    assert (x1 - x0, y1 - y0) == (pytest.approx(100), pytest.approx(100))


def test_texts_never_lie_over_each_other() -> None:
    labels = map_drawing.Labels()
    placed = [labels.put(f"LJ{i:04d}", 100 + i * 0.7, 100, 2.2, (0, 0, 200, 200)) for i in range(40)]
    boxes = [shapely.box(*b) for b in labels.boxes]
    assert 0 < len(boxes) == sum(p is not None for p in placed) < 40
    assert not any(a.intersection(b).area > 1e-9 for i, a in enumerate(boxes) for b in boxes[:i])


def drawn_lengths_m(html: str, scale: float) -> float:
    paths = re.findall(r'<path d="(M[^"Z]*)" fill="none" stroke="#c0182e"', html)
    parts = [np.array([p.split() for p in d[1:].split("L")], float) for d in paths if "L" in d]
    return float(sum(np.hypot(*np.diff(p, axis=0).T).sum() for p in parts)) * scale / 1000


def test_lines_on_paper_are_as_long_as_on_the_ground() -> None:
    html, printed = boundary_map.render(delivery(), Sheet())
    assert (printed.pages, printed.index_scale) == (1, 10_000)
    metric = lines().to_crs(4544).length.sum()
    assert drawn_lengths_m(html, printed.index_scale) == pytest.approx(metric, rel=1e-4)


def test_one_page_says_what_an_announcement_says() -> None:
    html, _ = boundary_map.render(delivery(), Sheet(review_no="渝S(2026)001号"))
    for said in (
        "甲河管理范围",
        "试府发〔2026〕1号",
        "渝S(2026)001号",
        "EPSG:4544",
        "1:10000",
        "公告机关(盖章)",
        "图例",
        "现行有效",
        "LJ0001",
        "R1-L-002",
        "0+500",
    ):
        assert said in html, said
    assert (
        "非测绘成果" not in html
        and "<script" not in html
        and "http" not in html.replace("http://www.w3.org/2000/svg", "")
    )


def test_what_is_not_announced_is_marked_on_every_page() -> None:
    html, printed = boundary_map.render(delivery("draft"), Sheet(paper="A4", scale=2000))
    assert printed.pages > 2 and html.count('<div class="mark">内部草稿·非测绘成果</div>') == printed.pages
    html, _ = boundary_map.render(replace(delivery("draft"), lines=lines("surrogate")), Sheet())
    assert '<div class="mark">示意·非测绘成果 · 内部草稿·非测绘成果</div>' in html and "示意线(替代边界)" in html


def test_a_long_river_has_an_index_and_sheets_that_name_their_neighbours() -> None:
    html, printed = boundary_map.render(delivery(), Sheet(paper="A4", scale=1000))
    assert "图幅接合表" in html and f"第{printed.pages - 1}幅 共{printed.pages - 1}幅" in html
    assert "接第2幅" in html and printed.sheet_scale == 1000 < printed.index_scale


def test_hostile_names_stay_text() -> None:
    told = replace(delivery(), title='<img src=x onerror="a">', lines=lines(river="</svg><script>alert(1)</script>"))
    html, _ = boundary_map.render(told, Sheet())
    assert "<img" not in html and "<script>" not in html


def test_an_area_alone_can_be_mapped_and_nothing_cannot() -> None:
    told = delivery()
    bare = replace(told, lines=told.lines.iloc[:0], stakes=None)
    assert boundary_map.render(bare, Sheet(scale=1000, paper="A4"))[1].pages > 2
    with pytest.raises(InputError, match="no line and no area"):
        boundary_map.render(replace(bare, areas=told.areas.iloc[:0]), Sheet())
    with pytest.raises(UsageError, match="--scale 3"):
        boundary_map.render(told, Sheet(scale=3))


def test_outside_china_there_is_a_local_system() -> None:
    frame = tiny.degrees(tiny.metric([tiny.line((0, 0), (900, 0))], code="x", bank="left", basis="draft"))
    away = frame.assign(geom=frame.geometry.translate(-100, 10)).rename_geometry("geometry")
    told = Delivery("Thames", "draft", away, away.iloc[:0])
    assert boundary_map.render(told, Sheet())[1].pages == 1
    assert crs.metric_crs(*crs.centre(away)).to_epsg() is None


def test_the_pdf_has_its_paper_and_its_fonts(tmp_path: Path) -> None:
    for paper, size in (("A3", "1190.55 x 841.89"), ("A4", "841.89 x 595.276")):
        out = tmp_path / f"{paper}.pdf"
        boundary_map.write(delivery(), Sheet(paper=paper, unindexed_scale=20_000), out)
        body = out.read_bytes()
        assert body.startswith(b"%PDF-") and b"/Subtype /Image" not in body
        if shutil.which("pdfinfo"):
            told = subprocess.run(["pdfinfo", out], capture_output=True, text=True, check=True).stdout
            assert size in told and re.search(r"Pages:\s+1\b", told)
            fonts = subprocess.run(["pdffonts", out], capture_output=True, text=True, check=True).stdout.splitlines()[
                2:
            ]
            assert fonts and all("Noto" in f and " yes yes yes " in f for f in fonts)
            text = subprocess.run(["pdftotext", out, "-"], capture_output=True, text=True, check=True).stdout
            assert "公告机关" in text and "LJ0001" in text
