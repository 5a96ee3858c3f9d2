"""``rivergis river list`` and ``duties`` as people use them: on the demo county in the database, and on a network file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from rivergis import rules
from rivergis.cli import _run
from rivergis.db.connect import Database
from rivergis.intake import profile
from rivergis.jobs import receive
from rivergis.river import files, workflow
from rivergis.river.build import Built
from rivergis.settings import gis_dir
from tests.river import small_county
from tests.river.small_county import REACHES, UNITS

TRUTH: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[2] / "data" / "demo_county" / "truth.json").read_text(encoding="utf-8")
)
Run = Callable[..., str]


@pytest.fixture(scope="module")
def county(module_db: Database, demo_folder: Path) -> Iterator[Database]:
    """The demo county's layers, without its tracks and nights."""
    options = receive.Options(namespace="demo", delivered_on=date(2026, 5, 18))
    map_ = profile.load("demo_county", gis_dir() / "rules")
    receive.import_all(
        module_db, demo_folder / "county.gpkg", actor="test", profile=map_, options=options, progress=lambda _: None
    )
    workflow.orient(module_db, "test")
    yield module_db


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """``rivergis ARGS`` in this process, in an empty folder; its output, after checking the exit code."""
    monkeypatch.chdir(tmp_path)

    def call(*args: str, code: int = 0) -> str:
        got = _run(["river", *args])
        said = capsys.readouterr()
        assert got == code, said.err
        return said.out if code in (0, 1) else said.err

    return call


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, county: Database, data_dir: Path, run: Run) -> Run:
    monkeypatch.setenv("RIVERGIS_DATA_DIR", str(data_dir))
    monkeypatch.setenv("RIVERGIS_DATABASE", county.name)
    return run


def test_the_demo_county_is_listed_as_it_was_made(here: Run) -> None:
    got = json.loads(here("list", "--on", "2026-05-20", "--json"))
    rivers = {r["code"]: r for r in got["rivers"]}
    assert got["figures"]["kinds"] == {"river": 13, "ditch": 6, "pond": 4, "reservoir": 1}
    assert {c for c, r in rivers.items() if r["line_basis"] == "none" and r["kind"] != "pond"} == set(
        TRUTH["rivers_without_line"]
    )
    assert {c for c, r in rivers.items() if r["line_basis"] == "draft"} == set(TRUTH["draft_line_rivers"])
    assert rivers["YXH"]["length_m"] == pytest.approx(12_892.9, abs=0.1) and rivers["YXH"]["side_length_m"] > 2000
    assert (rivers["BAX"]["flows_into"], rivers["TXG"]["flows_into"], rivers["QTK"]["flows_into"]) == (
        "云溪河",
        "青棠水库",
        "青棠河",
    )
    assert {c for c, r in rivers.items() if r["over_min_length"]} == {"YXH", "BAX", "YSH"}
    parts = pd.DataFrame(got["sections"])
    course = parts[parts["length_m"].notna()].groupby(["river_id", "level"])["length_m"].sum().unstack()
    length = pd.Series({r["river_id"]: r["length_m"] for r in got["rivers"]}).reindex(course.index)
    assert course.sub(length, axis=0).abs().to_numpy().max() < 0.01


def test_the_list_is_written_narrowed_and_compared(here: Run, tmp_path: Path) -> None:
    (tmp_path / "official.csv").write_text(
        "河流名称,河长(km),流域面积(平方公里)\n云溪河,13.8,180\n柏坳溪,5.7,22\n东沟,2,3\n", encoding="gbk"
    )
    out = here("list", "--official", "official.csv", "--basin-class", "10-50", "--out", "r.xlsx", "--map", "m.html")
    assert "missing here 1" in out and "length differs 1" in out
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    assert [c.value for c in book["名录"]["B"]][1:] == ["柏坳溪"]
    html = (tmp_path / "m.html").read_text(encoding="utf-8")
    assert "虚构演示数据" in html and "云溪县" in html
    assert json.loads(here("list", "--min-length", "5", "--unit", "500199001203", "--json"))["figures"]["rows"] == 2


