"""Rules as data: thresholds, offsets, classes and clauses from layered files, with basis, source, status and dates.

Layers go from national to province, city, county and further down; the most specific row valid on the day wins, if
its key may be overridden. A key without a row is a refusal, never a default in code. Source: docs/rules.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from rivergis.errors import RuleError

STATUSES = ("confirmed", "inferred", "unconfirmed")
ACTIONS = ("立案", "移交", "仅提示")
NATIONAL = "000000"


@dataclass(frozen=True)
class RuleValue:
    """One row that won: its value and everything needed to explain it years later."""

    key: str
    value: Any
    unit: str | None
    basis: str
    source: str
    status: str
    jurisdiction: str
    ruleset: str
    ruleset_version: str
    valid_from: date | None
    valid_to: date | None
    applies_to: Mapping[str, Any]
    competent_authority: str | None
    our_action: str | None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready form, as it is kept with every verdict."""
        return {k: v.isoformat() if isinstance(v, date) else v for k, v in asdict(self).items()}

    def holds_on(self, on: date) -> bool:
        """Whether the row is in force on a civil day; both ends inclusive."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)

    def fits(self, facts: Mapping[str, Any]) -> bool:
        """Whether every condition of ``applies_to`` is met by the facts given."""
        return all(facts.get(k) in (v if isinstance(v, list) else [v]) for k, v in self.applies_to.items())


@dataclass(frozen=True)
class Considered:
    """A row that was looked at for a question, and why it won or lost."""

    row: RuleValue
    won: bool
    why: str


@dataclass(frozen=True)
class Taxon:
    """A class of leads: code, labels, the clause it refers to, who is in charge, and what we may do about it."""

    code: str
    zh: str
    en: str
    group_zh: str
    clause: str
    competent_authority: str
    our_action: str


@dataclass(frozen=True)
class RuleBook:
    """All rule files of a folder, checked."""

    version: str
    content: dict[str, str]
    """file name -> text, as kept in the database so that an old verdict can be recomputed."""
    registry: dict[str, dict[str, Any]]
    by_key: dict[str, list[RuleValue]]
    jurisdictions: dict[str, dict[str, str]]
    """adcode -> folder, zh, en."""
    taxonomy: dict[str, Any]

    def explain(self, key: str, path: Iterable[str], on: date, **facts: Any) -> list[Considered]:
        """Every row of a key with why it won or lost, most specific layer first; raises ``RuleError`` for an unknown key."""
        if key not in self.registry:
            near = [k for k in self.registry if k.startswith(key.split(".")[0] + ".")]
            raise RuleError(f"There is no rule key {key!r}; keys of that group: {', '.join(near[:12]) or 'none'}.")
        rank = {code: i for i, code in enumerate(path)}
        rows = sorted(self.by_key.get(key, []), key=lambda r: (-rank.get(r.jurisdiction, -1), -len(r.applies_to)))
        out, found = [], False
        for row in rows:
            why = self._loses(row, rank, on, facts)
            if why is None and found:
                why = "a more specific row holds"
            out.append(Considered(row, why is None, why or "the most specific row in force"))
            found = found or why is None
        return out

    @staticmethod
    def _loses(row: RuleValue, rank: Mapping[str, int], on: date, facts: Mapping[str, Any]) -> str | None:
        if row.jurisdiction not in rank:
            return "another jurisdiction"
        if not row.holds_on(on):
            return f"not in force on {on}"
        if not row.fits(facts):
            return "does not apply to these facts"
        return None

    def find(self, key: str, path: Iterable[str], on: date, **facts: Any) -> RuleValue | None:
        """The row that wins, or None if none does."""
        return next((c.row for c in self.explain(key, path, on, **facts) if c.won), None)

    def at(self, path: tuple[str, ...], on: date) -> RuleView:
        """The rules of one place (adcode chain, national first) on one day."""
        return RuleView(self, path, on)

    def rows(self) -> list[RuleValue]:
        """All rows, for loading into ``list.rule``."""
        return [r for key in sorted(self.by_key) for r in self.by_key[key]]


@dataclass
class RuleView:
    """The rules of one place on one day; remembers every value that was asked for, so that reports can name it."""

    book: RuleBook
    path: tuple[str, ...]
    on: date
    _used: dict[tuple[str, str], RuleValue] = field(default_factory=dict)

    def find(self, key: str, **facts: Any) -> RuleValue | None:
        row = self.book.find(key, self.path, self.on, **facts)
        if row is not None:
            self._used[(key, repr(sorted(facts.items())))] = row
        return row

    def value(self, key: str, **facts: Any) -> RuleValue:
        """The row that wins; ``RuleError`` when no layer has one."""
        row = self.find(key, **facts)
        if row is None:
            given = f" for {facts}" if facts else ""
            raise RuleError(f"No rule gives {key!r}{given} at {self.path[-1]} on {self.on}: add a row to gis/rules.")
        return row

    def number(self, key: str, **facts: Any) -> float:
        """The value of a key as a number, in the unit of the registry."""
        return float(self.value(key, **facts).value)

    @property
    def used(self) -> list[RuleValue]:
        return list(self._used.values())

    def classify(self, candidate_kind: str) -> Taxon:
        """The 四乱 class a kind of candidate is a question about."""
        kinds = self.book.taxonomy["candidate_kinds"]
        return self._taxon(kinds.get(candidate_kind, kinds["unknown"]))

    def prohibition(self, key: str, **facts: Any) -> Taxon:
        """The class of a question on outfalls, zones or lines: ``source_zone.outfall``, ``outfall.position`` ..."""
        entry = self.book.taxonomy["questions"][key]
        return self._taxon(entry if isinstance(entry, str) else entry[next(iter(facts.values()))])

    def allowed_use(self, candidate_kind: str, subtype: str | None) -> str | None:
        """Why a use is lawful inside the line and is not told (arable beach land), or None."""
        row = self.book.taxonomy["allowed_uses"].get(candidate_kind, {}).get(subtype or "")
        return f"{row['zh']}({row['clause']})" if row else None

    def _taxon(self, code: str) -> Taxon:
        t = self.book.taxonomy["classes"][code]
        return Taxon(code, t["zh"], t["en"], t["group"], t["clause"], t["competent_authority"], t["our_action"])


def path_of(adcode: str) -> tuple[str, ...]:
    """Chain of jurisdictions from national down to an adcode of 6, 9 or 12 digits.

    >>> path_of("500199001")
    ('000000', '500000', '500100', '500199', '500199001')
    """
    if not re.fullmatch(r"\d{6}(\d{3}){0,2}", adcode):
        raise RuleError(
            f"{adcode!r} is not an adcode: six digits for a county, nine for a township, twelve for a village."
        )
    chain = [NATIONAL, adcode[:2] + "0000", adcode[:4] + "00", adcode[:6]]
    chain += [adcode[:n] for n in (9, 12) if len(adcode) >= n]
    return tuple(dict.fromkeys(c for c in chain if c == NATIONAL or int(c[:6]) > 0))


def load(rules_dir: Path) -> RuleBook:
    """Read and check every rule file; ``RuleError`` names file, key and what to do."""
    registry = _yaml(rules_dir / "schema.yaml")["keys"]
    shape = _yaml(rules_dir / "schema.yaml")["file"]
    jurisdictions = {str(k): v for k, v in _yaml(rules_dir / "jurisdictions.yaml").items()}
    content, by_key = {}, {}  # type: dict[str, str], dict[str, list[RuleValue]]
    for adcode, place in jurisdictions.items():
        files = sorted((rules_dir / place["folder"]).glob("*.yaml"))
        if not files:
            raise RuleError(
                f"jurisdictions.yaml names the folder {place['folder']!r} for {adcode}, but it holds no rule file."
            )
        for file in files:
            name = str(file.relative_to(rules_dir))
            content[name] = file.read_text(encoding="utf-8")
            for row in _read(name, _yaml(file), adcode, registry, shape):
                by_key.setdefault(row.key, []).append(row)
    for special in ("schema.yaml", "jurisdictions.yaml", "taxonomy.yaml"):
        content[special] = (rules_dir / special).read_text(encoding="utf-8")
    _no_overlaps(by_key)
    version = hashlib.sha256("".join(f"{n}\n{t}" for n, t in sorted(content.items())).encode()).hexdigest()[:16]
    return RuleBook(version, content, registry, by_key, jurisdictions, _taxonomy(rules_dir / "taxonomy.yaml"))


def _yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RuleError(f"The rule file {path} cannot be read ({error.strerror}).") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise RuleError(
            f"{path.name}: not valid YAML{f' at line {mark.line + 1}' if mark else ''}: mend its syntax."
        ) from error


def _read(name: str, body: Any, adcode: str, registry: dict[str, Any], shape: dict[str, Any]) -> list[RuleValue]:
    try:
        jsonschema.validate(_datesless(body), shape)
    except jsonschema.ValidationError as error:
        where = ".".join(str(p) for p in error.absolute_path) or "the file"
        key = body["rules"][error.absolute_path[1]].get("key", "?") if len(error.absolute_path) > 1 else ""
        raise RuleError(f"{name}: {where} {f'({key}) ' if key else ''}is wrong: {error.message[:160]}.") from error
    return [_row(name, entry, body, adcode, registry) for entry in body["rules"]]


def _datesless(value: Any) -> Any:
    """YAML dates as text, which is what the JSON schema speaks of."""
    if isinstance(value, dict):
        return {k: _datesless(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_datesless(v) for v in value]
    return value.isoformat() if isinstance(value, date) else value


def _row(name: str, entry: dict[str, Any], body: dict[str, Any], adcode: str, registry: dict[str, Any]) -> RuleValue:
    key = entry["key"]
    if key not in registry:
        raise RuleError(f"{name}: the key {key!r} is not known: correct it, or register it in schema.yaml.")
    known = registry[key]
    if entry.get("unit") != known.get("unit"):
        raise RuleError(
            f"{name}: {key} has the unit {entry.get('unit')!r}, but {known.get('unit')!r} is registered: convert the value."
        )
    if adcode != NATIONAL and not known.get("overridable", True):
        raise RuleError(f"{name}: {key} may not be overridden below the national layer: remove the row.")
    _check_value(name, key, entry["value"], known)
    first, last = entry.get("valid_from"), entry.get("valid_to")
    if first and last and last < first:
        raise RuleError(f"{name}: {key} is valid to {last} but only from {first}: correct the dates.")
    return RuleValue(
        key,
        entry["value"],
        entry.get("unit"),
        entry["basis"],
        entry["source"],
        entry["status"],
        adcode,
        body["ruleset"],
        str(body["version"]),
        first,
        last,
        entry.get("applies_to") or {},
        entry.get("competent_authority"),
        entry.get("our_action"),
    )


_TYPES: dict[str, tuple[type, ...]] = {
    "number": (int, float),
    "integer": (int,),
    "text": (str,),
    "boolean": (bool,),
    "date": (date,),
    "list": (list,),
    "mapping": (dict,),
}


def _check_value(name: str, key: str, value: Any, known: dict[str, Any]) -> None:
    if value is None:
        return  # a row may say: no value is set here, and why
    kind = known["type"]
    if kind == "regex":
        try:
            re.compile(value)
        except (re.error, TypeError) as error:
            raise RuleError(f"{name}: {key} is not a valid pattern ({error}).") from error
        return
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        raise RuleError(f"{name}: {key} must be a {kind}, not {value!r}.")
    if isinstance(value, dict) and {"min", "max"} <= value.keys() and value["min"] > value["max"]:
        raise RuleError(f"{name}: {key} has min {value['min']} above max {value['max']}: swap them.")
    if kind in ("number", "integer") and not known.get("min", value) <= value <= known.get("max", value):
        raise RuleError(
            f"{name}: {key} = {value} lies outside {known.get('min', '-∞')} to {known.get('max', '∞')} {known.get('unit') or ''}: check value and unit."
        )


def _no_overlaps(by_key: dict[str, list[RuleValue]]) -> None:
    """Two rows for one key, place and case may not hold on one day: which one would win?"""
    for key, rows in by_key.items():
        seen: dict[tuple[str, str], list[RuleValue]] = {}
        for row in rows:
            group = seen.setdefault((row.jurisdiction, repr(sorted(row.applies_to.items()))), [])
            for other in group:
                if (row.valid_from or date.min) <= (other.valid_to or date.max) and (other.valid_from or date.min) <= (
                    row.valid_to or date.max
                ):
                    raise RuleError(
                        f"{row.ruleset}: {key} has two rows in force at the same time for {row.jurisdiction}: give the older one a valid_to."
                    )
            group.append(row)


def _taxonomy(path: Path) -> dict[str, Any]:
    body: dict[str, Any] = _yaml(path)
    for code, entry in body["classes"].items():
        missing = [k for k in ("zh", "en", "group", "clause", "competent_authority", "our_action") if not entry.get(k)]
        if missing or entry["our_action"] not in ACTIONS:
            raise RuleError(
                f"taxonomy.yaml: class {code} lacks {', '.join(missing) or 'a known our_action (' + ', '.join(ACTIONS) + ')'}."
            )
    named = [*body["candidate_kinds"].values()]
    for question in body["questions"].values():
        named += [question] if isinstance(question, str) else list(question.values())
    unknown = [c for c in named if c not in body["classes"]]
    if unknown:
        raise RuleError(f"taxonomy.yaml names the unknown class {unknown[0]!r}.")
    return body
