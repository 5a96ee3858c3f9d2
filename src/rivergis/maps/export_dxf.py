"""DXF for survey offices: one CAD layer, shapes with their attributes as extended data, and labels that Chinese CAD shows.

Points are POINT, lines LWPOLYLINE (with heights POLYLINE), areas a closed one for each ring. Attributes stand as ``name=value`` under the
application RIVERGIS on every entity (on a hole also ``ring=n``); longer texts go on in the next string.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import ezdxf
import shapely
from ezdxf.lldxf.const import DXFError

from rivergis.errors import EnvironmentFault
from rivergis.maps.export_files import Sheet
from rivergis.maps.export_rows import Chunk
from rivergis.maps.export_text import NOT_GBK, text_of

APPLICATION = "RIVERGIS"
_STRING = 250  # of 255 bytes that a string of extended data may have
_TOTAL = 15_000  # of 16383 bytes that one entity's extended data may have
_LAYER = str.maketrans(dict.fromkeys('<>/\\":;?*|=`', "_"))
# height of labels, in units of the drawing
_LABEL_M, _LABEL_DEG = 2.0, 2e-5
# what is written beside a shape: the first of these that it has
_LABELLED = ("text", "point_no", "name", "code")
_COLORS = (4, 1, 3, 5, 2, 6, 30, 140)


def write(sheet: Sheet, chunks: Iterator[Chunk]) -> int:
    """A DXF drawing: release 2000 with code page 936, which every Chinese CAD and GIS reads; with UTF-8 release 2010.

    Characters outside GBK stand as ``\\U+XXXX`` there, which CAD programs show as they are. What the drawing is about and its system stand as text below it.
    """
    return write_layers([(sheet, chunks)])


def write_layers(sheets: Sequence[tuple[Sheet, Iterator[Chunk]]]) -> int:
    """One drawing with a CAD layer for each sheet (``layer_name``); path, encoding and what is told below it are the first's."""
    first = sheets[0][0]
    old = first.encoding == "GBK"
    doc = ezdxf.new("R2000" if old else "R2010", setup=False)
    if old:
        doc.encoding = "gbk"
    doc.appids.add(APPLICATION)
    doc.styles.add("HZ", font="simsun.ttf")
    drawings = [
        _Drawing(sheet, doc, color) for (sheet, _), color in zip(sheets, itertools.cycle(_COLORS), strict=False)
    ]
    rows = sum(drawing.fill(chunks) for drawing, (_, chunks) in zip(drawings, sheets, strict=True))
    drawings[0].tell([d.corner for d in drawings if d.corner is not None])
    for drawing in drawings:
        drawing.report()
    try:
        doc.saveas(first.path)
    except (DXFError, OSError) as error:
        raise EnvironmentFault(f"{first.path.name} cannot be written ({error}).") from error
    return rows


