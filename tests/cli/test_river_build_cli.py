"""``rivergis river build`` and the chainage verbs as a planner types them: on files, in the database, and when something is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely

from rivergis.cli import _run
from rivergis.river.frames import REACH_COLUMNS
from tests.tiny import box, degrees, line, metric, point

#  (0,900) \                      乙溪 and a nameless brook meet at (1000,0); 甲河 runs east through a lake
#           (1000,0) ---[ lake 2000..2600 ]--- (4000,0)
#  (0,-900) /      drawn upstream: the second brook
LINES = [
    line((0, 900), (1000, 0)),
    line((1000, 0), (0, -900)),
    line((1000, 0), (4000, 0)),
]
NAMES = ["乙溪", None, "甲河"]


@dataclass
class Said:
    """What a command printed."""

    stdout: str
    stderr: str


Cli = Callable[..., Said]


@pytest.fixture
def cli(cli_env: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line in this process: ``cli("river", "build", ..., code=0)``."""
    for name, value in cli_env.items():
        monkeypatch.setenv(name, value)

    def run(*args: str | Path, code: int = 0) -> Said:
        capsys.readouterr()
        got = _run([str(a) for a in args])
        said = Said(*capsys.readouterr())
        assert got == code, (args, got, said.stdout[-500:], said.stderr[-1500:])
        return said

    return run


@pytest.fixture
def rivers(tmp_path: Path) -> Path:
    frame = degrees(metric(LINES)).assign(NAME=NAMES, CODE=["A", "B", "C"], waterway="river")
    path = tmp_path / "rivers.gpkg"
    frame.to_file(path, engine="pyogrio")
    return path


@pytest.fixture
def lakes(tmp_path: Path) -> Path:
    frame = degrees(metric([box(2000, -300, 600, 600)])).assign(name="镜湖", type="lake")
    path = tmp_path / "lakes.gpkg"
    frame.to_file(path, engine="pyogrio")
    return path


def build(cli: Cli, *args: str | Path, code: int = 0) -> dict[str, Any]:
    return dict(json.loads(cli("river", "build", *args, "--json", code=code).stdout))


def test_a_file_becomes_a_network(cli: Cli, rivers: Path, lakes: Path, tmp_path: Path) -> None:
    out = tmp_path / "network.gpkg"
    told = build(cli, rivers, "--id-field", "CODE", "--areas", lakes, "--out", out)
    assert set(pyogrio.list_layers(out)[:, 0]) == {"reaches", "nodes", "defects", "build"}
    reaches = pyogrio.read_dataframe(out, layer="reaches")
    assert set(REACH_COLUMNS) <= set(reaches.columns)
    river = reaches[reaches["kind"] != "shoreline"].set_index("reach_id")
    assert river["next_reach_id"].dropna().to_dict() == {"A": "C.1", "B": "C.1", "C.1": "C.2", "C.2": "C.3"}
    assert river.loc["C.2", "kind"] == "flow_path"
    assert river["src_CODE"].tolist() == [i[0] for i in river.index]
    assert (reaches["kind"] == "shoreline").sum() >= 1
    assert told["reaches"] == len(river) and told["turned"] == 1
    assert {r["status"] for r in told["rules"]} == {"unconfirmed"}
    assert told["sources"][0]["file"] == "rivers.gpkg" and len(told["sources"][0]["sha256"]) == 64
    kept = dict(pyogrio.read_dataframe(out, layer="build").itertuples(index=False))
    assert json.loads(kept["method"]) == told["method"]


def test_fields_that_differ_in_case_alone_are_both_kept_and_a_blank_code_is_none(cli: Cli, tmp_path: Path) -> None:
    frame = degrees(metric(LINES)).assign(Length=[1, 2, 3], length=[4, 5, 6], CODE=["A", " ", ""])
    frame.to_file(tmp_path / "lines.geojson", engine="pyogrio")
    out = tmp_path / "network.gpkg"
    build(cli, tmp_path / "lines.geojson", "--crs", "EPSG:4490", "--id-field", "CODE", "--out", out)
    reaches = pyogrio.read_dataframe(out, layer="reaches").set_index("reach_id")
    assert reaches[["src_Length", "src_length_2"]].to_dict("index") == {
        "A": {"src_Length": 1, "src_length_2": 4},
        "f1": {"src_Length": 2, "src_length_2": 5},
        "f2": {"src_Length": 3, "src_length_2": 6},
    }


