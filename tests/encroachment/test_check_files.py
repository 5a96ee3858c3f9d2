"""The check on files as a planner types it: many formats, days, zones, a queue, and one sentence for what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely

from rivergis.cli import _run

E, N = 528_000.0, 3_375_000.0
Run = Callable[..., dict[str, Any]]


def box(x0: float, y0: float, x1: float, y1: float) -> shapely.Polygon:
    return shapely.box(E + x0, N + y0, E + x1, N + y1)


def file(path: Path, shapes: list[Any], epsg: int = 4547, **columns: Any) -> Path:
    frame = gpd.GeoDataFrame(
        {k: v if isinstance(v, list) else [v] * len(shapes) for k, v in columns.items()}, geometry=shapes, crs=4547
    )
    frame = frame.to_crs(epsg)
    if path.suffix == ".parquet":
        frame.to_parquet(path, write_covering_bbox=True)
    else:
        frame.to_file(path)
    return path


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``run(*options, code=0)``: the JSON that a check prints; its sentence on stderr under ``said`` where it is refused."""
    monkeypatch.setenv("RIVERGIS_DATA_DIR", str(tmp_path / "data"))

    def go(*options: str | Path, code: int = 0) -> dict[str, Any]:
        capsys.readouterr()
        got = _run(["encroachment", "check", *map(str, options), "--json"])
        out, err = capsys.readouterr()
        assert got == code, (got, out[-300:], err[-600:])
        return json.loads(out) if got in (0, 1, 4) else {"said": out + err}

    return go


#   y=120 +----------------------------------+  line.gpkg: one announced reach R1, error 0.5 m
#         |  c1 300 m2   c2 half out  c3 pit |
#   y=0   +----------------------------------+
@pytest.fixture
def line(tmp_path: Path) -> Path:
    return file(tmp_path / "line.gpkg", [box(0, 0, 1000, 120)], 4490, reach="R1", basis="announced", xy_error_m=0.5)


@pytest.fixture
def things(tmp_path: Path) -> Path:
    shapes = [box(100, 40, 120, 55), box(200, 110, 220, 130), box(300, 40, 340, 80), box(0, 500, 20, 520), None]
    return file(tmp_path / "things.gpkg", shapes, id=["c1", "c2", "c3", "c4", "c5"], kind=["building", "building", "quarry", "dump", "dump"],
                source="footprints")  # fmt: skip


def test_every_candidate_is_accounted_for(run: Run, line: Path, things: Path) -> None:
    done = run("--boundary", line, "--candidates", things, "--as-of", "2026-06-01", code=4)
    assert {f["candidates"][0]: f["area_m2"] for f in done["findings"]} == pytest.approx(
        {"c1": 300.0, "c2": 200.0, "c3": 1600.0}, rel=1e-5
    )
    assert {n["candidate"]: n["reason"] for n in done["not_findings"]} == {"c4": "outside", "c5": "no_geometry"}
    assert done["total_area_m2"] == pytest.approx(2100, rel=1e-5)
    assert (
        done["counts"]["candidates_found"] + sum(done["counts"]["not_told"].values())
        == done["counts"]["candidates"]
        == 5
    )
    assert [d["code"] for d in done["diagnostics"]] == ["candidate_skipped"]
    pit = next(f for f in done["findings"] if f["kind"] == "quarry")
    assert (pit["group"], pit["position"], pit["basis"]) == ("乱采", "inside", "announced")
    assert "encroach.width_tolerance" in done["rules_unconfirmed"]
    assert "违法" not in json.dumps(done, ensure_ascii=False)


def test_only_an_announced_line_makes_a_suspected_lead(run: Run, tmp_path: Path, things: Path) -> None:
    wording = {}
    for basis in ("announced", "draft", "surrogate", "computed", None):
        drawn = file(
            tmp_path / f"{basis}.gpkg", [box(0, 0, 1000, 120)], reach="R1", **({"basis": basis} if basis else {})
        )
        wording[basis] = run("--boundary", drawn, "--candidates", things, code=4)["findings"][0]
    assert wording[None]["basis"] == "draft"
    assert {f["our_action"] for b, f in wording.items() if b != "announced"} == {"仅提示"}
    assert len({f["wording"] for f in wording.values()}) == 4


