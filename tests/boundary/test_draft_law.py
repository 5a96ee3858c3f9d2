"""From a draft to the law and back to any day: states, people, papers, reductions; nothing announced is changed or lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import geopandas as gpd
import pytest
from sqlalchemy import text

from rivergis.boundary import store
from rivergis.boundary.law import announce_workflow as law_workflow
from rivergis.boundary.law import draft_store, draft_workflow
from rivergis.boundary.law import reduction_workflow as redraw_workflow
from rivergis.boundary.law.edit import Edit
from rivergis.db.connect import Database, now_of
from rivergis.errors import Conflict, InputError, NotNow, NotPermitted, UsageError
from tests.boundary.draft_ground import DAY, LIMITS, WHOLE, announce, ground, line, of, office, opened, put, step
from tests.encroachment.night_ground import area, river

NARROW = ((0.0, 100.0), (900.0, 100.0), (1000.0, 60.0), (1100.0, 100.0), (2000.0, 100.0))


def standing(db: Database, day: date) -> dict[str, str]:
    with db.read() as conn:
        rows = draft_store.standing(conn, day, now_of(conn))
    return dict(zip(rows["code"], rows["standing"], strict=True))


def narrowed(db: Database) -> None:
    """The left line drawn 40 m nearer to the water over 200 m: 4,000 m2 less."""
    ground(db)
    opened(db)
    put(db, 1, Edit("put", of(db, "left")["segment_id"].iloc[0], geom=line(*NARROW)))


def submitted(db: Database) -> str:
    return step(db, "submit", "zhang", reasons={"*": "测量更正:原线误入坡顶"}).table_sha256


def test_the_whole_way(db: Database, tmp_path: Path) -> None:
    narrowed(db)
    with pytest.raises(UsageError, match="1 reductions have no reason"):
        step(db, "submit", "zhang")
    moved = step(db, "submit", "zhang", reasons={"1": "测量更正"})
    assert [round(r.area_m2, -1) for r in moved.reductions] == [4000.0]
    assert moved.reductions[0].reason == "测量更正" and moved.state == "submitted"
    with pytest.raises(Conflict, match="not edited any more"):
        put(db, 2, Edit("remove", of(db, "left")["segment_id"].iloc[0]))
    with pytest.raises(NotPermitted):
        step(db, "review", "zhang")
    with pytest.raises(UsageError, match="countersign"):
        step(db, "review", "wang")
    step(db, "review", "wang", countersign=moved.table_sha256[:8])
    done = announce(db, tmp_path)
    assert (done.delimitations, done.replaces) == (["D1"], ["V1"])
    assert standing(db, date(2026, 6, 30)) == {"V1": "in_force", "D1": "announced"}
    assert standing(db, date(2026, 7, 1)) == {"V1": "superseded", "D1": "in_force"}
    with db.read() as conn:
        for day, code in ((date(2026, 6, 30), "V1"), (date(2026, 7, 1), "D1")):
            areas = store.areas(conn, day, now_of(conn))
            assert list(areas["boundary_code"]) == [code]
            assert set(store.lines(conn, day, now_of(conn))["boundary_code"]) == {code}
        logged = draft_store.reductions(conn).iloc[0]
    assert (logged["boundary_code"], logged["by_code"], logged["draft_code"]) == ("V1", "D1", "D1")
    assert (logged["reason"], logged["countersigned_by"], logged["actor"]) == ("测量更正", "wang", "wang")
    assert logged["area_m2"] == pytest.approx(4000, rel=0.001)


def test_what_was_announced_is_not_changed_by_any_door(db: Database, tmp_path: Path) -> None:
    narrowed(db)
    sha = submitted(db)
    step(db, "review", "wang", countersign=sha)
    announce(db, tmp_path)
    for sql in (
        "UPDATE data.boundary_segment SET geom = ST_Translate(geom, 0, 0.001)",
        "DELETE FROM data.boundary_area",
        "UPDATE data.boundary_draft_segment SET bank = 'left'",
        "DELETE FROM data.boundary_reduction",
        "UPDATE data.boundary_event SET reason = ''",
        """INSERT INTO data.boundary_segment (id, version, code_namespace, code, content_hash, boundary_id, bank, basis, geom, valid)
           SELECT id, version + 10, code_namespace, code, 'x', boundary_id, bank, basis, ST_Translate(geom, 0, 0.001), 'empty'::daterange + '[1900-01-01,1900-01-02)'
           FROM data.boundary_segment WHERE superseded_at IS NULL""",
    ):
        with pytest.raises(NotPermitted), db.write("wang") as conn:
            conn.execute(text(sql))


def test_an_import_under_the_same_announcement_changes_nothing(db: Database) -> None:
    ground(db)
    with pytest.raises(AssertionError, match="announced_unchanged"):
        area(db, "V1", (0.0, -50.0, 2000.0, 100.0), announce_doc_no="试府发5000号")
        area(db, "V1", (0.0, -40.0, 2000.0, 80.0), announce_doc_no="试府发5000号")


def test_the_one_who_drew_neither_reviews_nor_announces(db: Database, tmp_path: Path) -> None:
    narrowed(db)
    step(db, "withdraw", "zhang")
    opened(db, "D2", "both")
    put(db, 1, Edit("put", of(db, "left", "D2")["segment_id"].iloc[0], {"reach_code": "R1-1"}), code="D2", actor="li")
    step(db, "submit", "li", "D2")
    with pytest.raises(NotPermitted, match="took part"):
        step(db, "review", "both", "D2")
    step(db, "review", "wang", "D2")
    with pytest.raises(NotPermitted, match="took part"):
        announce(db, tmp_path, "D2", "both")
    announce(db, tmp_path, "D2")


@pytest.mark.parametrize(
    "said",
    [
        {"government": " "},
        {"document_no": ""},
        {"publisher": ""},
        {"in_force_from": date(2026, 6, 9)},
        {"announced_on": date(2099, 1, 1), "in_force_from": date(2099, 1, 2)},
    ],
)
def test_an_announcement_wants_all_its_papers(db: Database, tmp_path: Path, said: dict[str, object]) -> None:
    ground(db)
    opened(db)
    step(db, "submit", "zhang")
    step(db, "review", "wang")
    with pytest.raises((UsageError, InputError)):
        announce(db, tmp_path, **said)
    assert standing(db, date(2026, 7, 1)) == {"V1": "in_force"}, "nothing half done"


def test_a_sketch_is_not_submitted(db: Database) -> None:
    ground(db)
    opened(db, sketch=True)
    with pytest.raises(InputError, match="no_sketch"):
        step(db, "submit", "zhang")


def test_ground_that_does_not_close_is_not_submitted(db: Database) -> None:
    ground(db)
    opened(db)
    put(db, 1, Edit("remove", of(db, "left")["segment_id"].iloc[0]))
    with pytest.raises(UsageError, match="does not close"):
        step(db, "submit", "zhang")


def test_other_lines_in_force_by_then_send_it_back(db: Database, tmp_path: Path) -> None:
    """Two drafts on one line: when the first is announced, what the second takes away is no longer what was signed."""
    narrowed(db)
    opened(db, "D2", "li")
    far = ((0.0, 100.0), (500.0, 100.0), (600.0, 30.0), (700.0, 100.0), (2000.0, 100.0))
    put(db, 1, Edit("put", of(db, "left", "D2")["segment_id"].iloc[0], geom=line(*far)), code="D2", actor="li")
    for code, who in (("D1", "zhang"), ("D2", "li")):
        sha = step(db, "submit", who, code, reasons={"*": "更正"}).table_sha256
        step(db, "review", "wang", code, countersign=sha)
    announce(db, tmp_path, "D1")
    with pytest.raises(NotNow, match="another announcement came between"):
        announce(db, tmp_path, "D2", in_force_from=date(2026, 8, 1))
    assert standing(db, date(2026, 9, 1)) == {"V1": "superseded", "D1": "in_force"}


def test_revoking(db: Database, tmp_path: Path) -> None:
    ground(db)
    paper = tmp_path / "废止.pdf"
    paper.write_bytes(b"x")
    done = law_workflow.revoke(
        db, "V1", date(2026, 8, 1), "wang", reason="撤销", authority="市人民政府", file=paper, store_dir=tmp_path / "s", limits=LIMITS
    )  # fmt: skip
    assert done.area_m2 == pytest.approx(2000 * 200, rel=0.001)
    assert standing(db, date(2026, 7, 31)) == {"V1": "in_force"} and standing(db, date(2026, 8, 1)) == {"V1": "revoked"}
    with db.read() as conn:
        assert store.areas(conn, date(2026, 8, 1), now_of(conn)).empty
        assert len(store.areas(conn, date(2026, 7, 31), now_of(conn))) == 1


def test_any_revision_and_any_day_are_as_they_were(db: Database) -> None:
    narrowed(db)
    put(db, 2, Edit("remove", of(db, "right")["segment_id"].iloc[0]), actor="li")
    assert len(of(db, "right")) == 0 and len(of(db, "right", revision=2)) == 1
    assert of(db, "left", revision=1).geometry.iloc[0].equals_exact(line((0, 100), (2000, 100)), 1e-9)
    with db.read() as conn:
        history = draft_store.changes(conn, draft_workflow.get(conn, "D1")["id"])
        assert list(zip(history["revision"], history["actor"], history["put"], history["removed"], strict=True)) == [
            (1, "zhang", 2, 0), (2, "zhang", 1, 0), (3, "li", 0, 1),
        ]  # fmt: skip
        assert draft_store.revision_at(conn, draft_workflow.get(conn, "D1")["id"], history["recorded_at"].iloc[1]) == 2
    assert date(2026, 6, 1) == DAY


def test_a_reduction_that_came_by_an_import_is_listed_too(db: Database, tmp_path: Path) -> None:
    """V1 delivered anew with another announcement and less ground."""
    ground(db)
    area(db, "V1", (0.0, -80.0, 2000.0, 180.0))
    with db.read() as conn:
        told = redraw_workflow.unlogged(conn, LIMITS)
    assert [round(a, -2) for a in told["area_m2"]] == [40000.0] and told["bank"].tolist() == ["right"]
    assert told["reason"].tolist() == [""]


def test_a_reduction_by_a_new_delimitation_that_was_imported_is_listed(db: Database) -> None:
    river(db)
    area(db, "V1", WHOLE, valid_to="2026-08-31")
    area(db, "V2", (0.0, -100.0, 2000.0, 170.0), valid_from="2026-09-01")
    with db.read() as conn:
        told = redraw_workflow.unlogged(conn, LIMITS)
    assert [round(a, -2) for a in told["area_m2"]] == [60000.0] and told["bank"].tolist() == ["left"]
    assert told["day"].tolist() == [date(2026, 9, 1)]


def test_two_saves_at_the_same_moment(db: Database) -> None:
    """Eight planners' saves on one revision, all at once: one after the other, every one of them kept or told."""
    ground(db)
    opened(db)
    edits = [
        Edit("put", None, {"river_code": "R1", "bank": "right", "reach_code": f"X{n}"}, line((200.0 * n, -300), (200.0 * n + 100, -300)))
        for n in range(6)
    ]  # fmt: skip
    left = of(db, "left")["segment_id"].iloc[0]
    edits += [Edit("put", left, geom=line((0, 100), (1000, y), (2000, 100))) for y in (90, 80)]
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(put, db, 1, e, actor=("zhang", "li")[k % 2]) for k, e in enumerate(edits)]
        ended = [job.exception() for job in jobs]
    assert sum(isinstance(e, Conflict) for e in ended) == 1 and sum(e is None for e in ended) == 7
    assert len(of(db, "right")) == 7
    with db.read() as conn:
        assert draft_workflow.get(conn, "D1")["revision"] == 8


