"""The one catalogue: complete, equal in both languages, and free of words that judge."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from rivergis import words
from rivergis.layers import LAYERS

ROOT = Path(__file__).resolve().parents[1]
KEYS = words.catalogue()
JUDGEMENT = re.compile(r"违法|违规|非法|作弊|造假|illegal|violation|breach|cheat", re.IGNORECASE)


@pytest.mark.parametrize("key", sorted(KEYS))
def test_both_languages_say_it_with_the_same_places(key: str) -> None:
    zh, en = KEYS[key]
    places = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (zh, en)]
    assert places[0] == places[1]
    assert key == "unit.ratio" or (zh and en)
    assert not JUDGEMENT.search(zh + en)


def used() -> set[str]:
    """Keys that code and pages name in full."""
    found = set()
    for file in [*(ROOT / "src" / "rivergis").rglob("*.py"), *(ROOT / "gis" / "pages").glob("*.html")]:
        text = file.read_text(encoding="utf-8")
        found |= set(re.findall(r"""\b(?:words|say|both|pair)\(\s*['"]([a-z_]+\.[a-z_.]+[a-z])['"]\s*[,)]""", text))
    return found


def test_every_key_that_is_used_is_there() -> None:
    assert len(used()) > 50
    assert used() - set(KEYS) == set()


def test_every_choice_of_a_layer_has_words() -> None:
    mute = [
        (layer.name, column.name, code)
        for layer in LAYERS.values()
        for column in layer.columns
        for code in column.choices
        if words.choice(layer.name, column.name, code) == code
    ]
    assert mute == []


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert words.both("class.subtype.of_yesterday") == "subtype.of_yesterday"
    assert words.choice("outfall", "name", "一号") == "一号"


def test_places_are_filled_and_braces_in_values_stay() -> None:
    assert words.say("sentence.lacks", "en", name="{x}", capability="y") == "{x} may not: y."
