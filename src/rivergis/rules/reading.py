"""Reading rule files: every row is checked against the registry in ``schema.yaml``, every fault told with its file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from jsonschema.exceptions import best_match

from rivergis.errors import RuleError
from rivergis.rules import classes
from rivergis.rules.book import NATIONAL, RuleBook, RuleValue, listed

SPECIAL = ("schema.yaml", "jurisdictions.yaml", "taxonomy.yaml")


def load(rules_dir: Path) -> RuleBook:
    """Read and check every rule file of a folder; ``RuleError`` names file, key and what to do."""
    if not rules_dir.is_dir():
        raise RuleError(f"There is no folder of rules at {rules_dir}: check RIVERGIS_RULES_DIR.")
    files = [rules_dir / name for name in SPECIAL] + sorted(rules_dir.glob("*/*.y*ml"))
    return book_of({str(f.relative_to(rules_dir)): _text(f) for f in files})


def book_of(content: dict[str, str]) -> RuleBook:
    """The rule book of file texts (file name -> text), as a folder or an older state kept in the database gives them."""
    known = _mapping("schema.yaml", content)
    _check_shape("schema.yaml", known, known.get("shapes", {}).get("registry") or {"required": ["shapes"]})
    shapes = known["shapes"]
    places = {str(k): v for k, v in _mapping("jurisdictions.yaml", content).items()}
    _check_shape("jurisdictions.yaml", places, shapes["jurisdictions"])
    content = {n: t for n, t in content.items() if n.split("/")[0] not in known["not_rules"]}
    by_key: dict[str, list[RuleValue]] = {}
    for name, adcode in _files(content, places):
        body = _mapping(name, content)
        _check_shape(name, body, shapes["file"])
        for entry in body["rules"]:
            row = _row(name, entry, body, adcode, known)
            rival = next((r for r in by_key.get(row.key, []) if r.rivals(row)), None)
            if rival:
                raise RuleError(
                    f"{name}: {row.key} has two rows in force at the same time for {adcode} and one case (the other in "
                    f"{rival.ruleset}): give the older one a valid_to, or one of them a further condition."
                )
            by_key.setdefault(row.key, []).append(row)
    version = hashlib.sha256("".join(f"{n}\n{t}" for n, t in sorted(content.items())).encode()).hexdigest()[:16]
    taxonomy = _taxonomy(_mapping("taxonomy.yaml", content), shapes["taxonomy"], known["keys"])
    return RuleBook(version, content, known["keys"], known["facts"], by_key, places, taxonomy)


def _files(content: Mapping[str, str], places: Mapping[str, Mapping[str, str]]) -> list[tuple[str, str]]:
    """Rule files with the adcode they hold for; a file that no jurisdiction claims would be forgotten in silence."""
    folders = {p["folder"]: adcode for adcode, p in places.items()}
    names = sorted(n for n in content if n not in SPECIAL)
    for name in names:
        if name.split("/")[0] not in folders:
            raise RuleError(f"{name}: no jurisdiction names this folder: add a line to jurisdictions.yaml.")
        if not name.endswith(".yaml"):
            raise RuleError(f"{name}: rule files end in .yaml: rename it.")
    for folder, adcode in folders.items():
        if not any(n.startswith(f"{folder}/") for n in names):
            raise RuleError(f"jurisdictions.yaml names the folder {folder!r} for {adcode}, but it holds no rule file.")
    return [(n, folders[n.split("/")[0]]) for n in names]


class _Yaml(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML in which a key may not stand twice: the last one would win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for name in (n for n, _ in node.value if isinstance(n, yaml.ScalarNode)):
            if name.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{name.value!r} stands twice", problem_mark=name.start_mark)
            seen.add(name.value)
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        return made


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise RuleError(f"The rule file {path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise RuleError(f"The rule file {path} is not UTF-8: save it as UTF-8.") from error


def _mapping(name: str, content: Mapping[str, str]) -> dict[Any, Any]:
    """The YAML mapping of one file."""
    try:
        body = yaml.load(content.get(name, ""), Loader=_Yaml)
    except yaml.MarkedYAMLError as error:
        line = f" at line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise RuleError(f"{name}: not valid YAML{line} ({error.problem}): mend its syntax.") from error
    except (yaml.YAMLError, ValueError) as error:
        raise RuleError(f"{name}: not valid YAML ({error}): mend it.") from error
    if not isinstance(body, dict):
        raise RuleError(f"{name} is missing or holds no mapping: see docs/rules.md for its form.")
    return body


def _check_shape(name: str, body: Any, shape: Mapping[str, Any]) -> None:
    body = _datesless(body)
    error = best_match(jsonschema.Draft202012Validator(shape).iter_errors(body))
    if error is None:
        return
    path = list(error.absolute_path)
    entry = body["rules"][path[1]] if path[:1] == ["rules"] and len(path) > 1 else None
    key = f" ({entry['key']})" if isinstance(entry, dict) and "key" in entry else ""
    raise RuleError(f"{name}: {'.'.join(map(str, path)) or 'the file'}{key} is wrong: {error.message[:160]}.")


def _datesless(value: Any) -> Any:
    """YAML dates as text, which is what the JSON schema speaks of."""
    if isinstance(value, dict):
        return {k: _datesless(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_datesless(v) for v in value]
    return value.isoformat() if isinstance(value, date) else value


def _row(name: str, entry: dict[str, Any], body: dict[str, Any], adcode: str, known: dict[str, Any]) -> RuleValue:
    key, unit = entry["key"], entry.get("unit")
    if key not in known["keys"]:
        raise RuleError(f"{name}: the key {key!r} is not known: correct it, or register it in schema.yaml.")
    registered = known["keys"][key]
    if unit != registered.get("unit"):
        raise RuleError(
            f"{name}: {key} has the unit {unit!r}, but {registered.get('unit')!r} is registered: convert the value."
        )
    if adcode != NATIONAL and not registered.get("overridable", True):
        raise RuleError(f"{name}: {key} may not be overridden below the national layer: remove the row.")
    _check_value(name, key, entry["value"], registered)
    _check_facts(name, key, entry.get("applies_to") or {}, known["facts"])
    first, last = (_day(name, key, entry.get(end)) for end in ("valid_from", "valid_to"))
    if first and last and last < first:
        raise RuleError(f"{name}: {key} is valid to {last} but only from {first}: correct the dates.")
    kept = {k: entry[k] for k in ("key", "value", "basis", "source", "status", "competent_authority", "our_action")}
    return RuleValue(
        **kept,
        unit=unit,
        jurisdiction=adcode,
        ruleset=body["ruleset"],
        ruleset_version=str(body["version"]),
        valid_from=first,
        valid_to=last,
        applies_to=entry.get("applies_to") or {},
    )


def _day(name: str, key: str, value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as error:
        raise RuleError(f"{name}: {key} has the impossible date {value!r}: correct it.") from error


def _check_facts(name: str, key: str, applies_to: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """A misspelt fact would make a row that never applies."""
    for fact, wanted in applies_to.items():
        if fact not in facts:
            raise RuleError(f"{name}: {key} applies to the unknown fact {fact!r}: the facts are {', '.join(facts)}.")
        values = facts[fact].get("values")
        strange = [v for v in listed(wanted) if values and v not in values]
        if strange:
            raise RuleError(f"{name}: {key} applies to {fact} {strange[0]!r}, which is none of {values}.")


_IS: dict[str, Callable[[Any], bool]] = {
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "text": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "date": lambda v: isinstance(v, date) and not isinstance(v, datetime),
    "list": lambda v: isinstance(v, list),
    "mapping": lambda v: isinstance(v, dict),
    "regex": lambda v: isinstance(v, str),
}


def _check_value(name: str, key: str, value: Any, known: Mapping[str, Any]) -> None:
    if value is None:
        return  # a row may say: no value is set here, and why
    kind = known["type"]
    if not _IS[kind](value):
        raise RuleError(f"{name}: {key} must be of type {kind}, not {value!r}.")
    if kind == "regex":
        try:
            re.compile(value)
        except re.error as error:
            raise RuleError(f"{name}: {key} is not a valid pattern ({error}).") from error
    if "values" in known and value not in known["values"]:
        raise RuleError(f"{name}: {key} is {value!r}, which is none of {known['values']}.")
    if kind in ("number", "integer") and not known.get("min", value) <= value <= known.get("max", value):
        raise RuleError(
            f"{name}: {key} = {value} lies outside {known.get('min', '-∞')} to {known.get('max', '∞')} {known.get('unit') or ''}: check value and unit."
        )
    if kind == "mapping" and {"min", "max"} <= value.keys():
        ends = (value["min"], value["max"])
        if not all(_IS["number"](v) for v in ends):
            raise RuleError(f"{name}: {key} has min and max {ends}, which are not both numbers.")
        if ends[0] > ends[1]:
            raise RuleError(f"{name}: {key} has min {ends[0]} above max {ends[1]}: swap them.")


def _taxonomy(body: dict[str, Any], shape: Mapping[str, Any], keys: Mapping[str, Any]) -> dict[str, Any]:
    _check_shape("taxonomy.yaml", body, shape)
    fault = next(iter(classes.faults(body, keys)), None)
    if fault:
        raise RuleError(fault)
    return body
