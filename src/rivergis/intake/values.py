"""Values as survey offices write them: numbers with units, chainages, grades, Chinese days and words for codes.

Nothing is guessed: what can mean one thing only is understood and reported; anything else stays a wrong value.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

import yaml

from rivergis import layers, words
from rivergis.settings import gis_dir

# factor of a written unit to the unit that the name of a column ends with
_UNITS: dict[str, dict[str, float]] = {
    "m": {
        **dict.fromkeys(("m", "米", "公尺"), 1.0),
        **dict.fromkeys(("km", "千米", "公里"), 1000.0),
        **dict.fromkeys(("dm", "分米"), 0.1),
        **dict.fromkeys(("cm", "厘米"), 0.01),
        **dict.fromkeys(("mm", "毫米"), 0.001),
    },
    "a": dict.fromkeys(("a", "年", "年一遇"), 1.0),
}
_NUMBER = r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][+-]?\d+)?"
_QUANTITY = re.compile(rf"({_NUMBER})\s*(.*)", re.DOTALL)
_CHAINAGE = re.compile(r"(?:桩号)?\s*[A-Z]{0,3}\s*(\d{1,5})\s*\+\s*(\d{1,3}(?:\.\d+)?)", re.IGNORECASE)
_FREQUENCY = re.compile(r"(?:P\s*=\s*)?(\d+(?:\.\d+)?)\s*%", re.IGNORECASE)
_SCALE = re.compile(r"1\s*[:/]\s*(\d[\d,]*|\d+(?:\.\d+)?\s*万)")
_GRADE = re.compile(r"(?:第)?([0-9一二三四五六七八九十IVX]+)\s*(?:级|等|类)[^\d一二三四五六七八九十]*", re.IGNORECASE)
_DIGITS = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0, "O": 0}
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5}
_CHINESE_DAY = re.compile(
    r"([〇零○O一二三四五六七八九]{4}|\d{4})年\s*([\d一二三四五六七八九十]{1,3})月\s*([\d一二三四五六七八九十]{1,3})[日号]?"
)
_UNIT_ENDING = re.compile(
    r"(.+?)(?:[\s_]+|\s*[\[(【〔/]\s*|(?<=[\u4e00-\u9fff]))(m|米|km|千米|公里|cm|厘米|mm|毫米|a|年)\s*[\])】〕]?"
)


def unit_of(column: str) -> str | None:
    """The unit that a column's name ends with, if it is one that values may be written in."""
    unit = column.rpartition("_")[2]
    return unit if unit in _UNITS else None


def number(value: Any, column: str = "", factor: float = 1.0) -> float | None:
    """The number that a text means in the unit of its column; ``None`` if it means none or more than one thing.

    ``12.5米``, ``3.2km``, ``1,200``, ``K12+345`` in a column of metres; ``20年一遇`` or ``P=5%`` in one of years; ``5%``
    elsewhere is 0.05. ``factor``: of the unit that the field's own name has. A comma is a thousands separator only
    before three digits.
    """
    text, unit = plain(value), unit_of(column)
    if unit == "m" and (found := _CHAINAGE.fullmatch(text)):
        return float(found[1]) * 1000 + float(found[2])
    if found := _FREQUENCY.fullmatch(text):
        share = float(found[1])
        return (100 / share if share else None) if unit == "a" else share / 100
    matched = _QUANTITY.fullmatch(text)
    if not matched or not any(c.isdigit() for c in matched[1]):
        return None
    figure, rest = float(matched[1].replace(",", "")), matched[2].strip().lower()
    if not rest:
        return figure * factor
    return figure * _UNITS[unit][rest] if unit and rest in _UNITS[unit] else None


def integer(value: Any) -> int | None:
    """A whole number as written in words: ``一级``, ``2级``, ``Ⅲ类``, ``1:2000``, ``准保护区`` (3)."""
    text = plain(value)
    if found := _SCALE.fullmatch(text):
        figure = found[1].replace(",", "").strip()
        return round(float(figure.rstrip("万 ")) * 10_000) if figure.endswith("万") else int(float(figure))
    if text in ("准保护区", "准级", "准保护"):
        return 3
    found = _GRADE.fullmatch(text)
    return _count(found[1]) if found else None