@pytest.mark.parametrize("ending", [".geojson", ".shp", ".fgb", ".parquet"])
@pytest.mark.parametrize("epsg", [4490, 4548, 4326])
def test_formats_and_systems_change_nothing(run: Run, tmp_path: Path, line: Path, ending: str, epsg: int) -> None:
    shapes = [box(100, 40, 120, 55), box(200, 110, 220, 130)]
    path = file(tmp_path / f"things{ending}", shapes, epsg, id=["c1", "c2"], kind="building")
    done = run("--boundary", line, "--candidates", path, "--as-of", "2026-06-01")
    assert sorted(f["area_m2"] for f in done["findings"]) == pytest.approx([200.0, 300.0], rel=1e-4)


def test_a_permit_on_its_last_day_and_on_the_day_after(run: Run, tmp_path: Path, line: Path, things: Path) -> None:
    permits = file(tmp_path / "permits.gpkg", [box(90, 30, 130, 65)], id="p1", allows="building", kind="临时占用", valid_from="2024-01-01",
                   valid_to="2026-06-01")  # fmt: skip
    last = run("--boundary", line, "--candidates", things, "--permits", permits, "--as-of", "2026-06-01", code=4)
    assert next(n for n in last["not_findings"] if n["candidate"] == "c1")["permits"] == ["p1"]
    after = run("--boundary", line, "--candidates", things, "--permits", permits, "--as-of", "2026-06-02", code=4)
    assert next(f for f in after["findings"] if f["candidates"] == ["c1"])["ended_permits"] == [
        {"id": "p1", "valid_to": "2026-06-01"}
    ]


def test_a_permanent_work_goes_to_the_queue_when_the_time_to_build_is_over(
    run: Run, tmp_path: Path, line: Path, things: Path
) -> None:
    permits = file(
        tmp_path / "permits.gpkg",
        [box(90, 30, 130, 65)],
        id="p1",
        allows="building",
        kind="永久工程",
        valid_to="2026-01-31",
    )
    done = run("--boundary", line, "--candidates", things, "--permits", permits, "--as-of", "2026-06-02", code=4)
    assert next(n for n in done["not_findings"] if n["candidate"] == "c1")["reason"] == "permitted"
    assert [(q["candidate"], q["why"], q["permits"]) for q in done["queue"]] == [("c1", "permit_unaccepted", ["p1"])]


@pytest.mark.parametrize("place", ["none", "point", "unread"])
def test_a_permit_that_cannot_be_placed_makes_its_neighbours_wait(
    run: Run, tmp_path: Path, line: Path, things: Path, place: str
) -> None:
    shape = {"none": None, "point": shapely.Point(E + 110, N + 45), "unread": box(90, 30, 130, 65)}[place]
    permits = file(tmp_path / "permits.gpkg", [shape], id="p1", allows="building", river="R1" if place == "none" else None,
                   valid_to="sometime" if place == "unread" else "2030-01-01")  # fmt: skip
    done = run("--boundary", line, "--candidates", things, "--permits", permits, "--as-of", "2026-06-01", code=4)
    waiting = {"c1", "c2"} if place == "none" else {"c1"}
    assert {q["candidate"] for q in done["queue"] if q["why"] == "permit_place_open"} == waiting
    assert {n["candidate"] for n in done["not_findings"] if n["reason"] == "permit_place_open"} == waiting
    assert waiting.isdisjoint({c for f in done["findings"] for c in f["candidates"]})
    assert ("permit_date_unread" in [d["code"] for d in done["diagnostics"]]) == (place == "unread")


