"""Numbers of stakes (界桩编号): rising downstream in one series a bank, and never changed once given.

A stake set between 012 and 013 becomes 012-1, and one between 012 and 012-1 becomes 012-0-1: every number that was
given keeps its stake, and the order of the numbers stays the order along the line.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass

from rivergis.errors import InputError, UsageError

Key = tuple[int, ...]
_TAIL = re.compile(r"^(?P<series>.*?)(?P<figure>\d+)(?P<subs>(?:-\d{1,3})*)$", re.DOTALL)
_FIELDS = {"county", "river", "reach", "bank", "number"}
LETTERS = {"left": "L", "right": "R"}


@dataclass(frozen=True)
class Number:
    """A number taken apart: the series it counts in, its figures, and how many digits the first of them has."""

    series: str
    key: Key
    digits: int

    def __str__(self) -> str:
        return f"{self.series}{self.key[0]:0{self.digits}d}" + "".join(f"-{k}" for k in self.key[1:])


def read(text: str, series: str | None = None) -> Number | None:
    """A number as people wrote it; ``series`` is what should stand before the figures, where that is known.

    >>> read("QX-L-012-1")
    Number(series='QX-L-', key=(12, 1), digits=3)
    """
    text = text.strip()
    known = series if series and text.startswith(series) else None
    found = _TAIL.match(text[len(known) :] if known else text)
    if not found or (known and found["series"]):
        return None
    subs = tuple(int(k) for k in found["subs"].split("-")[1:])
    return Number(known or found["series"], (int(found["figure"]), *subs), len(found["figure"]))


def between(before: Key | None, after: Key | None, count: int) -> list[Key]:
    """So many numbers, rising, after one and before another; ``InputError`` where none fits between.

    >>> between((12,), (13,), 2), between((12,), (12, 1), 1), between((12,), None, 1), between(None, (1,), 1)
    ([(12, 1), (12, 2)], [(12, 0, 1)], [(13,)], [(0, 1)])
    """
    if after is None:
        first = 0 if before is None else before[0]
        return [(first + i,) for i in range(1, count + 1)]
    if before is None:
        before = (0,)
        if before >= after:
            raise InputError(f"No number fits before {_said(after)}: number that stake anew.")
    if before >= after:
        raise InputError(f"No number fits between {_said(before)} and {_said(after)}, which do not rise.")
    if after[: len(before)] != before:
        return [(*before, i) for i in range(1, count + 1)]
    child = after[len(before)]
    if child > 1:
        return [(*before, child - 1, i) for i in range(1, count + 1)]
    if child == 1:
        return [(*before, 0, i) for i in range(1, count + 1)]
    return between((*before, 0), after, count)


def _said(key: Key) -> str:
    return "-".join(map(str, key))


def given(order: Sequence[Key | None], taken: Key = (0,)) -> list[Key]:
    """Numbers of a series in the order along the line: those that are there stay, the others (None) get one.

    ``taken``: the highest number ever used; what goes on at the end counts from there. Where the numbers that are there do not
    rise, they are kept all the same, and what stands between them counts on at the end of the series.
    """
    out = list(order)
    used = {k for k in out if k is not None}
    highest = max([*used, taken])
    for first, last in _gaps(out):
        before = out[first - 1] if first else None
        after = out[last] if last < len(out) else None
        news = _fitting(before, after, last - first, highest, used)
        used.update(news)
        highest = max(highest, news[-1])
        out[first:last] = news
    return [k for k in out if k is not None]


def _gaps(order: Sequence[Key | None]) -> list[tuple[int, int]]:
    """Runs without a number: position of the first, and one past the last."""
    firsts = [i for i, k in enumerate(order) if k is None and (i == 0 or order[i - 1] is not None)]
    return [(i, next((j for j in range(i, len(order)) if order[j] is not None), len(order))) for i in firsts]


def _fitting(before: Key | None, after: Key | None, count: int, highest: Key, used: set[Key]) -> list[Key]:
    """Numbers between two others where they rise, else at the end of the series."""
    if after is None:
        return between(highest, None, count)
    try:
        news = between(before, after, count)
    except InputError:
        return between(highest, None, count)
    return between(highest, None, count) if used & set(news) else news


def series_of(form: str, *, county: str, river: str, reach: str, bank: str) -> tuple[str, int]:
    """What stands before the figures in numbers of a form such as ``{river}-{bank}-{number:04d}``, and their digits.

    Raises ``UsageError`` for a form with unknown places, or one that does not end in the number.
    """
    try:
        places = [(name, spec) for _, name, spec, _ in string.Formatter().parse(form) if name is not None]
    except ValueError as error:
        raise UsageError(f"{form!r} is no form of numbers ({error}): write it like {{river}}-{{bank}}-{{number:04d}}.") from error  # fmt: skip
    unknown = {n for n, _ in places} - _FIELDS
    digits = re.fullmatch(r"0?(\d*)d?", (places[-1][1] or "") if places else "x")
    if unknown or not places or places[-1][0] != "number" or not form.endswith("}") or digits is None:
        raise UsageError(
            f"{form!r} is no form of numbers: use {{county}}, {{river}}, {{reach}}, {{bank}}, and {{number:04d}} at the end."
        )
    head = form[: form.rindex("{")]
    series = head.format(county=county, river=river, reach=reach, bank=LETTERS[bank], number="")
    return series, int(digits[1] or 1)
