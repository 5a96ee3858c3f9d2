"""The bulletin of a small month: every figure known, handover and joint patrol right, nothing out that nobody confirmed, replayable."""

from __future__ import annotations

import re
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import shapely
from sqlalchemy import text

from rivergis import words
from rivergis.db.connect import Database, now_of
from rivergis.db.versions import identity
from rivergis.errors import NotFound, UsageError
from rivergis.reports import patrol_bulletin, patrol_coverage, patrol_paper, patrol_sweep
from rivergis.reports.patrol_coverage import Asked
from rivergis.reports.patrol_paper import Paper
from rivergis.river import store as river_store
from tests.reports import patrol_county as county


@pytest.fixture(scope="module")
def month(module_db: Database) -> Database:
    with module_db.write("t") as conn:
        county.month(conn)
    return module_db


def made(db: Database, unit: str | None = None, known_at: datetime | None = None) -> Paper:
    with db.read() as conn:
        moment = known_at or now_of(conn)
        return patrol_bulletin.bulletin(conn, county.BOOK, county.FIRST, county.LAST, unit=unit, known_at=moment)


def rows(paper: Paper, key: str) -> list[dict[str, Any]]:
    [table] = [t for t in paper.tables if t.key == key]
    return [dict(zip(table.columns, r, strict=True)) for r in table.rows]


def of_unit(paper: Paper, key: str, code: str, scope: str) -> dict[str, Any]:
    [row] = [
        r
        for r in rows(paper, key)
        if r["unit_code"] == code and r["scope"] == words.both(f"patrol_report.scope_{scope}")
    ]
    return row


def test_patrols_with_a_track_and_entries_are_counted_apart_and_a_joint_one_once(month: Database) -> None:
    paper = made(month)
    a, b = (of_unit(paper, "units", code, "own") for code in (county.A, county.B))
    town = of_unit(paper, "units", county.TOWN, "with_below")
    assert (a["patrols_gps"], a["records"], a["minutes"]) == (3, 0, 90.0)
    assert (b["patrols_gps"], b["records"], b["problems"]) == (2, 1, 1)
    assert (town["patrols_gps"], town["chiefs"]) == (4, 3), "the joint patrol is one patrol of the township"
    assert not [r for r in rows(paper, "units") if r["unit_code"] == county.TOWN and "本级" in r["scope"]]


def test_a_new_chief_inherits_neither_metres_nor_misses(month: Database) -> None:
    told = {r["chief"]: r for r in rows(made(month), "coverage_chiefs")}
    jia, yi, bing = (told[f"村级 {name}"] for name in ("甲", "乙", "丙"))
    assert (jia["assigned_bank_km"], jia["seen_bank_km"], jia["bank_share"]) == (4.0, 1.0, 25.0)
    assert (yi["seen_bank_km"], yi["bank_share"]) == (1.6, 40.0)  # 500-1500 and 1800-2000 left, 0-400 right
    assert bing["seen_bank_km"] == 0.7  # 2000-2200 of the joint patrol, 3000-3500
    assert (
        of_unit(made(month), "coverage", county.A, "own")["left_seen_km"] == 1.7
    )  # 0-1500, 1800-2000, each metre once


def test_what_is_seen_and_what_is_never_seen_are_the_assigned(month: Database) -> None:
    paper = made(month)
    for chief, told in ((r["chief"], r) for r in rows(paper, "coverage_chiefs")):
        never = sum(r["length_m"] for r in rows(paper, "never") if r["chief"] == chief)
        assert never == pytest.approx(1000 * (told["assigned_bank_km"] - told["seen_bank_km"]), abs=0.5)
    jia = [r for r in rows(paper, "never") if r["chief"] == "村级 甲" and r["bank"].startswith("左岸")]
    assert [(r["from"], r["to"], r["landmark"]) for r in jia] == [("1+000", "2+000", "青石桥")]
    assert jia[0]["reason"] == words.both("unseen.too_far")


def test_standard_tests_what_was_announced_and_moves_are_metres_by_patrol(month: Database) -> None:
    paper = made(month)
    assert (
        of_unit(paper, "standard", county.A, "own")["tested"],
        of_unit(paper, "standard", county.A, "own")["met"],
    ) == (3, 2)
    modes = of_unit(paper, "modes", county.A, "own")
    assert (modes["walk_km"], modes["drive_km"], modes["boat_km"]) == (2.2, 0.4, 0.0)
    blocks = [t.block for t in paper.tables]
    assert blocks == sorted(blocks, key=blocks.index), "tables of one block stand together"
    mixed = {"bank_share", "left_share", "river_share"}
    assert not [t.key for t in paper.tables if t.block == "standard" and mixed & set(t.columns)]


