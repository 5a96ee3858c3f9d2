"""Import profiles: how a supplier's layers and fields become ours; data in ``gis/rules/import_fields``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rivergis import layers
from rivergis.errors import InputError, RuleError


@dataclass(frozen=True)
class Mapped:
    """One rule: features of a source layer (of any of these names) that pass a filter become rows of a target layer."""

    target: str
    source_layers: tuple[str, ...]
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """source field -> values that pass; ``*`` = any value that is not empty."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """target column -> source field, list of source fields (the first that is not empty), or name -> field for a JSON column."""
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """target column -> source value -> value; ``*`` = any other."""
    constants: Mapping[str, Any] = field(default_factory=dict)
    code: tuple[str, ...] = ()
    """source fields that make the code, joined with a slash; none: the column ``code``."""
    once_per_code: bool = False
    """several features may be one thing (a river of many ways): the first stands for all."""
    addition: bool = False
    """a delivery of candidates that adds to its feed instead of replacing what was there."""


@dataclass(frozen=True)
class Profile:
    """A named set of mappings, in the order in which they must be imported."""

    name: str
    about: str
    mappings: tuple[Mapped, ...]

    def for_layer(self, target: str, source_layer: str | None) -> list[Mapped]:
        """Mappings to a target layer, of one source layer if it is named."""
        return [
            m
            for m in self.mappings
            if m.target == target and (source_layer is None or not m.source_layers or source_layer in m.source_layers)
        ]


def plain() -> Profile:
    """Columns named as in the layer contract; no mapping needed."""
    return Profile("plain", "columns named as ours", tuple(Mapped(name, (name,)) for name in layers.LAYERS))


def load(name: str, rules_dir: Path) -> Profile:
    """The profile of that name; ``InputError`` lists the profiles there are."""
    if name == "plain":
        return plain()
    folder = rules_dir / "import_fields"
    path = folder / f"{name}.yaml"
    if not path.exists():
        known = sorted(["plain", *(p.stem for p in folder.glob("*.yaml"))])
        raise InputError(f"There is no import profile {name!r}; the profiles are {', '.join(known)}.")
    body = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Profile(name, body.get("about", ""), tuple(_mapped(path.name, m) for m in body["mappings"]))


def _mapped(file: str, m: dict[str, Any]) -> Mapped:
    known = {"target", "source_layers", "where", "fields", "values", "constants", "code", "once_per_code", "addition"}
    if set(m) - known or "target" not in m:
        raise RuleError(
            f"{file}: a mapping may have {', '.join(sorted(known))}, not {', '.join(sorted(set(m) - known)) or 'no target'}."
        )
    layer = layers.layer(m["target"])
    columns = {c.name for c in layer.columns} | {"code", "valid_from", "valid_to"}
    for part in ("fields", "values", "constants"):
        unknown = set(m.get(part) or {}) - columns
        if unknown:
            raise RuleError(f"{file}: {m['target']} has no column {sorted(unknown)[0]!r}.")
    return Mapped(
        m["target"],
        tuple(m.get("source_layers") or ()),
        {k: tuple(str(x) for x in v) for k, v in (m.get("where") or {}).items()},
        m.get("fields") or {},
        {k: {str(a): b for a, b in v.items()} for k, v in (m.get("values") or {}).items()},
        m.get("constants") or {},
        tuple(m.get("code") or ()),
        bool(m.get("once_per_code")),
        bool(m.get("addition")),
    )
