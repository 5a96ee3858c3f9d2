"""Pocket maps are packed without a loss that is not told: shapes come out where they were, within the metres that the file names."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis import crs
from rivergis.errors import UsageError
from rivergis.maps.pocket import pack as pocket_pack
from rivergis.maps.pocket import page as pocket_page
from tests.maps import sketch
from tests.maps.pocket_reader import block_of, head_of, read, unpack
from tests.maps.test_atlas import NASTY

PAPER = pocket_page.Paper(
    "500199", "试验县", date(2026, 5, 21), datetime(2026, 5, 21, 8, 0, tzinfo=ZoneInfo("Asia/Shanghai")), "li.ming", "王工", date(2026, 5, 28)
)  # fmt: skip
ROOM = 10_000_000


def packed(layers: dict[str, gpd.GeoDataFrame], room: int = ROOM) -> pocket_pack.Packed:
    return pocket_pack.pack(layers, pocket_page.contents(layers, sketch.BOUNDS, ()), room)


@given(st.lists(st.integers(min_value=0, max_value=2**62), max_size=200))
def test_numbers_come_back(numbers: list[int]) -> None:
    assert read(pocket_pack.varints(np.array(numbers, dtype=np.uint64))) == numbers


_DEGREE = st.floats(min_value=-0.4, max_value=0.4)
_PATH = st.lists(st.tuples(_DEGREE, _DEGREE), min_size=2, max_size=30, unique=True)


@settings(max_examples=40)
@given(st.lists(_PATH, min_size=1, max_size=5))
def test_lines_come_back_within_the_grid(paths: list[list[tuple[float, float]]]) -> None:
    lines = [shapely.LineString(np.add(p, (106, 29))) for p in paths]
    _, shapes = unpack(packed({"reach": sketch.frame(*lines)}).data)
    for line, parts in zip(lines, shapes["reach"], strict=True):
        back = shapely.LineString(parts[0]) if len(parts[0]) > 1 else shapely.Point(parts[0][0])
        assert shapely.hausdorff_distance(line, back) <= pocket_pack.STEP_DEG


def test_holes_parts_and_empty_shapes() -> None:
    holed = shapely.box(106, 29, 106.1, 29.1).difference(shapely.box(106.02, 29.02, 106.04, 29.04))
    several = shapely.MultiPolygon([shapely.box(106.2, 29, 106.3, 29.1), shapely.box(106.4, 29, 106.5, 29.1)])
    frame = sketch.frame(holed, shapely.Polygon(), several, None, cls=["1", "1", "2", "2"])
    made = packed({"source_zone": frame})
    told, shapes = unpack(made.data)
    assert [len(parts) for parts in shapes["source_zone"]] == [2, 2]
    assert made.unplaced == {"source_zone": 2} and told["layers"][0]["unplaced"] == 2
    rings = [shapely.Polygon(p) for p in shapes["source_zone"][0]]
    assert shapely.equals_exact(rings[0].difference(rings[1]).normalize(), holed.normalize(), 2e-6)


def wavy(seed: int, rivers: int = 20, points: int = 200) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 2e-5, (rivers, points, 2)).cumsum(axis=1) + rng.uniform(0, 0.1, (rivers, 1, 2)) + (106, 29)
    return sketch.frame(*(shapely.LineString(p) for p in steps))


@pytest.mark.parametrize("room", [200_000, 16_000, 7_000])
def test_what_is_generalised_stays_within_the_metres_that_are_told(room: int) -> None:
    layers = {"reach": wavy(1), "boundary_line": wavy(2)}
    made = packed(layers, room)
    _, shapes = unpack(made.data)
    assert len(made.data) <= room
    assert made.tolerances["boundary_line"] <= made.tolerances["reach"]
    for name, frame in layers.items():
        back = gpd.GeoSeries([shapely.LineString(p[0]) for p in shapes[name]], crs=crs.STORAGE)
        there, again = crs.to_metric(frame.geometry), crs.to_metric(back)
        moved = np.concatenate(
            [shapely.distance(shapely.points(a.coords), b) for a, b in zip(there, again, strict=True)]
        )
        assert moved.max() <= made.tolerances[name] + pocket_pack.ROUNDED_M + 0.01
    said = pocket_page.generalised(made)
    assert (made.tolerances["reach"] == 0) == ("未概化" in said)
    assert made.points < made.points_before or made.tolerances["reach"] == 0


def test_what_cannot_fit_is_refused() -> None:
    with pytest.raises(UsageError, match="does not fit"):
        packed({"reach": wavy(1)}, 100)


def test_equal_layers_make_equal_bytes() -> None:
    assert packed(sketch.layers()).data == packed(sketch.layers()).data


@pytest.mark.parametrize("name", NASTY)
def test_dirty_names_stay_text(name: str) -> None:
    """In every attribute, in the clear head and in the packed data."""
    dirty = sketch.layers()
    dirty["outfall"] = dirty["outfall"].assign(label=name, popup=[[(name, name, name)]] * 2)
    paper = replace(PAPER, holder=name, made_by=name, district_name=name)
    html, plain = pocket_page.page(packed(dirty), paper), pocket_page.page(packed(sketch.layers()), PAPER)
    for tag in ("<script", "</script", "<img", "<!--"):
        assert html.count(tag) == plain.count(tag), tag
    assert head_of(html)["holder"] == name
    assert html.count(pocket_page.policy(html)) == 1
    told, _ = unpack(block_of(html))
    outfall = next(layer for layer in told["layers"] if layer["id"] == "outfall")
    assert outfall["label"] == [name, name] and outfall["heads"] == [[name, name]] and outfall["rows"][0] == [0, name]


def test_the_page_speaks_to_nobody() -> None:
    html = pocket_page.page(packed(sketch.layers()), PAPER)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1].replace("&#39;", "'")  # type: ignore[index]
    assert (
        policy.startswith("default-src 'none'; ")
        and "unsafe" not in policy
        and "http" not in policy
        and "'self'" not in policy
    )
    outside = re.sub(r'<script type="application.*?</script>', "", html, flags=re.DOTALL)
    assert not re.search(r'(?:src|href)="(?!data:)', outside)


def test_a_short_passphrase_is_refused_and_a_sealed_page_hides_everything_but_its_head() -> None:
    with pytest.raises(UsageError, match="at least 10"):
        pocket_page.page(packed(sketch.layers()), PAPER, "short")
    html = pocket_page.page(packed(sketch.layers()), PAPER, "a long passphrase 口令")
    assert "东桥排污口".encode() not in block_of(html)
    sealed = head_of(html)["sealed"]
    assert sealed["iterations"] >= 600_000 and sealed["cipher"] == "AES-256-GCM"
    again = head_of(pocket_page.page(packed(sketch.layers()), PAPER, "a long passphrase 口令"))["sealed"]
    assert again["salt"] != sealed["salt"] and again["iv"] != sealed["iv"]