def test_source_zones_are_named(run: Run, tmp_path: Path, line: Path, things: Path) -> None:
    zones = file(tmp_path / "zones.gpkg", [box(290, 0, 600, 120)], code="Z1", name="某水库", zone_class="一级")
    done = run("--boundary", line, "--candidates", things, "--zones", zones, code=4)
    assert {f["candidates"][0]: f["zones"] for f in done["findings"]} == {"c1": [], "c2": [], "c3": ["Z1"]}


def test_lists_of_those_not_told(run: Run, line: Path, things: Path) -> None:
    def listed(mode: str) -> list[str]:
        done = run("--boundary", line, "--candidates", things, "--not-findings", mode, code=4)
        return sorted(n["candidate"] for n in done["not_findings"])

    assert {mode: listed(mode) for mode in ("all", "near", "count")} == {
        "all": ["c4", "c5"],
        "near": ["c5"],
        "count": [],
    }


def test_the_prepared_boundary_is_used_while_it_holds(run: Run, tmp_path: Path, things: Path) -> None:
    line = file(tmp_path / "line.gpkg", [box(0, 0, 1000, 120)], reach="R1")
    kept = tmp_path / "line.pieces"
    asked = ("--boundary", line, "--candidates", things, "--prepared", kept)
    first = run(*asked, code=4)
    stamp = kept.stat().st_mtime_ns
    assert run(*asked, code=4) == first
    assert kept.stat().st_mtime_ns == stamp
    file(line, [box(0, 0, 1000, 50)], reach="R1")
    assert [f["candidates"] for f in run(*asked, code=4)["findings"]] == [["c1"], ["c3"]]
    assert kept.stat().st_mtime_ns != stamp


def test_an_open_line_leaves_its_candidates_undecided(run: Run, tmp_path: Path, things: Path) -> None:
    shore = shapely.LineString([(E + 400, N), (E + 1000, N), (E + 1000, N + 120), (E, N + 120), (E, N)])
    done = run("--boundary", file(tmp_path / "shore.gpkg", [shore], reach="R1"), "--candidates", things, code=4)
    assert not done["findings"]
    assert {n["reason"] for n in done["not_findings"]} == {"undecided", "outside", "no_geometry"}
    assert "boundary_not_closed" in [d["code"] for d in done["diagnostics"]]


def test_what_cannot_be_used_is_one_sentence(run: Run, tmp_path: Path, line: Path, things: Path) -> None:
    bare = tmp_path / "bare.geojson"
    bare.write_text(json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(box(0, 0, 1, 1))}]}))  # fmt: skip
    said = run("--boundary", line, "--candidates", bare, code=3)["said"]
    assert "bare.geojson" in said and "--crs" in said and "Traceback" not in said
    run("--boundary", line, "--candidates", bare, "--crs", "candidates=EPSG:4547")
    run("--boundary", tmp_path / "nothing.gpkg", "--candidates", things, code=3)
    run("--boundary", line, "--candidates", things, "--crs", "candidates=nonsense", code=2)
    run("--boundary", line, "--candidates", things, "--out", tmp_path / "out.docx", code=2)
    run("--boundary", line, "--candidates", things, "--out", things, code=2)


def test_findings_go_out_as_a_layer_and_can_fail_a_script(run: Run, tmp_path: Path, line: Path) -> None:
    path = file(tmp_path / "things.gpkg", [box(100, 40, 120, 55)], id="c1", kind="building")
    run("--boundary", line, "--candidates", path, "--out", tmp_path / "leads.gpkg", "--fail-on", "findings", code=1)
    layer = gpd.read_file(tmp_path / "leads.gpkg", layer="finding")
    assert layer.crs.to_epsg() == 4490 and layer["candidates"].tolist() == ["c1"]


