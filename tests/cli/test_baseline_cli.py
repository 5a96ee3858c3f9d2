"""``rivergis encroachment baseline`` and ``superior`` as people type them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import openpyxl
import pytest

from rivergis.cli import _run
from rivergis.db.connect import Database
from tests.encroachment import baseline_ground as ground
from tests.encroachment import night_ground

Run = Callable[..., str]
AS, SIGN = ("--as", ground.MAKER), ("--as", ground.SIGNER)
CRS = ("--crs", "EPSG:4490")


@pytest.fixture(scope="module")
def county(module_db: Database, tmp_path_factory: pytest.TempPathFactory) -> tuple[Database, Path]:
    """The river after its first night, and the tables of its office."""
    folder = tmp_path_factory.mktemp("office")
    ground.build(module_db, folder)
    ground.ledger(folder / "台账.xlsx")
    ground.decisions(folder / "图斑.xlsx")
    shapes = [night_ground.box(*ground.HOUSES[h]) for h in ("e", "f")]
    works = gpd.GeoDataFrame(
        {"工程名称": ["提水泵站", "水文站"], "工程类型": ["泵站", "水文站"]}, geometry=shapes, crs=night_ground.ZONE
    )
    works.to_file(folder / "水工程.shp", encoding="GBK")
    return module_db, folder


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], county: tuple[Database, Path], data_dir: Path
) -> Run:
    """``rivergis ARGS`` in this process, in the folder of the office; its output, after checking the exit code."""
    monkeypatch.chdir(county[1])
    monkeypatch.setenv("RIVERGIS_DATA_DIR", str(data_dir))
    monkeypatch.setenv("RIVERGIS_DATABASE", county[0].name)
    monkeypatch.delenv("RIVERGIS_DATABASE_URL", raising=False)

    def call(*args: str, code: int = 0) -> str:
        got = _run(["encroachment", *args])
        said = capsys.readouterr()
        assert got == code, said.out + said.err
        return said.out if code in (0, 4) else said.err

    return call


MAKE = (
    "baseline", "make", "--decisions", "图斑.xlsx", "--ledger", "台账.xlsx", "--works", "水工程.shp", "--night", "2026-05-01",
    "--issued-on", "2025-11-10", "--crs", "decisions=EPSG:4490", "--crs", "ledger=EPSG:4490", "--encoding", "works=GBK",
)  # fmt: skip


def test_a_baseline_is_made_shown_and_signed(run: Run) -> None:
    assert "there are none" in run("baseline", "show", code=3)
    said = run(*MAKE, *AS, "--out", "基线.xlsx", code=4)
    assert "存量待核" in said and "CQ-003" in said and "新增" not in said
    assert "known, nothing changed" in run(*MAKE, *AS, code=4)
    told = json.loads(run("baseline", "show", "--json"))
    works = {i["number"]: (i["how"], i["start"]) for i in told["items"] if i["source"] == "works"}
    assert works == {"提水泵站": ("overlap", "known_work"), "水文站": ("overlap", "known_work")}
    assert told["counts"]["leads"] == {"decided": 3, "in_hand": 3, "known_work": 2, "to_verify": 2}
    assert openpyxl.load_workbook("基线.xlsx").sheetnames[0] == "基线 baseline"
    run("baseline", "show", "--out", "基线.json")
    assert json.loads(Path("基线.json").read_text(encoding="utf-8"))["number"] == 1
    assert "review_findings" in run("baseline", "sign", "--reason", "同意", *AS, code=7)
    assert "signed by" in run("baseline", "sign", "--reason", "逐条核对", *SIGN)
    assert json.loads(run("baseline", "show", "--json"))["signed_by"] == ground.SIGNER


def test_wrong_usage_is_one_sentence(run: Run) -> None:
    assert "made of something" in run("baseline", "make", *AS, code=2)
    assert ".xlsx or .json" in run("baseline", "show", "--out", "x.pdf", code=2)
    assert "--crs" in run("superior", "import", "台账.xlsx", "--list", "无坐标系", *AS, code=3)
    assert "list profile" in run("superior", "import", "台账.xlsx", "--list", "x", "--profile", "nowhere", *AS, code=3)
    assert "one of --case" in run("superior", "link", "--list", "x", "--number", "1", "--reason", "y", *AS, code=2)


def test_a_list_comes_in_is_followed_and_goes_back(run: Run) -> None:
    head = ["问题编号", "问题类型", "经度", "纬度", "整改时限", "责任单位", "整改状态"]
    rows = [
        ["P-1", "乱建", *ground.middle("a"), "12月底前", "甲镇", None],
        ["P-2", "乱堆", *ground.lonlat(1411, 44), None, None, None],
    ]
    ground.sheet(Path("省.xlsx"), head, rows)
    take = ("superior", "import", "省.xlsx", "--list", "省级", "--issued-on", "2026-05-01", *CRS, *AS)
    assert "P-2" in run(*take, code=4)
    assert "known" in run(*take, code=4)
    told = json.loads(run("superior", "list", "--list", "省级", "--json"))
    assert [(i["number"], i["due_on"], i["how"]) for i in told] == [("P-1", "2026-12-31", "near"), ("P-2", None, None)]
    assert "省级" in run("superior", "list")
    run("superior", "link", "--list", "省级", "--number", "P-2", "--new", "--reason", "现场另有一处", *AS)
    assert "refused 0" in run("superior", "close", "--list", "省级", *SIGN)
    run("superior", "export", "--list", "省级", "--out", "省回.xlsx", *AS)
    table = openpyxl.load_workbook("省回.xlsx").active
    assert [c.value for c in table[1]] == head
    assert "delivered as .xlsx" in run("superior", "export", "--list", "省级", "--out", "省回.csv", *AS, code=2)


def test_a_table_of_tasks(run: Run) -> None:
    head = ["序号", "重点任务", "具体举措", "完成时限", "牵头单位", "完成情况"]
    ground.sheet(
        Path("分解表.xlsx"),
        head,
        [[1, "治理", "清漂", "2026年9月底完成,并长期坚持", "县水利局", None]],
        "整改任务分解表",
    )
    run("superior", "import", "分解表.xlsx", "--list", "分解", "--kind", "tasks", *AS)
    [row] = json.loads(run("superior", "list", "--list", "分解", "--json"))
    assert (row["due_on"], row["standing"]) == ("2026-09-30", True)
    step = ("superior", "task", "--list", "分解", "--number", "1", "--reason", "已清理")
    run(*step, "--state", "done", *AS)
    run(*step, "--state", "accepted", *SIGN)
    run("superior", "export", "--list", "分解", "--out", "分解回.xlsx", *AS)
    assert openpyxl.load_workbook("分解回.xlsx").active["F3"].value == "已销号"
