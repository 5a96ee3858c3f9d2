"""``rivergis feed`` as a person types it: registered, changed, read, listed, and what no one may do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rivergis.cli import _run
from rivergis.db.connect import Database

Run = Callable[..., str]


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, db: Database, data_dir: Path
) -> Run:
    """``rivergis ARGS`` in this process in an empty folder; its output, after checking the exit code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RIVERGIS_DATA_DIR", str(data_dir))
    monkeypatch.setenv("RIVERGIS_DATABASE", db.name)
    for name in ("RIVERGIS_DATABASE_URL", "RIVERGIS_ACTOR", "RIVERGIS_FEED_SETTLE_S"):
        monkeypatch.delenv(name, raising=False)

    def call(*args: str, code: int = 0) -> str:
        got = _run(list(args))
        said = capsys.readouterr()
        assert got == code, said.err
        return said.out if code in (0, 4) else said.err

    return call


def test_a_feed_from_its_registration_to_its_end(run: Run, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    alert = {"alarm_id": "A1", "lon": 106.0012, "lat": 29.4003, "time": "2026-05-20 08:00:00", "type": "渣土"}
    (inbox / "2026-05-20.json").write_text(json.dumps([alert]))
    (inbox / "2026-05-21.json").write_text("[")
    run("user", "add", "night", "--display", "夜间服务", "--service")
    run("user", "add", "reader", "--display", "看", "--role", "viewer")
    made = json.loads(
        run("feed", "add", "tower", "--kind", "video", "--folder", "inbox", "--cadence-days", "2", "--json")
    )
    assert (made["folder"], made["complete"], made["late_after_days"], made["dead_after_days"]) == (
        str(inbox),
        False,
        2,
        6,
    )
    assert "registered already" in run("feed", "add", "tower", "--kind", "video", code=2)
    assert "import" in run("feed", "take-in", "--as", "reader", code=7)

    assert "待写完 waiting 2" in run("feed", "take-in", "--as", "night")
    # positions without a system are refused; the sentence holds the command that says it for the whole feed
    said = json.loads(run("feed", "take-in", "--settle", "0", "--json", code=4))
    [hint] = [f["sentence"].partition("this feed: ")[2] for f in said if "this feed: " in f["sentence"]]
    assert hint == "rivergis feed change tower --crs EPSG:4490"
    run(*hint.split()[1:])
    said = json.loads(run("feed", "take-in", "--settle", "0", "--as", "night", "--json", code=4))
    assert {f["file"]: f["state"] for f in said} == {"2026-05-20.json": "taken", "2026-05-21.json": "failed"}

    [state] = json.loads(run("feed", "list", "--date", "2026-05-23", "--json"))
    assert (state["code"], state["state"], state["days_since"], state["files_failed"]) == ("tower", "late", 3, 1)
    assert "迟报 late" in run("feed", "list", "--date", "2026-05-23")
    shown = json.loads(run("feed", "show", "tower", "--json"))
    assert [v["version"] for v in shown["versions"]] == [2, 1]
    last = shown["files"][0]
    assert (last["state"], last["actor"]) == ("taken", "night")

    run("feed", "change", "tower", "--cadence-days", "0", "--crs", "none", "--folder", "none")
    changed = json.loads(run("feed", "show", "tower", "--json"))["feed"]
    assert [changed[f] for f in ("cadence_days", "late_after_days", "crs", "folder")] == [None] * 4
    run("feed", "change", "tower", "--until", "2026-05-25")
    assert json.loads(run("feed", "list", "--date", "2026-05-26", "--json")) == []


@pytest.mark.parametrize(
    "args",
    [
        ("add", "x", "--kind", "telepathy"),
        ("add", "x", "--kind", "video", "--crs", "EPSG:nothing"),
        ("add", "x", "--kind", "reports", "--folder", "inbox"),
        ("add", "x", "--kind", "video", "--date-pattern", "YYYYMM"),
        ("add", "x y", "--kind", "video"),
        ("add", "x", "--kind", "video", "--late-after", "3"),
    ],
)
def test_what_cannot_be_is_wrong_usage(run: Run, args: tuple[str, ...]) -> None:
    run("feed", *args, code=2)


def test_what_is_not_there_is_named(run: Run) -> None:
    assert "profiles are" in run("feed", "add", "x", "--kind", "video", "--profile", "nobody", code=3)
    assert "No feed 'x'" in run("feed", "show", "x", code=3)
    assert "No feed 'x'" in run("feed", "take-in", "x", code=3)
    assert "没有新文件" in run("feed", "take-in")
