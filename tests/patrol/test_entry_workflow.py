"""Entries in the database: entered, refused with reasons, merged once when the track comes, taken back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from rivergis.db.connect import Database
from rivergis.errors import InputError, NotFound, UsageError
from rivergis.patrol import entry_store, entry_workflow, merge_workflow, scan_files
from rivergis.patrol.entry_workflow import Entered
from rivergis.patrol.typed import Typed
from tests.patrol import entry_county as county
from tests.patrol.entry_county import DAY, VIEW

CLERK = "local:clerk"
PAPER = Typed("paper", "C1", str(DAY), begin="石桥", end="清溪大桥")


@pytest.fixture
def there(db: Database) -> Iterator[Database]:
    with db.write("local:test") as conn:
        county.build(conn)
    yield db


def enter(db: Database, *rows: Typed) -> list[Entered]:
    return entry_workflow.enter(db, rows, actor=CLERK, view=VIEW, today=date(2026, 6, 1))


def state(db: Database) -> dict[str, str]:
    with db.read() as conn:
        return {str(r.id): r.state for r in entry_store.entries(conn, DAY, DAY).itertuples()}


def test_a_sheet_is_recorded_with_its_stretch_and_known_the_second_time(there: Database) -> None:
    [one] = enter(there, replace(PAPER, started="9:05", minutes="40", problems="2", note="垃圾"))
    assert one.problems == [] and not one.known and one.where == "清溪 0+200 – 0+971"
    with there.read() as conn:
        [row] = entry_store.entries(conn, DAY, DAY).to_dict("records")
        [part] = entry_store.stretches(conn, [row["id"]]).to_dict("records")
    assert (row["chief"], row["actor"], row["minutes"], row["problems"], row["state"]) == (
        "王 强",
        CLERK,
        40.0,
        2,
        "counted",
    )
    assert (
        f"{row['started_at'].tz_convert('Asia/Shanghai'):%H:%M}" == "09:05"
        and str(row["ended_at"])[:16] == "2026-05-20 01:45"
    )
    assert (part["from_landmark"], part["to_landmark"], part["bank"]) == ("石桥", "清溪大桥", "both")
    [again] = enter(there, replace(PAPER, started="09:05", minutes="40", note="other words"))
    assert again.known and again.entry_id == one.entry_id and len(state(there)) == 1


def test_one_sheet_sent_twice_at_one_moment_is_one(there: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        told = [e for [e] in pool.map(lambda _: enter(there, PAPER), range(4))]
    assert sorted(e.known for e in told) == [False, True, True, True] and len(state(there)) == 1


WRONG = [
    (replace(PAPER, day="20/5/2026"), "不是年-月-日"),
    (replace(PAPER, day="2026-06-02"), "今天之后"),
    (replace(PAPER, chief="张三"), "请填编码:C3、C4"),
    (replace(PAPER, chief="赵六"), "没有名叫或编码为“赵六”"),
    (replace(PAPER, end="公示牌"), "M3 (0+500)、M4 (1+455)"),
    (replace(PAPER, end="清溪 桥"), "是否为:清溪大桥 (0+971)"),
    (replace(PAPER, end="9+000"), "0+000 – 1+941"),
    (replace(PAPER, end="石桥"), "同一处"),
    (replace(PAPER, begin=""), "只填了止点"),
    (replace(PAPER, started="25:00"), "时:分"),
    (replace(PAPER, started="10:00", ended="9:00"), "结束早于开始"),
    (replace(PAPER, minutes="-3"), "应为 0 至 1440"),
    (replace(PAPER, minutes="nan"), "应为 0 至 1440"),
    (replace(PAPER, kind="proxy"), "代巡人"),
    (replace(PAPER, kind="platform_record"), "没有“platform_record”这种记录"),
    (replace(PAPER, kind="hand_drawn"), "线文件"),
    (replace(PAPER, chief="C2", begin="0+100", end="0+300"), "多条河流"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "words"), WRONG, ids=[w for _, w in WRONG])
def test_a_wrong_row_says_what_is_wrong_and_the_good_ones_are_saved(
    module_county: Database, row: Typed, words: str
) -> None:
    bad, good = enter(module_county, row, replace(PAPER, note="good"))
    assert len(bad.problems) == 1 and words in bad.problems[0] and bad.entry_id is None
    assert good.entry_id is not None


@pytest.fixture(scope="module")
def module_county(module_db: Database) -> Database:
    with module_db.write("local:test") as conn:
        county.build(conn)
    return module_db


def test_the_name_of_the_river_decides_where_two_are_meant(there: Database) -> None:
    [told] = enter(there, replace(PAPER, chief="李敏", river="甲河", begin="0+100", end="甲河堰", kind="drone"))
    assert told.where == "甲河 0+100 – 0+300"
    [place] = enter(there, replace(PAPER, chief="C2", begin="甲河堰", end="", kind="on_site_meeting"))
    assert place.where == "甲河"


def test_one_patrol_along_two_rivers_is_one_entry(there: Database) -> None:
    [told] = enter(there, replace(PAPER, chief="C2", begin="石桥;0+100", end="清溪大桥；甲河堰", river="清溪;甲河"))
    assert told.where == "清溪 0+200 – 0+971; 甲河 0+100 – 0+300" and len(state(there)) == 1
    [bad] = enter(there, replace(PAPER, chief="C2", begin="石桥;0+100", end="清溪大桥"))
    assert "段数不一致" in bad.problems[0]


def test_a_proxy_is_named(there: Database) -> None:
    [told] = enter(there, replace(PAPER, kind="proxy", person="赵六"))
    with there.read() as conn:
        from sqlalchemy import text

        assert conn.execute(text("SELECT person, part, CAST(entry_id AS text) FROM data.patrol_party")).one() == (
            "赵六",
            "assistant",
            told.entry_id,
        )


def test_a_drawn_line_is_put_on_its_river(there: Database, tmp_path: Path) -> None:
    line = gpd.GeoDataFrame(geometry=[shapely.LineString([(106.002, 29.4003), (106.008, 29.4003)])], crs="EPSG:4490")
    line.to_file(tmp_path / "way.geojson")
    [told] = enter(there, replace(PAPER, kind="hand_drawn", drawn=tmp_path / "way.geojson"))
    assert told.where.startswith("清溪 0+19") and "0+77" in told.where
    far = line.set_geometry(line.translate(0, 0.3))
    far.to_file(tmp_path / "far.geojson")
    [told] = enter(there, replace(PAPER, kind="hand_drawn", drawn=tmp_path / "far.geojson"))
    assert "不沿任何河流" in told.problems[0]


# ---- late tracks ----------------------------------------------------------------------------------------------------------


def late(db: Database, track: uuid.UUID) -> merge_workflow.Merging:
    with db.write("local:night") as conn:
        return merge_workflow.merge_late(conn, track, VIEW)


def walked(db: Database, *hours: str, chief: str = "C1") -> uuid.UUID:
    with db.write("local:test") as conn:
        return county.track(conn, chief, (hours[0], hours[1]), ("H1", 100.0, 900.0))


def test_a_late_track_takes_its_sheet_once(there: Database) -> None:
    [sheet] = enter(there, replace(PAPER, started="9:00", ended="10:00"))
    track = walked(there, "09:10", "09:55")
    done = late(there, track)
    assert [m["entry_id"] for m in done.merged] == [sheet.entry_id] and done.proposed == []
    assert "时间重叠" in done.merged[0]["why"] and "河段重叠 700 m" in done.merged[0]["why"]
    assert late(there, track) == merge_workflow.Merging()
    assert state(there) == {sheet.entry_id: "merged"}


def test_a_sheet_that_comes_after_its_track_is_merged_at_the_door(there: Database) -> None:
    track = walked(there, "09:10", "09:55")
    [sheet] = enter(there, PAPER)
    assert sheet.merged_into == str(track) and state(there) == {sheet.entry_id: "merged"}


def test_another_sheet_of_the_day_is_asked_and_a_person_decides(there: Database) -> None:
    one, other = enter(there, PAPER, replace(PAPER, begin="0+150"))
    track = walked(there, "09:10", "09:55")
    done = late(there, track)
    assert done.merged == [] and {p["doubt"] for p in done.proposed} == {"several_entries"}
    with there.read() as conn:
        assert [p["entry_id"] for p in merge_workflow.proposals(conn, DAY, DAY, VIEW)] == sorted(
            [str(one.entry_id), str(other.entry_id)]
        )
    assert one.entry_id is not None
    merge_workflow.merge_by_hand(there, one.entry_id, track, "问过本人", actor=CLERK)
    assert state(there) == {one.entry_id: "merged", other.entry_id: "counted"}


def test_what_a_person_took_apart_stays_apart(there: Database) -> None:
    [sheet] = enter(there, PAPER)
    assert sheet.entry_id is not None
    track = walked(there, "09:10", "09:55")
    late(there, track)
    merge_workflow.restore(there, sheet.entry_id[:8], "下午又走一次", actor=CLERK)
    assert [p["doubt"] for p in late(there, track).proposed] == ["kept_apart"] and state(there) == {
        sheet.entry_id: "counted"
    }


def test_a_withdrawn_sheet_counts_no_more_and_can_come_back(there: Database) -> None:
    [sheet] = enter(there, PAPER)
    assert sheet.entry_id is not None
    merge_workflow.withdraw(there, sheet.entry_id, "填错", actor=CLERK)
    assert late(there, walked(there, "09:10", "09:55")) == merge_workflow.Merging()
    with pytest.raises(InputError, match="already"):
        merge_workflow.withdraw(there, sheet.entry_id, "填错", actor=CLERK)
    merge_workflow.restore(there, sheet.entry_id, "没有填错", actor=CLERK)
    assert state(there) == {sheet.entry_id: "counted"}


def test_moves_by_hand_are_refused_with_a_sentence(there: Database) -> None:
    [sheet] = enter(there, PAPER)
    assert sheet.entry_id is not None
    other = walked(there, "09:10", "09:55", chief="C2")
    with pytest.raises(InputError, match="different chiefs or days"):
        merge_workflow.merge_by_hand(there, sheet.entry_id, other, "x", actor=CLERK)
    with pytest.raises(UsageError, match="Say why"):
        merge_workflow.withdraw(there, sheet.entry_id, " ", actor=CLERK)
    with pytest.raises(NotFound, match="no entry"):
        merge_workflow.withdraw(there, "ffffffff-0", "x", actor=CLERK)
    with pytest.raises(UsageError, match="too short"):
        merge_workflow.withdraw(there, "%", "x", actor=CLERK)


def test_a_scan_is_kept_under_its_hash_and_only_a_scan(tmp_path: Path) -> None:
    scan = scan_files.keep(b"%PDF-1.4 ...", "日志.docx", tmp_path)
    assert scan == scan_files.keep(b"%PDF-1.4 ...", "other.pdf", tmp_path) == scan_files.kept(scan.sha256, tmp_path)
    assert (tmp_path / scan.path).read_bytes() == b"%PDF-1.4 ..." and scan_files.kept(
        "../../etc/passwd", tmp_path
    ) is None
    with pytest.raises(InputError, match="is no scan"):
        scan_files.keep(b"<html>", "日志.pdf", tmp_path)
