"""Laws of the overlay: what must hold for any candidates, areas and permits, however they are drawn, ordered or delivered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from rivergis.boundary.ground.closing import close
from rivergis.boundary.ground.pieces import cut
from rivergis.boundary.ground.prepared import Prepared, prepared
from rivergis.db.connect import Database
from rivergis.encroachment.overlay import Limits, Overlaid, overlay
from rivergis.encroachment.pairs import pairs
from rivergis.encroachment.permits import permits_on

# corners stand on whole metres, so that no width or ground is ever just at a limit
LIMITS = Limits(width_tolerance_m=0.97, min_overlap_area_m2=9.7, touch_m=0.013)
ALL = Limits(0.0, 0.0, 0.0)
EAST, NORTH = 528_000, 3_375_000
DAY = date(2026, 6, 1)
KINDS = ("building", "dump")

metres = st.integers(0, 40)
sides = st.integers(1, 25)
spots = st.tuples(metres, metres)
boxes = st.builds(lambda at, w, h: shapely.box(at[0], at[1], at[0] + w, at[1] + h), spots, sides, sides)
triangles = st.lists(spots, min_size=3, max_size=3, unique=True).map(shapely.Polygon)
crossed = st.builds(lambda b: shapely.Polygon(np.asarray(b.exterior.coords)[[0, 2, 1, 3, 0]]), boxes)
double = st.builds(lambda a, b: shapely.union_all([a, b]), boxes, boxes)
candidates = st.lists(
    st.tuples(
        st.one_of(boxes, triangles, crossed, double, spots.map(shapely.Point), st.none()), st.sampled_from(KINDS)
    ),
    min_size=1,
    max_size=8,
)
holed = st.builds(lambda b: b.difference(b.centroid.buffer(2, quad_segs=1)), boxes)
areas = st.lists(st.one_of(boxes, holed), min_size=1, max_size=4)
permits = st.lists(st.tuples(st.one_of(boxes, crossed), st.sampled_from(KINDS)), max_size=4)
laws = settings(max_examples=40)


def frame(shapes: list[Any], at: tuple[int, int] = (EAST, NORTH), **columns: Any) -> gpd.GeoDataFrame:
    moved = shapely.transform(np.array(shapes, dtype=object), lambda xy: xy + at)
    return gpd.GeoDataFrame(columns, geometry=moved, crs=4547, index=range(len(shapes)))


def ground(shapes: list[Any], at: tuple[int, int] = (EAST, NORTH), banks: list[str] | None = None) -> Prepared:
    """Every shape a feature of its own; lines belong to one reach."""
    names = ["R"] * len(shapes) if any("Line" in s.geom_type for s in shapes) else [f"R{i}" for i in range(len(shapes))]
    delivered = frame(shapes, at, reach=names, bank=banks or [None] * len(shapes))
    return prepared(close(delivered, group="reach", bank="bank", snap_m=5.0, doubt_m=100.0))


def run(
    things: list[Any],
    lands: Prepared,
    allowed: Sequence[Any] = (),
    at: tuple[int, int] = (EAST, NORTH),
    limits: Limits = LIMITS,
) -> Overlaid:
    given = frame([s for s, _ in things], at, kind=[k for _, k in things])
    papers = frame([s for s, _ in allowed], at, allows=[k for _, k in allowed])
    return overlay(given, lands, permits_on(papers, DAY), limits)


def told(done: Overlaid) -> set[int]:
    return set(done.told.tolist())


def ground_m2(done: Overlaid) -> np.ndarray:
    """Net ground, 0 where nothing is told or it is a point."""
    return np.where([r is None for r in done.reason], np.nan_to_num(done.net_m2), 0.0)


@laws
@given(candidates, areas, permits, st.randoms(use_true_random=False))
def test_order_changes_nothing(things: list[Any], lands: list[Any], allowed: list[Any], chance: Any) -> None:
    before = run(things, ground(lands), allowed)
    order = list(range(len(things)))
    for listed in (order, lands, allowed):
        chance.shuffle(listed)
    after = run([things[i] for i in order], ground(lands), allowed)
    assert after.reason.tolist() == before.reason[order].tolist()
    assert after.net_m2 == pytest.approx(before.net_m2[order], abs=1e-6, nan_ok=True)


@laws
@given(candidates, areas, permits, st.tuples(st.integers(-90_000, 90_000), st.integers(-900_000, 900_000)))
def test_a_shift_of_all_coordinates_changes_nothing(
    things: list[Any], lands: list[Any], allowed: list[Any], by: tuple[int, int]
) -> None:
    at = EAST + by[0], NORTH + by[1]
    here, there = run(things, ground(lands), allowed), run(things, ground(lands, at), allowed, at)
    assert there.reason.tolist() == here.reason.tolist()
    assert there.net_m2 == pytest.approx(here.net_m2, abs=1e-6, nan_ok=True)
    assert there.within.candidate.tolist() == here.within.candidate.tolist()
    assert there.within.permit.tolist() == here.within.permit.tolist()


@laws
@given(candidates, areas, permits)
def test_no_more_is_found_than_there_is(things: list[Any], lands: list[Any], allowed: list[Any]) -> None:
    done = run(things, ground(lands), allowed)
    own_m2 = np.nan_to_num(shapely.area(done.shape))
    assert (np.nan_to_num(done.gross_m2) <= own_m2 + 1e-6).all()
    assert (np.nan_to_num(done.net_m2) <= np.nan_to_num(done.gross_m2) + 1e-6).all()
    found = shapely.union_all(done.net[done.told])
    assert found.area <= shapely.union_all(done.shape[done.told]).area + 1e-6
    assert found.area <= shapely.union_all(np.array(lands)).area + 1e-6


@laws
@given(candidates, areas, permits)
def test_told_or_a_reason_and_never_both(things: list[Any], lands: list[Any], allowed: list[Any]) -> None:
    done = run(things, ground(lands), allowed)
    some = np.array([g is not None and not g.is_empty for g in done.net])
    assert some[done.told].all()
    assert set(done.within.candidate.tolist()) == told(done), "whatever is told lies in some area"
    assert (done.main[done.told] >= 0).all()


@laws
@given(candidates, areas, permits, permits)
def test_a_permit_never_adds_anything(things: list[Any], lands: list[Any], allowed: list[Any], more: list[Any]) -> None:
    before, after = run(things, ground(lands), allowed), run(things, ground(lands), allowed + more)
    assert told(after) <= told(before)
    assert (ground_m2(after) <= ground_m2(before) + 1e-6).all()


@laws
@given(candidates, areas, areas, permits)
def test_a_larger_boundary_never_loses_a_finding(
    things: list[Any], lands: list[Any], more: list[Any], allowed: list[Any]
) -> None:
    before, after = run(things, ground(lands), allowed), run(things, ground(lands + more), allowed)
    assert told(before) <= told(after)
    assert (ground_m2(before) <= ground_m2(after) + 1e-6).all()


# A strip between two rough banks, of more vertices than a piece may have:
#
#   60  /\_/--\_/\__/--\     left bank
#   20  \_/\__/--\_/\__/     right bank
#       0     way     60
WAY = np.linspace(0, 60, 241)
LEFT = np.column_stack([WAY, 40 + 3 * np.sin(WAY * 1.7) + np.cos(WAY * 5.3)])
RIGHT = np.column_stack([WAY, 15 + 3 * np.cos(WAY * 1.3) + np.sin(WAY * 4.1)])
STRIP = shapely.Polygon(np.vstack([LEFT, RIGHT[::-1]]))
RING = np.asarray(STRIP.exterior.coords)
WAYS: dict[str, tuple[list[Any], list[str] | None]] = {
    "two areas": ([STRIP.intersection(shapely.box(0, 0, 31, 99)), STRIP.intersection(shapely.box(31, 0, 99, 99))], None),
    "one area of two parts": ([shapely.MultiPolygon([STRIP])], None),
    "twice": ([STRIP, STRIP], None),
    "a closed line": ([shapely.LineString(RING)], None),
    "a line that stops before its start": ([shapely.LineString(np.roll(RING[:-1], -100, axis=0))], None),
    "loose lines": ([shapely.LineString(RING[a:b][::s]) for a, b, s in ((300, 490, 1), (0, 101, -1), (100, 301, 1))], None),
    "two banks": ([shapely.LineString(LEFT), shapely.LineString(RIGHT)], ["left", "right"]),
    "two banks, one drawn upstream": ([shapely.LineString(RIGHT[::-1]), shapely.LineString(LEFT)], ["right", "left"]),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=15)
@given(things=candidates, allowed=permits)
def test_however_the_boundary_is_delivered(way: str, things: list[Any], allowed: list[Any]) -> None:
    shapes, banks = WAYS[way]
    whole, other = run(things, ground([STRIP]), allowed), run(things, ground(shapes, banks=banks), allowed)
    assert other.reason.tolist() == whole.reason.tolist()
    assert other.net_m2 == pytest.approx(whole.net_m2, abs=1e-5, nan_ok=True)


@settings(max_examples=20)
@given(candidates, st.integers(5, 64))
def test_pieces_sum_to_the_whole(things: list[Any], vertices: int) -> None:
    shapes = frame([s for s, _ in things]).geometry.make_valid().to_numpy()
    whole = frame([STRIP, shapely.box(20, 10, 50, 50)]).geometry.to_numpy()
    found = pairs(shapes, cut(whole, vertices))
    common = shapely.intersection(shapes[found.candidate], whole[found.area])
    assert found.area_m2 == pytest.approx(shapely.area(common), abs=1e-6)
    met = {(c, a) for c in range(len(shapes)) for a in range(2) if shapely.intersects(shapes[c], whole[a])}
    assert set(zip(found.candidate.tolist(), found.area.tolist(), strict=True)) == met


def test_postgis_finds_the_same_ground(db: Database) -> None:
    """400 candidates, rough and overlapping areas, permits of two kinds: one statement of PostGIS without pieces."""
    rng = np.random.default_rng(5)
    at, size = rng.uniform(-10, 60, (400, 2)), rng.uniform(0.5, 20, (400, 2))
    things = [(shapely.box(*a, *(a + s)), KINDS[i % 2]) for i, (a, s) in enumerate(zip(at, size, strict=True))]
    things += [(shapely.box(*a, *(a + s)).buffer(2), "dump") for a, s in zip(at[:50], size[:50], strict=True)]
    lands = [
        STRIP,
        shapely.affinity.translate(STRIP, 35, 12),
        shapely.box(40, 0, 70, 30).difference(shapely.box(50, 5, 60, 20)),
    ]
    allowed = [
        (shapely.box(0, 10, 15, 60), "building"),
        (shapely.box(10, 10, 30, 60), "building"),
        (shapely.box(45, 0, 55, 60), "dump"),
    ]
    done = run(things, ground(lands), allowed, limits=ALL)
    layers = {
        "thing": frame([s for s, _ in things], kind=[k for _, k in things]),
        "land": frame(lands),
        "paper": frame([s for s, _ in allowed], kind=[k for _, k in allowed]),
    }
    with db.engine.begin() as conn:
        for name, rows in layers.items():
            conn.execute(text(f"CREATE TEMPORARY TABLE {name} (id int, kind text, geom geometry)"))
            kinds = rows["kind"] if "kind" in rows else [""] * len(rows)
            told_rows = [
                {"i": i, "k": k, "g": g.wkb_hex} for i, (k, g) in enumerate(zip(kinds, rows.geometry, strict=True))
            ]
            conn.execute(text(f"INSERT INTO {name} VALUES (:i, :k, CAST(:g AS geometry))"), told_rows)
        rows = conn.execute(
            text("""
            WITH inside AS (SELECT t.id, t.kind, ST_Intersection(t.geom, (SELECT ST_Union(geom) FROM land)) AS geom FROM thing t)
            SELECT ST_Area(i.geom), ST_Area(ST_Difference(i.geom, COALESCE(
                       (SELECT ST_Union(p.geom) FROM paper p WHERE p.kind = i.kind), 'POLYGON EMPTY'::geometry)))
            FROM inside i ORDER BY i.id""")
        ).all()
    gross, net = np.array(rows, dtype=float).T
    assert (gross > 0).sum() > 100 and (net < gross - 1).sum() > 20, "the example says something"
    assert np.nan_to_num(done.gross_m2) == pytest.approx(gross, abs=1e-6)
    assert np.nan_to_num(done.net_m2) == pytest.approx(net, abs=1e-6)
