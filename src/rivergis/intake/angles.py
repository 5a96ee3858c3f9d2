"""Numbers and angles as people write them in tables: degrees-minutes-seconds in every spelling, commas, units, full-width digits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

# before NFKC, which would take these signs apart; the words 度 分 秒 are marks too
_MARKS = str.maketrans(
    {
        **dict.fromkeys("°º˚⁰ᵒ∘度゜", "°"),
        **dict.fromkeys("′'’‘´`＇分ʹˊ‵", "'"),
        **dict.fromkeys('″"”“＂秒〃ʺ〞‶', '"'),
        **dict.fromkeys("−–—‐－", "-"),
        **dict.fromkeys("\u200b\u200c\u200d\ufeff\u2060", ""),
    }
)
_HEMISPHERE = {
    "东": "E",
    "西": "W",
    "北": "N",
    "南": "S",
    "东经": "E",
    "西经": "W",
    "北纬": "N",
    "南纬": "S",
    "E": "E",
    "W": "W",
    "N": "N",
    "S": "S",
}
_LETTER = r"(东经|西经|北纬|南纬|[EWNS东西北南])"
_LABEL = re.compile(r"^(?:[XYBLEN]|经°|纬°|东坐标|北坐标|横坐标|纵坐标)\s*[=:]\s*", re.IGNORECASE)
_MARKED = re.compile(
    rf"^{_LETTER}?[:=]?\s*([-+]?\d{{1,3}}(?:\.\d+)?)\s*°\s*(?:(\d{{1,2}}(?:\.\d+)?)\s*'\s*)?"
    rf"(?:(\d{{1,2}}(?:\.\d+)?)\s*(\"?)\s*(?:\.?(?<=[\".])(\d+))?)?\s*{_LETTER}?$",
    re.IGNORECASE,
)
_SPACED = re.compile(
    rf"^{_LETTER}?[:=]?\s*([-+]?\d{{1,3}})(\s+|\s*[:\-.,]\s*)(\d{{1,2}})(?:\3(\d{{1,2}}(?:\.\d+)?)\"?)\s*{_LETTER}?$",
    re.IGNORECASE,
)
_MINUTES = re.compile(
    rf"^{_LETTER}?[:=]?\s*([-+]?\d{{1,3}})(?:\s+|\s*[:\-]\s*)(\d{{1,2}}\.\d+)'?\s*{_LETTER}?$", re.IGNORECASE
)
_DMS_LETTERS = re.compile(
    r"(?<![\d.])(\d{1,3})\s*d(?:eg)?\s*(\d{1,2}(?:\.\d+)?)\s*m(?:in)?(?:\s*(\d{1,2}(?:\.\d+)?)\s*s(?:ec)?)?(?![a-z])",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$")
_SHORTENED = re.compile(r"^[-+]?\d(?:\.(\d*))?[eE]\+?(\d+)$")
_LETTERED = re.compile(rf"^{_LETTER}?[:=]?\s*([-+]?[\d.]+)\s*°?\s*{_LETTER}?$", re.IGNORECASE)
_UNIT = re.compile(r"\s*(?:m|米|公尺|met(?:er|re)s?|°)$", re.IGNORECASE)
_THOUSANDS = re.compile(r"^[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$")
_NOTHING = frozenset(
    ("", "-", "--", "---", "/", "\\", "无", "缺", "空", "null", "none", "nan", "n/a", "na", "#n/a", "*", "待测", "未测")
)
_PACKED_AT_LEAST = 6


@dataclass(frozen=True)
class Manner:
    """How the values of one column are written, decided once for the whole column."""

    decimal_comma: bool = False
    angles: bool = True
    """Whether 106 30 12 and 106-30-12 may be degrees, minutes and seconds (not in a column of metres)."""


@dataclass
class Values:
    """One column read. ``numbers`` is NaN where there is nothing to use; the masks tell why."""

    numbers: np.ndarray
    missing: np.ndarray
    wrong: np.ndarray
    """Minutes or seconds of 60 and more."""
    dms: np.ndarray
    east: int = 0
    """How many values carry E, W, 东经, 西经 themselves; ``north`` likewise."""
    north: int = 0

    @property
    def unreadable(self) -> np.ndarray:
        return np.isnan(self.numbers) & ~self.missing & ~self.wrong


def _marked(found: re.Match[str]) -> str:
    """113d03m46.09s in the marks of degrees, minutes and seconds."""
    degrees, minutes, seconds = found.groups()
    return f"{degrees}°{minutes}'" + (f'{seconds}"' if seconds else "")


def tidy(text: str) -> str:
    """A value in plain characters: full-width digits and the many signs for degree, minute and second made one each."""
    text = unicodedata.normalize("NFKC", text.translate(_MARKS)).replace("''", '"')
    text = re.sub(r"(?<=\d)。(?=\d)", ".", text)
    text = _DMS_LETTERS.sub(_marked, " ".join(text.split()))
    return text[1:].strip() if text[:1] == "'" and len(text) > 1 else text


def is_nothing(cell: Any) -> bool:
    """An empty cell, or one of the signs people write for nothing."""
    if cell is None or (isinstance(cell, float) and np.isnan(cell)):
        return True
    return isinstance(cell, str) and (not cell or (len(cell) < 6 and tidy(cell).lower() in _NOTHING))


def read_angle(text: str) -> tuple[float, str | None] | None:
    """Degrees and hemisphere letter of a text with minutes; NaN where minutes or seconds are 60 and more; None if it is no such text."""
    said = re.sub("^经°", "东经", re.sub("^纬°", "北纬", tidy(text)))
    said = re.sub(r"(?<=\d),(?=\d)", ".", said) if "°" in said else said
    if match := _MARKED.match(said):
        first, degrees, minutes, seconds, mark, tail, last = match.groups()
        if minutes is None and seconds is None:
            return None
        if minutes is None and not mark:
            minutes, seconds = seconds, None
        if tail is not None:  # 12"34 and 12".34: the old way of writing 12.34"
            seconds = f"{seconds}.{tail}"
    elif match := _SPACED.match(said):
        first, degrees, _, minutes, seconds, last = match.groups()
    elif match := _MINUTES.match(said):
        first, degrees, minutes, last = match.groups()
        seconds = None
    else:
        return None
    return _degrees(degrees, minutes, seconds, first or last)


def _degrees(degrees: str, minutes: str | None, seconds: str | None, letter: str | None) -> tuple[float, str | None]:
    d, m, s = abs(float(degrees)), float(minutes or 0), float(seconds or 0)
    hemisphere = _HEMISPHERE[letter.upper()] if letter else None
    fractions = "." in degrees or (minutes is not None and "." in minutes and seconds is not None)
    if m >= 60 or s >= 60 or d > 180 or fractions:
        return float("nan"), hemisphere
    sign = -1 if degrees.startswith("-") or hemisphere in ("W", "S") else 1
    return sign * (d + m / 60 + s / 3600), hemisphere


def read_number(text: str, decimal_comma: bool = False) -> tuple[float, str | None]:
    """A plain number (with its hemisphere letter, if it has one); NaN if the text is no number. Chainage (K12+345) is none."""
    said = _LABEL.sub("", tidy(text))
    letter = None
    if not _PLAIN.match(said):
        said = _UNIT.sub("", said)
        if match := _LETTERED.match(said):
            first, said, last = match.groups()
            letter = _HEMISPHERE[(first or last).upper()] if first or last else None
        said = _ungrouped(said, decimal_comma)
    if not _PLAIN.match(said):
        return float("nan"), None
    number = float(said)
    return (-number if letter in ("W", "S") else number) if np.isfinite(number) else float("nan"), letter


def is_shortened(cell: Any) -> bool:
    """A number in scientific notation that does not even tell its tens (3.248E+06): what a spreadsheet shows, saved as text."""
    match = _SHORTENED.match(cell.strip()) if isinstance(cell, str) and ("E" in cell or "e" in cell) else None
    return match is not None and int(match[2]) > len(match[1] or "")


def _ungrouped(said: str, decimal_comma: bool) -> str:
    closed = re.sub(r"(?<=[\d,.])\s+(?=[\d,.])", "", said)
    if decimal_comma:
        return closed.replace(".", "").replace(",", ".") if "," in closed else closed
    return closed.replace(",", "") if _THOUSANDS.match(closed) else closed


def manner_of(cells: Sequence[Any], angular: bool | None) -> Manner:
    """How a column is written, from a sample of it. ``angular``: what its name says (经度 true, X(m) false)."""
    texts = [tidy(c) for c in cells if isinstance(c, str) and "," in c.replace("，", ",")]
    grouped = [t for t in texts if _THOUSANDS.match(_UNIT.sub("", t.replace(" ", "")))]
    certainly_grouped = any(t.count(",") > 1 or "." in t for t in grouped)
    comma = bool(texts) and not certainly_grouped and (len(grouped) < len(texts) or angular is True)
    return Manner(decimal_comma=comma, angles=angular is not False)


def read_values(cells: Sequence[Any], manner: Manner) -> Values:
    """Every cell of a column as a number; degrees-minutes-seconds text becomes degrees. Dates and truth values are no numbers."""
    usable = [c if type(c) in (str, int, float) else None for c in cells]
    numbers = pd.to_numeric(pd.Series(usable, dtype=object), errors="coerce").to_numpy(dtype=float, copy=True)
    numbers[~np.isfinite(numbers)] = np.nan
    none = np.zeros(len(cells), dtype=bool)
    out = Values(numbers, none.copy(), none.copy(), none.copy())
    for i in np.flatnonzero(np.isnan(numbers)).tolist():
        cell = cells[i]
        if is_nothing(cell):
            out.missing[i] = True
        elif isinstance(cell, str) and len(cell) < 80:
            _read_text(out, i, cell, manner)
    return out


def _read_text(out: Values, i: int, cell: str, manner: Manner) -> None:
    angle = read_angle(cell) if manner.angles or "°" in tidy(cell) else None
    if angle is None:
        out.numbers[i], letter = read_number(cell, manner.decimal_comma)
    else:
        out.numbers[i], letter = angle
        out.dms[i] = True
        out.wrong[i] = bool(np.isnan(out.numbers[i]))
    out.east += letter in ("E", "W")
    out.north += letter in ("N", "S")


def could_be_packed(numbers: np.ndarray) -> bool:
    """Whether every number could be degrees, minutes and seconds written as dd.mmssss (106.301234 = 106°30′12.34″)."""
    known = np.abs(numbers[~np.isnan(numbers)])
    if known.size == 0 or bool((known > 180).any()):
        return False
    fraction = np.round((known - np.floor(known)) * 1e4, 5)
    return bool(((np.floor(fraction / 100) < 60) & (fraction % 100 < 60)).all())


def packed_candidates(numbers: np.ndarray) -> int:
    """How many numbers have enough decimals to tell packed degrees from decimal ones (enough in all: ``_PACKED_AT_LEAST``)."""
    known = numbers[~np.isnan(numbers)]
    return int((np.abs(known * 1e3 - np.round(known * 1e3)) > 1e-6).sum())


def enough_for_packed(candidates: int) -> bool:
    """A chance of one third each: six values leave one in a thousand."""
    return candidates >= _PACKED_AT_LEAST