def test_planted_orphan_and_double_are_found_and_nothing_else(here: Run) -> None:
    got = json.loads(here("duties", "--on", "2026-05-20", "--json"))
    for name, planted in (("orphans", TRUTH["orphan_duty"]), ("doubles", TRUTH["double_duty"])):
        rows = [r for r in got[name] if r["length_m"] > 1]
        assert [(r["level"], r["bank"], r["from_m"], r["to_m"]) for r in rows] == [
            (planted["level"], bank, planted["from_m"], planted["to_m"]) for bank in ("left", "right")
        ]
    assert [p["chief"] for p in got["persons"] if p["shared_bank_m"]] == ["石砚农", "费南坡"]
    assert sum(p["bank_m"] for p in got["persons"] if p["level"] == "county") == pytest.approx(
        got["summary"][0]["one_m"]
    )


def test_gaps_fail_where_asked(here: Run, tmp_path: Path) -> None:
    said = here("duties", "--on", "2026-05-20", "--fail-on", "gaps", "--out", "d.xlsx", code=1)
    assert "1+500" in said and "1+850" in said
    assert [c.value for c in openpyxl.load_workbook(tmp_path / "d.xlsx")["无人负责"]["A"]][1:] == ["BAX"]
    here("duties", "--on", "2026-05-20")


def test_a_handover_changes_who_answers_on_its_day(here: Run) -> None:
    def of(day: str) -> set[str]:
        got = json.loads(here("duties", "--on", day, "--json"))
        axes = {r["river_id"] for r in got["intervals"] if r["river"] == "澄砂沟"}
        return {
            r["chiefs"] for r in got["intervals"] if r["river_id"] in axes and r["level"] == "village" and r["persons"]
        }

    before, after = of("2026-05-15"), of("2026-05-16")
    assert before and after and not before & after


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """The small county as a network file, with units and a lake as their own files."""
    missing = [c for c in files.REACH_COLUMNS if c not in REACHES]
    reaches = REACHES.assign(**dict.fromkeys(missing))
    empty = reaches.iloc[:0][["geometry"]].assign(node_id=None)
    view = rules.load(gis_dir() / "rules").at(("000000",), date(2026, 5, 20))
    built = files.Network(Built(reaches, empty, empty), [], {}, [r.as_dict() for r in view.used], [], [])
    files.write(built, tmp_path / "network.gpkg")
    UNITS.rename(columns={"code": "adcode"}).drop(columns="level").to_file(tmp_path / "units.gpkg", engine="pyogrio")
    lake = small_county.LAKE.drop(columns="river_id").assign(kind="湖泊")
    lake.to_file(tmp_path / "lakes.gpkg", engine="pyogrio")
    return tmp_path / "network.gpkg"


def test_a_network_file_is_listed_without_a_database(run: Run, network: Path, tmp_path: Path) -> None:
    said = run("list", "--network", "network.gpkg", "--units", "units.gpkg", "--areas", "lakes.gpkg", "--out", "r.html")
    assert "甲河" in said and "东湖" in said and "云溪县西镇" in said
    assert "西镇" in (tmp_path / "r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--basin-class", "5-7"), "10-50"),
        (("--units", "units.gpkg"), "--network"),
        (("--out", "r.doc"), ".xlsx"),
        (("--map", "m.png"), ".html"),
    ],
)
def test_wrong_usage_says_what_is_right(run: Run, args: tuple[str, ...], said: str) -> None:
    assert said in run("list", *args, code=2)


def test_a_file_that_is_no_network_is_named(run: Run, network: Path) -> None:
    assert "units.gpkg" in run("list", "--network", "units.gpkg", code=3)


def test_a_unit_that_is_not_there_is_refused(here: Run, network: Path) -> None:
    assert "500199009" in here("list", "--unit", "500199009", code=3)
    assert "--units" in here("list", "--network", "network.gpkg", "--unit", "500199001", code=2)


def test_a_list_of_nothing_is_a_list_and_a_map(here: Run, tmp_path: Path) -> None:
    here("list", "--min-length", "9999", "--out", "r.xlsx", "--map", "m.html")
    assert openpyxl.load_workbook(tmp_path / "r.xlsx")["名录"].max_row == 1
    assert "江河湖库分布示意图" in (tmp_path / "m.html").read_text(encoding="utf-8")