def test_a_layer_over_two_zones_measures_each_candidate_in_its_own(run: Run, tmp_path: Path) -> None:
    # a strip along the parallel of 30.5 degrees over the border of two zones at 115.5 E
    strip = shapely.box(115.3, 30.499, 115.7, 30.501)
    houses = [shapely.box(x, 30.4998, x + 0.0002, 30.5) for x in (115.35, 115.4999, 115.65)]
    for name, shapes, extra in (("strip", [strip], {"reach": ["R1"]}), ("houses", houses, {"kind": ["building"] * 3})):
        gpd.GeoDataFrame(extra, geometry=shapes, crs=4490).to_file(tmp_path / f"{name}.gpkg")
    done = run("--boundary", tmp_path / "strip.gpkg", "--candidates", tmp_path / "houses.gpkg")
    truth = [
        shapely.area(gpd.GeoSeries([h], crs=4490).to_crs(f"EPSG:{4547 if h.centroid.x < 115.5 else 4548}").iloc[0])
        for h in houses
    ]
    assert sorted(f["area_m2"] for f in done["findings"]) == pytest.approx(sorted(truth), abs=0.01)


CASES = {"inside": (box(100, 40, 120, 55), 1), "outside": (box(100, 140, 120, 155), 0)}


def test_a_folder_of_cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("RIVERGIS_DATA_DIR", str(tmp_path / "data"))
    for name, (shape, _) in CASES.items():
        home = tmp_path / "set" / "cases" / name
        home.mkdir(parents=True)
        file(home / "boundary.geojson", [box(0, 0, 1000, 120)], 4490, reach="R1")
        file(home / "candidates.geojson", [shape], 4490, id="c1", kind="building")
        (home / "expected.json").write_text("never read", encoding="utf-8")
    old = tmp_path / "set" / "cases" / "old"
    old.mkdir()
    file(old / "boundary.geojson", [box(0, 0, 1000, 120)], 4490, reach="R1")
    file(old / "candidates.geojson", [box(100, 40, 120, 55)], 4490, id="c1", kind="building")
    text = (old / "candidates.geojson").read_text()
    (old / "candidates.geojson").write_text(text.replace("EPSG::4490", "EPSG::4214"))
    assert (
        _run(
            [
                "encroachment",
                "check-cases",
                str(tmp_path / "set"),
                "--as-of",
                "2026-06-01",
                "--out",
                str(tmp_path / "r.json"),
            ]
        )
        == 0
    )
    results = json.loads((tmp_path / "r.json").read_text())
    assert {n: len(results[n]["findings"]) for n in CASES} == {n: k for n, (_, k) in CASES.items()}
    assert [d["code"] for d in results["old"]["diagnostics"]] == ["layer_rejected"]
    assert results["old"]["not_findings"] == [{"candidate": "c1", "reason": "undecided"}]
    assert _run(["encroachment", "check-cases", str(tmp_path / "data"), "--out", str(tmp_path / "r2.json")]) == 3
    assert not (tmp_path / "r2.json").exists()


def test_a_word_for_no_datum_and_a_place_for_no_file_are_refused(run: Run, line: Path, things: Path) -> None:
    asked = ("--boundary", line, "--candidates", things)
    before = line.read_bytes()
    assert "is no datum" in run(*asked, "--datum", "candidates=火星", code=2)["said"]
    assert "another name" in run(*asked, "--prepared", line, code=2)["said"]
    assert "name of a file" in run(*asked, "--prepared", line.parent / "nowhere" / "x", code=2)["said"]
    assert line.read_bytes() == before


def codes(done: dict[str, Any]) -> list[str]:
    return [d["code"] for d in done["diagnostics"]]


def test_outlines_of_a_drawing_are_areas_and_names_borne_twice_are_said(run: Run, tmp_path: Path, line: Path) -> None:
    outlines = [
        shapely.LineString(box(100, 40, 120, 55).exterior.coords),
        shapely.LineString([(E + 200, N + 10), (E + 200, N + 90)]),
    ]
    done = run("--boundary", line, "--candidates", file(tmp_path / "drawn.gpkg", outlines, id="h", kind="building"))
    assert sorted((f["area_m2"], f["length_m"]) for f in done["findings"] if f["area_m2"]) == [
        (pytest.approx(300, rel=1e-5), None)
    ]
    assert [f["length_m"] for f in done["findings"] if f["length_m"]] == pytest.approx([80.0], rel=1e-4)
    assert codes(done) == ["candidate_line_polygonised", "candidate_name_twice"]


