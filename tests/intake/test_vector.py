"""The door: every feature is accounted for, repairs are said, refusals are one sentence."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rivergis import layers
from rivergis.errors import CrsRefused, InputError
from rivergis.intake import profile, vector
from rivergis.intake.batch import Batch, Course, merged
from rivergis.intake.delivery import Asked
from rivergis.settings import gis_dir
from tests import tiny

RULES = gis_dir() / "rules"
OUTFALL, AREA, REACH = layers.layer("outfall"), layers.layer("water_area"), layers.layer("reach")
PLAIN = profile.Mapped("outfall", ("outfall",))
BOW = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])


def write(path: Path, shapes: list[shapely.Geometry | None], crs: str | None = "EPSG:4490", **columns: object) -> Path:
    gpd.GeoDataFrame(pd.DataFrame(columns, index=range(len(shapes))), geometry=shapes, crs=crs).to_file(
        path, engine="pyogrio"
    )
    return path


def read(path: Path, layer: layers.Layer = OUTFALL, mapped: profile.Mapped | None = None, **asked: str) -> Batch:
    """The only layer of a file as rows of a target layer, without a reference."""
    return brought(vector.chosen(path, vector.open_layers(path, Asked(None, **asked)), None), layer, mapped)


def brought(opened: vector.Opened, layer: layers.Layer = OUTFALL, mapped: profile.Mapped | None = None) -> Batch:
    opened.check_geometry(layer)
    how, course = mapped or profile.Mapped(layer.name, (layer.name,)), Course()
    [batch] = [vector.map_piece(s, layer, how, about=opened.provenance(), course=course) for s in opened.pieces()]
    batch.diagnostics = merged([*opened.notes, *batch.diagnostics])
    opened.unchanged()
    return batch


def whole(batch: Batch) -> bool:
    return batch.count_in == len(batch.frame) + len(batch.set_aside) + batch.skipped


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "shp", "fgb"])
def test_formats(tmp_path: Path, ending: str) -> None:
    batch = read(
        write(
            tmp_path / f"a.{ending}",
            [shapely.Point(106, 29.4), shapely.Point(106.1, 29.5)],
            code=["a", "b"],
            name=["甲", "乙"],
        )
    )
    assert dict(zip(batch.frame["code"], batch.frame["name"], strict=True)) == {"a": "甲", "b": "乙"}
    assert whole(batch) and batch.frame.crs.to_epsg() == 4490


@pytest.mark.parametrize("epsg", [4544, 4523, 4326, 32648])
def test_any_documented_system_comes_home_within_a_centimetre(tmp_path: Path, epsg: int) -> None:
    here = gpd.GeoSeries([shapely.Point(105.9, 29.35)], crs=4490)
    there = here.to_crs(epsg).iloc[0]
    batch = read(write(tmp_path / "a.gpkg", [there], crs=f"EPSG:{epsg}", code=["a"], name=["x"]))
    back = batch.frame.geometry.iloc[0]
    assert np.hypot((back.x - 105.9) * 97000, (back.y - 29.35) * 110900) < 0.01


def test_gcj02_only_when_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gpkg", [shapely.Point(106, 29.4)], code=["a"], name=["x"])
    as_is, moved = read(path).frame.geometry.iloc[0], read(path, datum="gcj02").frame.geometry.iloc[0]
    assert as_is.equals(shapely.Point(106, 29.4))
    assert 400 < np.hypot((moved.x - 106) * 97000, (moved.y - 29.4) * 110900) < 600


def test_missing_and_refused_systems(tmp_path: Path) -> None:
    none = write(tmp_path / "none.shp", [shapely.Point(500_000, 3_250_000)], crs=None, code=["a"], name=["x"])
    with pytest.raises(
        CrsRefused, match=r"not certain where none\.shp, layer none lies: .*central meridian.* --crs EPSG:"
    ) as caught:
        read(none)
    assert caught.value.exit_code == 3
    assert len(read(none, crs="EPSG:4544").frame) == 1
    with pytest.raises(CrsRefused, match="Xian 1980"):
        read(write(tmp_path / "x80.gpkg", [shapely.Point(500_000, 3_250_000)], crs="EPSG:2379", code=["a"], name=["x"]))


@pytest.mark.parametrize(
    ("label", "make", "sentence"),
    [
        ("absent", lambda p: None, "There is no file"),
        ("empty", lambda p: p.write_bytes(b""), r"is empty \(0 bytes\)"),
        ("not a vector file", lambda p: p.write_bytes(b"\x00\x01hello" * 99), "does not begin like one"),
        (
            "cut off",
            lambda p: p.write_bytes(
                write(p.with_name("w.gpkg"), [shapely.Point(106, 29)], code=["a"]).read_bytes()[:5000]
            ),
            "cannot be opened|cannot be read|damaged",
        ),
        ("a folder", lambda p: p.mkdir(), "is a folder"),
    ],
)
def test_unusable_files_are_one_sentence(tmp_path: Path, label: str, make: object, sentence: str) -> None:
    path = tmp_path / "bad.gpkg"
    make(path)  # type: ignore[operator]
    with pytest.raises(InputError, match=sentence) as caught:
        read(path)
    assert caught.value.exit_code == 3 and "\n" not in caught.value.sentence


def test_what_cannot_be_read_names_what_to_ask_for(tmp_path: Path) -> None:
    (tmp_path / "a.dwg").write_bytes(b"AC1027")
    with pytest.raises(InputError, match=r"a\.dwg .*AC1027.*DXF"):
        read(tmp_path / "a.dwg")


def test_a_wrong_layer_lists_those_there_are(tmp_path: Path) -> None:
    path = tmp_path / "two.gpkg"
    for name in ("rivers", "lakes"):
        gpd.GeoDataFrame({"code": ["a"]}, geometry=[shapely.Point(106, 29)], crs=4490).to_file(
            path, layer=name, engine="pyogrio"
        )
    with pytest.raises(InputError, match="has no layer 'ponds'; it has rivers, lakes"):
        vector.read_frame(path, source_layer="ponds")
    with pytest.raises(InputError, match="several layers"):
        vector.read_frame(path)


@pytest.mark.parametrize(
    ("code", "layer", "shape", "columns"),
    [
        ("geometry_missing", OUTFALL, None, {}),
        ("no_point", OUTFALL, shapely.LineString([(106, 29), (107, 29)]), {}),
        ("no_area", AREA, shapely.Polygon([(106, 29), (107, 29), (106, 29)]), {"kind": "river"}),
        (
            "several_lines",
            REACH,
            shapely.MultiLineString([[(106, 29), (106.1, 29)], [(107, 29), (107.1, 29)]]),
            {"kind": "river", "river_code": "r"},
        ),
        ("value_missing", OUTFALL, shapely.Point(106, 29), {"name": None}),
        ("value_unknown", OUTFALL, shapely.Point(106, 29), {"status": "half open"}),
        ("value_wrong", OUTFALL, shapely.Point(106, 29), {"approved_on": "next spring"}),
        ("code_missing", OUTFALL, shapely.Point(106, 29), {"code": None}),
    ],
)
def test_bad_features_are_set_aside_and_the_good_go_on(
    tmp_path: Path, code: str, layer: layers.Layer, shape: shapely.Geometry | None, columns: dict[str, object]
) -> None:
    good = {
        "Point": shapely.Point(106.5, 29.5),
        "MultiPolygon": shapely.box(106, 29, 106.1, 29.1),
        "LineString": shapely.LineString([(106, 29), (106.2, 29)]),
    }[layer.geometry or ""]
    base: dict[str, object] = {
        "code": "a",
        "name": "x",
        "status": "open",
        "approved_on": "2025-01-01",
        "kind": "river",
        "river_code": "r",
    }
    rows = [{**base, "code": "good"}, {**base, **columns}]
    path = tmp_path / "a.gpkg"
    gpd.GeoDataFrame(pd.DataFrame(rows), geometry=[good, shape], crs=4490).to_file(path, engine="pyogrio")
    batch = read(path, layer)
    assert [a.code for a in batch.set_aside] == [code]
    assert list(batch.frame["code"]) == ["good"]
    assert whole(batch)
    assert batch.raw[batch.set_aside[0].source_feature][0].get("river_code") == "r", "its attributes are kept as read"


def test_a_crossed_ring_is_repaired_and_said(tmp_path: Path) -> None:
    batch = read(
        write(
            tmp_path / "a.gpkg", [shapely.transform(BOW, lambda xy: xy / 1000 + (106, 29))], code=["a"], kind=["river"]
        ),
        AREA,
    )
    assert [d["code"] for d in batch.diagnostics] == ["repaired"]
    assert batch.frame.geometry.iloc[0].is_valid and len(batch.frame.geometry.iloc[0].geoms) == 2


def test_profiles_are_checked_and_named() -> None:
    with pytest.raises(InputError, match=r"There is no import profile 'nope'; the profiles are .*osm"):
        profile.load("nope", RULES)
    for path in (RULES / "import_fields").glob("*.yaml"):
        assert profile.load(path.stem, RULES).mappings


def test_osm_profile_maps_waterways(tmp_path: Path) -> None:
    path = tmp_path / "x.gpkg"
    gpd.GeoDataFrame(
        {
            "osm_id": [1, 2, 3],
            "name": ["Main", None, "Main"],
            "waterway": ["river", "ditch", "weir"],
            "tunnel": [None, "culvert", None],
        },
        geometry=[shapely.LineString([(11, 50), (11.1, 50)])] * 3,
        crs=4326,
    ).to_file(path, layer="waterways", engine="pyogrio")
    osm = profile.load("osm", RULES)
    reach = read(path, REACH, osm.for_layer("reach", "waterways")[0])
    assert list(
        zip(reach.frame["code"], reach.frame["river_code"], reach.frame["kind"], reach.frame["covered"], strict=True)
    ) == [("1", "Main", "river", False), ("2", "2", "ditch", True)]
    assert reach.skipped == 1 and whole(reach)


shapes = st.one_of(
    st.none(),
    st.just(shapely.Point()),
    st.builds(shapely.Point, st.floats(100, 110), st.floats(20, 40)),
    st.just(shapely.box(106, 29, 106.1, 29.1)),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(shapes, st.one_of(st.none(), st.text("ab", max_size=1)), st.sampled_from([None, "open", "?"])),
        min_size=1,
        max_size=12,
    )
)
def test_nothing_is_lost(tmp_path: Path, rows: list[tuple[shapely.Geometry | None, str | None, str | None]]) -> None:
    """Law: features in = rows + set aside + skipped, whatever the file holds."""
    path = tmp_path / "law.gpkg"
    path.unlink(missing_ok=True)
    frame = gpd.GeoDataFrame(
        {"code": [r[1] for r in rows], "name": "x", "status": [r[2] for r in rows]},
        geometry=[r[0] for r in rows],
        crs=4490,
    )
    frame.to_file(path, engine="pyogrio", geometry_type="Unknown")
    assert whole(read(path, crs="EPSG:4490"))


@pytest.mark.realdata
def test_real_messy_files_are_read_or_refused_with_a_sentence(test_data: Path) -> None:
    tried = 0
    for path in sorted((test_data / "messy_vector").iterdir()):
        if path.is_dir() or path.suffix.lower() in (".dbf", ".shx", ".prj", ".gfs", ".md"):
            continue
        tried += 1
        try:
            for opened in vector.open_layers(path, Asked()):
                opened.check_place()
                rows = [len(piece.frame) for piece in opened.pieces(7)]
                assert sum(rows) == opened.count and max(rows) <= 7
        except InputError as error:
            assert error.sentence.endswith((".", ")")) and "\n" not in error.sentence
    assert tried > 10


def test_tiny_is_where_it_says() -> None:
    assert tiny.degrees(tiny.metric([tiny.point(0, 0)])).geometry.iloc[0].distance(shapely.Point(106, 29.4)) < 0.02


# ---- where things lie -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "system", "x", "y"),
    [
        ("a digit too many", "EPSG:4547", 4_556_665, 3_905_959),
        ("degrees under metres", "EPSG:4544", 106, 29.4),
        ("zone prefix under a system without", "EPSG:4544", 35_587_399.8, 3_248_399.3),
        ("no prefix under a system with", "EPSG:4523", 587_399.8, 3_248_399.3),
        ("metres under degrees", "EPSG:4490", 587_399.8, 3_248_399.3),
    ],
)
def test_a_layer_that_does_not_fit_its_system_stops_with_reasons(
    tmp_path: Path, label: str, system: str, x: float, y: float
) -> None:
    path = write(tmp_path / "a.gpkg", [shapely.Point(x, y), shapely.Point(x + 0.01, y)], crs=system, code=["a", "b"])
    with pytest.raises(CrsRefused, match=r"a\.gpkg, layer a") as caught:
        read(path)
    assert caught.value.details["reasons"] and "\n" not in caught.value.sentence


@pytest.mark.parametrize(
    ("label", "system", "x", "y"),
    [("axes exchanged", "EPSG:4547", 3_906_699, 461_581), ("latitude first", "EPSG:4490", 29.4, 106)],
)
def test_exchanged_axes_are_turned_and_said(tmp_path: Path, label: str, system: str, x: float, y: float) -> None:
    given = shapely.Point(x, y)
    batch = read(write(tmp_path / "a.gpkg", [given], crs=system, code=["a"], name=["x"]))
    assert {"axis_swapped", "crs_recognised"} <= {d["code"] for d in batch.diagnostics}
    [home] = batch.frame.geometry
    assert 100 < home.x < 120 and 29 < home.y < 36
    assert shapely.from_wkb(batch.frame["source"].iloc[0]["geom"]).equals(given), (
        "the numbers as they stand in the file"
    )


def test_a_feature_that_does_not_lie_with_the_others_is_set_aside(tmp_path: Path) -> None:
    """The announcement of Huojia: the second X has a digit too many."""
    there = [shapely.Point(461_581 + 10 * i, 3_906_699 + 7 * i) for i in range(9)] + [
        shapely.Point(4_556_665, 3_905_959)
    ]
    batch = read(write(tmp_path / "a.gpkg", there, crs="EPSG:4547", code=[str(i) for i in range(10)], name=["x"] * 10))
    assert [(a.source_feature, a.code) for a in batch.set_aside] == [("10", "outlier_vertex")]
    assert "4556665, 3905959" in batch.set_aside[0].sentence
    assert batch.raw["10"][1] == "POINT (4556665 3905959)" and whole(batch)


def test_a_system_may_be_used_a_little_beyond_its_area(tmp_path: Path) -> None:
    """A county on the limit of two zones is surveyed in one of them."""
    here = gpd.GeoSeries([shapely.Point(108.5, 29.4)], crs=4490).to_crs(4544).iloc[0]
    assert len(read(write(tmp_path / "a.gpkg", [here], crs="EPSG:4544", code=["a"], name=["x"])).frame) == 1


def test_a_system_that_is_overruled_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gpkg", [shapely.Point(106, 29.4)], crs="EPSG:4326", code=["a"], name=["x"])
    [said] = read(path, crs="EPSG:4490").diagnostics
    assert said["code"] == "crs_overruled" and "EPSG:4326; EPSG:4490 was used" in said["sentence"]
    assert read(path, crs="EPSG:4326").diagnostics == []


def test_work_on_files_stops_at_the_first_shape_that_cannot_be_used(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gpkg", [shapely.Point(106, 29), shapely.Point(np.inf, 29)], code=["a", "b"])
    with pytest.raises(InputError, match=r"a\.gpkg, layer a, feature 2: It has coordinates that are not numbers"):
        vector.read_frame(path)


# ---- tables ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
@pytest.mark.parametrize(("lon", "lat"), [("lon", "lat"), ("经度", "纬度"), ("LGTD", "LTTD")])
def test_tables_with_longitude_and_latitude(tmp_path: Path, ending: str, lon: str, lat: str) -> None:
    table = pd.DataFrame({"code": ["a", "b", "c"], "name": "x", lon: [106, "106.1", None], lat: [29.4, "29.5", "29"]})
    path = tmp_path / f"t.{ending}"
    table.to_csv(path, index=False) if ending == "csv" else table.to_excel(path, index=False)
    with pytest.raises(CrsRefused, match=r"not certain where .* --crs EPSG:4490"):
        read(path)
    batch = read(path, crs="EPSG:4490")
    assert [p.coords[0] for p in batch.frame.geometry] == [(106, 29.4), (106.1, 29.5)]
    assert [a.code for a in batch.set_aside] == ["geometry_missing"]
    moved = read(path, datum="gcj02")
    assert "GCJ-02" in (moved.source_crs or ""), "a declared datum says what the degrees are"
    assert 400 < np.hypot((moved.frame.geometry[0].x - 106) * 97000, (moved.frame.geometry[0].y - 29.4) * 110900) < 600


def test_a_table_with_north_in_x_is_turned_and_said(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("code,name,X,Y\na,x,3248399.3,587399.8\nb,y,3248409.3,587399.8\n")
    with pytest.raises(CrsRefused, match="--crs EPSG:"):
        read(tmp_path / "t.csv")
    batch = read(tmp_path / "t.csv", crs="EPSG:4544")
    assert np.allclose([batch.frame.geometry[0].x, batch.frame.geometry[0].y], [105.9, 29.35], atol=1e-6)
    assert not any(d["code"] == "fields_unused" for d in batch.diagnostics), "positions are used"
    assert list(shapely.from_wkb(batch.frame["source"][0]["geom"]).coords) == [(3248399.3, 587399.8)]


# ---- shapes ---------------------------------------------------------------------------------------------------------


def reach(path: Path, shape: shapely.Geometry) -> Batch:
    return read(write(path, [shape], code=["a"], river_code=["r"], kind=["river"]), REACH)


def test_parts_that_follow_each_other_keep_their_direction(tmp_path: Path) -> None:
    """
    1 → 2   2 → 3      joined as drawn, downstream
    """
    downstream = shapely.MultiLineString([[(106.3, 29), (106.2, 29)], [(106.2, 29), (106.1, 29)]])
    batch = reach(tmp_path / "a.gpkg", downstream)
    assert list(batch.frame.geometry.iloc[0].coords) == [(106.3, 29), (106.2, 29), (106.1, 29)]
    assert [d["code"] for d in batch.diagnostics] == ["parts_joined"]


def test_parts_that_were_drawn_against_each_other_are_joined_and_said(tmp_path: Path) -> None:
    """
    1 → 2 ← 3      one line, but which way does it run?
    """
    batch = reach(
        tmp_path / "a.gpkg", shapely.MultiLineString([[(106.3, 29), (106.2, 29)], [(106.1, 29), (106.2, 29)]])
    )
    assert len(batch.frame) == 1 and [d["code"] for d in batch.diagnostics] == ["parts_turned"]


def test_a_line_of_one_part_is_never_turned(tmp_path: Path) -> None:
    for points in (
        [(106, 29), (106.1, 29)],
        [(106.1, 29), (106, 29)],
        [(106, 29), (106.1, 29), (106, 29.1), (106, 29)],
    ):
        batch = reach(tmp_path / "a.gpkg", shapely.MultiLineString([points]))
        assert list(batch.frame.geometry.iloc[0].coords) == points
        (tmp_path / "a.gpkg").unlink()


def test_parts_of_another_kind_are_left_out_and_said(tmp_path: Path) -> None:
    mixed = shapely.GeometryCollection([shapely.box(106, 29, 106.1, 29.1), shapely.Point(107, 29)])
    path = tmp_path / "a.gpkg"
    frame = gpd.GeoDataFrame({"code": ["a"], "kind": ["lake"]}, geometry=[mixed], crs=4490)
    frame.to_file(path, engine="pyogrio")
    batch = read(path, AREA)
    assert [d["code"] for d in batch.diagnostics] == ["parts_left_out"]
    assert batch.frame.geometry.iloc[0].equals(shapely.box(106, 29, 106.1, 29.1))


def test_a_repair_says_what_it_did_to_the_area(tmp_path: Path) -> None:
    """A bow tie measured by its vertices is nothing; both lobes are land."""
    bow = shapely.transform(BOW, lambda xy: xy / 1000 + (106, 29))
    [said] = read(write(tmp_path / "a.gpkg", [bow], code=["a"], kind=["lake"]), AREA).diagnostics
    assert said["features"] == ["1"] and abs(said["area_change_m2"][0] - 50 * 110.9 * 97.3) < 10_000


@pytest.mark.parametrize("layer", ["candidate", "water_area"])
def test_an_area_without_any_is_set_aside(tmp_path: Path, layer: str) -> None:
    flat = shapely.Polygon([(106, 29), (106.1, 29), (106, 29)])
    path = write(tmp_path / "a.gpkg", [flat], code=["a"], kind=["building"], source_kind=["x"])
    assert [a.code for a in read(path, layers.layer(layer)).set_aside] == ["no_area"]


def test_heights_are_left_in_the_source_and_curves_become_lines(tmp_path: Path) -> None:
    batch = read(write(tmp_path / "a.gpkg", [shapely.Point(106, 29, 214.5)], code=["a"], name=["x"]))
    assert not batch.frame.geometry.iloc[0].has_z


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.geojson", [shapely.Point(106, 29)], code=["a"], name=["x"])
    [opened] = vector.open_layers(path, Asked())
    opened.unchanged()
    path.write_text(path.read_text() + " ")
    with pytest.raises(InputError, match="changed while it was read"):
        opened.unchanged()


@pytest.mark.realdata
def test_real_curves_tins_and_measured_lines(test_data: Path) -> None:
    """What cannot be read is set aside alone; what can is read, and the reader's remarks are kept."""
    folder = test_data / "messy_vector"
    wanted = {"curve.gpkg": 0, "curvepolygon.gpkg": 0, "multisurface.gpkg": 0, "line_zm.gpkg": 0}
    if not all((folder / name).exists() for name in wanted):
        pytest.skip("the curve and TIN samples are not there")
    for name, unreadable in wanted.items():
        source = vector.open_layer(folder / name, crs=None if name.endswith("gpkg") else "EPSG:4326")
        assert [c for c, _ in source.faults.values() if c != "outlier_vertex"] == ["geometry_unreadable"] * unreadable


@pytest.mark.realdata
def test_real_chinese_shapefiles_without_encoding_and_system(test_data: Path) -> None:
    path = test_data / "china_rivers" / "raw_gbk_no_prj" / "hyd2_4p.shp"
    if not path.exists():
        pytest.skip("the national 1:4M lakes are not there")
    with pytest.raises(CrsRefused, match="--crs EPSG:4490"):
        vector.read_frame(path)
    frame, _, system = vector.read_frame(path, crs="EPSG:4490")
    assert "鄱阳湖" in set(frame["NAME"].dropna()) and len(frame) == 826 and system == "EPSG:4490"
