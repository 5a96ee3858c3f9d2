"""The detective against layers whose truth is known: laws first, then the troubles of survey files one by one."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from rivergis import crs
from rivergis.intake.crs_evidence import judge
from rivergis.intake.crs_verdict import place
from rivergis.intake.delivery import Asked, Names
from tests.intake.places import Place, delivered, moved, projected, swapped

YONGCHUAN, BAMA, HARBIN, KASHGAR = Place(105.9, 29.35), Place(107.25, 24.14), Place(126.6, 45.9), Place(77.2, 39.4)
PLACES = pytest.mark.parametrize(
    "at", [YONGCHUAN, BAMA, HARBIN, KASHGAR], ids=["yongchuan", "bama", "harbin", "kashgar"]
)
XY = Names("X", "Y")


def zones(at: Place) -> dict[str, int]:
    """EPSG codes of the zones of a place: 3 and 6 degrees, with and without number, and UTM."""
    third, sixth = round(at.lon / 3), int(at.lon // 6) + 1
    return {"p3": 4488 + third, "c3": 4509 + third, "p6": 4478 + sixth, "c6": 4489 + sixth, "utm": 32630 + sixth}


def same_numbers(epsg: int) -> set[int]:
    """3- and 6-degree zones without number may share their meridian."""
    pairs = {4502 + k: 4534 + 2 * k for k in range(11)}
    return {epsg, *(b for a, b in pairs.items() if a == epsg), *(a for a, b in pairs.items() if b == epsg)}


def apart_m(a: np.ndarray, b: np.ndarray) -> float:
    one, other = shapely.get_coordinates(a), shapely.get_coordinates(b)
    return float(np.max(crs.GEOD.inv(one[:, 0], one[:, 1], other[:, 0], other[:, 1])[2]))


def codes(verdict) -> set[str]:
    return {d.code for d in verdict.defects}


# ---- laws -----------------------------------------------------------------------------------------------------------


@PLACES
@pytest.mark.parametrize("zone", ["p3", "c3", "p6", "c6"])
def test_an_honest_layer_comes_home_to_a_millimetre_and_without_alarm(at: Place, zone: str) -> None:
    shapes, epsg = at.lines(), zones(at)[zone]
    for dialect in ("WKT1_ESRI", "WKT1_GDAL", "WKT2_2019"):
        verdict = judge(delivered(projected(shapes, epsg), CRS.from_epsg(epsg).to_wkt(dialect)), at.reference)
        assert (verdict.verdict, verdict.axis, verdict.datum) == ("declared", "normal", "wgs84")
        assert verdict.epsg in same_numbers(epsg) and not verdict.defects
        assert apart_m(place(verdict, np.array(projected(shapes, epsg))), np.array(shapes)) < 0.001


@settings(max_examples=15, deadline=None)
@given(st.floats(74.5, 134.5), st.floats(18.5, 53.0), st.sampled_from(["p3", "c3", "p6", "c6"]))
def test_positions_return_within_a_centimetre_everywhere_in_china(lon: float, lat: float, zone: str) -> None:
    at = Place(lon, lat)
    points = [shapely.Point(lon + dx, lat + dy) for dx in (-0.01, 0, 0.02) for dy in (-0.02, 0.01)]
    epsg = zones(at)[zone]
    layer = delivered(projected(points, epsg), f"EPSG:{epsg}", "file")
    verdict = judge(layer)
    assert verdict.verdict == "declared" and verdict.epsg in same_numbers(epsg)
    assert apart_m(place(verdict, layer.shapes), np.array(points)) < 0.01


@PLACES
def test_exchanged_axes_mean_the_same_place(at: Place) -> None:
    shapes = at.lines()
    for epsg in (4490, *(zones(at)[z] for z in ("p3", "c3"))):
        layer = delivered(swapped(projected(shapes, epsg)), f"EPSG:{epsg}", "file")
        verdict = judge(layer, at.reference)
        assert verdict.axis == "swapped" and "axis_swapped" in codes(verdict) and verdict.certain
        assert apart_m(place(verdict, layer.shapes), np.array(shapes)) < 0.001


@PLACES
@pytest.mark.parametrize("factor", [1000.0, 100.0, 10.0, 0.001])
def test_another_unit_is_suspected_and_means_the_same_place(at: Place, factor: float) -> None:
    epsg = zones(at)["c3"]
    layer = delivered(moved(projected(at.lines(), epsg), lambda c: c * factor))
    verdict = judge(layer, at.reference)
    assert verdict.verdict == "suspected" and verdict.epsg in same_numbers(epsg) and "units_suspect" in codes(verdict)
    assert apart_m(place(verdict, layer.shapes), np.array(at.lines())) < 0.01


@PLACES
def test_the_order_and_names_of_features_do_not_matter(at: Place) -> None:
    shapes = projected(at.stakes(), zones(at)["c3"])
    one, other = (judge(delivered(s), at.reference) for s in (shapes, shapes[::-1]))
    assert (
        (one.verdict, one.epsg, codes(one))
        == (other.verdict, other.epsg, codes(other))
        == ("recognised", one.epsg, {"crs_missing"})
    )


# ---- nothing declared -------------------------------------------------------------------------------------------------


@PLACES
@pytest.mark.parametrize("zone", ["p3", "c3", "p6", "c6"])
@pytest.mark.parametrize("thing", ["lines", "stakes"])
def test_without_prj_the_rivers_tell_the_zone(at: Place, zone: str, thing: str) -> None:
    shapes, epsg = getattr(at, thing)(), zones(at)[zone]
    verdict = judge(delivered(projected(shapes, epsg)), at.reference)
    assert verdict.verdict == "recognised" and verdict.epsg in same_numbers(epsg) and "crs_missing" in codes(verdict)
    assert verdict.reasons and any("rivers" in r for r in verdict.reasons)


@PLACES
def test_utm_is_not_taken_for_gauss_krueger(at: Place) -> None:
    verdict = judge(delivered(projected(at.lines(), zones(at)["utm"])), at.reference)
    assert verdict.epsg == zones(at)["utm"] and verdict.verdict in ("recognised", "suspected")


@PLACES
def test_without_reference_nothing_undeclared_is_certain(at: Place) -> None:
    for epsg in (4490, *zones(at).values()):
        verdict = judge(delivered(projected(at.lines(), epsg)))
        assert verdict.verdict in ("suspected", "refused")
    no_number = judge(delivered(projected(at.lines(), zones(at)["c3"])))
    assert no_number.epsg is None and {"zone_ambiguous", "crs_missing"} <= codes(no_number)
    assert zones(at)["c3"] in {c.epsg for c in no_number.candidates}


def test_things_off_the_rivers_do_not_tell_a_datum() -> None:
    at = YONGCHUAN
    silent = judge(delivered(projected(at.ponds(), zones(at)["p3"])), at.reference)
    assert silent.verdict == "suspected" and silent.epsg == zones(at)["p3"]
    spoken = judge(delivered(projected(at.ponds(), zones(at)["p3"]), f"EPSG:{zones(at)['p3']}"), at.reference)
    assert spoken.verdict == "declared" and not spoken.defects


def test_words_beside_a_table_declare_and_refuse() -> None:
    at = YONGCHUAN
    table = projected(at.stakes(), zones(at)["c3"])
    said = judge(delivered(table, names=XY, text="2000国家大地坐标系,3度带,中央子午线105°"))
    # the meridian of the words is 105; this place's own zone is 105 too
    assert (said.verdict, said.epsg) == ("declared", 4544)
    old = judge(delivered(table, names=XY, text="1980西安坐标系"), at.reference)
    assert old.verdict == "refused" and "datum_unsupported" in codes(old)
    local = judge(delivered(table, names=XY, text="采用城市独立坐标系"), at.reference)
    assert local.verdict == "refused" and "local_grid" in codes(local)


# ---- declared, and not true ---------------------------------------------------------------------------------------------


@PLACES
def test_a_wrong_declaration_is_never_believed(at: Place) -> None:
    z = zones(at)
    cases = [
        (z["p3"], z["p3"] + 1), (z["c3"], z["c3"] - 1), (4490, z["p3"]), (z["p3"], 4490), (z["c3"], 4490), (z["c3"], z["p3"]), (3857, 4490),
    ]  # fmt: skip
    for truth, claim in cases:
        verdict = judge(delivered(projected(at.lines(), truth), CRS.from_epsg(claim).to_wkt("WKT1_ESRI")), at.reference)
        assert not verdict.certain and "crs_mismatch" in codes(verdict), (truth, claim, verdict)
        assert verdict.epsg is None or verdict.epsg in same_numbers(truth) or (truth == 4490 and verdict.epsg == 4326)


@pytest.mark.parametrize("epsg", [2380, 2359, 2435, 21459, 4610, 4214, 4555])
def test_old_datums_are_refused(epsg: int) -> None:
    shapes = (
        [shapely.Point(500_000 + i, 3_200_000 + i) for i in range(5)]
        if epsg < 4000 or epsg > 20000
        else YONGCHUAN.stakes()
    )
    verdict = judge(delivered(shapes, CRS.from_epsg(epsg).to_wkt("WKT1_ESRI")), YONGCHUAN.reference)
    assert verdict.verdict == "refused" and "datum_unsupported" in codes(verdict)


@PLACES
@pytest.mark.parametrize("shift", [(-62.0, 98.0), (45.0, -88.0), (101.0, 31.0)])
@pytest.mark.parametrize("thing", ["lines", "stakes", "areas"])
def test_an_old_datum_under_a_new_name_shows_on_the_rivers(at: Place, thing: str, shift: tuple[float, float]) -> None:
    epsg = zones(at)["c3"]
    shapes = moved(projected(getattr(at, thing)(), epsg), lambda c: c + np.array(shift))
    for wkt in (None, f"EPSG:{epsg}"):
        verdict = judge(delivered(shapes, wkt), at.reference)
        assert verdict.verdict == "suspected" and "datum_shift_suspected" in codes(verdict)
        said = " ".join(d.message for d in verdict.defects)
        assert f"{abs(shift[0]):.0f}" not in said and f"{abs(shift[1]):.0f}" not in said  # no parameters are told


@PLACES
@pytest.mark.parametrize("thing", ["lines", "stakes", "areas", "ponds"])
def test_a_reference_some_metres_off_is_no_old_datum(at: Place, thing: str) -> None:
    epsg = zones(at)["c3"]
    shapes = moved(projected(getattr(at, thing)(), epsg), lambda c: c + np.array([18.0, -14.0]))
    assert not judge(delivered(shapes, f"EPSG:{epsg}"), at.reference).defects


@PLACES
def test_a_line_on_one_bank_is_no_datum_shift(at: Place) -> None:
    """___ left bank line, 60 m beside the river all along: keeps its side, so nothing is shifted
    ~~~~~~~~~"""
    lines = [shapely.LineString(at.degrees(_beside(c, 60.0))) for c in at.courses]
    verdict = judge(delivered(projected(lines, zones(at)["p3"]), f"EPSG:{zones(at)['p3']}"), at.reference)
    assert verdict.verdict == "declared" and not verdict.defects


@PLACES
@pytest.mark.parametrize("seed", range(4))
def test_stakes_on_the_uneven_bank_of_one_river_are_no_shift(at: Place, seed: int) -> None:
    rng = np.random.default_rng(seed)
    course = at.courses[seed % 4]
    along = np.gradient(course, axis=0)
    across = np.column_stack([-along[:, 1], along[:, 0]]) / np.hypot(*along.T)[:, None]
    wander = np.convolve(rng.normal(0, 1, len(course) + 80), np.ones(81) / 9, "valid") * 15
    stakes = [shapely.Point(p) for p in at.degrees(course + across * (55 + wander)[:, None])[::12]]
    for wkt in (None, f"EPSG:{zones(at)['c3']}"):
        verdict = judge(delivered(projected(stakes, zones(at)["c3"]), wkt), at.reference)
        assert "datum_shift_suspected" not in codes(verdict)


@PLACES
@pytest.mark.parametrize("away_m", [200.0, 480.0])
def test_one_bank_of_a_wide_river_is_no_map_app(at: Place, away_m: float) -> None:
    lines = [shapely.LineString(at.degrees(_beside(c, away_m))) for c in at.courses[:1]]
    verdict = judge(delivered(projected(lines, zones(at)["p3"]), f"EPSG:{zones(at)['p3']}"), at.reference)
    assert verdict.verdict == "declared"


@PLACES
@pytest.mark.parametrize("degrees", [1.0, -2.0])
def test_a_turned_grid_that_keeps_its_numbers_is_never_certain(at: Place, degrees: float) -> None:
    turn, centre = np.radians(degrees), c_mean(at)
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    shapes = moved(projected(at.lines(), zones(at)["c3"]), lambda c: (c - centre) @ spin.T + centre)
    for wkt in (None, f"EPSG:{zones(at)['c3']}"):
        assert not judge(delivered(shapes, wkt), at.reference).certain


def _beside(course: np.ndarray, away_m: float) -> np.ndarray:
    along = np.gradient(course, axis=0)
    return (course + away_m * np.column_stack([-along[:, 1], along[:, 0]]) / np.hypot(*along.T)[:, None])[::3]


# ---- shifted datums -------------------------------------------------------------------------------------------------------


def gcj(c: np.ndarray) -> np.ndarray:
    return np.column_stack(crs.wgs84_to_gcj02(c[:, 0], c[:, 1]))


def bd(c: np.ndarray) -> np.ndarray:
    return np.column_stack(crs.gcj02_to_bd09(*crs.wgs84_to_gcj02(c[:, 0], c[:, 1])))


@PLACES
@pytest.mark.parametrize(("name", "shift"), [("gcj02", gcj), ("bd09", bd)])
@pytest.mark.parametrize("where", ["degrees", "format", "zone", "silent zone"])
def test_map_app_shifts_are_proposed_never_applied(at: Place, name: str, shift, where: str) -> None:
    shapes = moved(at.lines(), shift)
    zone = zones(at)["p3"]
    layer = {
        "degrees": lambda: delivered(shapes, "EPSG:4490", "prj"),
        "format": lambda: delivered(shapes, "EPSG:4326", "format"),
        "zone": lambda: delivered(projected(shapes, zone), f"EPSG:{zone}"),
        "silent zone": lambda: delivered(projected(shapes, zone)),
    }[where]()
    verdict = judge(layer, at.reference)
    assert (verdict.verdict, verdict.datum) == ("suspected", name) and "datum_shift_suspected" in codes(verdict)
    agreed = judge(layer, at.reference, Asked(datum=name, crs=f"EPSG:{verdict.epsg}"))
    assert agreed.certain and apart_m(place(agreed, layer.shapes), np.array(at.lines())) < 0.01


@PLACES
def test_honest_gps_errors_are_no_datum_shift(at: Place) -> None:
    rng = np.random.default_rng(7)
    tracks = []
    for course in at.courses:
        turning = 50.0 * np.column_stack([np.cos(np.arange(len(course)) / 60), np.sin(np.arange(len(course)) / 60)])
        tracks.append(shapely.LineString(at.degrees(course + turning + rng.normal(0, 15, course.shape))[::2]))
    verdict = judge(delivered(tracks, "EPSG:4326", "format"), at.reference)
    assert verdict.verdict == "declared" and not verdict.defects


@PLACES
def test_a_layer_shifted_in_part_is_told_feature_by_feature(at: Place) -> None:
    lines = at.lines()
    half = len(lines) // 2
    verdict = judge(delivered([*lines[:half], *moved(lines[half:], gcj)], "EPSG:4326", "format"), at.reference)
    assert verdict.verdict == "suspected" and "mixed_datums" in codes(verdict)
    of = {g.datum: {int(f) for f in g.features} for g in verdict.groups}
    assert of["wgs84"] <= set(range(half)) and of["gcj02"] <= set(range(half, len(lines)))


# ---- mixed, far off, local --------------------------------------------------------------------------------------------------


@PLACES
@pytest.mark.parametrize("zone", ["p3", "c3"])
def test_two_zones_in_one_layer_are_two_groups(at: Place, zone: str) -> None:
    lines, epsg = at.lines(), zones(at)[zone]
    half = len(lines) // 2
    mixed = projected(lines[:half], epsg) + projected(lines[half:], epsg + 1)
    for wkt in (None, f"EPSG:{epsg}"):
        verdict = judge(delivered(mixed, wkt), at.reference)
        assert verdict.verdict == "suspected" and verdict.epsg is None and "mixed_zones" in codes(verdict)
        assert {g.count for g in verdict.groups} == {half, len(lines) - half}


@PLACES
@pytest.mark.parametrize("slip", [lambda v: v * 10 + 5, lambda v: v / 10], ids=["a digit more", "a digit less"])
@pytest.mark.parametrize("axis", [0, 1])
def test_one_slip_of_the_pen_is_found_and_named(at: Place, slip, axis: int) -> None:
    for epsg in (4490, zones(at)["p3"], zones(at)["c3"]):
        for thing in (at.lines(), at.stakes()):
            shapes = projected(thing, epsg)
            coordinates = shapely.get_coordinates(shapes[5])
            coordinates[len(coordinates) // 2, axis] = slip(coordinates[len(coordinates) // 2, axis])
            shapes[5] = shapely.set_coordinates(shapes[5], coordinates)
            verdict = judge(delivered(shapes, f"EPSG:{epsg}"), at.reference)
            assert "outlier_vertex" in codes(verdict) and verdict.outliers == (5,)


def test_a_wide_honest_layer_has_no_outliers() -> None:
    cities = [
        (87.6, 43.8),
        (91.1, 29.6),
        (126.6, 45.8),
        (110.3, 20.0),
        (116.4, 39.9),
        (121.5, 31.2),
        (104.1, 30.7),
        (102.7, 25.0),
    ]
    verdict = judge(delivered([shapely.Point(c) for c in cities], "EPSG:4490"), YONGCHUAN.reference)
    assert verdict.verdict == "declared" and not verdict.defects and not verdict.outliers
    one = judge(delivered([shapely.LineString(cities)], "EPSG:4490"))
    assert not one.outliers


@PLACES
@pytest.mark.parametrize("wkt", [None, 'LOCAL_CS["城市独立坐标系",UNIT["metre",1]]', "zone"])
def test_a_city_grid_is_refused_not_matched(at: Place, wkt: str | None) -> None:
    turn = np.radians(1.2)
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    grid = moved(
        projected(at.lines(), zones(at)["c3"]), lambda c: (c - c_mean(at)) @ spin.T + np.array([63_000, 41_000])
    )
    verdict = judge(delivered(grid, f"EPSG:{zones(at)['c3']}" if wkt == "zone" else wkt), at.reference)
    assert verdict.verdict == "refused" and {"local_grid", "crs_mismatch"} & codes(verdict)


def c_mean(at: Place) -> np.ndarray:
    return shapely.get_coordinates(projected([shapely.Point(at.lon, at.lat)], zones(at)["c3"]))[0]


# ---- tables ------------------------------------------------------------------------------------------------------------------


@PLACES
def test_survey_tables_with_x_north_are_told_by_their_numbers(at: Place) -> None:
    for zone in ("p3", "c3"):
        epsg = zones(at)[zone]
        north = judge(delivered(swapped(projected(at.stakes(), epsg)), names=XY), at.reference)
        east = judge(delivered(projected(at.stakes(), epsg), names=XY), at.reference)
        assert (north.verdict, north.axis) == ("recognised", "swapped") and north.epsg in same_numbers(epsg)
        assert (east.verdict, east.axis) == ("recognised", "normal") and "axis_swapped" not in codes(north) | codes(
            east
        )


@PLACES
def test_packed_degrees_are_told_by_the_place(at: Place) -> None:
    def pack(c: np.ndarray) -> np.ndarray:
        seconds = np.round(c * 3600, 4)
        degrees, rest = np.divmod(seconds, 3600)
        minutes, seconds = np.divmod(rest, 60)
        return degrees + minutes / 100 + seconds / 10_000

    names = Names("经度", "纬度", north_first=False, form="packed")
    packed = judge(delivered(moved(at.stakes(), pack), names=names), at.reference)
    plain = judge(delivered(at.stakes(), names=names), at.reference)
    assert packed.certain and "dms_text" in codes(packed) and "dms_text" not in codes(plain)
    assert apart_m(place(packed, np.array(moved(at.stakes(), pack))), np.array(at.stakes())) < 0.01
    assert not judge(delivered(moved(at.stakes(), pack), names=names)).certain


# ---- what a person says -------------------------------------------------------------------------------------------------------


def test_the_word_of_a_person_overrules_and_is_still_held_against_the_place() -> None:
    at = YONGCHUAN
    layer = delivered(projected(at.lines(), 4544))
    given_right = judge(layer, at.reference, Asked(crs="EPSG:4544"))
    assert given_right.verdict == "declared" and not given_right.defects
    given_wrong = judge(layer, at.reference, Asked(crs="EPSG:4545"))
    assert given_wrong.verdict == "declared" and "crs_mismatch" in codes(given_wrong)
    impossible = judge(layer, at.reference, Asked(crs="EPSG:4490"))
    assert impossible.verdict == "refused"


def test_layers_of_no_one_and_two_features_are_judged() -> None:
    at = YONGCHUAN
    assert judge(delivered([])).verdict == "refused"
    assert judge(delivered([None, None], "EPSG:4490")).verdict == "declared"
    for n in (1, 2, 3):
        verdict = judge(delivered(projected(at.stakes()[:n], 4523), "EPSG:4523"), at.reference)
        assert verdict.verdict == "declared" and not verdict.outliers
