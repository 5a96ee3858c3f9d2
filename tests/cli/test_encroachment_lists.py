"""``rivergis encroachment lists | bulletin | campaign | pack ...``: files by their ending, refusals in one sentence, replay by the moment."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rivergis.cli import encroachment_lists, rivergis
from rivergis.db import people
from rivergis.db.connect import Database
from rivergis.errors import InputError, NotPermitted, UsageError
from tests.encroachment import list_ground as ledger

FORMS = {"bulletin": ("html", "pdf", "xlsx"), "rectification": ("docx", "json"), "lists": ("xlsx", "html", "json")}
MAY = ("--from", "2026-05-01", "--to", "2026-11-30")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def cases(module_db: Database, data_dir: Path) -> dict[str, str]:
    found = ledger.build(module_db)
    ledger.live(module_db, found, data_dir / "store" / module_db.name)
    with module_db.write("test") as conn:
        people.add_user(conn, "list-viewer", "list-viewer")
        people.grant(conn, "list-viewer", "viewer")
    return found


@pytest.fixture(scope="module")
def env(module_db: Database, data_dir: Path, cases: dict[str, str]) -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("RIVERGIS_")}
    return env | {"RIVERGIS_DATA_DIR": str(data_dir), "RIVERGIS_DATABASE": module_db.name}


def run(env: dict[str, str], *args: str | Path) -> Result:
    return CliRunner().invoke(rivergis, ["encroachment", *map(str, args)], env=env, standalone_mode=False)


def test_every_paper_is_written_in_every_form_and_nothing_half(env: dict[str, str], tmp_path: Path) -> None:
    added = run(env, "campaign", "add", "Z-3", "--kind", "chief_order", "--order-no", "第3号", "--name", "整治", "--from", "2026-05-01", "--deadline", "2026-09-30")  # fmt: skip
    assert added.exit_code == 0, added.output
    assert "Z-3" in run(env, "campaign", "list").output
    papers = (
        ("lists", "--campaign", "Z-3"),
        ("bulletin", *MAY, "--photos"),
        ("campaign", "progress", "Z-3", "--by", "class"),
        ("rectification", "--campaign", "Z-3"),
        ("yearly", "--year", "2026"),
        ("stages", "--unit", "500199"),
    )
    for args in papers:
        for form in FORMS.get(args[0], ("xlsx", "html")):
            out = tmp_path / f"{args[0]}.{form}"
            told = run(env, *args, "--out", out)
            assert told.exit_code == 0, (args, told.output, told.exception)
            assert out.stat().st_size > 1000 and str(out) in told.output
    assert not list(tmp_path.glob("*.part*"))
    page = (tmp_path / "bulletin.html").read_text(encoding="utf-8")
    assert 'href="#f1"' in page and 'id="f1"' in page and "违法" not in page


def test_figures_are_told_again_by_moment_and_by_id(
    env: dict[str, str], module_db: Database, cases: dict[str, str], tmp_path: Path
) -> None:
    first, again = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    told = run(env, "bulletin", *MAY, "--issue", "--out", first).output
    report, moment = told.split("issued: ")[1].split(" ")[0], told.splitlines()[1].rpartition(" · ")[2]
    ledger.assigned(module_db, cases["f"])
    assert run(env, "bulletin", *MAY, "--known-at", moment, "--out", again).exit_code == 0
    assert first.read_bytes() == again.read_bytes()
    assert json.loads(run(env, "bulletin", "--replay", report[:8], "--json").output)["same"] is True
    run(env, "bulletin", *MAY, "--out", again)
    assert first.read_bytes() != again.read_bytes()


def test_names_and_originals_are_for_who_may_see_them_and_recorded(
    env: dict[str, str], module_db: Database, cases: dict[str, str], tmp_path: Path
) -> None:
    plain = run(env, "lists", "--json", "--as", "list-viewer")
    assert plain.exit_code == 0 and "张三" not in plain.output
    assert "张三" in run(env, "lists", "--names", "--json").output
    for args in (
        ("lists", "--names"),
        ("pack", cases["a"], "--out", tmp_path / "x.zip"),
        ("bulletin", *MAY, "--issue"),
    ):
        assert isinstance(run(env, *args, "--as", "list-viewer").exception, NotPermitted), args
    assert not (tmp_path / "x.zip").exists()


def test_a_pack_is_written_checked_and_a_changed_one_refused(
    env: dict[str, str], cases: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "case.zip"
    done = run(env, "pack", cases["a"][:8], "--out", out, "--json")
    assert done.exit_code == 0, done.output
    checked = run(env, "pack", "--verify", out, "--json")
    assert json.loads(checked.output)["seal"] == json.loads(done.output)["seal"] and checked.exit_code == 0
    assert (
        json.loads(run(env, "pack", "--verify", out, "--recorded", "--json").output)["made"]["detail"]["case"]
        == cases["a"]
    )
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(out) as come, zipfile.ZipFile(other, "w") as go:
        for entry in come.infolist():
            content = come.read(entry)
            go.writestr(entry.filename, content[:-1] + b"?" if entry.filename.startswith("photos/") else content)
    refused = run(env, "pack", "--verify", other).exception
    assert isinstance(refused, InputError) and "photos/" in str(refused) and "was changed" in str(refused)
    anew = tmp_path / "anew"  # whole by its own list, but made by somebody else
    anew.mkdir()
    (anew / "a.txt").write_text("a")
    (anew / "SHA256SUMS").write_text(f"{hashlib.sha256(b'a').hexdigest()}  a.txt\n")
    assert run(env, "pack", "--verify", anew).exit_code == 0
    assert "no pack with its seal" in str(run(env, "pack", "--verify", anew, "--recorded").exception)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("2026-W21", (date(2026, 5, 18), date(2026, 5, 24), "week")),
        ("2026-02", (date(2026, 2, 1), date(2026, 2, 28), "month")),
        ("2026-Q4", (date(2026, 10, 1), date(2026, 12, 31), "quarter")),
    ],
)
def test_periods_as_they_are_written(said: str, wanted: tuple[date, date, str]) -> None:
    assert encroachment_lists.period_of(said) == wanted


@pytest.mark.parametrize("kind", ["week", "month", "quarter"])
def test_the_last_period_ends_before_today_and_the_next_begins_where_it_ends(kind: str) -> None:
    for today in (date(2026, 1, 1), date(2026, 3, 31), date(2026, 5, 18), date(2027, 12, 31)):
        first, last, _ = encroachment_lists._before(today, kind)
        assert first <= last < today
        again = encroachment_lists._before(first, kind)
        assert (first - again[1]).days == 1


@pytest.mark.parametrize("said", ["2026", "2026-13", "2026-W60", "2026-Q5", "May", "2026-W21x"])
def test_what_is_no_period(said: str) -> None:
    with pytest.raises(UsageError):
        encroachment_lists.period_of(said)


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (("lists", "--out", "l.docx"), ".pdf"),
        (("lists", "--unit", "999999"), "no unit"),
        (("lists", "--campaign", "none"), "no campaign"),
        (("bulletin",), "--period"),
        (("bulletin", "--from", "2026-05-31", "--to", "2026-05-01"), "before it begins"),
        (("bulletin", "--replay", "ffffffff"), "No report"),
        (("rectification",), "--from"),
        (("yearly", "--year", "20026"), "no year"),
        (("pack",), "--out"),
        (("pack", "ffffffff", "--out", "x.zip"), "No case"),
        (("pack", "ffffffff", "--out", "x.tar"), "No case"),
    ],
)
def test_refusals_say_what_to_do(
    env: dict[str, str], tmp_path: Path, args: tuple[str, ...], word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = run(env, *args)
    assert told.exception is not None and word in str(told.exception) and not list(tmp_path.iterdir())
