"""``rivergis rules classify``: what a source's own word means at a place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rivergis.cli import _run


@pytest.fixture(autouse=True)
def nothing_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RIVERGIS_DATABASE_URL", raising=False)
    monkeypatch.setenv("RIVERGIS_DATA_DIR", str(tmp_path / "data"))


def asked(capsys: pytest.CaptureFixture[str], *args: str, code: int = 0) -> str:
    assert _run(["rules", "classify", *args]) == code
    said = capsys.readouterr()
    return said.out if code == 0 else said.err


@pytest.mark.parametrize(
    ("label", "args", "said"),
    [
        ("a local list", ("乱排乱倒", "--at", "350504"), ("排污口、乱堆", "洛江区河长制工作方案", "子类待定")),
        ("its place by name", ("三乱", "--at", "永川区"), ("排污口、乱占、乱建",)),
        ("a class", ("拦河养鱼", "--kind", "net_pen"), ("occupation.fish_barrier", "measured in: m ", "第二十四条")),
        ("a threshold", ("玉米",), ("[1000, 5000] m2 [inferred]",)),
        ("listed", ("围湖造田",), ("不论大小",)),
        ("a lawful use", ("耕地", "--kind", "occupation"), ("滩地耕种",)),
        ("evidence for it", ("水文站", "--kind", "building"), ("须查证",)),
        ("not known", ("飞碟",), ("未收录 not known", "other.unknown")),
        ("the basin's own law", ("渣土", "--at", "500199"), ("《长江保护法》第四十九条",)),
    ],
)
def test_it_says(capsys: pytest.CaptureFixture[str], label: str, args: tuple[str, ...], said: tuple[str, ...]) -> None:
    out = asked(capsys, *args)
    assert all(s in out for s in said), out


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(asked(capsys, "非法采砂", "--at", "500199", "--json"))
    assert (told["known"], told["groups"], told["class"]["code"]) == (True, ["乱采"], "extraction.no_permit")
    assert told["severity"]["key"] == "encroach.severity.extraction" and told["prohibitions"]


def test_an_unknown_kind_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "the kinds are building" in asked(capsys, "采砂", "--kind", "ufo", code=2)
