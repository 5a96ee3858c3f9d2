"""Tables as people send them: coordinates in columns, in sheets and documents, with every row accounted for.

Columns are found by name and by content; values are read in every spelling; where they lie is judged elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from rivergis.errors import InputError
from rivergis.intake import columns
from rivergis.intake.delimited import open_text
from rivergis.intake.delivery import Asked, Declared, Defect, Delivered, Names, Reading, defect
from rivergis.intake.documents import open_docx, open_html
from rivergis.intake.grids import Grid, Row
from rivergis.intake.layout import Layout, find_layout
from rivergis.intake.limits import DEFAULT, Limits
from rivergis.intake.rows import Tally
from rivergis.intake.sheets import open_xls, open_xlsx
from rivergis.intake.turning import turning_points

# .xls files older than the OLE container begin with their first record
_OLD_EXCEL = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08\x08\x00", b"\x09\x08\x10\x00")
_BLOCK_ROWS = 20_000


@dataclass(frozen=True)
class _Opened:
    format: str
    grids: list[Grid]
    encoding: str | None
    basis: str
    defects: tuple[Defect, ...] = ()


def read_table(path: Path, asked: Asked, limits: Limits) -> Reading:
    """Every table of a file: points (lines where rows give start and end, any geometry from WKT) in the file's coordinates.

    A table without coordinates is of kind ``table``. The index of ``frame`` is the row's number as Excel or an editor counts.
    Raises ``InputError`` where the file is damaged, hostile or of another kind, ``UsageError`` for an unknown encoding.
    """
    opened = _open(path, asked.encoding, limits)
    grids = [g for g in opened.grids if asked.layer in (None, g.name)]
    if asked.layer is not None and not grids:
        names = ", ".join(g.name for g in opened.grids)
        raise InputError(
            f"{path.name} has no table {asked.layer!r}; it has {names}.", file=str(path), layer=asked.layer
        )
    delivered = [d for g in grids if (d := _deliver(g, opened)) is not None]
    if not delivered:
        raise InputError(f"{path.name} holds no table with any row: ask for it again.", file=str(path))
    return Reading(opened.format, delivered)


def stream_table(
    path: Path,
    layer_name: str,
    asked: Asked,
    encoding: str | None,
    rows: int = _BLOCK_ROWS,
    limits: Limits = DEFAULT,
) -> Iterator[Delivered]:
    """One table in pieces of at most ``rows`` rows, numbered and named as ``read_table`` does; for imports.

    ``encoding``: what ``read_table`` found. Raises as ``read_table``.
    """
    opened = _open(path, asked.encoding or encoding, limits)
    grid = next((g for g in opened.grids if g.name == layer_name), None)
    if grid is None:
        raise InputError(f"{path.name} has no table {layer_name!r}.", file=str(path), layer=layer_name)
    head = grid.head()
    layout = find_layout(head)
    for block in _blocks(grid, rows):
        tally = Tally(layout, head, grid.delimited)
        tally.take(block)
        if tally.count:
            yield _delivered(grid, layout, tally, opened)


def open_grids(path: Path, encoding: str | None = None, limits: Limits = DEFAULT) -> tuple[list[Grid], str | None]:
    """The tables of a file as rows of cells, for what is no layer of places, and the encoding of its texts; raises ``InputError``."""
    opened = _open(path, encoding, limits)
    return opened.grids, opened.encoding


def _open(path: Path, encoding: str | None, limits: Limits) -> _Opened:
    """The tables of a file by its content: a .xls may be an HTML page, a .csv an Excel file."""
    try:
        with path.open("rb") as handle:
            begin = handle.read(4096)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}): check the name and the disk.", file=str(path)
        ) from error
    if not begin:
        raise InputError(f"{path.name} is empty (0 bytes): ask for it again.", file=str(path))
    if begin.startswith(b"PK"):
        if path.suffix.lower() in (".docx", ".docm"):
            return _Opened("Word document", open_docx(path, limits), "utf-8", "declared (format)")
        return _Opened("Excel workbook", open_xlsx(path, limits), "utf-8", "declared (format)")
    if begin.startswith((b"\xd0\xcf\x11\xe0", *_OLD_EXCEL)):
        grids, encoding = open_xls(path, limits)
        return _Opened("Excel 97 workbook", grids, encoding, "declared (format)")
    if path.suffix.lower() in (".html", ".htm", ".mht") or _is_html(begin):
        grids, text = open_html(path, encoding, limits)
        return _Opened("HTML page", grids, text.encoding, text.basis, text.defects)
    grid, text = open_text(path, encoding, limits)
    return _Opened("delimited text", [grid], text.encoding, text.basis, text.defects)


def _is_html(begin: bytes) -> bool:
    return bool(
        re.match(
            rb"^[\s\0\xef\xbb\xbf\xff\xfe]*<(!doctype\s+html|html|table|head|body|meta|div)",
            begin.replace(b"\0", b""),
            re.I,
        )
    )


def _blocks(grid: Grid, size: int) -> Iterator[list[Row]]:
    rows = grid.filled()
    while block := list(islice(rows, size)):
        yield block


def _deliver(grid: Grid, opened: _Opened) -> Delivered | None:
    head = grid.head()
    if not head:
        return None
    layout = find_layout(head)
    tally = Tally(layout, head, grid.delimited)
    for block in _blocks(grid, _BLOCK_ROWS):
        tally.take(block)
    return _delivered(grid, layout, tally, opened)


def _delivered(grid: Grid, layout: Layout, tally: Tally, opened: _Opened) -> Delivered:
    placed = bool(layout.positions) or layout.geometry is not None
    frame, shapes, bounds = tally.held()
    around = [*grid.around, *layout.above, *layout.parents, *layout.names, *tally.notes.values()]
    declared = _declared(layout, tally, around)
    facts = dict(turning_points(frame, shapes, layout)) if placed and bounds is None else {}
    if datum := columns.vertical_datum(" \n ".join(around)):
        facts["vertical_datum"] = datum
    return Delivered(
        grid.name,
        "vector" if placed else "table",
        tally.count,
        frame,
        shapes if placed else None,
        bounds,
        declared,
        _names(layout, tally),
        opened.encoding,
        opened.basis,
        defects=[*opened.defects, *grid.defects, *_said_of(layout, facts, tally.count), *tally.defects()],
        geometry_types=tally.geometry_types(),
        facts=facts,
    )


def _declared(layout: Layout, tally: Tally, around: Sequence[str]) -> Declared:
    text = columns.system_words(around)
    wkt = columns.epsg_code(" ".join(around)) or tally.srid()
    degrees = layout.positions[0].pair.angular if layout.positions else None
    where = (
        "file" if tally.srid() and tally.srid() == wkt else "names" if text or wkt or degrees is not None else "none"
    )
    return Declared(wkt, where, degrees, text)  # type: ignore[arg-type]


def _names(layout: Layout, tally: Tally) -> Names | None:
    if not layout.positions:
        return None
    position = layout.positions[0]
    x, y = layout.names[position.pair.x], layout.names[position.pair.y]
    if position.together:
        x, y = f"{x} (1)", f"{y} (2)"
    return Names(x, y, position.pair.north_first, tally.form)


def _said_of(layout: Layout, facts: dict[str, object], count: int) -> list[Defect]:
    """What was found out about the table as a whole: no alarm."""
    found = []
    if not count:
        found.append(defect("no_rows", "warning", "The table has a header and no rows.", "Ask for it again."))
    if layout.turned:
        found.append(
            defect(
                "positions_in_rows",
                "warning",
                "The coordinates stand in rows, X in one and Y in another: they are not read.",
                "Turn the table, so that each point has a row.",
            )
        )
    alone = columns.lonely(layout.names) if not layout.positions and layout.geometry is None else []
    if alone:
        found.append(
            defect(
                "position_incomplete",
                "warning",
                f"The column {alone[0]} has no partner: there are no positions.",
                "Ask for the other coordinate.",
            )
        )
    if layout.repeated_names:
        said = ", ".join(layout.repeated_names[:6])
        found.append(
            defect(
                "names_repeated",
                "info",
                f"Several columns are called {said}.",
                "They get a number behind their name.",
                count=len(layout.repeated_names),
            )
        )
    if layout.others:
        said = "; ".join(f"{layout.names[p.pair.x]}, {layout.names[p.pair.y]}" for p in layout.others)
        used = ", ".join(layout.names[c] for p in layout.positions for c in (p.pair.x, p.pair.y))
        found.append(
            defect(
                "other_positions",
                "info",
                f"The table gives positions in more than one way: {used} are used, not {said}.",
                "The other columns stay attributes.",
            )
        )
    if layout.by_content and layout.positions:
        names = layout.names[layout.positions[0].pair.x], layout.names[layout.positions[0].pair.y]
        found.append(
            defect(
                "columns_by_content",
                "info",
                f"No name tells the coordinate columns; by their content they are {names[0]} and {names[1]}.",
            )
        )
    if layout.fold:
        found.append(
            defect(
                "table_in_columns",
                "info",
                "The table goes on beside itself: its rows hold several features.",
                "They are taken apart; the second of row 7 is number 7b.",
            )
        )
    if layout.join == "points":
        said = "; ".join(f"{layout.names[p.pair.x]}, {layout.names[p.pair.y]}" for p in layout.positions)
        found.append(
            defect(
                "several_positions",
                "info",
                f"Each row gives several positions: {said}.",
                "They are kept together as one multi-point.",
            )
        )
    if layout.join == "line":
        found.append(
            defect("start_and_end", "info", "Each row gives a start and an end: a straight line is drawn between them.")
        )
    if "turning_points" in facts:
        found.append(
            defect(
                "turning_points",
                "info",
                str(facts["turning_points"]),
                "The points stay points; an import may draw the lines.",
            )
        )
    return found
