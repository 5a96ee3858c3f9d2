"""Positions in the cells of a row: two cells, six with degrees, minutes and seconds apart, one that holds both, or a geometry."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rivergis.intake import angles
from rivergis.intake.columns import Pair

_WKT = re.compile(
    r"^\s*(?:SRID=\d+;)?\s*(?:MULTI)?(?:POINT|LINESTRING|POLYGON|CURVE|SURFACE|CURVEPOLYGON|COMPOUNDCURVE|CIRCULARSTRING|GEOMETRYCOLLECTION|"
    r"TIN|POLYHEDRALSURFACE)\s*(?:Z|M|ZM)?\s*(?:\(|EMPTY)", re.IGNORECASE
)  # fmt: skip
_GEOJSON = re.compile(r'^\s*\{.{0,200}"(?:coordinates|geometries)"', re.DOTALL)
_HEX_WKB = re.compile(r"^\s*(?:0[01])(?:[0-9A-Fa-f]{2}){8,}\s*$")
_VALUE = r"(?:(?:东经|西经|北纬|南纬|经°|纬°|[XYBLENxybl])\s*[=:]?\s*)?[-+]?\d[\d.]*(?:\s*°\s*(?:[\d.]+\s*'\s*(?:[\d.]+\s*\"?)?)?)?\s*[EWNSm米]?"
_TOGETHER = re.compile(rf"^[\[(]?\s*({_VALUE})\s*[,;、/|\s]\s*({_VALUE})(?:\s*[,;]\s*[-\d.]+m?)?\s*[\])]?$")
_TIGHT = re.compile(
    r"^((?:东经|北纬|[XYENxy][=:]?)[^东北XYENxy]+?)[,;、\s]*((?:东经|北纬|[XYENxy][=:]?)[^东北XYENxy]+)$"
)
_SAID = re.compile(r"^(东经|西经|北纬|南纬|经°|纬°|[XYBLENxybl])|([EWNS])$")
_SIDE = {"东经": "E", "西经": "E", "经°": "E", "L": "E", "E": "E", "W": "E", "北纬": "N", "南纬": "N", "纬°": "N", "B": "N", "N": "N", "S": "N"}  # fmt: skip


@dataclass(frozen=True)
class Position:
    """Where one position of a row comes from. Three cells: degrees, minutes, seconds; ``together``: one cell holds both.

    ``signs``: the columns that tell east from west and north from south, for x and y.
    """

    pair: Pair
    x: tuple[int, ...]
    y: tuple[int, ...]
    together: bool = False
    signs: tuple[int | None, int | None] = (None, None)

    @property
    def cells(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys((*self.x, *self.y)))

    def texts(self, rows: Sequence[list[Any]]) -> tuple[list[Any], list[Any]]:
        """What the rows give for x and y, as written."""
        if self.together:
            both = [_both(cell_of(r, self.x[0])) for r in rows]
            return [b[0] for b in both], [b[1] for b in both]
        x, y = self.signs
        return [_signed(r, self.x, x) for r in rows], [_signed(r, self.y, y) for r in rows]


def cell_of(row: Sequence[Any], position: int) -> Any:
    return row[position] if position < len(row) else None


def _signed(row: Sequence[Any], cells: tuple[int, ...], sign: int | None) -> Any:
    """A value with the letter for west or south that stands in a column of its own."""
    value, letter = _joined(row, cells), cell_of(row, sign) if sign is not None else None
    said = str(letter).strip().upper()
    return f"{value}{said}" if said in ("W", "S") and not angles.is_nothing(value) else value


def _joined(row: Sequence[Any], cells: tuple[int, ...]) -> Any:
    if len(cells) == 1:
        return cell_of(row, cells[0])
    parts = [cell_of(row, c) for c in cells]
    if all(angles.is_nothing(p) for p in parts):
        return None
    said = ["0" if angles.is_nothing(p) else angles.tidy(str(p)).rstrip("°'\"") for p in parts]
    return "".join(f"{v}{mark}" for v, mark in zip(said, "°'\"", strict=False))


def _both(cell: Any) -> tuple[Any, Any]:
    """x and y of a cell that holds both; east or X first where the text says which is which; (cell, cell) if unreadable."""
    if not isinstance(cell, str) or angles.is_nothing(cell):
        return (cell, cell)
    said = angles.tidy(cell)
    match = _TIGHT.match(said) or _TOGETHER.match(said)
    if match is None:
        return (cell, cell)
    first, second = match[1].strip(" ,;"), match[2].strip(" ,;")
    return (second, first) if side(first) in ("N", "Y") and side(second) in ("E", "X", None) else (first, second)


def side(value: str) -> str | None:
    found = _SAID.search(value)
    letter = (found[1] or found[2]).upper() if found else None
    return _SIDE.get(letter, letter) if letter else None


def side_of_x(cell: Any) -> str | None:
    """What the text says of its x: E, N, X, Y, or None where it says nothing."""
    return side(str(_both(cell)[0]))


def is_labelled(cell: str) -> bool:
    """Whether a text says of itself which coordinate it begins or ends with (东经, X=, E)."""
    return bool(_SAID.search(angles.tidy(cell)))


def holds_both(cell: Any) -> bool:
    return isinstance(cell, str) and len(cell) < 120 and _both(cell)[0] is not cell


def is_shape(cell: Any) -> bool:
    """A cell that holds a geometry: WKT, EWKT, GeoJSON or WKB in hexadecimal digits."""
    return isinstance(cell, str) and bool(_WKT.match(cell) or _GEOJSON.match(cell) or _HEX_WKB.match(cell[:400]))


def readable(rows: Sequence[list[Any]], position: Position) -> int:
    """In how many rows both values can be read."""
    if not rows:
        return 0
    x, y = (angles.read_values(v, angles.manner_of(v, position.pair.angular)) for v in position.texts(rows))
    return int((~np.isnan(x.numbers) & ~np.isnan(y.numbers)).sum())