def test_a_field_that_is_passed_over_is_told_on_the_screen(cli: Cli, tmp_path: Path) -> None:
    lines = degrees(metric(LINES)).assign(NAME=["1", "2", "清溪"])
    lines.to_file(tmp_path / "lines.gpkg", engine="pyogrio")
    said = cli("river", "build", tmp_path / "lines.gpkg", "--out", tmp_path / "n.gpkg").stdout
    assert "field NAME not taken as name: 2 of 3 values" in said


def test_no_result_is_written_over_what_it_is_made_of(cli: Cli, rivers: Path, network: str) -> None:
    before = rivers.read_bytes(), Path(network).read_bytes()
    for command in (
        ["build", rivers, "--out", rivers, "--overwrite"],
        ["banks", "--network", network, "--lines", rivers, "--out", network],
        ["trace", "--network", network, "--reach", "C", "--at", "0", "--direction", "up", "--out", network],
        ["cut", "--network", network, "--river", "甲河", "--from", "0+000", "--to", "0+100", "--out", network],
    ):
        assert "made of" in cli("river", *command, code=2).stderr
    assert (rivers.read_bytes(), Path(network).read_bytes()) == before


def test_a_place_that_cannot_be_written_is_no_fault_of_the_program(cli: Cli, rivers: Path) -> None:
    assert "cannot be written" in cli("river", "build", rivers, "--out", "/proc/network.gpkg", code=6).stderr


def test_a_tolerance_without_measure_is_refused(cli: Cli, rivers: Path, tmp_path: Path) -> None:
    for snap in ("nan", "inf", "-1"):
        cli("river", "build", rivers, "--snap", snap, "--out", tmp_path / "n.gpkg", code=2)


def test_the_same_again_is_the_same(cli: Cli, rivers: Path, tmp_path: Path) -> None:
    frames = []
    for name in ("one.gpkg", "two.gpkg"):
        build(cli, rivers, "--out", tmp_path / name)
        frames.append(pyogrio.read_dataframe(tmp_path / name, layer="reaches"))
    pd.testing.assert_frame_equal(*frames)


def test_into_the_database_and_again(cli: Cli, rivers: Path) -> None:
    first = build(cli, rivers, "--id-field", "CODE", "--namespace", "500199")
    assert first["saved"]["imported"] == 3
    again = build(cli, rivers, "--id-field", "CODE", "--namespace", "500199")
    assert (again["saved"]["imported"], again["saved"]["unchanged"]) == (0, 3)
    spot = json.loads(cli("river", "locate", "--at", lonlat(2000, 40), "--json").stdout)
    assert (spot["river"], spot["bank"], spot["bank_certain"]) == ("甲河", "left", True)
    assert spot["chainage"] == "1+000"


def test_another_file_does_not_take_the_codes_of_the_first(cli: Cli, rivers: Path, tmp_path: Path) -> None:
    build(cli, rivers, "--namespace", "500199")
    other = tmp_path / "canals.gpkg"
    degrees(metric([line((0, 5000), (900, 5000))])).assign(CODE="K1").to_file(other, engine="pyogrio")
    said = cli("river", "build", other, "--namespace", "500199", code=3)
    assert "f1 first" in said.stderr and "rivers.gpkg" in said.stderr
    assert build(cli, other, "--namespace", "500199", "--id-field", "CODE")["saved"]["imported"] == 1
    assert build(cli, rivers, "--namespace", "500199")["saved"]["unchanged"] == 3


def lonlat(x: float, y: float) -> str:
    [place] = degrees(metric([point(x, y)])).geometry
    return f"{place.x:.9f},{place.y:.9f}"


@pytest.fixture
def network(cli: Cli, rivers: Path, tmp_path: Path) -> str:
    build(cli, rivers, "--id-field", "CODE", "--out", tmp_path / "n.gpkg")
    return str(tmp_path / "n.gpkg")


def test_there_and_back_within_a_centimetre(cli: Cli, network: str) -> None:
    start = lonlat(2500, -120)
    there = json.loads(cli("river", "locate", "--at", start, "--network", network, "--json").stdout)
    assert there["bank"] == "right"
    label = f"{there['at_m'] / 1000:.0f}+{there['at_m'] % 1000:.4f}"
    back = json.loads(
        cli(
            "river", "point", "--river", "甲河", "--chainage", label, "--offset", str(-there["offset_m"]),
            "--bank", "right", "--network", network, "--json",
        ).stdout
    )  # fmt: skip
    here = shapely.Point(*map(float, start.split(",")))
    found = metric([]).set_crs("EPSG:4544")  # the zone of the tests
    pair = gpd.GeoSeries([here, shapely.Point(back["lon"], back["lat"])], crs=4490).to_crs(found.crs)
    assert pair.iloc[0].distance(pair.iloc[1]) < 0.01