def test_without_an_announced_rule_nothing_is_judged(db: Database) -> None:
    with db.write("t") as conn:
        county.ground(conn)
        county.track(conn, "plain001", county.BING, 6, [("left", 2000.0, 2500.0, "walk")])
        # a track that no scoring has looked at yet
        conn.execute(
            text("""INSERT INTO data.track (id, raw_sha256, raw_path, file_name, format, chief_id, datum_used, day, fix_count)
            VALUES (gen_random_uuid(), 'z', 'x', 'z.gpx', 'gpx', :c, 'wgs84', '2026-05-09', 3)"""),
            {"c": county.JIA},
        )
    paper = made(db)
    told = {r["chief"]: r for r in rows(paper, "standard_chiefs")}
    assert (told["村级 丙"]["tested"], told["村级 丙"]["met"]) == (1, 1)
    assert (told["村级 甲"]["tested"], told["村级 甲"]["met"]) == (0, words.both("patrol_report.not_ruled"))
    assert dict(paper.about)[words.both("patrol_report.not_scored")] == 1


def test_a_question_goes_out_only_after_a_person_has_confirmed_it(db: Database) -> None:
    with db.write("t") as conn:
        asked = county.month(conn)["asked"]

    def said(known_at: datetime | None = None) -> bool:
        return county.QUESTION in patrol_paper.render(made(db, known_at=known_at))

    def moved(move: str) -> None:
        with db.write("t") as conn:
            conn.execute(
                text("""INSERT INTO data.review_event (result_id, track_id, code, move, text)
                SELECT id, track_id, 'fast', :m, '核' FROM data.patrol_result WHERE track_id = :t"""),
                {"m": move, "t": asked},
            )

    assert not said()
    moved("replied")
    before = datetime.now(UTC)
    assert not said()
    moved("confirmed")
    assert said() and not said(before), "as known before the decision it does not stand there"
    html = patrol_paper.render(made(db))
    told = html.partition(words.both("patrol_report.table_about"))[0]
    assert not re.search(r"\bfast\b", told) and "cheat" not in html and "作弊" not in html and "违法" not in html
    moved("dismissed")
    assert not said()


def test_a_track_not_accepted_on_review_is_in_no_figure(db: Database) -> None:
    with db.write("t") as conn:
        county.ground(conn)
        track = county.track(
            conn, "asked777", county.BING, 6, [("left", 2000.0, 2500.0, "walk")], review="请说明", family="replay"
        )
    before, open_ = datetime.now(UTC), made(db).figures
    with db.write("t") as conn:
        conn.execute(
            text("""INSERT INTO data.review_event (result_id, track_id, code, move, text)
            SELECT id, track_id, 'fast', 'confirmed', '核' FROM data.patrol_result WHERE track_id = :t"""),
            {"t": track},
        )
    paper = made(db)
    assert (open_["patrols"], open_["met"], open_["bank_seen_m"]) == (1, 1, pytest.approx(500, abs=0.1))
    assert (paper.figures["patrols"], paper.figures["tested"], paper.figures["bank_seen_m"]) == (0, 0, 0)
    assert dict(paper.about)[words.both("patrol_report.rejected")] == 1
    assert [r["chief"] for r in rows(paper, "verified")] == ["村级 丙"]
    assert made(db, known_at=before).figures == open_
    with db.read() as conn:
        asked = Asked(county.FIRST, county.LAST)
        assert patrol_coverage.read(conn, county.BOOK, asked, now_of(conn)).coverage.patrols == 0


def test_an_earlier_file_of_an_outing_changes_no_bulletin_that_went_out(db: Database) -> None:
    """second file 01:00 first, bulletin; then a file of 00:30 that is the head of both: the old bulletin stays as it was."""
    with db.write("t") as conn:
        county.ground(conn)
        second = county.track(conn, "second88", county.YI, 20, [("left", 0.0, 400.0, "walk")])
        conn.execute(
            text("INSERT INTO data.patrol_party (track_id, chief_id, part) VALUES (:t, :c, 'joint')"),
            {"t": second, "c": county.BING},
        )
    before = datetime.now(UTC)
    out = patrol_paper.render(made(db, known_at=before))
    with db.write("t") as conn:
        head = county.track(conn, "first999", county.YI, 20, [("left", 0.0, 900.0, "walk")])
        conn.execute(text("UPDATE data.track SET part_of = :h WHERE id = :t"), {"h": head, "t": second})
        conn.execute(text("UPDATE data.patrol_result SET superseded_at = now() WHERE track_id = :t"), {"t": second})
    assert patrol_paper.render(made(db, known_at=before)) == out
    now = made(db)
    assert (now.figures["patrols"], now.figures["bank_seen_m"]) == (1, pytest.approx(900, abs=0.1))
    told = {r["chief"]: r["patrols_gps"] for r in rows(now, "chiefs")}
    assert told["村级 乙"] == told["村级 丙"] == 1, "who was declared with one file took part in the outing"