def test_what_a_line_was_drawn_by_outlives_its_announcements(db: Database, tmp_path: Path) -> None:
    ground(db)
    opened(db)
    said = {
        "drawn_by": "levee_toe",
        "attributes": {"rule": {"key": "boundary.leveed.berm_width", "value": 10}},
        "reach_code": "R1-1",
    }
    put(db, 1, *(Edit("put", of(db, bank)["segment_id"].iloc[0], said) for bank in ("left", "right")))
    step(db, "submit", "zhang")
    step(db, "review", "wang")
    announce(db, tmp_path)
    opened(db, "D2", on=date(2026, 7, 2))
    left = of(db, "left", "D2").iloc[0]
    assert (left["code"], left["drawn_by"], left["reach_code"], left["basis"]) == (
        "V1-0",
        "levee_toe",
        "R1-1",
        "announced",
    )
    assert left["attributes"] == {"rule": {"key": "boundary.leveed.berm_width", "value": 10}, "boundary_code": "D1"}


def test_the_file_of_an_announcement_that_was_imported(db: Database, tmp_path: Path) -> None:
    ground(db)
    paper = tmp_path / "公告.pdf"
    paper.write_bytes(b"announcement")
    said = {"reason": "补档", "publisher": "试验县水利局", "file": paper, "store_dir": tmp_path / "s"}
    with pytest.raises(NotPermitted):
        law_workflow.attach(db, "V1", "zhang", **said)
    sha256, _ = law_workflow.attach(db, "V1", "wang", **said)
    with db.read() as conn:
        row = draft_store.standing(conn, DAY, now_of(conn)).iloc[0]
    assert (row["document_sha256"], row["document_name"], row["publisher"]) == (sha256, "公告.pdf", "试验县水利局")
    assert row["standing"] == "in_force"


