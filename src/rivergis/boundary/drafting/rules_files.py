"""Which rules a draft is drawn by: a rule set of the house by folder, name or adcode, or a file of rules of one's own."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from rivergis.errors import InputError, UsageError
from rivergis.rules import NATIONAL, RuleBook, RuleView, book_of, path_of

_OWN = "999999"
"""Stands for the place of a file of rules; no county bears it."""


def view_of(book: RuleBook, asked: str, on: date) -> RuleView:
    """The rules asked for: ``anhui``, 安徽省, ``340000``, or a file (.yaml as in gis/rules, .json with berm_m and bank_offset_m)."""
    path = Path(asked)
    if path.suffix.lower() in (".yaml", ".yml", ".json"):
        return _of_file(book, path, on)
    if asked.isdigit():
        return book.at(path_of(asked), on)
    for adcode, place in book.jurisdictions.items():
        if asked.lower() in (place["folder"].lower(), place["zh"], place["en"].lower()):
            return book.at(path_of(adcode), on)
    known = ", ".join(p["folder"] for p in book.jurisdictions.values())
    raise UsageError(
        f"There is no rule set {asked!r}: give one of {known}, an adcode of six digits, or a file of rules (.yaml, .json)."
    )


def _of_file(book: RuleBook, path: Path, on: date) -> RuleView:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} cannot be read as a file of rules in UTF-8: check its name and encoding.", file=str(path)
        ) from error
    if path.suffix.lower() == ".json":
        text = _as_rules(path, text)
    places = {**book.jurisdictions, _OWN: {"folder": "own", "zh": path.name, "en": path.name}}
    content = {**book.content, "jurisdictions.yaml": yaml.safe_dump(places, allow_unicode=True), "own/rules.yaml": text}
    return book_of(content).at((NATIONAL, _OWN), on)


def _as_rules(path: Path, text: str) -> str:
    """A table of offsets (``berm_m`` by grade, ``bank_offset_m`` by width) as a rule file."""
    try:
        given = json.loads(text)
        berms = {int(k): float(v) for k, v in given.get("berm_m", {}).items()}
        offsets = [[float(w), float(m)] for w, m in given.get("bank_offset_m", [])]
    except (ValueError, AttributeError, TypeError) as error:
        raise InputError(
            f"{path.name} is no table of offsets: it needs berm_m ({{grade: metres}}) and bank_offset_m ([[up to width, metres]]).",
            file=str(path),
        ) from error
    rows = [_rule("boundary.leveed.berm_width", m, path, {"levee_grade": g}) for g, m in berms.items()]
    if offsets:
        rows.append(_rule("boundary.unleveed.width_offset", offsets, path))
    return yaml.safe_dump(
        {"ruleset": f"own/{path.stem}", "version": 1, "title": path.name, "rules": rows}, allow_unicode=True
    )


def _rule(key: str, value: Any, path: Path, applies_to: dict[str, Any] | None = None) -> dict[str, Any]:
    row = {
        "key": key,
        "value": value,
        "unit": "m",
        "basis": f"file {path.name}",
        "source": path.name,
        "status": "unconfirmed",
    }
    row |= {"competent_authority": "水行政", "our_action": "仅提示"}
    return row | ({"applies_to": applies_to} if applies_to else {})
