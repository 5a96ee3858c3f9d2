"""``rivergis rules`` as people use it: which layer won and why, without a database and with one."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from rivergis.cli import _run


@pytest.fixture(autouse=True)
def nothing_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder without a cluster."""
    monkeypatch.delenv("RIVERGIS_DATABASE_URL", raising=False)
    monkeypatch.setenv("RIVERGIS_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def asked(capsys: pytest.CaptureFixture[str], *args: str, code: int = 0) -> tuple[str, str]:
    assert _run(["rules", *args]) == code
    said = capsys.readouterr()
    return said.out, said.err


@pytest.mark.parametrize(
    ("label", "args", "value", "won_by"),
    [
        ("an adcode", ("--at", "440106"), 10, "440100"),
        ("a village below it", ("--at", "440106001002"), 10, "440100"),
        ("a Chinese name", ("--at", "广州市"), 10, "440100"),
        ("an English name", ("--at", "Guangzhou"), 10, "440100"),
        ("the start of a name", ("--at", "泗县"), 5, "341324"),
        ("before the rule", ("--at", "440100", "--on", "2021-06-30"), None, None),
        ("a place without a rule", ("--at", "110101"), None, None),
        ("for one level only", ("--at", "652923", "--fact", "chief_level=village"), 30, "652923"),
    ],
)
def test_show(
    capsys: pytest.CaptureFixture[str], label: str, args: tuple[str, ...], value: int | None, won_by: str | None
) -> None:
    body = json.loads(asked(capsys, "show", "patrol.effective.min_duration", *args, "--json")[0])
    assert (body["value"] or {}).get("value") == value, label
    assert [c["row"]["jurisdiction"] for c in body["considered"] if c["won"]] == ([won_by] if won_by else [])
    assert all(c["why"] for c in body["considered"])


def test_show_speaks_chinese_first_and_names_basis_authority_and_action(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = asked(capsys, "show", "boundary.unleveed.return_period", "--at", "500199", "--fact", "plan_area=other")
    assert out.startswith("无堤河道设计洪水重现期 · ")
    for word in ("10 year", "confirmed", "渝府发〔2012〕32号", "水行政", "仅提示", "500000 重庆市"):
        assert word in out
    assert "没有适用的规则行" in asked(capsys, "show", "code.reach_pattern", "--at", "500199")[0]


@pytest.mark.parametrize("place", ["Atlantis", "106.1,29.4", "江"])
def test_a_place_only_a_database_knows_starts_no_database(
    capsys: pytest.CaptureFixture[str], nothing_started: Path, place: str
) -> None:
    _, err = asked(capsys, "show", "encroach.snap", "--at", place, code=3)
    assert "No administrative unit" in err and "give an adcode" in err and "start the database" in err
    assert not nothing_started.exists()


def test_list_of_a_place_holds_its_layers_and_no_others(capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(asked(capsys, "list", "--prefix", "patrol.effective", "--at", "340000", "--json")[0])
    assert rows == []
    rows = json.loads(asked(capsys, "list", "--at", "500199", "--on", "2026-05-20", "--json")[0])
    assert {r["jurisdiction"] for r in rows} == {"000000", "500000", "500199"}
    assert len(json.loads(asked(capsys, "list", "--json")[0])) > len(rows)


def test_check_counts_and_refuses(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert json.loads(asked(capsys, "check", "--json")[0])["rows"] > 100
    assert "no folder of rules" in asked(capsys, "check", str(tmp_path / "none"), code=3)[1]


def square(west: float, south: float, side: float) -> shapely.MultiPolygon:
    return shapely.MultiPolygon([shapely.box(west, south, west + side, south + side)])


def test_places_of_the_database(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    cli_env: dict[str, str],
    tmp_path: Path,
) -> None:
    """Name and position lead to the smallest unit that holds them; a name shared by two villages is asked back."""
    for name in ("RIVERGIS_DATA_DIR", "RIVERGIS_DATABASE"):
        monkeypatch.setenv(name, cli_env[name])
    units = gpd.GeoDataFrame(
        {
            "code": ["500199", "500199001", "500199001201", "500199002201"],
            "name": ["云溪县", "石桥镇", "新民村", "新民村"],
            "level": ["county", "town", "village", "village"],
        },
        geometry=[square(106, 29, 0.4), square(106, 29, 0.2), square(106, 29, 0.1), square(106.3, 29.3, 0.1)],
        crs=4490,
    )
    units.to_file(tmp_path / "units.gpkg", engine="pyogrio")
    assert _run(["import", "admin_unit", str(tmp_path / "units.gpkg")]) == 0
    capsys.readouterr()

    def adcode(place: str) -> str:
        return str(json.loads(asked(capsys, "show", "encroach.snap", "--at", place, "--json")[0])["at"])

    assert adcode("石桥镇") == adcode("106.15,29.15") == "500199001"
    assert adcode("106.05,29.05") == "500199001201"
    assert adcode("106.25,29.05") == "500199"
    assert "500199001201 (village), 500199002201 (village)" in asked(capsys, "list", "--at", "新民村", code=2)[1]
    assert "is in the rules or the database" in asked(capsys, "list", "--at", "90,40", code=3)[1]
