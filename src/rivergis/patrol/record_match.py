"""Names in a platform's records to chiefs and rivers of the register: only where one alone can be meant."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from rivergis.patrol.entries import Stretch
from rivergis.patrol.record_values import plain
from rivergis.patrol.records import Record

_SEVERAL = re.compile(r"[、,;/\n]+")
# what follows the name of a river where a part of it is named: 清溪江口镇段, 清溪(石桥村)
_PART = re.compile(r"^(?:.{0,30}段|\(.{0,30}\))$")


class Unmatched(Exception):
    """A record that cannot be put down to one chief or one river: ``code`` and what was said."""

    def __init__(self, code: str, said: str, choices: str = "") -> None:
        super().__init__(code)
        self.code, self.said, self.choices = code, said, choices


@dataclass(frozen=True)
class Register:
    """Who and what there is on a civil day.

    ``chiefs``: id, code, name, title, unit_code; ``units``: code, name, parent_code; ``rivers``: id, code, name;
    ``reaches``: name, river_id, from_m, to_m (reaches that have a name). ``names``: what a person has decided, by noun.
    """

    chiefs: pd.DataFrame
    units: pd.DataFrame
    rivers: pd.DataFrame
    reaches: pd.DataFrame
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def chief(self, record: Record) -> Any:
        """Id of the chief a record is about: by code, else by the name that one alone bears.

        Of several of one name the unit and then the title that the record states decide, where they leave one. A unit that
        is not that of the only bearer of the name, nor above or below it, is a contradiction. Raises ``Unmatched``.
        """
        code = record.chief_code or self._decided("chief", record.chief)
        if code:
            return _one(self._chief_codes.get(code, []), "chief", code)
        if not record.chief:
            raise Unmatched("chief_missing", "")
        same = self._chief_names.get(_key(record.chief), [])
        if not same:
            raise Unmatched("chief_unknown", record.chief)
        placed = [(row, self._in_unit(row.unit_code, record)) for row in same]
        fits = [row for row, there in placed if there is not False]
        if not fits:
            raise Unmatched("chief_unit", f"{record.chief}, {record.unit or record.unit_code}", _codes(same))
        fits = [row for row, there in placed if there] or fits
        titled = [row for row in fits if record.title and _key(row.title or "") == _key(record.title)]
        return _one(titled if len(fits) > 1 and titled else fits, "chief", record.chief)

    @cached_property
    def _chief_codes(self) -> dict[str, list[Any]]:
        return _grouped(self.chiefs, self.chiefs["code"])

    @cached_property
    def _chief_names(self) -> dict[str, list[Any]]:
        return _grouped(self.chiefs, self.chiefs["name"].map(_key))

    @cached_property
    def _river_codes(self) -> dict[str, list[Any]]:
        return _grouped(self.rivers, self.rivers["code"])

    @cached_property
    def _river_names(self) -> dict[str, list[Any]]:
        return _grouped(self.rivers, self.rivers["name"].map(_key))

    @cached_property
    def _reach_names(self) -> dict[str, list[Any]]:
        return _grouped(self.reaches, self.reaches["name"].map(_key))

    @cached_property
    def _units(self) -> dict[str, Any]:
        return {row.code: row for row in self.units.itertuples()}

    @cached_property
    def _unit_names(self) -> dict[str, list[Any]]:
        return _grouped(self.units, self.units["name"].map(_key))

    def _in_unit(self, unit_code: str | None, record: Record) -> bool | None:
        """Whether a chief's unit is the one a record states, above or below it; None where the statement says nothing known."""
        stated = self._units_of(record)
        own = self._chain(unit_code)
        if not stated or not own:
            return None
        return any(code in own or unit_code in self._chain(code) for code in stated)

    def _units_of(self, record: Record) -> list[str]:
        """Units that a record may state: by code, else those whose name its text ends with, the longest name."""
        if record.unit_code:
            return [record.unit_code] if record.unit_code in self._units else []
        said = _key(record.unit)
        ending = next((said[i:] for i in range(len(said)) if said[i:] in self._unit_names), None)
        return [] if ending is None else [row.code for row in self._unit_names[ending]]

    def _chain(self, unit_code: str | None) -> list[str | None]:
        """Codes of a unit and of those above it."""
        out: list[str | None] = []
        while unit_code in self._units and unit_code not in out:
            out.append(unit_code)
            unit_code = self._units[unit_code].parent_code
        return out

    def stretches(self, record: Record) -> tuple[Stretch, ...]:
        """The rivers a record names, and the reach where it names one; none where it names no river. Raises ``Unmatched``."""
        if record.river_code:
            codes = [c.strip() for c in _SEVERAL.split(record.river_code) if c.strip()]
            return tuple(Stretch(_one(self._river_codes.get(c, []), "river", c)) for c in codes)
        named = [n for n in map(plain, _SEVERAL.split(plain(record.river))) if n]
        if len(named) <= 1 and record.reach and (part := self._reach(record.reach, named)):
            return (part,)
        return tuple(dict.fromkeys(self._river(n) for n in named))

    def _reach(self, said: str, rivers: list[str]) -> Stretch | None:
        same = self._reach_names.get(_key(said), [])
        if rivers:
            ids = {row.id for row in self._river_names.get(_key(rivers[0]), [])}
            same = [row for row in same if row.river_id in ids]
        return Stretch(same[0].river_id, float(same[0].from_m), float(same[0].to_m)) if len(same) == 1 else None

    def _river(self, said: str) -> Stretch:
        code = self._decided("river", said)
        if code:
            return Stretch(_one(self._river_codes.get(code, []), "river", code))
        same = self._river_names.get(_key(said), [])
        if not same and (part := self._reach(said, [])):
            return part
        text = _key(said)
        begins = [text[:i] for i in range(1, len(text)) if text[:i] in self._river_names and _PART.match(text[i:])]
        return Stretch(_one(same or [row for name in begins for row in self._river_names[name]], "river", said))

    def _decided(self, noun: str, said: str) -> str | None:
        return self._decisions.get(noun, {}).get(_key(said)) if said else None

    @cached_property
    def _decisions(self) -> dict[str, dict[str, str]]:
        return {noun: {_key(k): str(v) for k, v in told.items()} for noun, told in self.names.items()}


def _grouped(rows: pd.DataFrame, keys: pd.Series) -> dict[str, list[Any]]:
    """Rows by a key."""
    out: dict[str, list[Any]] = {}
    for key, row in zip(keys, rows.itertuples(), strict=True):
        out.setdefault(key, []).append(row)
    return out


def _codes(rows: Sequence[Any]) -> str:
    return "、".join(str(row.code) for row in rows)


def _one(rows: Sequence[Any], noun: str, said: str) -> Any:
    if not rows:
        raise Unmatched(f"{noun}_unknown", said)
    if len(rows) > 1:
        raise Unmatched(f"{noun}_several", said, _codes(rows))
    return rows[0].id


def _key(name: str) -> str:
    """A name as it is compared: ordinary figures and letters, no blanks (张 三 is 张三)."""
    return plain(name).replace(" ", "").casefold()