def test_strips_of_several_announcements_are_one_reduction(db: Database, tmp_path: Path) -> None:
    """Three times 0.4 m, each within the noise of surveys (0.5 m): the second announcement already lets go of 0.8 m."""
    ground(db)
    for n, y in ((1, 99.6), (2, 99.2)):
        opened(db, f"D{n}", on=date(2026, 6, 1) + timedelta(days=40 * (n - 1)))
        put(
            db,
            1,
            Edit("put", of(db, "left", f"D{n}")["segment_id"].iloc[0], geom=line((0, y), (2000, y))),
            code=f"D{n}",
        )
        moved = step(db, "submit", "zhang", f"D{n}", reasons={"*": "更正"} if n > 1 else {})
        assert [round(r.area_m2, -2) for r in moved.reductions] == ([] if n == 1 else [1600.0])
        step(db, "review", "wang", f"D{n}", countersign=moved.table_sha256)
        announce(db, tmp_path, f"D{n}", in_force_from=date(2026, 7, 1) + timedelta(days=40 * (n - 1)))
    opened(db, "D3", on=date(2026, 9, 1))
    put(db, 1, Edit("put", of(db, "left", "D3")["segment_id"].iloc[0], geom=line((0, 98.8), (2000, 98.8))), code="D3")
    assert step(db, "submit", "zhang", "D3").reductions == [], "what was countersigned begins anew"


def test_another_delimitation_of_the_river_is_not_let_go(db: Database) -> None:
    """V2 lies farther down the river, in another county: a draft that draws the stretch of V1 anew neither holds nor replaces it."""
    river(db)
    area(db, "V1", WHOLE, from_m=0, to_m=2000)
    area(db, "V2", (3000.0, -100.0, 1000.0, 200.0), from_m=3000, to_m=4000)
    office(db)
    said = {"river_code": "R1", "from_m": 0.0, "to_m": 2000.0}
    drawn = gpd.GeoDataFrame(
        [said | {"bank": "left"}, said | {"bank": "right"}],
        geometry=[line((0, 90), (2000, 90)), line((0, -100), (2000, -100))],
        crs=4490,
    )
    opened(db, rivers=[], lines=drawn)
    moved = step(db, "submit", "zhang", reasons={"*": "更正"})
    assert [round(r.area_m2, -2) for r in moved.reductions] == [20000.0]


def test_reasons_are_for_reductions_that_are_there(db: Database) -> None:
    narrowed(db)
    with pytest.raises(UsageError, match="no reduction 2026; the table of reductions has 1 rows"):
        step(db, "submit", "zhang", reasons={"2026": "年复核"})
