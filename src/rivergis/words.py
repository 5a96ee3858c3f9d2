"""One catalogue of words in two languages; codes in data, Chinese first on pages."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from rivergis.settings import gis_dir


@lru_cache(maxsize=2)
def _catalogue(path: Path) -> dict[str, tuple[str, str]]:
    body: dict[str, dict[str, list[str]]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {f"{group}.{code}": (pair[0], pair[1]) for group, entries in body.items() for code, pair in entries.items()}


def pair(key: str) -> tuple[str, str]:
    """Chinese and English of a key such as ``bank.left``; a code that the catalogue lacks is shown as it is."""
    return _catalogue(gis_dir() / "text" / "catalogue.yaml").get(key, (key.split(".", 1)[-1],) * 2)


def say(key: str, lang: str = "zh", **values: Any) -> str:
    """The words of a key in one language, with values filled in."""
    return pair(key)[0 if lang == "zh" else 1].format(**values)


def both(key: str) -> str:
    """Chinese first, English beside."""
    zh, en = pair(key)
    return zh if zh == en else f"{zh} {en}"
