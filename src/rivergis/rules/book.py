"""The rule book: rows with basis, source, status and dates, and which of them holds at a place on a day."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from rivergis.errors import RuleError
from rivergis.rules import classes
from rivergis.rules.classes import AllowedUse, Classified, LocalWord, Taxon

STATUSES = ("confirmed", "inferred", "unconfirmed")
ACTIONS = ("立案", "移交", "仅提示")
NATIONAL = "000000"


def listed(value: Any) -> list[Any]:
    """A condition of ``applies_to`` as the list of values it allows."""
    return value if isinstance(value, list) else [value]


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
    competent_authority: str
    """主管部门 in charge of the matter."""
    our_action: str
    """What the river chief office may do about it: 立案, 移交 or 仅提示."""

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready form, as it is kept with every verdict."""
        plain = {k: v.isoformat() if isinstance(v, date) else v for k, v in vars(self).items()}
        return plain | {"applies_to": dict(self.applies_to)}

    def holds_on(self, on: date) -> bool:
        """Whether the row is in force on a civil day; both ends inclusive."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)

    def fits(self, facts: Mapping[str, Any]) -> bool:
        """Whether every condition of ``applies_to`` is met by the facts given."""
        return all(facts.get(k) in listed(v) for k, v in self.applies_to.items())

    def rivals(self, other: RuleValue) -> bool:
        """Whether one case on one day could be met by both rows equally well, so that neither wins."""
        if self.jurisdiction != other.jurisdiction or len(self.applies_to) != len(other.applies_to):
            return False
        days = max(self.valid_from or date.min, other.valid_from or date.min) <= min(
            self.valid_to or date.max, other.valid_to or date.max
        )
        shared = self.applies_to.keys() & other.applies_to.keys()
        return days and all(any(v in listed(other.applies_to[k]) for v in listed(self.applies_to[k])) for k in shared)


@dataclass(frozen=True)
class Considered:
    """A row that was looked at for a question, and why it won or lost."""

    row: RuleValue
    won: bool
    why: str


@dataclass(frozen=True)
class RuleBook:
    """All rule files of a folder, checked."""

    version: str
    content: dict[str, str]
    """file name -> text, as kept in the database so that an old verdict can be recomputed."""
    registry: dict[str, dict[str, Any]]
    """key -> type, unit, range, labels."""
    facts: dict[str, dict[str, Any]]
    """what a row may be limited to."""
    by_key: dict[str, list[RuleValue]]
    jurisdictions: dict[str, dict[str, str]]
    """adcode -> folder, zh, en."""
    taxonomy: dict[str, Any]

    @cached_property
    def words(self) -> classes.Words:
        """Every word of the sources, by place."""
        return classes.Words(self.taxonomy)

    def local_class(self, path: tuple[str, ...], word: str) -> LocalWord:
        """What a source's own word means at a place: local list and national groups; no groups = not known there."""
        return self.words.find(path, word)

    def explain(self, key: str, path: Iterable[str], on: date, **facts: Any) -> list[Considered]:
        """Every row of a key with why it won or lost, most specific layer first; raises ``RuleError`` for an unknown key."""
        if key not in self.registry:
            near = [k for k in self.registry if k.startswith(key.split(".")[0] + ".")]
            raise RuleError(f"There is no rule key {key!r}; keys of that group: {', '.join(near[:12]) or 'none'}.")
        strange = facts.keys() - self.facts.keys()
        if strange:
            raise RuleError(f"There is no fact {min(strange)!r}; the facts are: {', '.join(self.facts)}.")
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
        """The value of a key as a number, in the unit of the registry; ``RuleError`` where a row leaves it open."""
        row = self.value(key, **facts)
        if isinstance(row.value, bool) or not isinstance(row.value, (int, float)):
            raise RuleError(f"{row.ruleset}: {key} is {row.value!r}, but a number is needed here: give it a value.")
        return float(row.value)

    @property
    def used(self) -> list[RuleValue]:
        return list(self._used.values())

    def apart(self) -> RuleView:
        """The same rules with a memory of its own: what one verdict asked for."""
        return RuleView(self.book, self.path, self.on)

    def remember(self, other: RuleView) -> None:
        """Count what another view of the same rules was asked for as asked of this one."""
        self._used.update(other._used)

    def class_of(self, candidate_kind: str, word: str | None = None) -> Classified:
        """The 四乱 class of an object: by the source's own word where that tells one, else what its kind is a question about."""
        kinds = self.book.taxonomy["candidate_kinds"]
        by_kind = self.taxon(kinds.get(candidate_kind, kinds["unknown"]))
        found = self.book.local_class(self.path, word) if word and word.strip() else None
        if found is None or found.code is None:
            return Classified(by_kind, found, "kind", False)
        taxon = self.taxon(found.code)
        known_kind = by_kind.code != classes.UNKNOWN
        return Classified(taxon, found, "word", known_kind and taxon.group_zh != by_kind.group_zh)

    def prohibition(self, key: str, **facts: Any) -> Taxon:
        """The class of a question on outfalls, zones or lines: ``source_zone.outfall``, ``outfall.position`` ..."""
        entry = self.book.taxonomy["questions"][key]
        return self.taxon(entry if isinstance(entry, str) else entry[next(iter(facts.values()))])

    def prohibitions(self, zones: Iterable[str], code: str) -> list[dict[str, Any]]:
        """What the law forbids or lets pass by approval for a class of object on these grounds and zones."""
        zones = set(zones)
        return [
            {k: v for k, v in row.items() if k not in ("of", "basin", "rule")}
            | {"zone": sorted(zones & set(row["zone"]))}
            for row in self.book.taxonomy["prohibitions"]
            if zones & set(row["zone"]) and classes.fits(code, row["of"]) and self._holds(row)
        ]

    def buffer(self, code: str) -> dict[str, Any] | None:
        """The distance off the line that the basin's law keeps free of a class of works, as the row that says so."""
        rows = self.book.taxonomy["buffers"]
        return next((r for r in rows if classes.fits(code, r["of"]) and self.basin == r["basin"]), None)

    def function_zone(self, zone_type: str) -> dict[str, Any]:
        """What a shoreline function zone (岸线功能区) asks of what stands there."""
        return dict(self.book.taxonomy["function_zones"][zone_type])

    def lawful_use(self, candidate_kind: str, word: str | None) -> AllowedUse | None:
        """The use or work that is lawful inside the line (arable beach land ...), where the rules here recognise it."""
        found = self.book.local_class(self.path, word) if word else None
        use = classes.use_of(self.book.taxonomy, candidate_kind, found)
        held = self.find("encroach.exempt_types") if use else None
        return use if use and held and use.code in held.value else None

    @property
    def basin(self) -> str | None:
        """The basin whose law applies here, if the rules name one."""
        row = self.find("law.basin")
        return row.value if row else None

    def taxon(self, code: str) -> Taxon:
        """A class by its code, with the clause of the basin's own law first where that law applies."""
        t = self.book.taxonomy["classes"][code]
        own = t["clause_in"].get(self.basin) if "clause_in" in t else None
        return Taxon(
            code,
            t["zh"],
            t["en"],
            t["group"],
            f"{own};{t['clause']}" if own else t["clause"],
            t["competent_authority"],
            t["our_action"],
            t["measure"],
            t.get("severity"),
            t.get("severity_top") == "above",
            t.get("off_permit"),
            t.get("across", False),
        )

    def _holds(self, row: Mapping[str, Any]) -> bool:
        """Whether a prohibition applies in this basin and on this day."""
        if "basin" in row and row["basin"] != self.basin:
            return False
        if "rule" not in row:
            return True
        told = self.find(row["rule"], **({"basin": row["basin"]} if "basin" in row else {}))
        return told is not None and told.value is True


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
