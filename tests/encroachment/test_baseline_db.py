"""A baseline on real PostGIS: what matches is taken over, nothing is lost, nothing is decided by the machine, another person signs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import openpyxl
import pytest
from sqlalchemy import text

from rivergis.db.connect import Database
from rivergis.encroachment import baseline_workflow, superior_store
from rivergis.encroachment.baseline_workflow import Made
from rivergis.errors import NotPermitted, UsageError
from rivergis.reports import baseline_sheet
from tests.conftest import _drop, new_database
from tests.encroachment import baseline_ground as ground
from tests.encroachment import night_ground


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("baseline")


@pytest.fixture(scope="module")
def base(data_dir: Path, folder: Path) -> Iterator[Database]:
    """The river after its first night."""
    database = new_database(data_dir)
    ground.build(database, folder)
    yield database
    database.close()
    _drop(data_dir, database.name)


@pytest.fixture(scope="module")
def made(base: Database, folder: Path) -> Made:
    return baseline_workflow.make(ground.desk(base, folder), ground.sources(folder))


def items(base: Database, source: str) -> dict[str, tuple[str, str]]:
    shown = baseline_workflow.shown(base)
    return {str(i["number"]): (i["how"], i["start"]) for i in shown.items if i["source"] == source}


def test_every_row_says_what_became_of_it(base: Database, made: Made) -> None:
    assert items(base, "ledger") == {
        "CQ-001": ("near", "in_hand"),
        "CQ-002": ("near", "in_hand"),
        "CQ-003": ("ambiguous", "listed"),
        "CQ-004": ("reported", "in_hand"),
        "CQ-005": ("no_place", "listed"),
        "CQ-006": ("near", "listed"),
    }
    assert items(base, "decisions") == {
        "T-001": ("near", "decided"),
        "T-007": ("patch_no", "decided"),
        "T-003": ("contradicts", "listed"),
        "T-900": ("reported", "decided"),
    }
    assert items(base, "works") == {"提水泵站": ("near", "decided"), "下湾水闸": ("no_match", "none")}


def test_leads_start_as_the_tables_say_and_the_rest_is_to_be_verified(base: Database, made: Made) -> None:
    told = ground.states(base)
    assert told == {
        "a": "not_a_problem",
        "b": "historic_listed",
        "c": "assigned",
        "d": "rectified",
        "e": "found",
        "f": "not_a_problem",
        "g1": "found",
        "g2": "found",
        "CQ-004": "assigned",
        "T-900": "problem",
    }
    assert made.counts["leads"] == {"decided": 4, "in_hand": 3, "to_verify": 3}
    assert sum(made.counts["leads"].values()) == len(told)


def test_an_event_is_in_the_name_of_the_maker_and_holds_its_row(base: Database, made: Made) -> None:
    with base.read() as conn:
        events = [dict(r._mapping) for r in conn.execute(text("SELECT * FROM data.finding_event ORDER BY id"))]
    assert {e["actor"] for e in events} == {ground.MAKER}
    assert all(
        e["move"].startswith("take_over_") and e["attachment_sha256"] == e["detail"]["source"]["sha256"] for e in events
    )
    in_hand = next(e for e in events if e["move"] == "take_over_assigned" and e["detail"]["said"]["number"] == "CQ-001")
    assert in_hand["detail"]["deadline"] == "2026-06-30"
    assert [(u["unit"], u["lead"]) for u in in_hand["detail"]["units"]] == [("河湾村委会", True), ("镇水利站", False)]


def test_a_case_has_the_number_of_the_higher_level(base: Database, made: Made) -> None:
    with base.read() as conn:
        rows = conn.execute(
            text(
                "SELECT superior_numbers, stock, deadline, state FROM app.case WHERE superior_numbers && ARRAY['CQ-001']"
            )
        )
        [row] = [tuple(r) for r in rows]
    assert row[0] == ["CQ-001"] and row[1] is True and str(row[2]) == "2026-06-30" and row[3] == "assigned"


def test_making_it_again_changes_nothing(base: Database, folder: Path, made: Made) -> None:
    count = "SELECT (SELECT count(*) FROM data.finding_event), (SELECT count(*) FROM data.finding), (SELECT count(*) FROM data.superior_link), (SELECT count(*) FROM data.baseline_item)"
    with base.read() as conn:
        before = tuple(conn.execute(text(count)).one())
    again = baseline_workflow.make(ground.desk(base, folder), ground.sources(folder))
    assert (again.number, again.known) == (made.number, True)
    with base.read() as conn:
        assert tuple(conn.execute(text(count)).one()) == before


def test_until_it_is_signed_everything_is_stock(base: Database, made: Made) -> None:
    with base.read() as conn:
        assert conn.execute(text("SELECT * FROM app.baseline_signed()")).first() is None
        assert conn.execute(text("SELECT bool_and(app.is_stock(id)) FROM data.finding")).scalar() is True
        assert conn.execute(text("SELECT app.is_stock(gen_random_uuid())")).scalar() is True


def test_the_report_is_a_workbook_and_json(base: Database, folder: Path, made: Made) -> None:
    shown = baseline_workflow.shown(base)
    baseline_sheet.write(shown, folder / "基线.xlsx")
    book = openpyxl.load_workbook(folder / "基线.xlsx")
    listed = list(book["待人工认定 for a person"].iter_rows(min_row=2, values_only=True))
    assert [r[3] for r in listed] == ["CQ-003", "CQ-005", "CQ-006", "T-003"]
    assert book["线索 leads"].max_row == 1 + sum(made.counts["leads"].values())
    assert len(json.dumps(shown.items, default=str)) > 100


def test_another_person_signs_and_closes(base: Database, folder: Path, made: Made) -> None:
    maker = ground.desk(base, folder)
    with pytest.raises(NotPermitted):
        baseline_workflow.sign(maker, "自己签")
    with pytest.raises(NotPermitted), base.write("nobody") as conn:
        sql = "INSERT INTO data.baseline_signature (baseline_id, reason) SELECT id, 'x' FROM data.baseline"
        conn.execute(text(sql))
    number, closed = baseline_workflow.sign(ground.desk(base, folder, ground.SIGNER), "逐条核对")
    assert (number, closed.closed, closed.refused) == (made.number, 1, [])
    assert ground.states(base)["d"] == "closed"
    with pytest.raises(UsageError):
        baseline_workflow.sign(ground.desk(base, folder, ground.SIGNER), "再签")
    with base.read() as conn:
        signed = conn.execute(text("SELECT number, night, signed_by FROM app.baseline_signed()")).one()
        assert tuple(signed) == (1, night_ground.day(0), ground.SIGNER)
        before = conn.execute(
            text("SELECT count(*) FROM app.baseline_signed((SELECT recorded_at FROM data.baseline))")
        ).scalar()
    assert before == 0


def test_what_a_later_night_tells_first_is_increment(base: Database, folder: Path, made: Made) -> None:
    houses = ground.HOUSES | {"new": (1600.0, 40.0, 20.0, 10.0)}
    night_ground.deliver(base, night_ground.day(1), "houses", {k: ("building", b) for k, b in houses.items()})
    night_ground.night(base, folder, 1)
    sql = "SELECT first_night, app.is_stock(id), count(*) FROM data.finding WHERE topic = 'encroachment' GROUP BY 1, 2 ORDER BY 1"
    with base.read() as conn:
        told = [tuple(r) for r in conn.execute(text(sql))]
    assert told == [(night_ground.day(0), True, 8), (night_ground.day(1), False, 1)]


def test_a_new_baseline_supersedes_and_is_signed_anew(base: Database, folder: Path, made: Made) -> None:
    second = baseline_workflow.make(ground.desk(base, folder, "both", 1), ground.sources(folder))
    assert (second.number, second.known) == (2, False)
    with base.read() as conn:
        rows = [tuple(r) for r in conn.execute(text("SELECT number, supersedes IS NULL FROM data.baseline ORDER BY 1"))]
        assert rows == [(1, True), (2, False)]
        assert conn.execute(text("SELECT number FROM app.baseline_signed()")).scalar() == 1
    with pytest.raises(NotPermitted):
        baseline_workflow.sign(ground.desk(base, folder, "both", 1), "自己签")
    baseline_workflow.sign(ground.desk(base, folder, ground.SIGNER, 1), "年度复核")
    with base.read() as conn:
        assert conn.execute(text("SELECT bool_and(app.is_stock(id)) FROM data.finding")).scalar() is True
        assert len(superior_store.links(conn, "2025年台账")) == 4


def test_a_work_on_its_ground_holds_many_leads_and_decides_none(base: Database, folder: Path, made: Made) -> None:
    ground_of_works = night_ground.box(1395, 35, 40, 20)  # over both heaps
    frame = gpd.GeoDataFrame(
        {"工程名称": ["泵站厂区"], "批复文号": ["许可1号"]}, geometry=[ground_of_works], crs=night_ground.ZONE
    )
    frame.to_crs(4490).to_file(folder / "厂区.gpkg")
    works = baseline_workflow.read_works(folder / "厂区.gpkg", ground.LISTS, asked=ground.ASKED)
    third = baseline_workflow.make(ground.desk(base, folder, n=1), baseline_workflow.Sources(works=[works]))
    assert third.counts["rows"]["works"] == {"overlap": 2} and third.counts["leads"]["known_work"] == 2
    assert [ground.states(base)[g] for g in ("g1", "g2")] == ["found", "found"]
