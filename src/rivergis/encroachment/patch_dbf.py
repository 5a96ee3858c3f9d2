"""A dBase table filled in without touching what stands in it: bytes in, bytes out.

The geometry of a Shapefile needs no rewriting, and its texts stay in the encoding they came in, byte by byte.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_TEXT_MOST = 254
_NUMBER = {"number": (19, 3), "integer": (9, 0)}


@dataclass(frozen=True)
class Column:
    """A field of the table: name, dBase type, where it begins in a record, width in bytes and decimals."""

    name: str
    kind: str
    start: int
    width: int
    decimals: int


@dataclass(frozen=True)
class Table:
    """Header of a table: its fields, how many records it has and where they lie."""

    raw: bytes
    columns: tuple[Column, ...]
    records: int
    header: int
    length: int


def table(raw: bytes, encoding: str) -> Table:
    """The header of a .dbf read."""
    records, header, length = struct.unpack_from("<IHH", raw, 4)
    columns, start = [], 1
    for at in range(32, header - 1, 32):
        if raw[at] == 0x0D:
            break
        name = raw[at : at + 11].split(b"\0")[0].decode(encoding, "replace")
        width, decimals = raw[at + 16], raw[at + 17]
        if raw[at + 11 : at + 12] == b"C":  # texts may be wider than one byte says
            width, decimals = width + (decimals << 8), 0
        columns.append(Column(name, chr(raw[at + 11]), start, width, decimals))
        start += width
    return Table(raw, tuple(columns), records, header, length)


def fill(
    raw: bytes,
    encoding: str,
    values: Sequence[Mapping[str, Any]],
    added: Sequence[tuple[str, str]],
) -> tuple[bytes, list[tuple[int, str]]]:
    """The table with values filled in, and which did not fit whole: (record, column).

    ``values``: for each record, column -> value to write (nothing else is touched); ``added``: columns to append, (name of at
    most 10 bytes, kind: text, number or integer).
    """
    old = table(raw, encoding)
    known = {c.name: c for c in old.columns}
    new = _appended(old, values, added, encoding)
    cut: list[tuple[int, str]] = []
    body = bytearray()
    for n in range(old.records):
        at = old.header + n * old.length
        record = bytearray(raw[at : at + old.length].ljust(old.length, b" "))
        said = values[n] if n < len(values) else {}
        for name, value in said.items():
            if name in known:
                c = known[name]
                record[c.start : c.start + c.width] = _cell(value, c, encoding, n, cut)
        for c in new:
            record += _cell(said.get(c.name), c, encoding, n, cut)
        body += record
    return _header(old, new, encoding) + bytes(body) + b"\x1a", cut


def _appended(
    old: Table, values: Sequence[Mapping[str, Any]], added: Sequence[tuple[str, str]], encoding: str
) -> list[Column]:
    out, start = [], old.length
    for name, kind in added:
        if kind in _NUMBER:
            width, decimals = _NUMBER[kind]
            column = Column(name, "N", start, width, decimals)
        else:
            texts = [str(v[name]).encode(encoding, "replace") for v in values if v.get(name) is not None]
            column = Column(name, "C", start, min(max([20, *map(len, texts)]) + 2, _TEXT_MOST), 0)
        out.append(column)
        start += column.width
    return out


def _header(old: Table, new: Sequence[Column], encoding: str) -> bytes:
    """The header as it was, with descriptors of the new fields."""
    fields = old.raw[32 : 32 + 32 * len(old.columns)]
    for c in new:
        name = c.name.encode(encoding)[:10].ljust(11, b"\0")
        fields += name + c.kind.encode() + b"\0" * 4 + bytes([c.width, c.decimals]) + b"\0" * 14
    length = old.length + sum(c.width for c in new)
    head = old.raw[:8] + struct.pack("<HH", 32 + len(fields) + 1, length) + old.raw[12:32]
    return head + fields + b"\r"


def _cell(value: Any, c: Column, encoding: str, record: int, cut: list[tuple[int, str]]) -> bytes:
    if value is None:
        return b" " * c.width
    if c.kind in "NF":
        text = _number(value, c)
        if text is None or len(text) > c.width:
            cut.append((record, c.name))
            return b" " * c.width
        return text.rjust(c.width).encode("ascii")
    body = str(value).encode(encoding, "replace")
    if c.kind == "D":
        body = body.replace(b"-", b"")
    if len(body) > c.width:
        cut.append((record, c.name))
        body = body[: c.width].decode(encoding, "ignore").encode(encoding)
    return body.ljust(c.width)


def _number(value: Any, c: Column) -> str | None:
    try:
        return f"{float(value):.{c.decimals}f}"
    except ValueError:
        return None
