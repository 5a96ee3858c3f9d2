"""The printable paper log: one page for thirty landmarks, every landmark once, a number that finds its chief again."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from rivergis.db.connect import Database
from rivergis.errors import EnvironmentFault, NotFound, UsageError
from rivergis.patrol import entry_workflow, paper
from rivergis.patrol.paper import Line, Sheet
from rivergis.patrol.typed import Typed
from rivergis.reports import paper_log, patrol_paper
from tests.patrol import entry_county as county
from tests.patrol.entry_county import DAY, VIEW


@pytest.fixture(scope="module")
def there(module_db: Database) -> Database:
    with module_db.write("local:test") as conn:
        county.build(conn)
    return module_db


def sheet(*rivers: int) -> Sheet:
    """A sheet with so many landmarks on each river."""
    lines: list[Line] = []
    for r, count in enumerate(rivers):
        lines.append(Line("0+000 – 9+000", f"河{r}", banks=("left", "right"), heading=True))
        marks = [Line(f"{i}+000", f"地标{r}.{i}", "bridge", ("left", "right")) for i in range(count)]
        lines += [Line("0+000", "起点", None, ("left",)), *marks, Line("9+000", "止点", None, ("left",))]
    return Sheet(paper.number_of(rivers), "王强", "C1", "村支书", "江口镇石桥村", "village", lines)


def page_count(pdf: bytes) -> int:
    streams = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    plain = b"".join(_inflated(s) for s in streams) + pdf
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", plain))


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(stream)
    except zlib.error:
        return b""


@pytest.mark.parametrize("rivers", [(30,), (10, 10, 10), (15, 15), (0,), (1,), (36,)])
def test_thirty_landmarks_are_exactly_one_page(rivers: tuple[int, ...]) -> None:
    pdf = patrol_paper.pdf(paper_log.render([sheet(*rivers)], DAY))
    assert page_count(pdf) == 1


def test_more_than_a_page_goes_on_with_a_number() -> None:
    made = [sheet(60), sheet(90), sheet(5)]
    html = paper_log.render(made, DAY)
    assert page_count(patrol_paper.pdf(html)) == sum(len(s.pages()) for s in made) == html.count('class="page"')
    assert "第 2 页 / 共 2 页" in html and html.count("河长签名") == 3 and html.count(made[0].number) == 4


@given(st.lists(st.integers(0, 120), min_size=1, max_size=4))
def test_pages_hold_every_line_once_and_no_heading_alone(rivers: list[int]) -> None:
    one = sheet(*rivers)
    pages = one.pages()
    assert [line for page in pages for line in page] == one.lines and all(pages)
    assert not any(page[-1].heading for page in pages)
    assert len(pages[-1]) <= (paper.ONE_PAGE if len(pages) == 1 else paper.LAST_PAGE)


@given(st.uuids(), st.integers(0, 6), st.sampled_from("ABCDEFGHJKMNPQRSTUVWXY3456789"))
def test_a_slip_of_the_pen_is_no_number(identity: object, at: int, other: str) -> None:
    number = paper.number_of(identity)
    letters = number.replace("-", "")
    assert paper.is_number(number) and paper.is_number(f" {number.lower()} ") and paper.looks_like_number(number)
    slip = letters[:at] + other + letters[at + 1 :]
    assert paper.is_number(slip) == (slip == letters)
    swapped = letters[:at] + letters[at : at + 2][::-1] + letters[at + 2 :]
    assert paper.is_number(swapped) == (swapped == letters)


def test_a_sheet_has_the_landmarks_of_its_stretches_in_order(there: Database) -> None:
    with there.read() as conn:
        made = {s.chief_code: s for s in paper_log.sheets(conn, DAY, 500, unit="500199001")}
        assert set(made) == {"C1", "C2", "C3", "C4"}
        one = made["C1"]
        assert [(x.label, x.name) for x in one.lines] == [
            ("0+000 – 1+900", "清溪"), ("0+000", "责任段起点"), ("0+200", "石桥"), ("0+500", "公示牌"), ("0+971", "清溪大桥"),
            ("1+455", "公示牌"), ("1+900", "责任段止点"),
        ]  # fmt: skip
        assert one.unit == "江口镇石桥村" and [x.name for x in made["C2"].lines if x.heading] == ["清溪", "甲河"]
        assert [s.chief_code for s in paper_log.sheets(conn, DAY, 500, chief="C3")] == ["C3"]
        with pytest.raises(NotFound, match="the unit 999"):
            paper_log.sheets(conn, DAY, 500, unit="999")


def test_the_number_on_the_sheet_enters_for_its_chief(there: Database) -> None:
    with there.read() as conn:
        [one] = paper_log.sheets(conn, DAY, 500, chief="C3")
    told = entry_workflow.enter(
        there, [Typed("paper", one.number.lower(), str(DAY), begin="石桥", end="0+900"), Typed("paper", "AAAA-AAA", str(DAY))],
        actor="local:test", view=VIEW, today=DAY,
    )  # fmt: skip
    assert told[0].where == "清溪 0+200 – 0+900" and "表号“AAAA-AAA”不对" in told[1].problems[0]


def test_names_are_text_and_nothing_is_fetched(there: Database) -> None:
    dirty = Sheet(
        "AAAA-AAA",
        "<script>alert(1)</script>",
        "C",
        "",
        "",
        "village",
        [Line("0+000", '"><img src=x>', "<b>", ("left",))],
    )
    html = paper_log.render([dirty], DAY)
    assert "<script" not in html and "<img" not in html and "http" not in html


def test_a_sheet_is_written_whole_or_not_at_all(there: Database, tmp_path: Path) -> None:
    with there.read() as conn:
        assert len(_written(conn, tmp_path / "log.pdf")) == 4 and (tmp_path / "log.pdf").read_bytes().startswith(
            b"%PDF"
        )
        _written(conn, tmp_path / "log.html")
        with pytest.raises(UsageError, match=r"\.pdf or \.html"):
            _written(conn, tmp_path / "log.docx")
        with pytest.raises(EnvironmentFault, match="no folder"):
            _written(conn, tmp_path / "gone" / "log.pdf")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["log.html", "log.pdf"]


def _written(conn: Connection, out: Path) -> list[Sheet]:
    return paper_log.write(conn, out, DAY, 500, unit="500199001")
