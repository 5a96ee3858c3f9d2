"""Platforms' tables of patrols: what is written is read again, whatever the spelling; what is no record is accounted for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rivergis.errors import InputError, RuleError
from rivergis.patrol import record_files, records
from rivergis.patrol.record_files import RecordFile
from rivergis.patrol.record_values import count, duration_s, length_m
from rivergis.patrol.records import Profile, Record
from rivergis.reports import record_book
from rivergis.settings import gis_dir

RULES = gis_dir() / "rules"
ALL = record_files.profiles(RULES)
MAX_KMH = 216.0


def profile(name: str = "national") -> Profile:
    return record_files.load_profile(name, RULES)


def read(path: Path, name: str = "national") -> RecordFile:
    return record_files.read(path, profile(name), max_kmh=MAX_KMH)


def taken(file: RecordFile) -> list[Record]:
    return [r.record for r in file.rows if r.record is not None]


# ---- law: read(write(records)) == records, through every profile ----------------------------------------------------------

_BEIJING = ZoneInfo("Asia/Shanghai")
_names = st.text(
    st.characters(codec="gb18030", exclude_categories=("Cc", "Cs", "Cf", "Zs", "Zl", "Zp", "Co", "Cn")),
    min_size=1,
    max_size=6,
)
names = _names.filter(
    lambda t: records.plain(t) == t and records.kind_of([t, "2026-01-01"], HEADER) == "record" and ":" not in t
)
# a heading over one column, to know what the reading takes for a total
HEADER = records.Header((1,), {"day": 1}, {}, {}, ())


@st.composite
def patrols(draw: st.DrawFn) -> Record:
    start = datetime(2026, 1, 1, tzinfo=_BEIJING) + timedelta(seconds=draw(st.integers(1, 10_000_000)))
    if start.astimezone(_BEIJING).time() == datetime.min.time():
        start += timedelta(seconds=1)
    seconds = draw(st.integers(0, 80_000))
    end = start + timedelta(seconds=seconds)
    if end.time() == datetime.min.time():
        end, seconds = end + timedelta(seconds=1), seconds + 1
    return Record(
        day=start.date(), chief=draw(names), title=draw(st.sampled_from(["", "村支书", "镇长"])), unit=draw(st.sampled_from(["", "石桥村"])),
        river=draw(names), started_at=start, ended_at=end, seconds=float(seconds),
        metres=float(draw(st.integers(0, int(max(seconds, 1) * MAX_KMH / 3.6)))), problems=draw(st.integers(0, 99)),
        note=draw(st.sampled_from(["", "=1+1", "-无", "'引号", "@somebody", "河面有漂浮物"])),
        external_id=draw(st.uuids().map(str)),
    )  # fmt: skip


@pytest.mark.parametrize("ending", [".xlsx", ".csv"])
@pytest.mark.parametrize("name", ALL)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(patrols(), min_size=1, max_size=6, unique_by=lambda r: (r.chief, r.unit, r.started_at)))
def test_what_is_written_is_read_again(tmp_path: Path, name: str, ending: str, out: list[Record]) -> None:
    p = profile(name)
    assert p.write is not None
    path = tmp_path / f"records{ending}"
    record_book.write(out, p, path)
    wanted = [_as_written(r, p) for r in out]
    assert [r.content() for r in taken(read(path, name))] == [r.content() for r in wanted]


def _as_written(record: Record, p: Profile) -> Record:
    """What the columns of a profile hold of a record."""
    assert p.write is not None
    held = {f for _, f in p.write.columns}
    return Record(**{k: v for k, v in vars(record).items() if k in held | {"seconds", "metres", "day"}})


@pytest.mark.parametrize("name", ALL)
def test_every_profile_is_sound_and_reads_its_own_headings(name: str) -> None:
    p = profile(name)
    assert p.write is not None
    header = records.find_header([(1, [h for h, _ in p.write.columns])], p)
    assert header is not None and set(header.fields) == {f for _, f in p.write.columns} - {"number"}


# ---- spellings ------------------------------------------------------------------------------------------------------------

SAME = ["35分12秒", "0:35:12", "00:35:12", "35.2 min", "35.2分钟", "2112秒", "２１１２秒", "PT35M12S", "0小时35分12秒", "35′12″", "35 分 12 秒",
        "0.5866666666667h", timedelta(minutes=35, seconds=12), datetime(1899, 12, 31, 0, 35, 12).time()]  # fmt: skip


@pytest.mark.parametrize("said", SAME, ids=str)
def test_one_duration_in_many_spellings(said: Any) -> None:
    assert duration_s(said) == pytest.approx(2112, abs=0.01)


@pytest.mark.parametrize(
    "said", ["半小时", "35", "35:12", "12秒35分", "5分5分", "约35分钟", "abc", "-5分", "1.2.3分", datetime(2026, 5, 20)]
)
def test_what_can_mean_several_things_is_no_duration(said: Any) -> None:
    assert duration_s(said) is None


def test_the_span_decides_where_it_agrees_with_one_reading_only() -> None:
    assert duration_s("35:12", None, 2110.0) == 2112 and duration_s("35:12", None, 126_700.0) == 126_720
    assert duration_s("35:12", None, 600.0) is None
    assert duration_s("2112", None, 2100.0) == 2112 and duration_s(35, None, 2112.0) == 2100
    # Excel takes 35:12 for hours
    assert duration_s(timedelta(hours=35, minutes=12), None, 2110.0) == 2112
    assert duration_s(datetime(1900, 1, 1, 11, 12), None, 2110.0) == 2112


@given(st.integers(0, 86_399))
def test_a_duration_in_words_by_clock_and_in_figures_is_one(seconds: int) -> None:
    m, s = divmod(seconds, 60)
    h, rest = divmod(m, 60)
    spellings = (
        f"{h}小时{rest}分{s}秒",
        f"{h}:{rest:02d}:{s:02d}",
        f"{seconds}s",
        f"{m}分{s}秒",
        timedelta(seconds=seconds),
    )
    assert {duration_s(v) for v in spellings} == {float(seconds)} == {duration_s(str(seconds), "s")}


def test_ways_and_numbers() -> None:
    assert {length_m(v) for v in ("1.2公里", "1200米", "1.2 km", "1,200 m", "１.２ＫＭ", "1.2千米")} == {1200.0}
    assert length_m("1.2", "公里") == 1200 and length_m(1200, "m") == 1200 and length_m("1.2公里", "m") == 1200
    assert [length_m(v) for v in ("1.2", "2里", "约1公里", "公里", "")] == [None] * 5
    assert [count(v) for v in (3, "3个", "３处", "无", "3.0", "几个", "-1", "")] == [3, 3, 3, 0, 3, None, None, None]


# ---- layouts --------------------------------------------------------------------------------------------------------------


def book(path: Path, rows: list[list[Any]], merged: tuple[str, ...] = (), title: str = "Sheet1") -> Path:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for area in merged:
        sheet.merge_cells(area)
    made.save(path)
    return path


def kinds(file: RecordFile) -> list[str]:
    return [r.code or r.kind for r in file.rows]


def test_titles_two_headings_merged_cells_totals_and_notes(tmp_path: Path) -> None:
    rows = [
        ["江口镇2026年5月巡河情况统计表"],
        ["制表日期:2026年6月1日"],
        ["序号", "河长", None, "巡河时间", None, "时长（分钟）", "里程(公里)", "问题数", "备注"],
        [None, "姓名", "职务", "开始", "结束", None, None, None, None],
        [1, "张三", "村支书", "2026-05-20 9:05", "2026-05-20 9:40:12", 35.2, 1.2, "2个", None],
        [2, None, None, "2026年5月21日 9时5分", "2026年5月21日 9时40分", "35", "１.２", "无", "垃圾"],
        [None],
        ["序号", "姓名", "职务", "开始", "结束", "时长（分钟）", "里程(公里)", "问题数", "备注"],
        [3, "李四", "镇长", 46162.5, 46162.52, 28.8, 0.8, 0, None],
        ["合计", None, None, None, None, 99, 3.2, 2, None],
        ["填报人:王五", None, None, "审核人:赵六", None, None, None, None, None],
        ["注:以上数据来自平台"],
    ]
    merges = (
        "A1:I1",
        "A2:I2",
        "A3:A4",
        "B3:C3",
        "D3:E3",
        "F3:F4",
        "G3:G4",
        "H3:H4",
        "I3:I4",
        "B5:B6",
        "C5:C6",
        "A10:E10",
    )
    file = read(book(tmp_path / "a.xlsx", rows, merges))
    assert kinds(file) == ["record", "record", "heading", "record", "total", "note", "note"]
    one, two, three = taken(file)
    assert (
        one.started_at == datetime(2026, 5, 20, 1, 5, tzinfo=UTC)
        and one.seconds == 2112
        and one.metres == 1200
        and one.problems == 2
    )
    assert (two.chief, two.title, two.problems, two.metres, two.note) == ("张三", "村支书", 0, 1200, "垃圾")
    assert three.started_at == datetime(2026, 5, 20, 4, 0, tzinfo=UTC) and three.day == date(2026, 5, 20)


def test_a_csv_in_gb18030_with_a_day_and_hours_apart(tmp_path: Path) -> None:
    text = "河长姓名,巡河日期,开始时间,结束时间,巡河时长,里程\n张 三,2026/5/20,9:05,9:40,35分,1200米\n李四,20260520,下午 11:50,0:20,30分钟,1.2km\n"
    (tmp_path / "a.csv").write_bytes(text.encode("gb18030"))
    one, two = taken(read(tmp_path / "a.csv"))
    assert one.started_at == datetime(2026, 5, 20, 1, 5, tzinfo=UTC) and one.chief == "张 三"
    assert two.ended_at == datetime(2026, 5, 20, 16, 20, tzinfo=UTC) and two.day == date(2026, 5, 20)


def test_a_page_that_calls_itself_xls(tmp_path: Path) -> None:
    """Many platforms export an HTML table and call it .xls; a cell over two rows holds for both."""
    page = """<html><head><meta charset="gb2312"></head><body><table><tr><td colspan=4>巡河记录</td></tr>
    <tr><th>河长姓名</th><th>开始时间</th><th>时长</th><th>里程(公里)</th></tr>
    <tr><td rowspan=2>张三</td><td>2026-05-20 09:00</td><td>35分</td><td>1.2</td></tr>
    <tr><td>2026-05-21 09:00</td><td>35分</td><td>1.2</td></tr><tr><td>合计</td><td></td><td></td><td>2.4</td></tr></table></body></html>"""
    (tmp_path / "a.xls").write_bytes(page.encode("gb18030"))
    file = read(tmp_path / "a.xls")
    assert kinds(file) == ["record", "record", "total"] and {r.chief for r in taken(file)} == {"张三"}


def test_times_without_a_zone_are_those_of_the_profile(tmp_path: Path) -> None:
    path = book(
        tmp_path / "a.xlsx",
        [["河长姓名", "开始时间"], ["张三", "2026-05-20 20:00"], ["李四", datetime(2026, 5, 20, 20, 0)]],
    )
    utc = record_files.read(path, replace(profile(), time_zone="UTC"), max_kmh=MAX_KMH)
    assert {(r.started_at, r.day) for r in taken(utc)} == {
        (datetime(2026, 5, 20, 20, 0, tzinfo=UTC), date(2026, 5, 21))
    }


HEAD = ["巡河编号", "河长姓名", "开始时间", "结束时间", "时长", "里程", "问题数", "是否有效"]
GOOD = ["A1", "张三", "2026-05-20 09:00", "2026-05-20 09:30", "30分", "1公里", 0, "是"]
WRONG = [
    ({2: "明天早上"}, "time_unreadable"),
    ({2: None, 3: None}, "time_missing"),
    ({3: "2026-05-20 08:00"}, "ends_before"),
    ({4: "半小时左右"}, "duration_unreadable"),
    ({4: "30小时"}, "duration_contradicts"),
    ({4: "20分", 5: "1"}, "length_unreadable"),
    ({5: "1000公里"}, "too_fast"),
    ({6: "若干"}, "problems_unreadable"),
    ({7: "无效"}, "not_valid"),
]


@pytest.mark.parametrize(("change", "code"), WRONG, ids=[c for _, c in WRONG])
def test_what_cannot_be_read_is_set_aside_with_its_reason(tmp_path: Path, change: dict[int, Any], code: str) -> None:
    bad = [change.get(i, v) for i, v in enumerate(GOOD)]
    file = read(book(tmp_path / "a.xlsx", [HEAD, bad, ["A2", *GOOD[1:2], "2026-05-21 09:00", *([None] * 5)]]))
    assert kinds(file) == [code, "record"] and file.rows[0].cells["chief"] == "张三"


def test_the_same_row_twice_is_one_and_one_number_with_two_contents_is_none(tmp_path: Path) -> None:
    file = read(book(tmp_path / "a.xlsx", [HEAD, GOOD, GOOD, ["B", *GOOD[1:]], ["B", "李四", *GOOD[2:]]]))
    assert kinds(file) == ["record", "repeated", "number_twice", "number_twice"]


def test_two_equal_rows_without_hour_may_be_two_patrols(tmp_path: Path) -> None:
    rows = [
        ["河长姓名", "巡河日期", "时长", "里程"],
        ["张三", "2026-05-20", "35分", "1公里"],
        ["张三", "2026.5.20", "35分钟", "1000米"],
        ["张三", "5月20日", "35分", "1公里"],
    ]
    assert kinds(read(book(tmp_path / "a.xlsx", rows))) == ["record", "perhaps_known", "time_unreadable"]


def test_units_in_a_row_below_the_headings(tmp_path: Path) -> None:
    rows = [
        ["河长姓名", "开始时间", "时长", "里程"],
        [None, None, "(分钟)", "（公里）"],
        ["张三", "2026-05-20 9:00", 35.2, 1.2],
        ["本月合计", None, 35.2, 1.2],
    ]
    file = read(book(tmp_path / "a.xlsx", rows))
    assert kinds(file) == ["record", "total"] and [(r.seconds, r.metres) for r in taken(file)] == [(2112, 1200)]


def test_the_key_of_a_record_does_not_hang_on_its_spelling(tmp_path: Path) -> None:
    p = profile()
    one, other = (
        [HEAD, [None, *GOOD[1:]]],
        [HEAD, [None, "张三", "2026年5月20日 9:00", "2026/05/20 9:30:00", "1800秒", "1000 米", "无", "是"]],
    )
    a, b = (taken(read(book(tmp_path / f"{i}.xlsx", rows))) for i, rows in enumerate((one, other)))
    assert records.key_of(a[0], p) == records.key_of(b[0], p)


def test_sheets_without_a_heading_are_named_and_a_file_without_any_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", [HEAD, GOOD])
    made = openpyxl.load_workbook(path)
    made.create_sheet("说明").append(["填报说明"])
    made.save(path)
    file = read(path)
    assert file.without_heading == ["说明"] and len(taken(file)) == 1
    with pytest.raises(InputError, match=r"no row of headings that the profile province_platform .*HZ_NAME"):
        read(path, "province_platform")
    assert record_files.fitting(path, [profile(n) for n in ALL])[0] == "national"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"about": "x"}, "has 'about' and 'columns'"),
        ({"about": "x", "columns": {"chief": "a"}}, "day or started_at"),
        ({"about": "x", "columns": {"chief": "a", "day": "b", "who": "c"}}, "'who'"),
        ({"about": "x", "columns": {"chief": "a", "day": "b"}, "units": {"length": "里"}}, "units.length"),
        ({"about": "x", "columns": {"chief": "a", "day": "b"}, "write": {"title": "t", "columns": {"a": "x"}}}, "'x'"),
        (
            {
                "about": "x",
                "columns": {"chief": "a", "day": "b"},
                "write": {"title": "t", "columns": {}, "length": "里"},
            },
            "write.length",
        ),
    ],
)
def test_a_profile_that_is_wrong_is_refused_with_a_sentence(body: dict[str, Any], words: str) -> None:
    with pytest.raises(RuleError, match=words.replace("(", r"\(")):
        records.profile_of("x", body)