def test_a_stretch_is_cut_and_official_stakes_count_from_the_mouth(cli: Cli, network: str, tmp_path: Path) -> None:
    out = tmp_path / "cut.gpkg"
    cli(
        "river",
        "cut",
        "--river",
        "甲河",
        "--from",
        "0+500",
        "--to",
        "1+250",
        "--network",
        network,
        "--out",
        str(out),
    )
    [row] = pyogrio.read_dataframe(out).itertuples()
    assert row.length_m == pytest.approx(750, abs=0.01)
    stakes = tmp_path / "stakes.csv"
    stakes.write_text("at_m,official_m\n0,K3+000\n3000,0+000\n", encoding="utf-8")
    told = json.loads(
        cli(
            "river",
            "point",
            "--river",
            "甲河",
            "--chainage",
            "K2+400",
            "--network",
            network,
            "--stakes",
            str(stakes),
            "--json",
        ).stdout
    )
    assert told["at_m"] == pytest.approx(600, abs=0.01) and told["chainage"] == "2+400"


def test_official_chainage_is_kept_in_the_database(cli: Cli, rivers: Path, tmp_path: Path) -> None:
    build(cli, rivers, "--namespace", "500199")
    stakes = tmp_path / "stakes.csv"
    stakes.write_text("at_m,official_m\n0,3000\n3000,0\n", encoding="utf-8")
    done = json.loads(cli("river", "calibrate", "--river", "甲河", "--stakes", str(stakes), "--json").stdout)
    assert (done["direction"], done["upstream_end"]) == ("up", "3+000")
    spot = json.loads(cli("river", "locate", "--at", lonlat(2000, 40), "--json").stdout)
    assert spot["chainage"] == "2+000"


def test_chainages_go_over_to_a_redigitised_river(cli: Cli, network: str, tmp_path: Path) -> None:
    moved = [LINES[0], LINES[1], line((1000, 0), (2000, 3), (3000, -2), (4000, 0), (4600, 0))]
    frame = degrees(metric(moved)).assign(NAME=NAMES, CODE=["A", "B", "C"])
    frame.to_file(tmp_path / "new.gpkg", engine="pyogrio")
    build(cli, tmp_path / "new.gpkg", "--id-field", "CODE", "--out", tmp_path / "n2.gpkg")
    [row] = json.loads(
        cli(
            "river",
            "transfer",
            network,
            str(tmp_path / "n2.gpkg"),
            "--river",
            "甲河",
            "--at",
            "1+500",
            "--json",
        ).stdout
    )
    assert row["kind"] == "same" and row["new_m"] == pytest.approx(1500, abs=3)


def test_banks_are_told_from_the_reaches(cli: Cli, network: str, tmp_path: Path) -> None:
    banks = degrees(metric([line((3900, 30), (1100, 30)), line((1100, -30), (3900, -30))])).assign(
        岸别=["左岸", "左岸"]
    )
    banks.to_file(tmp_path / "banks.gpkg", engine="pyogrio")
    out = tmp_path / "attached.gpkg"
    told = json.loads(
        cli(
            "river", "banks", "--network", network, "--lines", str(tmp_path / "banks.gpkg"), "--bank-field", "岸别",
            "--out", str(out), "--json",
        ).stdout
    )  # fmt: skip
    assert told["left_m"] == pytest.approx(2800, rel=0.01) and told["right_m"] == pytest.approx(2800, rel=0.01)
    assert told["defects"]["bank_disagrees"] == 1


