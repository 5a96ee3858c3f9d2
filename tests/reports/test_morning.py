"""The morning on a small river: what changed, what waits, what nobody looked at, and that every reader gets the same figures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import shapely
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from sqlalchemy import Connection, text

from rivergis.cli import nightly_report
from rivergis.db import system
from rivergis.db.connect import Database
from rivergis.encroachment import feed_store
from rivergis.encroachment.feeds import Feed
from rivergis.jobs import morning_job
from rivergis.maps.night_picture import Dot, Pen, Picture
from rivergis.reports import book, morning, morning_reading, morning_sheet
from rivergis.reports.morning_facts import Measured, Morning, compared
from rivergis.reports.morning_words import label
from tests.conftest import new_database
from tests.encroachment.night_ground import BOOK, area, box, day, deliver, night, permit, put, river

LONG = {
    "A": ("building", (200, 20, 30, 20)),
    "B": ("building", (900, -60, 20, 20)),
    "C": ("dump", (1500, 40, 20, 20)),
}


@pytest.fixture(scope="module")
def nights(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Path]]:
    """Three nights: two objects, the same again, then one more, one larger, and one temporary permit about to end."""
    db, folder = new_database(data_dir), tmp_path_factory.mktemp("nights")
    river(db)
    put(
        db,
        "admin_unit",
        [{"code": "500199001", "name": "河口镇", "level": "town"}],
        [shapely.MultiPolygon([box(-5000, -5000, 6000, 10000)])],
    )
    area(db, "V1", (0, -100, 2000, 200))
    permit(db, "P1", "temporary_use", "occupation", (1700, 0, 50, 50), valid_to=day(20))
    deliver(db, day(0), "plots", {k: LONG[k] for k in "AB"})
    _night(db, folder, 0)
    _night(db, folder, 1)
    deliver(db, day(2), "plots", {**LONG, "A": ("building", (200, 20, 90, 40))})
    _night(db, folder, 2)
    yield db, folder
    db.close()


def _night(db: Database, folder: Path, n: int) -> None:
    night(db, folder, n)
    morning_job.make(db, BOOK, day(n), "test", store_dir=folder / "store", report_dir=folder / "reports")


@lru_cache
def read(db: Database, n: int) -> Morning:
    with db.read() as conn:
        return morning_reading.read(conn, BOOK, day(n)).morning


def values(facts: Morning) -> dict[str, float | None]:
    return {f.code: f.value for f in facts.figures}


def test_what_changed_is_told_once_and_stands_beside_the_nights_before(nights: tuple[Database, Path]) -> None:
    db, _ = nights
    told = [values(read(db, n)) for n in range(3)]
    assert [t["new_announced"] for t in told] == [2, 0, 1]
    for n, t in enumerate(told):
        with db.read() as conn:
            seen = conn.execute(text("SELECT status FROM data.sighting WHERE night = :n"), {"n": day(n)}).scalars()
            said = list(seen)
        assert {s: t[s] for s in ("grown", "rebound", "gone")} == {
            s: said.count(s) for s in ("grown", "rebound", "gone")
        }
    assert [t["stock"] for t in told] == [2, 2, 3], "until a baseline is signed everything is stock"
    new = read(db, 2).figure("new_announced")
    assert (new.yesterday, new.mean, new.nights) == (0, 1.0, 2)
    assert read(db, 0).figure("new_announced").nights == 0 and read(db, 0).figure("new_announced").mean is None
    assert told[2]["permits_ending"] == 1


def test_figures_are_sums_of_their_rows_and_townships(nights: tuple[Database, Path]) -> None:
    assert read(nights[0], 2).figure("unseen").value is None, "nobody answers for a bank"
    for f in (f for f in read(nights[0], 2).figures if f.value is not None):
        assert f.value == pytest.approx(sum(f.towns.values())), f.code
        assert f.value == pytest.approx(sum(r["km"] for r in f.rows) if f.unit else len(f.rows)), f.code
    by_town = read(nights[0], 2).figure("stock").towns
    assert by_town == {"河口镇": 3}


def test_a_morning_kept_says_the_same_as_one_measured_anew(nights: tuple[Database, Path]) -> None:
    db, _ = nights
    with db.write("test") as conn:
        kept = read(db, 2)
        conn.execute(text("SET LOCAL session_replication_role = replica"))
        conn.execute(text("DELETE FROM sys.job_run WHERE job = 'morning'"))
        anew = morning_reading.read(conn, BOOK, day(2)).morning
        conn.rollback()
    assert [(f.code, f.value, f.yesterday, f.mean) for f in kept.figures] == [
        (f.code, f.value, f.yesterday, f.mean) for f in anew.figures
    ]


def test_a_line_that_nothing_looked_at_is_counted(nights: tuple[Database, Path]) -> None:
    """The delivery of the second night reaches from x = 200 to 1,520 of a line of 2,000 m on each bank, but not out to it."""
    facts = read(nights[0], 2)
    assert facts.run.line_km == pytest.approx(4.0, rel=0.01)
    assert facts.figure("not_observed").value == pytest.approx(4.0, rel=0.01), (
        "the lines lie beyond all that was delivered"
    )


def test_the_page_of_a_file_holds_its_rows_and_watches_its_age(nights: tuple[Database, Path]) -> None:
    page = (nights[1] / "reports" / f"night-{day(2)}.html").read_text(encoding="utf-8")
    assert "存量待核" in page and "新增" not in page, "no baseline is signed"
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets <= set(re.findall(r'id="([^"]+)"', page)) and {"f-new_announced", "f-stock"} <= targets
    assert page.count("<script>") == 1 and re.search(r"script-src 'self' 'sha256-[^']+'", page)
    assert 'id="late" role="status" data-until="' in page and " hidden>" in page
    assert not re.search(r"https?://|style=", page)


def test_in_the_service_the_page_says_its_age_without_a_script(nights: tuple[Database, Path]) -> None:
    with nights[0].read() as conn:
        facts, told = morning_reading.read(conn, BOOK, day(2)), book.night(conn, day(2))
    ended = facts.morning.run.finished_at

    def page(hours: int, **more: Any) -> str:
        return morning.render(told, facts, "", standalone=False, now=ended + timedelta(hours=hours), **more)

    assert "<script" not in page(1) and "data-until" in page(1) and " hidden>" in page(1)
    assert " hidden>" not in page(25)
    assert " hidden>" in page(25, newer=day(3)) and f"/reports/night/{day(3)}" in page(25, newer=day(3))
    assert f"/cases?status=new&amp;night={day(2)}&amp;state=any" in page(1)


def test_page_workbook_and_json_say_the_same(
    nights: tuple[Database, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rivergis.cli.common.database", lambda: nights[0])
    for ending in ("json", "xlsx", "html"):
        done = CliRunner().invoke(
            nightly_report.report, ["--date", str(day(2)), "--out", str(tmp_path / f"m.{ending}")]
        )
        assert done.exit_code == 0, done.output
    told = {f["code"]: f["value"] for f in json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))["figures"]}
    sheet = load_workbook(tmp_path / "m.xlsx").worksheets[0]
    assert sheet._images, "the small map"
    rows = [[c.value for c in r[:6]] for r in sheet.iter_rows()]
    numbers = [r[2] for r in rows if isinstance(r[5], int)]
    assert numbers == [None if v is None else round(v, 3) for v in told.values()]
    page = (tmp_path / "m.html").read_text(encoding="utf-8")
    shown = dict(re.findall(r'<a class="fig[^"]*" href="#(?:f-)?(\w+)"><b>([^<]*)</b>', page))
    assert shown["new_announced"] == "1" and shown["stock"] == "3"


def test_equal_mornings_give_equal_workbooks(nights: tuple[Database, Path], tmp_path: Path) -> None:
    facts = read(nights[0], 1)
    for name in ("a.xlsx", "b.xlsx"):
        morning_sheet.write(facts, tmp_path / name, None)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_a_quiet_night_is_a_short_page(nights: tuple[Database, Path]) -> None:
    db, _ = nights
    assert read(db, 1).quiet and not read(db, 1).red and not read(db, 2).quiet
    with db.read() as conn:
        told, facts = book.night(conn, day(1)), morning_reading.read(conn, BOOK, day(1))
    page = morning.render(told, facts, "<svg></svg>")
    assert "昨夜无新情况" in page and "<svg>" not in page


@pytest.fixture
def rolled_back(nights: tuple[Database, Path]) -> Iterator[Connection]:
    """A transaction that leaves nothing behind."""
    with nights[0].write("test") as conn:
        yield conn
        conn.rollback()


def _run(conn: Connection, n: int, state: str, **counts: Any) -> Morning:
    """The morning of the n-th night, run with this outcome."""
    told = system.latest_job_run(conn, "nightly", day(2))
    assert told is not None
    system.record_job_run(
        conn, job="nightly", run_date=day(n), district="", state=state, started_at=told["started_at"], finished_at=datetime.now(UTC),
        input_hash="x", rule_set=None, counts={**told["counts"], "districts": {}, "files": [], **counts}, message=None, engine={},
    )  # fmt: skip
    return morning_reading.read(conn, BOOK, day(n)).morning


def test_a_failed_district_is_red_and_a_failed_file_is_told(rolled_back: Connection) -> None:
    bad = {"500199": {"state": "failed", "sentence": "The disk is full."}, "500198": {"state": "done", "sentence": ""}}
    file = {"feed": "tower", "file": "a.zip", "state": "failed", "sentence": "It is no archive."}
    red = _run(rolled_back, 3, "partly", districts=bad)
    assert red.red and not red.quiet and red.figure("districts_failed").value == 1
    assert [(t.what, t.sentence, t.red) for t in red.run.troubles] == [("试验县", "The disk is full.", True)]
    amber = _run(rolled_back, 3, "partly", files=[file])
    assert not amber.red and not amber.quiet and "It is no archive." in amber.run.troubles[0].sentence
    assert _run(rolled_back, 3, "done").quiet


def test_a_dead_feed_is_red_and_a_late_one_is_missing(rolled_back: Connection) -> None:
    for code, rhythm in (
        ("plots", {"late_after_days": 3, "dead_after_days": 30}),
        ("video", {"late_after_days": 1, "dead_after_days": 2}),
    ):
        feed_store.save(rolled_back, Feed(code, code, "video", "video_alerts", False, cadence_days=1, **rhythm))
    facts = _run(rolled_back, 20, "done")
    missing = {r["code"]: r["dead"] for r in facts.figure("feeds_missing").rows}
    assert missing["plots"] is False and facts.figure("feeds_missing").value == len(missing)
    assert facts.red == any(missing.values())


def test_signing_a_baseline_makes_the_next_thing_new(rolled_back: Connection) -> None:
    """The same night, once known before and once after somebody signed the first night as the stock."""
    before = morning_reading.read(rolled_back, BOOK, day(2)).morning
    rolled_back.execute(text("SET LOCAL session_replication_role = replica"))
    rolled_back.execute(
        text("""WITH b AS (INSERT INTO data.baseline (id, number, night, sources, counts, content_hash, actor)
            VALUES (gen_random_uuid(), 1, :n, '[]', '{}', 'x', 'maker') RETURNING id)
        INSERT INTO data.baseline_signature (baseline_id, reason, actor) SELECT id, 'seen', 'signer' FROM b"""),
        {"n": day(0)},
    )
    after = morning_reading.read(rolled_back, BOOK, day(2)).morning
    assert (before.figure("stock").value, before.figure("increment").value) == (3, 0)
    assert (after.figure("stock").value, after.figure("increment").value) == (2, 1)
    said = [m.figure("new_announced").rows[0]["status"] for m in (before, after)]
    assert said[0].startswith("存量待核") and said[1].startswith("新增")
    assert [label("new_announced", m) for m in (before, after)] == ["公告界线内·存量待核", "公告界线内新增"]


@given(st.dictionaries(st.integers(1, 7), st.one_of(st.none(), st.integers(0, 99)), max_size=7), st.integers(0, 99))
def test_the_mean_is_over_the_nights_that_were_run(before: dict[int, int | None], tonight: int) -> None:
    on = day(10)
    figure = compared(
        "leads", "grown", "", (), Measured(tonight), {on - timedelta(days=d): v for d, v in before.items()}, on
    )
    known = [v for v in before.values() if v is not None]
    assert figure.nights == len(known) and figure.yesterday == before.get(1)
    assert figure.mean == (pytest.approx(sum(known) / len(known), abs=1e-3) if known else None)


@given(st.lists(st.tuples(st.floats(100, 110), st.floats(25, 35)), min_size=1, max_size=6))
def test_every_dot_lies_in_the_picture(places: list[tuple[float, float]]) -> None:
    drawn = Picture(
        [([shapely.Point(x, y).buffer(0.01) for x, y in places], Pen("#000000", 1.0, "#ffffff"))],
        [],
        [Dot(x, y, "#b3261e", 4, "a") for x, y in places],
    )
    svg = drawn.svg()
    height = float(re.search(r'viewBox="0 0 560 (\d+)"', svg)[1])  # type: ignore[index]
    for x, y in re.findall(r'<circle cx="([-\d.]+)" cy="([-\d.]+)"', svg):
        assert 0 <= float(x) <= 560 and 0 <= float(y) <= height
    assert svg.count("<circle") == len(places) and (drawn.png(1.0) or b"").startswith(b"\x89PNG")


def test_a_night_that_was_not_run_has_no_page(nights: tuple[Database, Path]) -> None:
    done = CliRunner().invoke(nightly_report.report, ["--date", "2020-01-01", "--out", "/nonexistent/x.html"])
    assert "does not exist" in str(done.exception)
    assert datetime.now(UTC) > read(nights[0], 0).run.finished_at
