"""Import profiles: how a supplier's layers and fields become ours; data in ``gis/rules/import_fields``."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from rivergis import layers
from rivergis.errors import InputError, RuleError


@dataclass(frozen=True)
class Mapped:
    """One rule: features of a source layer (of any of these names) that pass a filter become rows of a target layer.

    Wherever a source field is named, ``a|b`` means the first of them that is not empty.
    """

    target: str
    source_layers: tuple[str, ...]
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """source field -> values that pass; ``*`` = any value that is not empty, ``*闸*`` any that holds 闸."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """target column -> source field, list of source fields (the first that is not empty), or name -> field for a JSON column."""
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """target column -> source value -> value; ``*`` = any other."""
    constants: Mapping[str, Any] = field(default_factory=dict)
    """target column -> value where the source has none."""
    code: tuple[str, ...] = ()
    """source fields that make the code, joined with a slash, empty ones left out; none: the column ``code``."""
    once_per_code: bool = False
    """several features may be one thing (a river of many ways): the first stands for all."""
    addition: bool = False
    """a delivery of candidates that adds to its feed instead of replacing what was there."""
    prefix: Mapping[str, str] = field(default_factory=dict)
    """target column -> text before its value, where two source layers number their features alike."""
    drop: tuple[str, ...] = ()
    """fields that are no attributes of the thing: of a program itself (``Sm*``), or personal (``*电话*``); left out and said."""

    def takes(self, source_layer: str) -> bool:
        """Whether a source layer goes by one of its names; ``*`` stands for anything, upper and lower case are one."""
        name = source_layer.lower()
        return any(fnmatch.fnmatchcase(name, n.lower()) for n in self.source_layers)

    @property
    def source_fields(self) -> set[str]:
        """Every source field that it reads, in lower case."""
        named: list[Any] = [*self.code, *self.where]
        for value in self.fields.values():
            named += list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]
        return {part.lower() for n in named for part in str(n).split("|")}


@dataclass(frozen=True)
class Profile:
    """A named set of mappings, in the order in which they must be imported."""

    name: str
    about: str
    mappings: tuple[Mapped, ...]

    def for_layer(self, target: str, source_layer: str | None) -> list[Mapped]:
        """Mappings to a target layer, of one source layer if it is named."""
        return [m for m in self.mappings if m.target == target and (source_layer is None or m.takes(source_layer))]


def plain() -> Profile:
    """Columns named as in the layer contract; no mapping needed."""
    return Profile("plain", "columns named as ours", tuple(Mapped(name, (name,)) for name in layers.LAYERS))


def load_all(rules_dir: Path) -> list[Profile]:
    """Every profile there is, ``plain`` first."""
    return [plain(), *(load(p.stem, rules_dir) for p in sorted((rules_dir / "import_fields").glob("*.yaml")))]


def fitting(profiles: Iterable[Profile], target: str, source_layer: str, columns: Iterable[str]) -> str | None:
    """The profile whose fields a layer has most of, if it has at least two and one of them names the code."""
    there = {str(c).strip().lower() for c in columns}
    best: dict[str, int] = {}
    for p in profiles:
        for m in p.mappings:
            # of a code of several fields the last is the thing's own
            own = m.code[-1] if m.code else m.fields.get("code", "")
            coded = {part.lower() for part in str(own).split("|")} & there
            if m.target == target and coded and len(m.source_fields & there) > 1:
                score = len(m.source_fields & there) + 100 * m.takes(source_layer)
                best[p.name] = max(best.get(p.name, 0), score)
    return max(best, key=lambda n: best[n]) if best else None


def load(name: str, rules_dir: Path) -> Profile:
    """The profile of that name; ``InputError`` lists the profiles there are, ``RuleError`` says what is wrong in its file."""
    if name == "plain":
        return plain()
    folder = rules_dir / "import_fields"
    known = {p.stem: p for p in folder.glob("*.yaml")}
    if name not in known:
        raise InputError(
            f"There is no import profile {name!r}; the profiles are {', '.join(sorted(['plain', *known]))}."
        )
    path = known[name]
    try:
        body = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise RuleError(f"{path.name} cannot be read as YAML: {' '.join(str(error).split())[:160]}.") from error
    sound = isinstance(body, dict) and {"about", "mappings"} <= set(body) <= {"about", "mappings", "drop"}
    if not sound or not all(isinstance(body.get(part, []), list) for part in ("mappings", "drop")):
        raise RuleError(
            f"{path.name}: a profile has 'about' (a sentence), 'mappings' (a list) and perhaps 'drop' (a list of fields), nothing else."
        )
    drop = tuple(str(d) for d in body.get("drop", ()))
    return Profile(name, str(body["about"]), tuple(replace(_mapped(path.name, m), drop=drop) for m in body["mappings"]))


_PARTS: dict[str, type] = {
    "target": str,
    "source_layers": list,
    "where": dict,
    "fields": dict,
    "values": dict,
    "constants": dict,
    "code": list,
    "once_per_code": bool,
    "addition": bool,
    "prefix": dict,
}


def _mapped(file: str, m: Any) -> Mapped:
    if not isinstance(m, dict) or set(m) - set(_PARTS) or not m.get("target") or not m.get("source_layers"):
        extra = ", ".join(sorted(set(m) - set(_PARTS))) if isinstance(m, dict) else ""
        raise RuleError(
            f"{file}: a mapping needs target and source_layers and may have {', '.join(sorted(_PARTS))}"
            + (f"; not {extra}." if extra else ".")
        )
    for part, kind in _PARTS.items():
        if part in m and not isinstance(m[part], kind):
            raise RuleError(f"{file}: {part} of {m['target']} must be a {kind.__name__}, not {m[part]!r}.")
    if str(m["target"]) not in layers.LAYERS:
        raise RuleError(f"{file}: there is no layer {m['target']!r}; the layers are {', '.join(layers.LAYERS)}.")
    _check_columns(file, layers.layer(m["target"]), m)
    return Mapped(
        m["target"],
        tuple(str(n) for n in m["source_layers"]),
        {k: tuple(str(x) for x in _listed(v)) for k, v in (m.get("where") or {}).items()},
        m.get("fields") or {},
        {k: {str(a): b for a, b in v.items()} for k, v in (m.get("values") or {}).items()},
        m.get("constants") or {},
        tuple(str(c) for c in m.get("code") or ()),
        bool(m.get("once_per_code")),
        bool(m.get("addition")),
        {k: str(v) for k, v in (m.get("prefix") or {}).items()},
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _check_columns(file: str, layer: layers.Layer, m: dict[str, Any]) -> None:
    """Every column named must exist, and every value written must be one the column may hold."""
    columns = {c.name: c for c in layer.columns}
    for part in ("fields", "values", "constants", "prefix"):
        for name, given in (m.get(part) or {}).items():
            if name not in columns and name not in ("code", "valid_from", "valid_to"):
                raise RuleError(f"{file}: {layer.name} has no column {name!r}.")
            if part in ("fields", "prefix"):
                continue
            if part == "values" and not isinstance(given, dict):
                raise RuleError(f"{file}: values of {layer.name}.{name} must map source values to ours.")
            written = list(given.values()) if part == "values" else [given]
            choices = columns[name].choices if name in columns else ()
            wrong = [v for v in written if choices and v is not None and v not in choices]
            if wrong:
                raise RuleError(f"{file}: {layer.name}.{name} = {wrong[0]!r} is none of {', '.join(choices)}.")


def names_in(folder: Path) -> list[str]:
    """Names of the profiles that a folder of ``gis/rules`` holds."""
    return sorted(p.stem for p in folder.glob("*.yaml"))


def body_of(name: str, folder: Path, what: str) -> Any:
    """What a profile file says; ``InputError`` lists those there are (``what`` they are for), ``RuleError`` where it is no YAML."""
    there = names_in(folder)
    if name not in there:
        raise InputError(f"There is no {what} profile {name!r}; the profiles are {', '.join(there)}.")
    path = folder / f"{name}.yaml"
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise RuleError(f"{path.name} cannot be read as YAML: {' '.join(str(error).split())[:160]}.") from error