def test_a_unit_is_a_part_of_the_whole(month: Database) -> None:
    village = made(month, county.B)
    assert {r["unit_code"] for r in rows(village, "units")} == {county.B}
    assert {r["chief"] for r in rows(village, "never")} == {"村级 丙"}
    assert "丙村" in village.title_zh and village.figures["patrols"] == 2
    with pytest.raises(NotFound, match="500199999"):
        made(month, "500199999")


@pytest.mark.parametrize("ending", ["xlsx", "html", "json", "pdf"])
def test_the_same_moment_gives_the_same_bytes(month: Database, tmp_path: Path, ending: str) -> None:
    moment = datetime(2026, 12, 1, 8, 0, tzinfo=UTC) + timedelta(days=3650)
    first, second = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
    for file in (first, second):
        patrol_paper.write(made(month, known_at=moment), file)
    assert first.read_bytes() == second.read_bytes() and not list(tmp_path.glob("*.part"))
    if ending == "pdf":
        assert first.read_bytes().startswith(b"%PDF")
    if ending == "html":
        page = first.read_text(encoding="utf-8")
        assert "2036-11-28 16:00:00" in page and "http" not in page.replace("http://www.w3.org", "")


def test_the_hash_names_what_the_paper_rests_on(month: Database) -> None:
    def hash_of(paper: Paper) -> Any:
        return dict(paper.about)[words.both("patrol_report.inputs")]

    assert (
        hash_of(made(month)) == hash_of(made(month)) == hash_of(made(month, known_at=datetime(2040, 1, 1, tzinfo=UTC)))
    )
    assert hash_of(made(month)) != hash_of(made(month, known_at=datetime(2020, 1, 1, tzinfo=UTC)))
    nothing = made(month, known_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert nothing.figures["patrols"] == 0 and nothing.figures["bank_assigned_m"] == 0


def test_the_workbook_has_a_sheet_a_table_and_names_rules_at_the_end(month: Database, tmp_path: Path) -> None:
    patrol_paper.write(made(month), tmp_path / "b.xlsx")
    book = openpyxl.load_workbook(tmp_path / "b.xlsx")
    assert all(book[name].freeze_panes for name in book.sheetnames)
    about = book[words.say("patrol_report.table_about")]
    assert book.sheetnames[-1] == about.title
    last = [c.value for c in list(about.rows)[-1]]
    assert last[0] == words.both("patrol_report.unconfirmed") and about.max_row > 20
    assert any("patrol.effective" in str(r[0].value) or "patrol.near" in str(r[0].value) for r in about.rows)
    share = book[words.say("patrol_report.table_coverage")]
    assert isinstance(share["F2"].value, (int, float)) and "%" in share["F1"].value
    with zipfile.ZipFile(tmp_path / "b.xlsx") as packed:
        assert {i.date_time for i in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_sweep_lists_every_hole_and_what_only_paper_says(month: Database, tmp_path: Path) -> None:
    with month.read() as conn:
        covered = patrol_coverage.read(
            conn, county.BOOK, Asked(county.FIRST, county.LAST, None, ("清溪",), "rivers"), now_of(conn)
        )
        cells = patrol_sweep.grid(covered, 500.0)
        paper = patrol_sweep.paper(covered, cells, names=True, drawing=True)
        nameless = patrol_sweep.paper(covered, cells, names=False)
    assert paper.figures["bank_m"] == pytest.approx(8000.0, abs=0.1)
    assert paper.figures["seen_m"] == pytest.approx(2800.0, abs=0.1)  # left 0-1500, 1800-2200, 3000-3500, right 0-400
    holes = rows(paper, "holes")
    assert sum(h["length_m"] for h in holes) == pytest.approx(5200.0, abs=0.5)
    assert (holes[0]["from"], holes[0]["to"], holes[0]["bank"]) == ("0+400", "4+000", words.both("bank.right"))
    assert holes[0]["record_day"] == "2026-05-22" and holes[1]["landmark"] == "青石桥下游 600 m"
    swept = {(r["from"], r["to"]): (r["patrols_count"], r["last_seen"], r["last_by"]) for r in rows(paper, "swept")}
    assert swept["0+500", "1+000"] == (2, "2026-05-20", "村级 乙")
    assert (
        swept["1+800", "2+200"] == (1, "2026-05-21", "村级 丙、村级 乙")
        or swept["1+800", "2+200"][2] == "村级 乙、村级 丙"
    )
    assert "村级" not in patrol_paper.render(nameless) and "<svg" in patrol_paper.render(paper)
    assert cells["bank_m"].sum() == pytest.approx(8000.0, rel=0.001)
    told = {r["cell"]: r for r in rows(paper, "cells")}
    for c in cells.itertuples():  # a cell of which something was seen says when and by whom, any other says nothing
        row = told[c.cell]
        assert (
            (row["last_seen"] is not None)
            == (row["patrols_count"] > 0)
            == (row["seen_by"] is not None)
            == (c.seen_m > 1)
        )
    assert "村级 乙" in {r["seen_by"] for r in told.values()}
    out = tmp_path / "s.gpkg"
    patrol_coverage.write_layers(patrol_sweep.layers(covered, cells), out)
    import pyogrio

    assert {name for name, _ in pyogrio.list_layers(out)} == {"stretches", "holes", "grid_cells"}


def test_days_since_last_seen_of_what_is_assigned(month: Database) -> None:
    with month.read() as conn:
        covered = patrol_coverage.read(conn, county.BOOK, Asked(county.FIRST, county.LAST, county.A), now_of(conn))
    cells = covered.coverage.cells
    assert covered.coverage.basis == "duties" and (cells["to_m"] - cells["from_m"]).sum() == pytest.approx(4000, abs=25)
    left = cells[(cells["bank"] == "left") & (cells["from_m"] < 1900)]
    assert [(c.from_m, c.days, c.cls) for c in left.itertuples()] == [
        (0.0, 26, "16-31"),
        (500.0, 11, "8-15"),
        (1000.0, 11, "8-15"),
        (1500.0, None, "never"),
        (1800.0, 10, "8-15"),
    ]


@pytest.mark.parametrize("text_", ["2026", "2026-13", "May"])
def test_what_is_no_month(text_: str) -> None:
    with pytest.raises(UsageError, match="2026-05"):
        patrol_bulletin.month_of(text_)


def test_a_paper_is_refused_before_it_is_made() -> None:
    with pytest.raises(UsageError, match=r"\.pdf"):
        patrol_paper.check(Path("bulletin.docx"))


def test_an_empty_database_has_empty_papers(db: Database) -> None:
    paper = made(db)
    assert paper.figures["patrols"] == 0 and patrol_paper.render(paper)
    with db.read() as conn:
        covered = patrol_coverage.read(conn, county.BOOK, Asked(county.FIRST, county.LAST), now_of(conn))
        told = patrol_coverage.paper(covered, names=True, drawing=True)
        page = patrol_coverage.map_page(conn, covered, told, patrol_paper.under(told))
    assert covered.coverage.cells.empty and "rg-below" in page
    assert patrol_sweep.grid(covered, 500.0).empty and patrol_sweep.holes(covered).empty


def test_a_redrawn_river_keeps_what_was_seen_on_the_old_line(db: Database) -> None:
    with db.write("t") as conn:
        county.month(conn)
    before = made(db).figures
    bent = shapely.transform(shapely.segmentize(county.line(), 0.001), lambda xy: xy + np.array([0.0, 0.00003]))
    with db.write("t") as conn:
        river = identity("river", "local", "R1")
        axis = gpd.GeoDataFrame({"code": ["R1"], "river_id": [river], "origin_m": [0.0]}, geometry=[bent], crs=4490)
        reach = axis[["river_id", "geometry"]].assign(
            code="H1", kind="river", from_m=0.0, to_m=4000.0, half_width_m=10.0
        )
        for layer, rows_ in (("axis", axis), ("reach", reach)):
            river_store.save(conn, layer, rows_.rename_geometry("geom"), namespace="local", import_id=None)
        versions = conn.execute(text("SELECT count(*) FROM data.reach")).scalar()
    after = made(db).figures
    assert versions == 2 and after["bank_seen_m"] == pytest.approx(before["bank_seen_m"], rel=0.01)
    assert after["patrols"] == before["patrols"]