def _count(figure: str) -> int | None:
    """One to ninety-nine in Arabic, Roman or Chinese figures."""
    if figure.isdigit():
        return int(figure)
    if figure.upper() in _ROMAN:
        return _ROMAN[figure.upper()]
    tens, ten, ones = figure.rpartition("十")
    if any(c not in _DIGITS for c in tens + ones) or len(tens) > 1 or len(ones) > 1:
        return None
    return (10 * (_DIGITS[tens] if tens else 1) if ten else 0) + (_DIGITS[ones] if ones else 0)


def day(value: Any) -> str | None:
    """A day in Chinese figures (二〇二四年十月五日) as year, month and day; ``None`` if it is not written so."""
    found = _CHINESE_DAY.fullmatch(plain(value))
    if not found:
        return None
    year = "".join(str(_DIGITS.get(c, c)) for c in found[1])
    month, of_month = _count(found[2]), _count(found[3])
    return f"{year}-{month:02d}-{of_month:02d}" if month and of_month else None


def level(value: Any) -> tuple[float, str | None] | None:
    """A height with the words for what it counts from: ``175.0m(1985国家高程基准)`` is 175.0 and that datum."""
    text = plain(value)
    named = next((w for w in sorted(_datum_words(), key=len, reverse=True) if w in text), None)
    if named is None:
        return None
    rest = text.replace(named, "", 1).strip(" ()[]〔〕,;:高程系面基准+")
    figure = number(rest, "height_m")
    return None if figure is None else (figure, _datum_words()[named])


def datum(value: Any) -> str | None:
    """The vertical datum that words name, as we write it; ``None`` for words that name none we know."""
    text = plain(value)
    named = next((w for w in sorted(_datum_words(), key=len, reverse=True) if w in text), None)
    return None if named is None else _datum_words()[named]


def choice(layer: str, column: layers.Column, value: Any) -> str | None:
    """The code that a word stands for in a column of choices; ``None`` if it stands for none."""
    return _choices(layer, column.name, column.choices).get(plain(value).lower())


def plain(value: Any) -> str:
    """Text with full-width letters and figures made ordinary, without spaces around."""
    return unicodedata.normalize("NFKC", str(value)).strip()


def heading(name: str) -> tuple[str, float | None]:
    """A field's name without its unit, and the factor of that unit to metres or years: ``起点桩号(km)`` is 起点桩号 and 1000."""
    text = plain(name).lower()
    found = _UNIT_ENDING.fullmatch(text)
    if not found:
        return text, None
    unit = found[2]
    return found[1], next(units[unit] for units in _UNITS.values() if unit in units)


@lru_cache(maxsize=1)
def _import_words() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((gis_dir() / "text" / "import_words.yaml").read_text(encoding="utf-8"))
    return loaded


@lru_cache(maxsize=1)
def _datum_words() -> dict[str, str]:
    return {plain(w): name for name, written in _import_words()["vertical_datum"].items() for w in written}


@lru_cache(maxsize=256)
def _choices(layer: str, column: str, codes: tuple[str, ...]) -> dict[str, str]:
    """Word -> code: the code itself, its labels in the catalogue, and the words of survey offices."""
    table = _import_words()["choices"]
    out: dict[str, str] = {}
    for code in codes:
        keys = (f"choice.{layer}.{column}.{code}", f"choice.{column}.{code}", f"{column}.{code}")
        labels = next((words.catalogue()[k] for k in keys if k in words.catalogue()), (code, code))
        more = {**table.get(column, {}), **table.get(f"{layer}.{column}", {})}.get(code, [])
        for word in (code, *labels, *more):
            out.setdefault(plain(word).lower(), code)
    return out