@pytest.mark.parametrize("last", ["长期", "永久有效", "2030年12月31日", "20301231"])
def test_days_as_lists_write_them(run: Run, tmp_path: Path, line: Path, things: Path, last: str) -> None:
    permits = file(
        tmp_path / "permits.gpkg",
        [box(90, 30, 130, 65)],
        id="p1",
        allows="building",
        valid_from="2024.1.1",
        valid_to=last,
    )
    done = run("--boundary", line, "--candidates", things, "--permits", permits, "--as-of", "2026-06-01", code=4)
    assert next(n for n in done["not_findings"] if n["candidate"] == "c1")["reason"] == "permitted"


@pytest.mark.parametrize("river", [None, "某河"])
def test_a_permit_without_any_place_holds_nothing_back_and_is_said(
    run: Run, tmp_path: Path, line: Path, things: Path, river: str | None
) -> None:
    permits = file(tmp_path / "permits.gpkg", [None], id="p1", allows="building", river=river, valid_to="2030-01-01")
    done = run("--boundary", line, "--candidates", things, "--permits", permits, "--as-of", "2026-06-01", code=4)
    assert len(done["findings"]) == 3 and "permit_without_place" in codes(done) and not done["queue"]


def test_two_layers_of_two_places_are_suspected(run: Run, tmp_path: Path, line: Path) -> None:
    far = file(tmp_path / "far.gpkg", [box(50_000, 40, 50_020, 55)], id="h", kind="building")
    done = run("--boundary", line, "--candidates", far, "--out", tmp_path / "none.csv")
    assert codes(done) == ["nothing_near"]
    assert (tmp_path / "none.csv").read_text(encoding="utf-8-sig").startswith("candidates,")


def test_an_error_that_is_none_is_not_known(run: Run, tmp_path: Path, line: Path) -> None:
    told = {}
    for accuracy in (None, -5.0, 0.0, 3.0):
        thing = file(
            tmp_path / f"t{accuracy}.gpkg",
            [box(100, 40, 120, 55)],
            id="h",
            kind="building",
            **({"accuracy_m": accuracy} if accuracy is not None else {}),
        )
        told[accuracy] = run("--boundary", line, "--candidates", thing)["findings"][0]["sigma_m"]
    assert told[None] == told[-5.0] == told[0.0] != told[3.0]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"许可类型": "临时占地", "许可对象类型": "建筑物", "许可止日": "2026年12月31日"}, "permitted"),
        ({"许可类型": "临时占地", "许可对象类型": "建筑物", "许可止日": "2026年5月31日"}, None),
        ({"许可类型": "涉河建设项目", "许可对象类型": "房屋", "有效期至": "2026年5月31日"}, "permitted"),
        ({"许可类型": "房屋", "许可种类": "临时占用"}, "permitted"),
        ({"许可类型": "采砂", "许可对象类型": "quarry"}, None),
    ],
)
def test_what_a_permit_is_and_what_it_is_for_in_the_words_of_lists(
    run: Run, line: Path, things: Path, tmp_path: Path, columns: dict[str, str], reason: str | None
) -> None:
    permits = file(tmp_path / "permits.geojson", [box(95, 35, 125, 60)], **columns)
    done = run("--boundary", line, "--candidates", things, "--permits", permits, "--as-of", "2026-06-01", code=4)
    why = {n["candidate"]: n["reason"] for n in done["not_findings"]}
    assert why.get("c1") == reason and ("c1" in why) != any("c1" in f["candidates"] for f in done["findings"])


def test_permits_that_do_not_say_what_for_or_until_when_are_said(
    run: Run, tmp_path: Path, line: Path, things: Path
) -> None:
    permits = file(tmp_path / "permits.gpkg", [box(90, 30, 130, 65)], id="p1", allows="某种新物")
    done = run("--boundary", line, "--candidates", things, "--permits", permits, code=4)
    assert len(done["findings"]) == 3
    assert {"permit_kind_unknown", "permit_without_days"} <= set(codes(done))
