"""Announcements that hold coordinate tables: Word documents and HTML pages, each table with the words before it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import docx
from docx.document import Document
from docx.table import Table
from lxml import etree, html  # type: ignore[import-untyped]

from rivergis.errors import InputError
from rivergis.intake import archive
from rivergis.intake.grids import Grid, Row, trimmed
from rivergis.intake.limits import Limits
from rivergis.intake.positions import holds_both
from rivergis.intake.sheets import damaged
from rivergis.intake.text import Text, find_encoding

_CELLS = 3_000_000
_WORDS_BEFORE = 12
"""Paragraphs before a table that may speak of its system."""
_PAIRS = re.compile(
    r"[（(]?(?:东经|北纬|[XYENxy]\s*[=＝:：])\s*[-\d°′″'\"度分秒.,，\s]*?\d[\d.]*[°′″'\"度分秒]*\s*[,，;；、\s]*\s*(?:东经|北纬|[XYENxy]\s*[=＝:：])\s*\d[\d°′″'\"度分秒.]*[\d°′″'\"度分秒米m]?[)）]?"
)


def open_docx(path: Path, limits: Limits) -> list[Grid]:
    """The tables of a Word document, and the coordinates that stand in its paragraphs; raises ``InputError``."""
    archive.members(path, limits)
    try:
        document = docx.Document(str(path))
        blocks = list(_docx_blocks(document))
    except Exception as error:  # python-docx raises whatever the broken part makes it stumble over
        raise damaged(path, error) from error
    return _grids(path, blocks, limits)


Block = str | list[list[Any]]


def _docx_blocks(document: Document) -> Iterator[Block]:
    """Paragraphs and tables in their order; tables inside tables after those."""
    headers = [p.text for s in document.sections for p in s.header.paragraphs]
    yield from (h for h in headers if h.strip())
    for item in document.iter_inner_content():
        if isinstance(item, Table):
            yield from _docx_table(item)
        elif item.text.strip():
            yield " ".join(item.text.split())


def _docx_table(table: Table) -> Iterator[Block]:
    rows: list[list[Any]] = []
    above: dict[int, str] = {}
    inner: list[Table] = []
    for row in table._tbl.tr_lst:
        cells: list[Any] = [None] * row.grid_before
        for tc in row.tc_lst:
            said = "".join(t for t in _texts(tc)).strip()
            at = len(cells)
            if tc.vMerge == "continue":
                said = above.get(at, "")
            above[at] = said
            cells += [said or None] * min(tc.grid_span, 200)
            inner += [Table(t, table) for t in tc.tbl_lst]
        rows.append(trimmed(cells))
    yield rows
    for one in inner:
        yield from _docx_table(one)


def _texts(tc: Any) -> list[str]:
    return [("\n" if i else "") + p.text for i, p in enumerate(tc.p_lst)]


def open_html(path: Path, encoding: str | None, limits: Limits) -> tuple[list[Grid], Text]:
    """The tables of an HTML page, and the coordinates that stand in its text; raises ``InputError``."""
    size = path.stat().st_size
    if size > min(limits.text_bytes, 64 << 20):
        raise InputError(
            f"{path.name} has {size >> 20} MB, more than is read of a page: ask for its tables as XLSX.", file=str(path)
        )
    raw = path.read_bytes()
    declared = re.search(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]+)", raw[:20_000], re.IGNORECASE)
    text = find_encoding(raw, asked=encoding, declared=declared[1].decode() if declared else None, how="meta charset")
    try:
        said = raw.decode(text.codec, "replace").lstrip("\ufeff")
        said = re.sub(r"^\s*<\?xml[^>]*\?>", "", said)
        root = html.document_fromstring(said, parser=html.HTMLParser(no_network=True, huge_tree=False))
        blocks = list(_html_blocks(root))
    except (etree.LxmlError, ValueError, RecursionError) as error:
        raise damaged(path, error) from error
    return _grids(path, blocks, limits), text


def _html_blocks(root: Any) -> Iterator[Block]:
    """Text and tables in their order; a table that only arranges others is passed through."""
    line: list[str] = []
    etree.strip_elements(root, "script", "style", "noscript", etree.Comment, with_tail=False)
    skip: set[Any] = set()
    for event, element in etree.iterwalk(root, events=("start", "end")):
        inside = skip and any(a in skip for a in element.iterancestors())
        if inside or not isinstance(element.tag, str):
            continue
        if event == "start" and element.tag == "table" and element.find(".//table") is None:
            if said := " ".join(" ".join(line).split()):
                yield said
            line = []
            skip.add(element)
            yield from (" ".join(c.text_content().split()) for c in element.findall("caption"))
            yield _html_table(element)
            continue
        if element.tag in _BREAKS:
            if said := " ".join(" ".join(line).split()):
                yield said
            line = []
        words = element.text if event == "start" else element.tail
        if words:
            line.append(words)
        if event == "end":
            skip.discard(element)
    if said := " ".join(" ".join(line).split()):
        yield said


_BREAKS = frozenset(
    [
        "p",
        "div",
        "br",
        "tr",
        "td",
        "th",
        "li",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "title",
        "section",
        "article",
        "ul",
        "ol",
        "table",
        "body",
    ]
)


def _html_table(table: Any) -> list[list[Any]]:
    rows: list[list[Any]] = []
    hanging: dict[int, tuple[int, str]] = {}
    total = 0
    for tr in table.iter("tr"):
        cells: list[Any] = []
        for cell in tr.iterchildren("td", "th"):
            _hang(cells, hanging)
            said = " ".join(cell.text_content().split())
            wide, high = _extent(cell, "colspan"), _extent(cell, "rowspan")
            if high > 1:
                hanging.update({len(cells) + k: (high - 1, said) for k in range(wide)})
            cells += [said or None] * wide
        _hang(cells, hanging)
        total += len(cells)
        if total > _CELLS:
            break
        rows.append(trimmed(cells))
    return rows


def _hang(cells: list[Any], hanging: dict[int, tuple[int, str]]) -> None:
    """Fill in the cells that reach down from the rows above."""
    while (at := len(cells)) in hanging:
        left, said = hanging.pop(at)
        cells.append(said or None)
        if left > 1:
            hanging[at] = (left - 1, said)


def _extent(cell: Any, name: str) -> int:
    said = cell.get(name, "1")
    return (
        max(1, min(int(said), 200 if name == "colspan" else 10_000))
        if said.isascii() and said.isdigit() and len(said) < 8
        else 1
    )


def _grids(path: Path, blocks: Sequence[Block], limits: Limits) -> list[Grid]:
    """Every table with the words before it, then what positions stand in the text itself."""
    grids: list[Grid] = []
    before: list[str] = []
    for block in blocks:
        if isinstance(block, str):
            before.append(block)
            continue
        if len(block) and max(map(len, block), default=0) > limits.fields:
            raise InputError(
                f"{path.name}: a table has more than {limits.fields} columns: it is damaged or no table.",
                file=str(path),
            )
        if any(block):
            grids.append(_grid(f"table {len(grids) + 1}", block, before))
    said = [b for b in blocks if isinstance(b, str)]
    for name, rows in _positions_in(said).items():
        grids.append(_grid(name, [["text", "坐标"], *rows], said, first=0))
    # the words after a table (notes, the office, its date) may speak of the system as well
    after = tuple(said[-_WORDS_BEFORE:])
    return [Grid(g.name, g.rows, around=(*g.around, *(a for a in after if a not in g.around))) for g in grids]


def _grid(name: str, rows: list[list[Any]], before: Sequence[str], first: int = 1) -> Grid:
    def read() -> Iterator[Row]:
        return iter(enumerate(rows, start=first))

    return Grid(name, read, around=tuple(before[-_WORDS_BEFORE:]))


def _positions_in(paragraphs: Sequence[str]) -> dict[str, list[list[Any]]]:
    """Paragraph and position for every pair of coordinates that a sentence names: 东经…，北纬… and X=…, Y=… apart."""
    found: dict[str, list[list[Any]]] = {}
    for said in paragraphs:
        for match in _PAIRS.finditer(said[:20_000]):
            pair = match[0].strip("（()） ")
            if holds_both(pair):
                kind = "text, degrees" if re.search(r"[°度东北]", pair) else "text"
                found.setdefault(kind, []).append([said[:200], pair])
    return found
