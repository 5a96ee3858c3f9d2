"""The nights of the demo county against what was planted in it (truth.json), and the laws of a night."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from rivergis import rules
from rivergis.db.connect import Database
from rivergis.encroachment import store
from rivergis.errors import AlreadyRunning
from rivergis.jobs import demo, nightly
from rivergis.settings import gis_dir

NIGHT = date(2026, 5, 20)
RULES = gis_dir() / "rules"
TRUTH: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[2] / "data" / "demo_county" / "truth.json").read_text(encoding="utf-8")
)
# what each expectation of the truth looks like in the night's records
EXPECTED = {
    "finding": {"new", "persisting", "grown", "shrunk"},
    "not_judged": {"not_observed"},
    "permit_place_open": {"permit_place_open"},
    "none": {
        "outside",
        "permitted",
        "permit_place_open",
        "allowed_use",
        "below_min_area",
        "within_tolerance",
        "touches_only",
    },
}


@pytest.fixture(scope="module")
def loaded(
    module_db: Database, demo_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Database, Path]]:
    home = tmp_path_factory.mktemp("demo")
    with module_db.write("test") as conn:
        conn.execute(text("SELECT 1"))
    demo.load(
        module_db,
        rules.load(RULES),
        demo_folder,
        "test",
        rules_dir=RULES,
        store_dir=home / "store",
        report_dir=home / "reports",
    )
    yield module_db, home


@pytest.fixture(scope="module")
def night(loaded: tuple[Database, Path]) -> tuple[dict[str, dict[str, Any]], dict[str, str], list[dict[str, Any]]]:
    """Encroachment leads by candidate code, reasons of the others, and all rows of the night."""
    with loaded[0].read() as conn:
        rows = store.findings_of_night(conn, NIGHT).to_dict("records")
        rest = store.not_findings_of_night(conn, NIGHT).to_dict("records")
    seen = {s["code"]: r for r in rows if r["topic"] == "encroachment" for s in r["sources"][1:]}
    return seen, {r["code"]: r["reason"] for r in rest}, rows


@pytest.mark.parametrize(
    "truth", [c for c in TRUTH["candidates"] if str(NIGHT) in c["deliveries"]], ids=lambda c: c["code"]
)
def test_every_candidate_is_told_as_it_was_planted(truth: dict[str, Any], night: Any) -> None:
    told, reasons, _ = night
    want, code = truth["deliveries"][str(NIGHT)], truth["code"]
    got = told[code]["status"] if code in told else reasons.get(code, "outside")
    if want.get("inside_draft_line"):
        # the draft has bank lines and no area: they bound ground too, and what stands there is told as what it is, never as a problem
        assert got in EXPECTED["finding"] and told[code]["basis"] == "draft" and told[code]["our_action"] == "仅提示"
        return
    assert got in EXPECTED[want["expected"]]
    if code in told:
        lead = told[code]
        if lead["area_m2"] is not None:
            # what several sources show is their common ground: not less than one of them
            alone = len(lead["sources"]) == 2
            assert lead["area_m2"] >= want["net_area_m2"] - 0.5
            assert not alone or lead["area_m2"] == pytest.approx(want["net_area_m2"], abs=0.5)
        assert (lead["figures"]["river_code"], lead["figures"]["bank"]) == (truth["river_code"], truth["bank"])
        assert lead["figures"]["at_m"] == pytest.approx(truth["at_m"], abs=30)
        assert lead["district"] == truth["village"]


def test_the_story(night: Any) -> None:
    told, reasons, _ = night
    story = TRUTH["story"]
    assert told[story["new_finding"]]["status"] == "new"
    assert told[story["permit_expired"]]["status"] == "new"
    assert "有效至" in told[story["permit_expired"]]["figures"]["expired_permit"]
    assert reasons[story["permitted"]] == "permitted"
    assert reasons[story["not_judged"]] == "not_observed"


def test_outfalls_in_zones_and_far_from_water(night: Any) -> None:
    rows = night[2]
    for topic, planted in (
        ("outfall_in_zone", TRUTH["outfalls_in_zones"]),
        ("outfall_position", TRUTH["outfalls_far_from_water"]),
    ):
        got = {r["figures"]["code"]: r for r in rows if r["topic"] == topic}
        assert got.keys() == {p["code"] for p in planted}
        for p in planted:
            if "zone_class" in p:
                assert got[p["code"]]["figures"]["zone_class"] == p["zone_class"]
                assert got[p["code"]]["competent_authority"] == "生态环境"


def test_the_wrong_line_is_found_where_it_was_planted_and_no_other(night: Any) -> None:
    [lead] = [r for r in night[2] if r["topic"] == "boundary_line"]
    wrong = TRUTH["wrong_line"]
    assert lead["figures"]["line"] == wrong["line_code"]
    assert wrong["from_m"] - 30 <= lead["figures"]["at_m"] <= wrong["to_m"] + 30
    assert lead["figures"]["wrong_side_m"] == pytest.approx(wrong["to_m"] - wrong["from_m"], rel=0.6)


def test_every_verdict_can_be_explained(loaded: tuple[Database, Path], night: Any) -> None:
    for r in night[2]:
        assert r["clause"] and r["competent_authority"] and r["our_action"] in rules.ACTIONS
        assert r["rule_set"] == rules.load(RULES).version
    with loaded[0].read() as conn:
        kept = conn.execute(text("SELECT content FROM list.rule_set")).scalar_one()
    assert "national/encroachment.yaml" in kept, "the rule text itself is kept"


def test_new_leads_have_pictures_of_before_and_after(loaded: tuple[Database, Path], night: Any) -> None:
    db, home = loaded
    with db.read() as conn:
        pictures = store.pictures_of(conn, night[0][TRUTH["story"]["new_finding"]]["id"])
    assert [p["kind"] for p in pictures] == ["chip_before", "chip_after"]
    assert all((home / "store" / p["file_path"]).stat().st_size > 1000 for p in pictures)


def counts(db: Database) -> dict[str, int]:
    with db.read() as conn:
        tables = (
            conn.execute(
                text(
                    "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('data', 'sys', 'list')"
                )
            )
            .scalars()
            .all()
        )
        return {t: conn.execute(text(f"SELECT count(*) FROM {t}")).scalar_one() for t in tables}


def test_the_same_night_again_changes_no_row(loaded: tuple[Database, Path]) -> None:
    db, home = loaded
    before = counts(db)
    again = nightly.run(
        db, rules.load(RULES), NIGHT, "test", adcode=None, store_dir=home / "store", report_dir=home / "reports"
    )
    assert not again.changed
    assert counts(db) == before


def test_loading_the_demo_again_changes_no_fact(loaded: tuple[Database, Path], demo_folder: Path) -> None:
    db, home = loaded
    before = counts(db)
    again = demo.load(
        db,
        rules.load(RULES),
        demo_folder,
        "test",
        rules_dir=RULES,
        store_dir=home / "store",
        report_dir=home / "reports",
    )
    assert not any(n["changed"] for n in again.nights) and again.tracks == 0 and not any(again.imported.values())
    assert counts(db) == before


def test_the_demo_again_under_other_rules_leaves_recorded_nights_as_they_are(
    loaded: tuple[Database, Path], demo_folder: Path, tmp_path: Path
) -> None:
    db, home = loaded
    shutil.copytree(RULES, tmp_path / "rules")
    path = tmp_path / "rules" / "national" / "encroachment.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    with db.read() as conn:
        before = conn.execute(
            text("SELECT md5(string_agg(s::text, '|' ORDER BY finding_id, night)) FROM data.sighting s")
        ).scalar()
    where = {"rules_dir": tmp_path / "rules", "store_dir": home / "store", "report_dir": home / "reports"}
    again = demo.load(db, rules.load(tmp_path / "rules"), demo_folder, "test", **where)
    assert [n["changed"] for n in again.nights] == [False, False, True]
    with db.read() as conn:
        after = conn.execute(
            text("SELECT md5(string_agg(s::text, '|' ORDER BY finding_id, night)) FROM data.sighting s")
        ).scalar()
    assert after == before, "what a night saw is not told anew"


def test_two_nights_at_once_and_nights_out_of_order(loaded: tuple[Database, Path]) -> None:
    db, home = loaded
    where = {"adcode": None, "store_dir": home / "store", "report_dir": home / "reports"}
    with db.lock(nightly.JOB), pytest.raises(AlreadyRunning):
        nightly.run(db, rules.load(RULES), NIGHT, "test", **where)  # type: ignore[arg-type]
    counted = "SELECT (SELECT count(*) FROM data.sighting), (SELECT count(*) FROM sys.job_run), (SELECT count(*) FROM sys.night)"
    with db.read() as conn:
        before = conn.execute(text(counted)).one()
    told = nightly.run(db, rules.load(RULES), date(2026, 5, 10), "test", **where)  # type: ignore[arg-type]
    assert told.late is not None and told.late["last"] == "2026-05-20" and not told.changed
    with db.read() as conn:
        assert conn.execute(text(counted)).one() == before, "a day that later nights follow writes nothing"


def test_the_report_says_what_it_must(loaded: tuple[Database, Path]) -> None:
    page = (loaded[1] / "reports" / f"night-{NIGHT}.html").read_text(encoding="utf-8")
    for must in (
        "疑似问题线索",
        "仅供核查,不作为行政处罚依据",
        "虚构演示数据",
        "看不清,未判",
        "硬化场地及厂房",
        "6+426",
        "未确认规则值",
        "data:image/png;base64",
    ):
        assert must in page
    for never in ("违法", "作弊", "造假", "虚假巡河", "http://", "https://", "<script src", "新增"):
        assert never not in page
    assert page.count("<script") == 1, "the one that says when the page is too old"
