"""Delimited text as rows of fields: CSV, TSV, TXT, DAT and RTK logs, whatever tells the fields apart."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from rivergis.errors import InputError
from rivergis.intake.grids import Grid, Row, trimmed
from rivergis.intake.limits import Limits
from rivergis.intake.text import Text, find_encoding

BLANKS = " "
_DELIMITERS = ("\t", ";", "|", ",", "，", "；")
_LOOKED_AT = 200
_SEP = re.compile(r"^\ufeff?\"?sep=(.)\"?\s*$", re.IGNORECASE)
_NUMBER = re.compile(r"^[-+]?[\d.,]*\d[°′'″\"\d.]*$")
# a quoted text of a person hardly has more lines; a quotation mark that was never closed swallows the rows after it
_LINES_IN_A_FIELD = 200


class _Tail:
    """The last filled line that was read: only it tells whether a quotation ends with the file."""

    line = ""


def open_text(path: Path, encoding: str | None, limits: Limits) -> tuple[Grid, Text]:
    """The one table of a text file. Raises ``InputError`` for what is no text, too large, or ends inside a quotation."""
    size = path.stat().st_size
    if size > limits.text_bytes:
        raise InputError(
            f"{path.name} has {size >> 20} MB, more than the {limits.text_bytes >> 20} MB that are read as text: "
            "ask for it in parts or as a GeoPackage.",
            file=str(path),
        )
    text = find_encoding(path.read_bytes(), asked=encoding)
    first = _first_lines(path, text.codec)
    _no_binary(path, first)
    sep = _SEP.match(first[0]) if first else None
    delimiter = sep[1] if sep else find_delimiter(first)
    counts = Counter(_count(line, delimiter) for line in first if line.strip())
    usual = max(counts, key=lambda n: counts[n], default=0)

    def rows() -> Iterator[Row]:
        return _rows(path, text.codec, delimiter, usual, skip=1 if sep else 0, limits=limits)

    return Grid(path.stem, rows, delimited=True), text


def _first_lines(path: Path, codec: str) -> list[str]:
    with path.open(encoding=codec, errors="replace", newline=None) as handle:
        return [line[:20_000].rstrip("\n") for line in (handle.readline(1 << 20) for _ in range(_LOOKED_AT)) if line]


def _no_binary(path: Path, lines: list[str]) -> None:
    said = "".join(lines)[:200_000]
    odd = sum(c == "\ufffd" or (ord(c) < 32 and c not in "\t\r\n\f\x1a\v") for c in said)
    if odd > max(20, 0.05 * len(said)) or "\0" in said:
        raise InputError(
            f"{path.name} is no text: it holds bytes that no table of text has. It is damaged or of another kind; ask for it again.",
            file=str(path),
        )


def find_delimiter(lines: list[str]) -> str:
    """What tells the fields apart: the sign that stands equally often in most lines; blanks where numbers stand between them."""
    filled = [line for line in lines if line.strip()]
    scored: list[tuple[float, int, str]] = []
    for rank, sign in enumerate(_DELIMITERS):
        counts = Counter(_count(line, sign) for line in filled)
        with_sign = {n: k for n, k in counts.items() if n}
        if with_sign:
            usual = max(with_sign, key=lambda n: (with_sign[n], n))
            share = with_sign[usual] / len(filled)
            any_share = sum(with_sign.values()) / len(filled)
            scored.append((round(max(share, 0.6 * any_share), 1), -rank, sign))
    best = max(scored, default=(0.0, 0, ","))
    if best[0] < 0.5 and _blanks_do(filled):
        return BLANKS
    return best[2]


def _count(line: str, sign: str) -> int:
    """How often a sign stands outside quotations."""
    return re.sub(r'"[^"]*"', "", line).count(sign) if line.count('"') > 1 else line.count(sign)


def _blanks_do(lines: list[str]) -> bool:
    """Blanks between fields: most lines have two numbers and more among their words."""
    fields = [line.split() for line in lines]
    return sum(sum(bool(_NUMBER.match(w)) for w in words) >= 2 for words in fields) >= 0.5 * len(lines)


def _rows(path: Path, codec: str, delimiter: str, usual: int, skip: int, limits: Limits) -> Iterator[Row]:
    """Rows of fields. ``usual``: how many delimiters a line has."""
    tail = _Tail()
    csv.field_size_limit(limits.cell_chars)
    with path.open(encoding=codec, errors="replace", newline="") as handle:
        lines = _checked(handle, path, limits, tail)
        for _ in range(skip):
            next(lines, None)
        try:
            for number, fields in enumerate(_fields(lines, delimiter), start=1 + skip):
                _not_too_many(path, number, fields, limits)
                if fields and _swallowed(fields, delimiter, usual, tail):
                    raise _unclosed(path, number)
                yield number, trimmed(fields, keep_length=True)
        except csv.Error as error:
            raise InputError(
                f"{path.name}: a field is longer than {limits.cell_chars} characters or the text is no table ({error}): "
                "a quotation mark was probably never closed.",
                file=str(path),
            ) from error


def _checked(handle: TextIO, path: Path, limits: Limits, tail: _Tail) -> Iterator[str]:
    """Lines without the sign for the end of a DOS file; refused where they hold NUL characters or never end."""
    longest = limits.cell_chars * 4
    while line := handle.readline(longest):
        if "\0" in line:
            raise InputError(
                f"{path.name} holds NUL bytes: it is damaged or no text; ask for it again.", file=str(path)
            )
        if len(line) >= longest:
            raise InputError(
                f"{path.name} has a line of more than {longest} characters: it is damaged or no table.", file=str(path)
            )
        line = line.replace("\x1a", "")
        tail.line = line if line.strip() else tail.line
        yield line


def _fields(lines: Iterator[str], delimiter: str) -> Iterator[list[str]]:
    if delimiter == BLANKS:
        return (line.split() for line in lines)
    if not delimiter.isascii():
        return (line.rstrip("\r\n").split(delimiter) for line in lines)
    return (_half_width(fields, delimiter) for fields in csv.reader(lines, delimiter=delimiter, skipinitialspace=True))


def _half_width(fields: list[str], delimiter: str) -> list[str]:
    """A line whose commas are all full-width (点号，X，Y over rows with plain commas) is split at those."""
    return fields[0].split("，") if len(fields) == 1 and delimiter == "," and "，" in fields[0] else fields


def _not_too_many(path: Path, number: int, fields: list[str], limits: Limits) -> None:
    if len(fields) > limits.fields:
        raise InputError(
            f"{path.name}, row {number}: it has {len(fields)} fields, more than the {limits.fields} that are read: it is damaged or no table.",
            file=str(path),
        )


def _swallowed(fields: list[str], delimiter: str, usual: int, tail: _Tail) -> bool:
    """Whether a quotation that was never closed has taken in the rows after it: they stand, whole, inside a field."""
    for field in fields:
        inner = field.splitlines()[1:-1] if "\n" in field or "\r" in field else []
        if len(inner) > _LINES_IN_A_FIELD or any(line.count(delimiter) == usual >= 2 for line in inner):
            return True
    return fields[-1].endswith(("\n", "\r")) and not tail.line.rstrip().endswith('"')


def _unclosed(path: Path, number: int) -> InputError:
    return InputError(
        f"{path.name}, row {number}: a quotation mark that begins a field is never closed, so that the rows after it cannot be "
        "told apart: close it.",
        file=str(path),
    )
