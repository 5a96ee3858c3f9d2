"""Lists, campaigns and reports beside the ledger: sums, replays, links to rows, and packs that tell a changed byte."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import shapely
from sqlalchemy import text

from rivergis.db.connect import Database, now_of
from rivergis.encroachment import campaign_store, campaign_workflow
from rivergis.encroachment.campaigns import Campaign
from rivergis.encroachment.progress import STANDING
from rivergis.errors import NotFound, UsageError
from rivergis.reports import case_campaign, case_issue, case_lists, case_period, case_scope
from rivergis.reports.patrol_paper import Linked, Paper
from tests.encroachment import list_ground as ledger
from tests.encroachment.night_ground import BOOK, FIRST

ON = date(2026, 8, 1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def cases(module_db: Database, store: Path) -> dict[str, str]:
    found = ledger.build(module_db)
    ledger.live(module_db, found, store)
    campaign_workflow.add(
        module_db, ORDER, "test", groups=campaign_workflow.group_of(BOOK), document=None, store_dir=store
    )
    return found


ORDER = Campaign(
    "ZHZ-3", "碍洪整治", "chief_order", FIRST, date(2026, 9, 30), order_no="第3号", classes=("乱堆",), districts=("500199",), rivers=("R1",)
)  # fmt: skip


def asked(db: Database, on: date, **more: Any) -> case_scope.Scope:
    with db.read() as conn:
        return case_scope.scope(conn, on, now_of(conn), **more)


def lists(db: Database, on: date = ON, *, names: bool = False, **more: Any) -> Paper:
    with db.read() as conn:
        return case_lists.paper(conn, BOOK, case_scope.scope(conn, on, now_of(conn)), names=names, **more)


def rows(paper: Paper, key: str) -> list[dict[str, Any]]:
    told = next(t for t in paper.tables if t.key == f"case_{key}")
    return [dict(zip([c.removeprefix("case.") for c in told.columns], r, strict=True)) for r in told.rows]


def test_the_three_lists_have_the_cases_of_the_ledger_with_its_numbers(
    module_db: Database, cases: dict[str, str]
) -> None:
    paper = lists(module_db)
    with module_db.read() as conn:
        numbers = conn.execute(
            text("""SELECT number FROM app.case_as_of(:on) WHERE state IN
            ('problem', 'assigned', 'rectified', 'accepted', 'closed', 'closed_above', 'historic_listed') ORDER BY number"""),
            {"on": ON},
        ).scalars()
        wanted = list(numbers)
    assert len(wanted) == 4
    assert [[r["number"] for r in rows(paper, k)] for k in ("problems", "tasks", "duties")] == [wanted] * 3
    assert paper.figures["rows"] == paper.figures["problems"] + paper.figures["listed"] == 4
    assert (paper.figures["closed"], paper.figures["in_hand"], paper.figures["to_accept"]) == (1, 1, 1)
    assert {r["stock_kind"] for r in rows(paper, "problems")} == {"存量待核"}
    assert "新增" not in json.dumps([t.rows for t in paper.tables], ensure_ascii=False, default=str)


def test_people_are_named_only_where_they_may_be_seen(module_db: Database, cases: dict[str, str]) -> None:
    plain, named = (
        json.dumps([t.rows for t in lists(module_db, names=n).tables], ensure_ascii=False, default=str)
        for n in (False, True)
    )
    assert "张三" not in plain and "李四" not in plain
    assert "试验县水利局 张三" in named
    task = rows(lists(module_db), "duties")[1]
    assert (task["lead"], task["responsible"], task["support"]) == ("试验县水利局", "上湾镇人民政府", "试验县城管局")


def test_an_overdue_task_says_how_long(module_db: Database, cases: dict[str, str]) -> None:
    late = [r for r in rows(lists(module_db), "tasks") if r["overdue_days"]]
    assert {r["overdue_days"] for r in late} == {32}
    assert len(rows(lists(module_db, open_only=True), "tasks")) == 3


def late(db: Database) -> int:
    with db.read() as conn:
        return int(
            conn.execute(
                text("SELECT count(*) FROM app.case_as_of(:on) WHERE overdue_days > 0"), {"on": ON}
            ).scalar_one()
        )


def test_progress_of_a_campaign_adds_up_and_every_figure_is_its_rows(
    module_db: Database, cases: dict[str, str]
) -> None:
    for part in case_campaign.PARTS:
        with module_db.read() as conn:
            scope = case_scope.scope(conn, ON, now_of(conn), campaign="ZHZ-3")
            paper = case_campaign.progress(conn, BOOK, scope, part)
        told = rows(paper, f"by_{part}")
        for name in STANDING:
            assert sum(int(r[name]) for r in told[:-1]) == int(told[-1][name]) == paper.figures["total"][name]
        detail = rows(paper, "rows")
        assert {n: sum(bool(r[n]) for r in detail) for n in STANDING} == paper.figures["total"]
        linked(paper)
    assert paper.figures["total"] == {
        "found": 6, "hints": 0, "verified": 5, "problems": 3, "rectified": 2, "closed": 1, "open": 3, "overdue": late(module_db), "rechecked": 0, "rebounds": 0,
    }  # fmt: skip


def many(said: str) -> int:
    """How many cases a number, or a run of numbers (first—last), means."""
    first, _, last = said.partition("—")
    return 1 if not last else int(last) - int(first.rpartition("-")[2]) + 1


def linked(paper: Paper) -> None:
    """Every figure above nothing leads to a row that lists as many cases as it says."""
    sources = next(t for t in paper.tables if t.key == "case_trace")
    told = dict(zip(sources.anchors, sources.rows, strict=True))
    figures = [v for t in paper.tables for r in t.rows for v in r if isinstance(v, Linked)]
    assert figures
    for figure in figures:
        row = told[figure.href.removeprefix("#")]
        assert int(figure) == row[3] == sum(many(n) for n in row[4].split("、"))


def test_a_campaign_is_about_its_classes_area_and_days_only(module_db: Database, cases: dict[str, str]) -> None:
    def members(**other: Any) -> int:
        with module_db.read() as conn:
            scope = case_scope.scope(conn, ON, now_of(conn))
            told = Campaign(**{**vars(ORDER), **other})
            return len(case_scope.cases(conn, case_scope.Scope(scope.on, scope.known_at, campaign=told), BOOK))

    assert members() == members(classes=()) == members(classes=("dumping",)) == 6
    assert (
        members(classes=("乱建",))
        == members(districts=("510000",))
        == members(rivers=("R9",))
        == members(kinds=("building",))
        == 0
    )
    assert members(begins_on=FIRST - timedelta(days=9), deadline=FIRST - timedelta(days=1)) == 0
    # what was closed before it began is not of it
    after = ledger.today(module_db) + timedelta(days=1)
    assert members(begins_on=after, deadline=after + timedelta(days=9)) == 5


def test_a_correction_of_a_campaign_is_a_version_and_the_old_one_is_still_told(
    module_db: Database, cases: dict[str, str], store: Path
) -> None:
    groups = campaign_workflow.group_of(BOOK)
    said = Campaign("X-1", "甲", "special_action", FIRST, ON)
    first = campaign_workflow.add(module_db, said, "test", groups=groups, document=None, store_dir=store)
    again = campaign_workflow.add(module_db, said, "test", groups=groups, document=None, store_dir=store)
    with module_db.read() as conn:
        before = now_of(conn)
    other = campaign_workflow.add(
        module_db,
        Campaign("X-1", "乙", "special_action", FIRST, ON),
        "test",
        groups=groups,
        document=None,
        store_dir=store,
    )
    assert (first.version, first.changed, again.changed, other.version) == (1, True, False, 2)
    with module_db.read() as conn:
        assert campaign_workflow.one(conn, "X-1", ON, before).name == "甲"
        assert campaign_workflow.one(conn, "X-1", ON, now_of(conn)).name == "乙"
        with pytest.raises(NotFound, match="There is no campaign 'X-2'"):
            campaign_workflow.one(conn, "X-2", ON, before)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"order_no": None}, "has a number"),
        ({"deadline": date(2026, 4, 1)}, "before it begins"),
        ({"recheck_by": date(2026, 8, 1)}, "before the deadline"),
        ({"classes": ("乱来",)}, "no class"),
        ({"districts": ("999999",)}, "no unit"),
        ({"rivers": ("无名河",)}, "no river"),
    ],
)
def test_a_campaign_that_cannot_be_is_refused_in_one_sentence(
    module_db: Database, cases: dict[str, str], store: Path, wrong: dict[str, Any], sentence: str
) -> None:
    said = Campaign(**{**vars(ORDER), "code": "bad", **wrong})
    with pytest.raises(UsageError, match=sentence):
        campaign_workflow.add(
            module_db, said, "test", groups=campaign_workflow.group_of(BOOK), document=None, store_dir=store
        )


def period(db: Database, first: date, last: date, known_at: Any = None, **more: Any) -> Paper:
    with db.read() as conn:
        scope = case_scope.scope(conn, last, known_at or now_of(conn), **more)
        return case_period.paper(conn, BOOK, scope, first)


def test_a_period_tells_what_happened_in_it_and_adds_up(module_db: Database, cases: dict[str, str]) -> None:
    today = ledger.today(module_db)
    may, now = period(module_db, FIRST, date(2026, 5, 31)), period(module_db, today, today)
    assert may.figures["total"]["found"] == 6 and may.figures["total"]["verified"] == 0
    told = now.figures["total"]
    assert {k: told[k] for k in ("found", "verified", "confirmed", "rectified", "closed", "rebound", "open")} == {
        "found": 0, "verified": 5, "confirmed": 3, "rectified": 2, "closed": 1, "rebound": 0, "open": 3,
    }  # fmt: skip
    for paper in (may, now):
        for key in ("by_town", "by_group", "by_class"):
            parts = rows(paper, key)
            for name, value in paper.figures["total"].items():
                assert sum(int(r[name]) for r in parts[:-1]) == int(parts[-1][name]) == value
        detail = rows(paper, "rows")
        assert {n: sum(bool(r[n]) for r in detail) for n in paper.figures["total"]} == paper.figures["total"]
        linked(paper)


def test_figures_known_then_are_the_same_bytes_after_later_events(db: Database, tmp_path: Path) -> None:
    found = ledger.build(db)
    ledger.live(db, found, tmp_path / "store")
    today = ledger.today(db)
    with db.read() as conn:
        then = now_of(conn)
    scope = asked(db, today)
    before = period(db, FIRST, today, then)
    report, _ = case_issue.issue(db, "test", "period", case_scope.Scope(today, then), FIRST, before)
    draft = rectification(db, today, then)
    ledger.move(db, found["a"], "look_back_rebounded", "problem", by=ledger.LOOKER)
    ledger.assigned(db, found["f"])
    after = period(db, FIRST, today)
    assert after.figures["total"]["rebound"] == 1 and after.figures["total"]["confirmed"] == 4
    assert as_bytes(period(db, FIRST, today, then)) == as_bytes(before)
    assert as_bytes(rectification(db, today, then)) == as_bytes(draft)
    with db.read() as conn:
        replayed = case_issue.replayed(conn, BOOK, str(report)[:8])
    assert replayed.same and replayed.figures == before.figures["total"]
    assert scope.known_at > then


def rectification(db: Database, on: date, known_at: Any) -> Paper:
    with db.read() as conn:
        return case_period.rectification(conn, BOOK, case_scope.scope(conn, on, known_at), FIRST)


def as_bytes(paper: Paper) -> bytes:
    from rivergis.reports import patrol_paper

    return patrol_paper.workbook_bytes(paper) + patrol_paper.render(paper).encode()


def test_a_draft_report_says_figures_that_lead_to_their_rows(module_db: Database, cases: dict[str, str]) -> None:
    with module_db.read() as conn:
        draft = rectification(module_db, ON, now_of(conn))
    linked(draft)
    said = ["".join(str(p) for p in parts) for _, body in draft.prose for parts in body]
    assert any("台账在册问题3处,历史碍洪挂账1处" in s for s in said)
    assert any("整改率66.7%" in s and "销号率33.3%" in s for s in said)
    assert [r["number"] for r in rows(draft, "late")] == [
        r["number"] for r in rows(lists(module_db), "tasks") if r["overdue_days"]
    ]


def test_four_stages_hold_what_an_authority_decided_and_nothing_of_ours(
    module_db: Database, cases: dict[str, str], store: Path
) -> None:
    document = store / "filed.pdf"
    document.write_bytes(b"%PDF-1.4 filed")
    said: dict[str, Any] = {
        "authority": "试验县水利局",
        "outcome": "filed",
        "decided_on": date(2026, 6, 2),
        "document_no": "试水立字7号",
    }
    done = [
        campaign_workflow.decide(module_db, cases["b"], ledger.INSPECTOR, document=document, store_dir=store, **said)
        for _ in range(2)
    ]
    assert [d.new for d in done] == [True, False]
    with module_db.read() as conn:
        scope = case_scope.scope(conn, ON, now_of(conn))
        paper = case_campaign.stages(conn, BOOK, scope)
        early = case_campaign.stages(conn, BOOK, case_scope.scope(conn, date(2026, 6, 1), scope.known_at))
        assert len(campaign_store.decisions(conn, scope.known_at)) == 1
    assert paper.figures == {"find": 1, "confirm": 1, "rectify": 2, "done": 2, "decided": 1}
    assert early.figures["decided"] == 0
    assert [r["decisions"] for r in rows(paper, "stages") if r["decisions"]] == [
        "2026-06-02 试验县水利局 立案 试水立字7号"
    ]


def test_a_reach_of_two_counties_is_told_by_county_and_a_case_counts_once(db: Database, store: Path) -> None:
    found = ledger.build(db)
    ledger.assigned(db, found["a"])
    ledger.ground.put(
        db, "admin_unit", [{"code": "500198", "name": "邻县", "level": "county"}],
        [shapely.MultiPolygon([ledger.ground.box(1500, -5000, 5500, 10000)])],
    )  # fmt: skip
    order = Campaign("K", "跨界", "special_action", FIRST, ON)
    campaign_workflow.add(db, order, "test", groups=campaign_workflow.group_of(BOOK), document=None, store_dir=store)
    with db.read() as conn:
        paper = case_campaign.progress(conn, BOOK, case_scope.scope(conn, ON, now_of(conn), campaign="K"), "reach")
    (border,) = rows(paper, "border")
    assert (border["reach"], border["counties"]) == ("R1-1", "邻县—试验县")
    assert {n: int(border[n]) for n in STANDING} == paper.figures["total"] and paper.figures["total"]["problems"] == 1
    linked(paper)


def test_stock_and_increment_are_told_apart_only_once_a_baseline_is_signed(db: Database) -> None:
    found = ledger.build(db)
    ledger.assigned(db, found["a"])
    today = ledger.today(db)
    with db.read() as conn:
        unsigned = now_of(conn)
    baseline(db, FIRST)
    ledger.assigned(db, ledger.report(db, "g", 900, FIRST + timedelta(days=9)))
    paper = period(db, FIRST, today)
    assert paper.figures["total"]["open"] == 2
    assert (paper.figures["total"]["open_stock"], paper.figures["total"]["open_increment"]) == (1, 1)
    assert [r["stock_kind"] for r in rows(lists(db, today), "problems")] == ["存量", "增量"]
    before = period(db, FIRST, today, unsigned)
    assert before.figures["total"]["open_unsigned"] == 1 and "open_increment" not in before.figures["total"]


def baseline(db: Database, night: date) -> None:
    """A baseline as of a night, made by one person and signed by another."""
    made = "00000000-0000-0000-0000-000000000001"
    with db.write(ledger.INSPECTOR) as conn:
        conn.execute(
            text(
                "INSERT INTO data.baseline (id, number, night, sources, counts, content_hash) VALUES (:id, 1, :n, '{}', '{}', 'x')"
            ),
            {"id": made, "n": night},
        )
    with db.write(ledger.REVIEWER) as conn:
        conn.execute(
            text("INSERT INTO data.baseline_signature (baseline_id, reason) VALUES (:id, '已核')"), {"id": made}
        )