class _Drawing:
    """A drawing while it is filled."""

    def __init__(self, sheet: Sheet, doc: Any, color: int) -> None:
        self.sheet, self.doc, self.space = sheet, doc, doc.modelspace()
        self.layer = sheet.layer_name.translate(_LAYER)[:100]
        self.text_layer = f"{self.layer}_注记"
        doc.layers.add(self.layer, color=color)
        doc.layers.add(self.text_layer, color=7)
        doc.header["$INSUNITS"] = 6 if self.metric else 0
        self.corner: tuple[float, float] | None = None
        self.shapeless = self.long = self.rare = 0

    def fill(self, chunks: Iterator[Chunk]) -> int:
        """Draw every feature; how many there were."""
        rows = 0
        for chunk in chunks:
            assert chunk.shapes is not None
            for values, shape in zip(zip(*chunk.columns, strict=True), chunk.shapes, strict=True):
                self.feature(values, shape)
            rows += len(chunk)
        return rows

    @property
    def metric(self) -> bool:
        return self.sheet.part.crs is not None and bool(self.sheet.part.crs.is_projected)

    def feature(self, values: Sequence[Any], shape: Any) -> None:
        if shape is None or shape.is_empty:
            self.shapeless += 1
            return
        west, south = shape.bounds[:2]
        self.corner = (west, south) if self.corner is None else (min(west, self.corner[0]), min(south, self.corner[1]))
        tags = self._tags(values)
        for part in shapely.get_parts(shape):
            for n, entity in enumerate(self._drawn(part)):
                entity.set_xdata(APPLICATION, [*tags, (1000, f"ring={n + 1}")] if n else tags)
        self._label(values, shape)

    def _drawn(self, part: Any) -> list[Any]:
        look = {"layer": self.layer}
        if part.geom_type == "Point":
            return [self.space.add_point(part.coords[0], dxfattribs=look)]
        rings = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
        closed = part.geom_type == "Polygon"
        # the closing vertex is said by the flag
        lines = [list(r.coords)[: -1 if closed else None] for r in rings]
        add = self.space.add_polyline3d if self.sheet.part.raised else self.space.add_lwpolyline
        return [add(line, close=closed, dxfattribs=look) for line in lines]

    def _tags(self, values: Sequence[Any]) -> list[tuple[int, str]]:
        tags: list[tuple[int, str]] = []
        size = 0
        for f, value in zip(self.sheet.fields, values, strict=True):
            if value is None:
                continue
            for piece in _pieces(self._drawable(f"{f.name}={_line(value)}")):
                size += len(piece.encode()) + 8
                if size > _TOTAL:
                    self.long += 1
                    return tags
                tags.append((1000, piece))
        return tags

    def _label(self, values: Sequence[Any], shape: Any) -> None:
        by_name = {f.name: v for f, v in zip(self.sheet.fields, values, strict=True)}
        text = next((_line(by_name[k]) for k in _LABELLED if by_name.get(k)), "")
        if text:
            at = shape if shape.geom_type == "Point" else shape.representative_point()
            self._write(text, at.x + self.height / 2, at.y + self.height / 2)

    @property
    def height(self) -> float:
        return _LABEL_M if self.metric else _LABEL_DEG

    def _write(self, text: str, x: float, y: float) -> None:
        look = {"layer": self.text_layer, "style": "HZ"}
        self.space.add_text(self._drawable(text)[:_STRING], height=self.height, dxfattribs=look).set_placement((x, y))

    def _drawable(self, text: str) -> str:
        """Release 2000 can say what GBK lacks as ``\\U+XXXX``, but only within four digits."""
        if self.sheet.encoding != "GBK" or max(text, default="") <= "\uffff":
            return text
        self.rare += 1
        return "".join(NOT_GBK if c > "\uffff" else c for c in text)

    def tell(self, corners: Sequence[tuple[float, float]]) -> None:
        """What the drawing is about, below it."""
        x, y = min((c[0] for c in corners), default=0.0), min((c[1] for c in corners), default=0.0)
        for n, (key, value) in enumerate(self.sheet.about.items()):
            self._write(f"{key}: {value}", x, y - (n + 3) * 1.6 * self.height)

    def report(self) -> None:
        """What the drawing could not hold, to the user."""
        if self.shapeless:
            self.sheet.cut = True
            self.sheet.notes.append(
                f"{self.shapeless} features have no shape; a drawing cannot hold them: export to .xlsx or .gpkg."
            )
        if self.rare:
            self.sheet.cut = True
            self.sheet.notes.append(
                f"{self.rare} texts have rare characters that release 2000 does not have; they stand as {NOT_GBK}: "
                "export with --encoding UTF-8 to keep them."
            )
        if self.long:
            self.sheet.cut = True
            self.sheet.notes.append(
                f"{self.long} features have more attributes than an entity's extended data may hold (16 kB): the last were left out."
            )


def _line(value: Any) -> str:
    """A value on one line: line breaks would end a DXF string."""
    text = ("true" if value else "false") if isinstance(value, bool) else text_of(value)
    return "".join(" " if ord(c) < 32 else c for c in text)


def _pieces(text: str) -> list[str]:
    """A text in pieces of at most ``_STRING`` bytes, cut between characters."""
    out, piece, size = [], "", 0
    for character in text:
        width = len(character.encode("utf-8", "replace"))
        if size + width > _STRING:
            out.append(piece)
            piece, size = "", 0
        piece, size = piece + character, size + width
    return [*out, piece]
