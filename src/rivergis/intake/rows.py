"""The rows of a table, one by one: which are features, what their positions are, and what is wrong with them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import shapely

from rivergis.intake import angles, columns, geometry_text
from rivergis.intake.delivery import SHOWN, Defect, defect
from rivergis.intake.grids import Row, width_of, words
from rivergis.intake.layout import Layout, folded
from rivergis.intake.positions import Position, cell_of

_HELD_ROWS = 100_000
_NOTE = re.compile(
    r"^\W*(?:注\s*\d*[:：、.]|附?注\s*$|备注|说明|附注|合\s*计|总\s*计|小\s*计|共计|共\s*\d+|平均|制表|制图|填表|审核|复核|测[量绘](?:单位|员|日期|时间|人)|单位[:：]|日期[:：]|"
    r"数据来源|资料来源|来源[:：]|以下空白|以上|total|sum|notes?\b|source|remarks?\s*[:：]|end\s*$|eof\s*$)", re.IGNORECASE
)  # fmt: skip
_SECTION = re.compile(r"^[（(]?[一二三四五六七八九十]+[)）、.]|^[左右]岸\S{0,6}$")
_PROSE = re.compile(r"[:：。，；;]|\S{16}")


class Tally:
    """Takes the rows of a table in blocks and keeps what is needed of them: all, or an even sample with every bounds."""

    def __init__(self, layout: Layout, head: Sequence[Row], delimited: bool) -> None:
        self.layout = layout
        self.count = 0
        self.notes: dict[int, str] = {}
        self.repeated: list[int] = []
        self._step = 1
        self._frames: list[pd.DataFrame] = []
        self._shapes: list[np.ndarray] = []
        self._bounds: list[np.ndarray] = []
        self._found: dict[str, list[tuple[Any, str]]] = {}
        self._counts: Counter[str] = Counter()
        self._types: Counter[str] = Counter()
        self._srids: set[int] = set()
        self._packed, self._candidates = True, 0
        body = [part for n, c in head if n >= layout.body_from for part in folded(c, layout.fold)]
        self._manners = [tuple(angles.manner_of(v, p.pair.angular) for v in p.texts(body)) for p in layout.positions]
        self._width = _usual_width(layout, body) if delimited and not layout.fold else None
        self._digits = [_digits(p, m, body, self._width) for p, m in zip(layout.positions, self._manners, strict=True)]

    # ---- taking -------------------------------------------------------------------------------------------------------

    def take(self, block: Sequence[Row]) -> None:
        """Read a block of rows in the order of the table."""
        rows = [r for n, c in block if c and n >= self.layout.body_from for r in self._features(n, c)]
        if not rows:
            return
        numbers = np.array([n for n, _ in rows], dtype=object if self.layout.fold else int)
        cells = [c for _, c in rows]
        shapes = self._shapes_of(numbers, cells)
        self._types.update(geometry_text.type_names(shapes) if self.layout.geometry is None else {})
        self._bounds.append(shapely.bounds(shapes))
        self._keep(numbers, cells, shapes)
        self.count += len(rows)

    def _features(self, number: int, cells: list[Any]) -> list[tuple[Any, list[Any]]]:
        """The features of a row: mostly one; the second of a table in two columns has the number 7b."""
        if not self._is_feature(number, cells):
            return []
        if not self.layout.fold:
            return [(number, cells)]
        parts = folded(cells, self.layout.fold)
        return [(f"{number}{' bcdefghij'[k % 10]}".strip(), p) for k, p in enumerate(parts)]

    def _is_feature(self, number: int, cells: list[Any]) -> bool:
        kind = sort_out(self.layout, cells)
        if kind == "header":
            self.repeated.append(number)
        elif kind == "note":
            self._counts["note_rows"] += 1
            if len(self.notes) < 200:
                self.notes[number] = " ".join(words(cells))[:300]
        return kind == "feature"

    def _keep(self, numbers: np.ndarray, cells: list[list[Any]], shapes: np.ndarray) -> None:
        ordinal = np.arange(self.count, self.count + len(numbers))
        names = self.layout.names
        width = len(names)
        table = [[*c[:width], *[None] * (width - len(c))] for c in cells]
        frame = pd.DataFrame(table, columns=list(names), index=numbers, dtype=object)
        self._frames.append(frame[ordinal % self._step == 0])
        self._shapes.append(shapes[ordinal % self._step == 0])
        while sum(map(len, self._frames)) > _HELD_ROWS:
            self._step *= 2
            self._frames = [pd.concat(self._frames).iloc[::2]]
            self._shapes = [np.concatenate(self._shapes)[::2]]

    def _shapes_of(self, numbers: np.ndarray, cells: list[list[Any]]) -> np.ndarray:
        if self.layout.geometry is not None:
            return self._from_geometry(numbers, cells)
        if not self.layout.positions:
            return np.full(len(cells), None, dtype=object)
        ends = [
            self._points(p, m, d, numbers, cells)
            for p, m, d in zip(self.layout.positions, self._manners, self._digits, strict=True)
        ]
        if self.layout.join == "line":
            return _lines(*ends)
        return _together(ends) if len(ends) > 1 else ends[0]

    def _from_geometry(self, numbers: np.ndarray, cells: list[list[Any]]) -> np.ndarray:
        texts = [cell_of(c, self.layout.geometry or 0) for c in cells]
        read = geometry_text.read(texts)
        self._types.update(read.types)
        self._srids |= read.srids
        name = self.layout.names[self.layout.geometry or 0]
        for i, text in enumerate(texts):
            if read.shapes[i] is None:
                code = "geometry_missing" if angles.is_nothing(text) else "geometry_unreadable"
                self._say(code, numbers[i], f"{name} {_short(text)}")
        return read.shapes

    def _points(
        self,
        position: Position,
        manners: tuple[angles.Manner, ...],
        digits: Any,
        numbers: np.ndarray,
        cells: list[list[Any]],
    ) -> np.ndarray:
        texts = position.texts(cells)
        x, y = (angles.read_values(t, m) for t, m in zip(texts, manners, strict=True))
        labels = [self.layout.names[position.pair.x], self.layout.names[position.pair.y]]
        self._note_spelling(x, y)
        self._say_unread(numbers, texts, (x, y), labels)
        self._say_shortened(numbers, texts, labels)
        out = np.isnan(x.numbers) | np.isnan(y.numbers) | self._wrong_length(numbers, cells, x, y, digits)
        points = shapely.points(np.where(out, 0.0, x.numbers), np.where(out, 0.0, y.numbers))
        points[out] = None
        return points

    def _note_spelling(self, *axes: angles.Values) -> None:
        for values in axes:
            self._counts["dms"] += int(values.dms.sum())
            self._packed = self._packed and angles.could_be_packed(values.numbers)
            self._candidates += angles.packed_candidates(values.numbers)

    def _say_unread(
        self, numbers: np.ndarray, texts: Sequence[list[Any]], axes: tuple[angles.Values, ...], labels: list[str]
    ) -> None:
        said = np.zeros(len(numbers), dtype=bool)
        for code, mask in (
            ("angle_wrong", "wrong"),
            ("coordinate_unreadable", "unreadable"),
            ("coordinate_missing", "missing"),
        ):
            for values, cells, label in zip(axes, texts, labels, strict=True):
                for i in np.flatnonzero(getattr(values, mask) & ~said):
                    said[i] = True
                    self._say(code, numbers[i], label if mask == "missing" else f"{label} {_short(cells[i])}")

    def _say_shortened(self, numbers: np.ndarray, texts: Sequence[list[Any]], labels: list[str]) -> None:
        for number, *pair in zip(numbers, *texts, strict=True):
            short = next((k for k, cell in enumerate(pair) if angles.is_shortened(cell)), None)
            if short is not None:
                self._say("coordinate_rounded", number, f"{labels[short]} {_short(pair[short])}")

    def _wrong_length(
        self, numbers: np.ndarray, cells: list[list[Any]], x: angles.Values, y: angles.Values, digits: Any
    ) -> np.ndarray:
        """Rows with another number of fields whose values are not of the usual size: a field is missing or one too many before them."""
        out = np.zeros(len(cells), dtype=bool)
        if self._width is None:
            return out
        for i, row in enumerate(cells):
            if len(row) < self._width or width_of(row) > self._width:
                fits = digits is not None and (_size(x.numbers[i]), _size(y.numbers[i])) in digits
                out[i] = not fits
                code = "row_short" if fits and len(row) < self._width else "row_length"
                self._say(code, numbers[i], f"{len(row)} fields, not {self._width}")
        return out

    def _say(self, code: str, number: Any, what: str) -> None:
        self._counts[code] += 1
        if len(kept := self._found.setdefault(code, [])) < SHOWN:
            kept.append((number, what))

    # ---- telling ------------------------------------------------------------------------------------------------------

    def held(self) -> tuple[pd.DataFrame, np.ndarray, np.ndarray | None]:
        """The rows, their shapes, and the bounds of all where the rows are only a sample."""
        if not self._frames:
            return pd.DataFrame(columns=list(self.layout.names)), np.array([], dtype=object), None
        frame, shapes = pd.concat(self._frames), np.concatenate(self._shapes)
        return frame, shapes, np.concatenate(self._bounds) if self._step > 1 else None

    @property
    def form(self) -> Literal["number", "dms", "packed"]:
        if self._counts["dms"]:
            return "dms"
        angular = {p.pair.angular for p in self.layout.positions}
        packed = self._packed and angular != {False} and angles.enough_for_packed(self._candidates)
        return "packed" if packed else "number"

    def geometry_types(self) -> tuple[str, ...]:
        return tuple(sorted(self._types))

    def srid(self) -> str | None:
        """``EPSG:n`` where every geometry carries the same number (EWKT, EWKB)."""
        return f"EPSG:{next(iter(self._srids))}" if len(self._srids) == 1 and 0 not in self._srids else None

    def defects(self) -> list[Defect]:
        found = []
        if self._width and self.layout.header and self._width > self.layout.header_fields:
            said = f"The rows have {self._width} fields and the header {self.layout.header_fields}: names may stand over the wrong columns."
            found.append(
                defect("header_short", "warning", said, "Columns are named from the left; look whether that is right.")
            )
        found += [self._defect(code, *_SAID[code]) for code in _SAID if self._counts[code]]
        if self._counts["dms"]:
            said = f"{self._counts['dms']} values are written in degrees, minutes and seconds."
            found.append(defect("dms_text", "info", said, "They are read as degrees.", count=self._counts["dms"]))
        if self.repeated:
            said = f"The header comes again in {len(self.repeated)} rows."
            found.append(defect("header_repeated", "info", said, "These rows are no features.", self.repeated))
        if self._counts["note_rows"]:
            first = next(iter(self.notes.items()))
            said = f"{self._counts['note_rows']} rows are notes, totals or headings, such as row {first[0]}: {first[1][:60]!r}."
            found.append(
                defect("note_rows", "info", said, "They are no features.", list(self.notes), self._counts["note_rows"])
            )
        return found

    def _defect(self, code: str, severity: Any, message: str, action: str) -> Defect:
        kept = self._found[code]
        number, what = kept[0]
        said = message.format(n=self._counts[code], row=number, what=what)
        return defect(code, severity, said, action, [n for n, _ in kept], self._counts[code], f"row {number}, {what}")


_SAID = {
    "coordinate_missing": ("warning", "{n} rows have no coordinates (row {row}: {what} is empty).", "They are kept without a place; ask for their coordinates."),
    "coordinate_unreadable": ("warning", "{n} rows have coordinates that cannot be read (row {row}: {what}).", "They are kept without a place; correct the values."),
    "coordinate_rounded": ("warning", "{n} rows have coordinates in scientific notation, whose last digits are lost (row {row}: {what}).", "They are used as they are, tens of metres off or more; ask for the table with all digits."),
    "angle_wrong": ("warning", "{n} rows have minutes or seconds of 60 and more, or no such angle (row {row}: {what}).", "They are kept without a place; correct the values."),
    "row_length": ("warning", "{n} rows have another number of fields than the rest (row {row}: {what}).", "Where their coordinates do not look like the others' they are kept without a place; correct the rows."),
    "row_short": ("info", "{n} rows end early (row {row}: {what}).", "What is missing at their end is empty."),
    "geometry_missing": ("info", "{n} rows have no geometry.", "They are kept without a place."),
    "geometry_unreadable": ("warning", "{n} rows have a geometry that cannot be read (row {row}: {what}).", "They are kept without a place; correct the text."),
}  # fmt: skip


def sort_out(layout: Layout, cells: list[Any]) -> Literal["feature", "header", "note"]:
    """What a filled row below the header is: a feature, the header come again, or a note, total or heading."""
    if layout.header and _is_header_again(layout, cells):
        return "header"
    filled = [c for c in cells if c is not None]
    first = str(filled[0]).strip()
    cells = folded(cells, layout.fold)[0]
    noted = bool(_NOTE.match(first))
    if not noted and (layout.positions or layout.geometry is not None) and isinstance(filled[0], str):
        alone = len(layout.names) > 1 and all(c == filled[0] for c in filled)
        spread = len(filled) > 2 and np.isnan(angles.read_number(first)[0])
        noted = alone and bool(spread or _SECTION.match(first) or _PROSE.search(first))
    return "note" if noted and not _has_place(layout, cells) else "feature"


def _has_place(layout: Layout, cells: list[Any]) -> bool:
    if layout.geometry is not None:
        return not angles.is_nothing(cell_of(cells, layout.geometry))
    return any(_is_placed(p, cells) for p in layout.positions)


def _is_placed(position: Position, cells: list[Any]) -> bool:
    """Whether both coordinates of a row can be read."""
    values = [angles.read_values(t, angles.Manner()) for t in position.texts([cells])]
    return not any(np.isnan(v.numbers[0]) for v in values)


def _is_header_again(layout: Layout, cells: list[Any]) -> bool:
    if layout.positions and str(cell_of(cells, layout.positions[0].x[0]) or "")[:1].isdigit():
        return False  # a number: no need to look closer, and there may be a million of them
    said = [str(c).strip() if isinstance(c, str) else c for c in cells]
    header = [h or None for h in layout.header]
    same = sum(a is not None and a == b for a, b in zip(said, header, strict=False))
    if same >= 2 and same >= 0.6 * sum(s is not None for s in said):
        return True
    if not layout.positions or layout.positions[0].together:
        return False
    coordinates = [cell_of(cells, k) for k in layout.positions[0].cells]
    if not all(isinstance(c, str) for c in coordinates) or _is_placed(layout.positions[0], cells):
        return False  # 东经118度 is a longitude, though its words would do for a heading
    return all(columns.is_unit(c) for c in coordinates) or bool(columns.pairs(coordinates))


def _lines(starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """Straight lines from start to end; a point where only one of them is known."""
    out = np.array(
        [a if b is None else b if a is None else None for a, b in zip(starts, stops, strict=True)], dtype=object
    )
    both = np.array([a is not None and b is not None for a, b in zip(starts, stops, strict=True)], dtype=bool)
    if both.any():
        ends = np.stack([shapely.get_coordinates(starts[both]), shapely.get_coordinates(stops[both])], axis=1)
        out[both] = shapely.linestrings(ends)
    return out


def _together(places: Sequence[np.ndarray]) -> np.ndarray:
    """All places of each row as one geometry."""
    found = [[p for p in row if p is not None] for row in zip(*places, strict=True)]
    return np.array([shapely.MultiPoint(f) if f else None for f in found], dtype=object)


def _short(cell: Any) -> str:
    said = str(cell)
    return repr(said[:40] + ("…" if len(said) > 40 else ""))


def _size(number: float) -> int:
    """How many digits a number has before the point."""
    return len(str(int(abs(number)))) if np.isfinite(number) else -1


def _usual_width(layout: Layout, body: list[list[Any]]) -> int | None:
    """How many fields sound rows have: as many as the header, or as most rows where few agree with it."""
    widths = (
        Counter(max(width_of(c), min(len(c), layout.header_fields)) for c in body)
        if layout.header
        else Counter(map(len, body))
    )
    if not widths:
        return None
    if widths[layout.header_fields] >= 0.2 * len(body):
        return layout.header_fields
    return max(widths, key=lambda w: (widths[w], w))


def _digits(
    position: Position, manners: tuple[angles.Manner, ...], body: list[list[Any]], width: int | None
) -> set[tuple[int, int]] | None:
    """The sizes that the coordinates of sound rows have."""
    if width is None:
        return None
    sound = [r for r in body if len(r) == width]
    x, y = (angles.read_values(t, m).numbers for t, m in zip(position.texts(sound), manners, strict=True))
    return {(_size(a), _size(b)) for a, b in zip(x, y, strict=True) if np.isfinite(a) and np.isfinite(b)}
