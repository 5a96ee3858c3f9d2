"""Words: the one catalogue of Chinese and English labels and sentences that pages, reports and tables are made of.

``gis/text/catalogue.yaml`` holds them as ``group.code: [中文, English]``. Labels that already stand beside what they
name (classes, states, layers, roles) are taken from there, so nothing is said in two places.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import yaml

from rivergis import layers, lifecycle
from rivergis.settings import gis_dir

LANGS = ("zh", "en")


def say(key: str, lang: str = "zh", **values: Any) -> str:
    """The words of ``key`` in one language, with ``{name}`` places filled.

    A code that the catalogue does not know (a subtype of yesterday) is shown as it is: a page never fails for a label.
    """
    words = pair(key)[LANGS.index(lang)]
    return words.format(**values) if values else words


def pair(key: str) -> tuple[str, str]:
    """Chinese and English of a key such as ``bank.left``."""
    return catalogue().get(key, (key.partition(".")[2] or key,) * 2)


def both(key: str, **values: Any) -> str:
    """Chinese first, English beside: ``新增 new``."""
    zh, en = say(key, "zh", **values), say(key, "en", **values)
    return zh if zh == en else f"{zh} {en}"


def choice(layer: str, column: str, code: Any) -> Any:
    """The words for a code in a column of a layer; anything that is no code stays as it is."""
    for key in (f"choice.{layer}.{column}.{code}", f"choice.{column}.{code}", f"{column}.{code}"):
        if key in catalogue():
            return both(key)
    return code


def _plain(text: str) -> Any:
    """A YAML text as plain values, by the reader in C where there is one: it is ten times as fast."""
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@lru_cache(maxsize=1)
def catalogue() -> dict[str, tuple[str, str]]:
    """All words: key -> (Chinese, English)."""
    text = _plain((gis_dir() / "text" / "catalogue.yaml").read_text(encoding="utf-8"))
    return {**_classes(), **_rule_keys(), **_states(), **_layers(), **_roles(), **_flat(text)}


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, tuple[str, str]]:
    out: dict[str, tuple[str, str]] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            out |= _flat(value, f"{prefix}{key}.")
        else:
            zh, en = value
            out[prefix + str(key)] = (str(zh), str(en))
    return out


def _classes() -> dict[str, tuple[str, str]]:
    text = _plain((gis_dir() / "rules" / "taxonomy.yaml").read_text(encoding="utf-8"))
    return {f"class.{code}": (row["zh"], row["en"]) for code, row in text["classes"].items()}


def _rule_keys() -> dict[str, tuple[str, str]]:
    text = _plain((gis_dir() / "rules" / "schema.yaml").read_text(encoding="utf-8"))
    return {f"rule_key.{key}": (row["zh"], row["en"]) for key, row in text["keys"].items()}


def _states() -> dict[str, tuple[str, str]]:
    lives = lifecycle.load().items()
    return {f"state.{noun}.{code}": pair for noun, life in lives for code, pair in life.states.items()} | {
        f"move.{m.name}": (m.zh, m.en) for noun, life in lives if noun == "finding" for m in life.moves.values()
    }


def _layers() -> dict[str, tuple[str, str]]:
    out = {f"layer.{name}": (layer.zh, layer.en) for name, layer in layers.LAYERS.items()}
    for layer in layers.LAYERS.values():
        out |= {f"column.{layer.name}.{c.name}": (c.zh, c.en) for c in layer.columns}
    return out


def _roles() -> dict[str, tuple[str, str]]:
    text = _plain((gis_dir() / "db" / "roles.yaml").read_text(encoding="utf-8"))
    return {
        f"{noun}.{code}": (row["zh"], row["en"])
        for noun, group in (("capability", "capabilities"), ("role", "roles"))
        for code, row in text[group].items()
    }
