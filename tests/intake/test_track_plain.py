"""Plain logs have a reader of their own: what it gives is what the reader of tables gives, or it gives nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rivergis.errors import InputError
from rivergis.intake.delivery import Asked
from rivergis.intake.limits import DEFAULT
from rivergis.intake.track_course import columns_of
from rivergis.intake.track_formats import find_courses
from rivergis.intake.track_plain import plain_log

HEADERS = [
    "time,lon,lat,acc_m,speed,recv_time",
    "id,timestamp,longitude,latitude,altitude,accuracy,heading",
    "经度,纬度,定位时间,速度(km/h)",
    "lat,lng,gps_time,battery,satellites",
    "utc_time,lat,lon",
]
SAID = {
    "lon": "106.512345",
    "lat": "29.412345",
    "at": "2026-05-20T01:02:{i:02d}.5Z",
    "amount": "1{i}.25",
    "received": "2026-05-20 09:03:{i:02d}",
}
KINDS = {
    "lon": ("lon", "longitude", "经度", "lng"),
    "lat": ("lat", "latitude", "纬度"),
    "at": ("time", "timestamp", "定位时间", "gps_time", "utc_time"),
    "received": ("recv_time",),
}


def kind(name: str) -> str:
    return next((k for k, names in KINDS.items() if name in names), "amount")


def log(header: str, instead: dict[str, str] | None = None, rows: int = 7) -> list[list[str]]:
    """Rows of cells under a header; ``instead`` replaces what a kind of column says."""
    names = header.split(",")
    said = SAID | (instead or {})
    return [names, *([said[kind(n)].format(i=i) for n in names] for i in range(rows))]


def put(path: Path, rows: list[list[str]]) -> Path:
    path.write_text("\n".join(",".join(row) for row in rows) + "\n", encoding="utf-8")
    return path


def is_plain(path: Path) -> bool:
    return plain_log(path, path.read_bytes()) is not None


@pytest.mark.parametrize("header", HEADERS)
def test_what_phones_write_is_plain(tmp_path: Path, header: str) -> None:
    for at in (
        SAID["at"],
        "17792388{i:02d}",
        "17792388{i:02d}123",
        "2026/5/20 9:05:{i:02d}",
        "2026-05-20 09:05:{i:02d}",
    ):
        assert is_plain(put(tmp_path / "a.csv", log(header, {"at": at})))


@pytest.mark.parametrize(
    ("cell", "said"),
    [("lon", "106°30'12\""), ("lon", "186.5"), ("lat", ""), ("lat", "nan"), ("at", "09:05:0{i}"), ("at", "1/2/2026 9:05"),
     ("amount", "1e3"), ("amount", "5 m"), ("amount", "1_0"), ("amount", "١")],
)  # fmt: skip
def test_one_odd_cell_is_left_to_the_reader_of_tables(tmp_path: Path, cell: str, said: str) -> None:
    rows = log(HEADERS[0])
    rows[3] = log(HEADERS[0], {cell: said})[3]
    assert not is_plain(put(tmp_path / "a.csv", rows))


@pytest.mark.parametrize(
    "header",
    ["time,lon,lat,x,y", "time,lon,lat,device", "date,time,lon,lat", "time,lon,lat,wgs_lon,wgs_lat", "time,lon,lat,lon", "time,x,y",
     "a,lon,lat", "time,lon,lat,", "lon度,lat度,lon分,lat分,time", "time,lon,lat,e/w"],
)  # fmt: skip
def test_names_that_leave_anything_open_are_not_plain(tmp_path: Path, header: str) -> None:
    assert not is_plain(put(tmp_path / "a.csv", log(header)))


def read(path: Path) -> tuple[str, list[dict[str, np.ndarray]], list[tuple[str, str]]]:
    """What comes of a file: a refusal, or its tracks and what is said of them."""
    try:
        found = find_courses(path, Asked(), DEFAULT)
    except InputError as error:
        return error.sentence, [], []
    columns = [columns_of(course) for course in found.courses]
    said = [(d.code, d.message) for d in (*found.defects, *(d for c in found.courses for d in c.defects))]
    zones = str([(course.zone, assumed) for course, (_, assumed) in zip(found.courses, columns, strict=True)])
    return zones, [c for c, _ in columns], said


CELLS = {
    "lon": st.sampled_from(["106.5", "-106.512345", "0", "180", "181", "", "106,5", " 106.5", "E106.5", "106.5123456789012345"]),
    "lat": st.sampled_from(["29.5", "-29.41234567", "0", "90.0", "91", "-", "29.5N"]),
    "at": st.sampled_from([
        "2026-05-20T01:02:03Z", "2026-05-20T01:02:04.123456Z", "2026-05-20T09:02:05+08:00", "2026-05-20 09:02:06", "2026/5/20 9:02", "",
        "1779238800", "1779238800123", "09:02:07", "2026-05-20", "2026-02-30 09:00:00", "1990-06-01 09:00:00", "20260520090203", "x",
    ]),
    "amount": st.sampled_from(["5", "5.25", "-1", "", "1234.5", "1779238800", "20260520", "5 m", "1e3", "nan", "2026-05-20 09:02:06"]),
}  # fmt: skip
CELLS["received"] = CELLS["at"]


@st.composite
def logs(draw: st.DrawFn) -> list[list[str]]:
    """Mostly plain logs, with some cells of any kind."""
    at = draw(
        st.sampled_from(
            [
                SAID["at"],
                "17792388{i:02d}",
                "2026/5/20 9:05:{i:02d}",
                "2026-05-20 09:05:00",
                "2026-05-20T01:02:{j:02d}Z",
            ]
        )
    )
    rows = log(draw(st.sampled_from(HEADERS)), {"at": at.replace("{j:02d}", "5{i}")}, draw(st.integers(1, 9)))
    if draw(st.booleans()):
        rows[1:] = draw(st.permutations(rows[1:]))
    for _ in range(draw(st.integers(0, 2))):
        row, column = draw(st.integers(1, len(rows) - 1)), draw(st.integers(0, len(rows[0]) - 1))
        rows[row][column] = draw(CELLS[kind(rows[0][column])])
    return rows


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(logs())
def test_both_readers_of_a_table_say_the_same(tmp_path: Path, rows: list[list[str]]) -> None:
    """A quotation mark in the header, which changes nothing, makes the reader of tables look closer."""
    plain = read(put(tmp_path / "a.csv", rows))
    quoted = read(put(tmp_path / "a.csv", [[f'"{rows[0][0]}"', *rows[0][1:]], *rows[1:]]))
    assert plain[0] == quoted[0] and plain[2] == quoted[2] and len(plain[1]) == len(quoted[1])
    for ours, theirs in zip(plain[1], quoted[1], strict=True):
        for name, values in ours.items():
            if values.dtype.kind == "f":
                np.testing.assert_allclose(values, theirs[name], rtol=1e-15, err_msg=name)
            else:
                np.testing.assert_array_equal(values, theirs[name], name)


# ---- GPX ------------------------------------------------------------------------------------------------------------

INSIDE = st.sampled_from([
    "<time>2026-05-20T01:02:03Z</time>", "<ele>200.5</ele>", "<speed>1.5</speed>", "<time> \n</time><time>2026-05-20T01:02:04Z</time>", "<!-- a -->",
    "<extensions><a><accuracy>5</accuracy><ele>7</ele></a></extensions>", "<name>三号桥</name>", "<time/>", "<cmt>a &amp; b</cmt>", "word",
    "<acc>3</acc>", "<?go on?>", "<ele><![CDATA[9]]></ele>",
])  # fmt: skip
AROUND = st.sampled_from(
    [
        "<name> 早 </name>",
        "<!-- b -->",
        "<desc>x</desc>",
        "<link><name>no</name></link>",
        " ",
        "<extensions><name>no</name></extensions>",
    ]
)


@st.composite
def points(draw: st.DrawFn, name: str) -> str:
    lon = draw(st.sampled_from(["106.5", "106.512345", "x", ""]))
    return f'<{name} lat="29.5" lon="{lon}">{"".join(draw(st.lists(INSIDE, max_size=3)))}</{name}>'


@st.composite
def lines(draw: st.DrawFn) -> str:
    if draw(st.integers(0, 3)) == 0:
        return f"<rte>{draw(AROUND)}{''.join(draw(st.lists(points('rtept'), max_size=3)))}</rte>"
    segments = [
        f"<trkseg>{draw(AROUND)}{''.join(s)}</trkseg>"
        for s in draw(st.lists(st.lists(points("trkpt"), max_size=3), max_size=3))
    ]
    return f"<trk>{draw(AROUND)}{''.join(segments)}{draw(AROUND)}</trk>"


@st.composite
def documents(draw: st.DrawFn) -> str:
    return "".join(draw(st.lists(st.one_of(lines(), points("wpt"), AROUND), max_size=5)))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents(), st.sampled_from(["<gpx>", '<gpx creator="t" xmlns="http://www.topografix.com/GPX/1/1">']))
def test_a_sound_gpx_says_the_same_as_a_tree_and_walked_through(tmp_path: Path, inside: str, root: str) -> None:
    """An element around it all, which no GPX has, makes the reader walk through the file."""
    tree, walked = tmp_path / "a.gpx", tmp_path / "b.gpx"
    tree.write_text(f"{root}{inside}</gpx>", encoding="utf-8")
    walked.write_text(f"{root}<all>{inside}</all></gpx>", encoding="utf-8")
    ours, theirs = held(tree), held(walked)
    assert ours == theirs


def held(path: Path) -> object:
    """All that a GPX holds, as it is written."""
    try:
        found = find_courses(path, Asked(), DEFAULT)
    except InputError as error:
        return error.sentence.replace(path.name, "")
    courses = [(c.name.replace(path.stem, ""), c.facts, repr(c.rows.to_dict("list"))) for c in found.courses]
    others = [
        (o.name, o.facts, repr(o.frame.to_dict("list")) if o.frame is not None else "", repr(o.shapes))
        for o in found.others
    ]
    return courses, others, [d.message for d in found.defects]
