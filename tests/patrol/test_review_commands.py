"""``rivergis patrol`` on the database as a person types it: score a day, explain, who saw it, questions, accounts, purge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rivergis.cli import main
from rivergis.db import people
from rivergis.db.connect import Database
from tests.patrol.ground import receive, river, walk


class Typed:
    """Types a command as somebody: exit code and what was said."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *args: str, code: int = 0) -> str:
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main(["patrol", *args])
        said = self.capsys.readouterr()
        assert left.value.code == code, said.out + said.err
        return said.out + said.err


@pytest.fixture
def typed(
    db: Database, data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Typed:
    monkeypatch.setenv("RIVERGIS_DATA_DIR", str(data_dir))
    monkeypatch.setenv("RIVERGIS_DATABASE", db.name)
    monkeypatch.delenv("RIVERGIS_ACTOR", raising=False)
    river(db)
    with db.write("t") as conn:
        for name, role in (("zhang", "chief"), ("duty1", "duty_person"), ("boss", "reviewer")):
            people.add_user(conn, name, name)
            people.grant(conn, name, role)
    return Typed(capsys)


def test_from_the_track_to_the_decision(db: Database, typed: Typed, tmp_path: Path) -> None:
    got = receive(db, tmp_path, walk(tmp_path / "a.csv", metres=900, datum="gcj02"))
    typed("score-day", code=2)
    assert "2026-05-20" in typed("score-day", "--due")
    assert json.loads(typed("score-day", "2026-05-20", "--json"))["2026-05-20"]["unchanged"] == 1
    [row] = json.loads(typed("list", "--date", "2026-05-20", "--json"))
    assert row["track_id"].startswith(got.track_id[:10]) and row["chief"] == "张三" and row["files"] == 1
    assert got.track_id[:12] in typed("list") and json.loads(typed("list", "--date", "2026-05-21", "--json")) == []
    typed("list", "--as", "zhang", code=7)
    told = typed("explain", got.track_id[:10])
    assert "the replay is the same" in told and "坐标系" not in told, (
        "questions are not for everybody who may see tracks"
    )
    typed("explain", "ffffffff", code=3)

    typed("explain", got.track_id[:10], "--as", "zhang", code=7)
    typed("account", "zhang", "nobody", code=3)
    typed("account", "zhang", "H1")
    assert "坐标系" in typed("explain", got.track_id[:10], "--as", "zhang")
    assert got.track_id[:12] in typed("list", "--as", "zhang")
    typed("page", got.track_id[:10], "--as", "duty1", "--out", str(tmp_path / "own.pdf"), code=2)
    typed("page", got.track_id[:10], "--as", "zhang", "--out", str(tmp_path / "own.html"))
    assert "坐标系" in (tmp_path / "own.html").read_text(encoding="utf-8")
    seen = json.loads(typed("accesses", got.track_id[:10], "--as", "zhang", "--json"))
    assert sorted(s["actor"].partition(":")[0] for s in seen) == ["local", "zhang", "zhang"]

    typed("review", "list", code=7)
    [asked] = [q for q in listed(typed, "zhang") if "坐标系" in q["zh"]]
    number = str(asked["number"])
    typed("review", "reply", number, "--text", "手机设置", "--as", "zhang")
    typed("review", "decide", number, "dismiss", "--reason", "x", "--as", "zhang", code=7)
    typed("review", "decide", number, "dismiss", "--reason", "说明合理", "--as", "boss")
    assert "复核排除" in typed("review", "list", "--state", "dismissed", "--as", "duty1")
    typed("account", "zhang")
    typed("explain", got.track_id[:10], "--as", "zhang", code=7)


def listed(typed: Typed, who: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(typed("review", "list", "--as", who, "--json"))
    return found


def test_a_purged_track_is_told_and_keeps_its_verdict(db: Database, typed: Typed, tmp_path: Path) -> None:
    got = receive(db, tmp_path, walk(tmp_path / "a.csv"))
    typed("score-day", "2026-05-20")
    with db.write("t") as conn:
        from datetime import date

        from rivergis.patrol import store

        store.purge(conn, date(2027, 1, 1))
    told = typed("explain", got.track_id)
    assert "cannot be replayed" in told and "legs: " in told
    assert json.loads(typed("score-day", "2026-05-20", "--json"))["2026-05-20"]["tracks"] == 0