@pytest.mark.parametrize(
    ("args", "code", "sentence"),
    [
        (("river", "build", "{rivers}"), 2, "--namespace for the database"),
        (("river", "build", "{rivers}", "--out", "x.shp"), 2, "ends in .gpkg"),
        (("river", "build", "{rivers}", "--out", "/no/such/x.gpkg"), 2, "does not exist"),
        (("river", "build", "{rivers}", "--id-field", "ID", "--out", "{out}"), 2, "it has NAME, CODE, waterway"),
        (("river", "build", "{rivers}", "--field", "name", "--out", "{out}"), 2, "ROLE=FIELD"),
        (("river", "build", "{lakes}", "--out", "{out}"), 3, "holds no lines"),
        (("river", "build", "/no/such.gpkg", "--out", "{out}"), 3, "There is no file"),
        (("river", "build", "{rivers}", "--areas", "{rivers}", "--out", "{out}"), 3, "holds no areas"),
        (("river", "build", "{rivers}", "--snap", "-1", "--out", "{out}"), 2, "between 0 and 50"),
        (("river", "build", "{rivers}", "--gap", "1e9", "--out", "{out}"), 2, "between 0 and 200"),
        (("river", "build", "{rivers}", "--outlets", "{rivers}", "--out", "{out}"), 3, "points only"),
        (("river", "locate", "--at", "10,10", "--network", "{net}"), 3, "this place is on none"),
        (("river", "point", "--river", "无名", "--chainage", "1+000", "--network", "{net}"), 3, "No axis is known"),
        (("river", "point", "--river", "甲河", "--chainage", "9+000", "--network", "{net}"), 2, "lies off the axis"),
        (
            ("river", "cut", "--river", "甲河", "--from", "far", "--to", "1+000", "--network", "{net}"),
            2,
            "not a chainage",
        ),
        (("river", "locate", "--network", "{net}"), 2, "--points FILE"),
        (("river", "locate", "--at", "106,29", "--network", "{rivers}"), 3, "no layer reaches"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    cli: Cli,
    rivers: Path,
    lakes: Path,
    network: str,
    tmp_path: Path,
    args: tuple[str, ...],
    code: int,
    sentence: str,
) -> None:
    filled = [a.format(rivers=rivers, lakes=lakes, net=network, out=tmp_path / "out.gpkg") for a in args]
    done = cli(*filled, code=code)
    assert sentence in done.stderr
    assert not (tmp_path / "out.gpkg").exists()


def test_what_we_wrote_of_another_country_is_read_again(cli: Cli, tmp_path: Path) -> None:
    lines = gpd.GeoDataFrame({"code": ["a"]}, geometry=[shapely.LineString([(-120.0, 48.0), (-120.0, 48.1)])], crs=4326)
    lines.to_file(tmp_path / "lines.gpkg", engine="pyogrio")
    gpd.GeoDataFrame(geometry=[shapely.Point(-120.001, 48.05)], crs=4326).to_file(tmp_path / "points.gpkg")
    net = tmp_path / "n.gpkg"
    build(cli, tmp_path / "lines.gpkg", "--out", net)
    cli("river", "locate", "--points", tmp_path / "points.gpkg", "--network", net, "--out", tmp_path / "placed.gpkg")
    again = build(cli, net, "--layer", "reaches", "--out", tmp_path / "again.gpkg")
    assert again["reaches"] == 1
    cli(
        "river", "trace", "--network", net, "--at", "-120,48.01", "--direction", "up",
        "--stop-at", tmp_path / "placed.gpkg",
    )  # fmt: skip


def test_findings_can_fail_a_check(cli: Cli, tmp_path: Path) -> None:
    lines = degrees(metric([line((0, 0), (1000, 0)), line((5000, 0), (6000, 0))]))
    lines.to_file(tmp_path / "two.gpkg", engine="pyogrio")
    told = build(cli, tmp_path / "two.gpkg", "--out", tmp_path / "n.gpkg", "--fail-on", "warning", code=1)
    assert told["defects"]["isolated_part"] == 1


def test_answers_read_like_sentences(cli: Cli, network: str) -> None:
    """Without --json a person reads Chinese first, rounded metres, seven digits of a degree; no shape, no None."""
    seen = [
        cli("river", "locate", "--at", lonlat(2000, 40), "--network", network).stdout,
        cli("river", "point", "--river", "甲河", "--chainage", "1+500", "--network", network).stdout,
        cli("river", "cut", "--river", "甲河", "--from", "0+100", "--to", "1+600", "--network", network).stdout,
        cli("river", "transfer", network, network, "--river", "甲河", "--at", "1+500").stdout,
    ]
    assert "岸别 bank: 左岸 left bank" in seen[0] and "距中心线 off the axis: 40.00 m" in seen[0]
    assert "桩号 chainage: 1+500" in seen[1] and len(seen[1].rsplit(".", 1)[1].strip()) == 7
    assert "长度 length: 1500.00 m" in seen[2]
    assert "同一处 same place" in seen[3]
    assert not any(word in text for text in seen for word in ("None", "nan", "LINESTRING"))


def test_what_is_not_there_is_not_carried_over(cli: Cli, network: str, tmp_path: Path) -> None:
    said = cli("river", "transfer", network, network, "--river", "甲河", "--at", "99+000", code=2).stderr
    assert "99+000 lies off the axis" in said
    stakes = tmp_path / "stakes.csv"
    stakes.write_text("at_m,official_m\nhere,0\n", encoding="utf-8")
    said = cli(
        "river", "point", "--river", "甲河", "--chainage", "0+000", "--network", network, "--stakes", stakes, code=2
    ).stderr
    assert "'here' is not a chainage" in said
