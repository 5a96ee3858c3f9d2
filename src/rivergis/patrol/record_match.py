"""Names in a platform's records to chiefs and rivers of the register: only where one alone can be meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
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
        is not that of the only bearer of the name, nor above it, is a contradiction. Raises ``Unmatched``.
        """
        code = record.chief_code or self._decided("chief", record.chief)
        if code:
            return self._one(self.chiefs[self.chiefs["code"] == code], "chief", code)
        if not record.chief:
            raise Unmatched("chief_missing", "")
        same = self.chiefs[self.chiefs["name"].map(_key) == _key(record.chief)]
        if same.empty:
            raise Unmatched("chief_unknown", record.chief)
        fits = same[[self._in_unit(u, record) is not False for u in same["unit_code"]]]
        if fits.empty:
            raise Unmatched("chief_unit", f"{record.chief}, {record.unit or record.unit_code}", "、".join(same["code"]))
        if len(fits) > 1:
            sure = fits[[self._in_unit(u, record) is True for u in fits["unit_code"]]]
            fits = fits if sure.empty else sure
        if len(fits) > 1 and record.title:
            titled = fits[fits["title"].map(lambda t: _key(t or "")) == _key(record.title)]
            fits = fits if titled.empty else titled
        return self._one(fits, "chief", record.chief)

    def _in_unit(self, unit_code: str | None, record: Record) -> bool | None:
        """Whether a chief's unit is the one a record states, above or below it; None where the statement says nothing known."""
        stated = self._units_of(record)
        if not stated or not self._chain(unit_code):
            return None
        own = {code for code, _ in self._chain(unit_code)}
        return any(code in own or any(c == unit_code for c, _ in self._chain(code)) for code in stated)

    def _units_of(self, record: Record) -> list[str]:
        """Units that a record may state: by code, else those whose name its text ends with."""
        if record.unit_code:
            return [str(c) for c in self.units["code"] if c == record.unit_code]
        said = _key(record.unit)
        keys = self.units["name"].map(_key)
        endings = [k for k in keys if k and said.endswith(k)]
        return [] if not endings else list(self.units.loc[keys == max(endings, key=len), "code"].astype(str))

    def _chain(self, unit_code: str | None) -> list[tuple[str, str]]:
        """A unit and those above it: code and name."""
        rows = self.units.set_index("code")
        out: list[tuple[str, str]] = []
        while unit_code in rows.index and len(out) < 8:
            out.append((str(unit_code), str(rows.loc[unit_code, "name"])))
            unit_code = rows.loc[unit_code, "parent_code"]
        return out

    def stretches(self, record: Record) -> tuple[Stretch, ...]:
        """The rivers a record names, and the reach where it names one; none where it names no river. Raises ``Unmatched``."""
        if record.river_code:
            codes = [c.strip() for c in _SEVERAL.split(record.river_code) if c.strip()]
            return tuple(Stretch(self._one(self.rivers[self.rivers["code"] == c], "river", c)) for c in codes)
        named = [n for n in map(plain, _SEVERAL.split(plain(record.river))) if n]
        if len(named) <= 1 and record.reach and (part := self._reach(record.reach, named)):
            return (part,)
        return tuple(dict.fromkeys(self._river(n) for n in named))

    def _reach(self, said: str, rivers: list[str]) -> Stretch | None:
        same = self.reaches[self.reaches["name"].map(_key) == _key(said)]
        if rivers:
            ids = self.rivers.loc[self.rivers["name"].map(_key) == _key(rivers[0]), "id"]
            same = same[same["river_id"].isin(ids)]
        if len(same) != 1:
            return None
        row = same.iloc[0]
        return Stretch(row["river_id"], float(row["from_m"]), float(row["to_m"]))

    def _river(self, said: str) -> Stretch:
        code = self._decided("river", said)
        if code:
            return Stretch(self._one(self.rivers[self.rivers["code"] == code], "river", code))
        same = self.rivers[self.rivers["name"].map(_key) == _key(said)]
        if same.empty and (part := self._reach(said, [])):
            return part
        if same.empty:
            text = _key(said)
            begins = [
                bool(n) and text.startswith(n) and bool(_PART.match(text[len(n) :]))
                for n in self.rivers["name"].map(_key)
            ]
            same = self.rivers[begins]
        return Stretch(self._one(same, "river", said))

    def _decided(self, noun: str, said: str) -> str | None:
        decided = {_key(k): str(v) for k, v in self.names.get(noun, {}).items()}
        return decided.get(_key(said)) if said else None

    def _one(self, rows: pd.DataFrame, noun: str, said: str) -> Any:
        if rows.empty:
            raise Unmatched(f"{noun}_unknown", said)
        if len(rows) > 1:
            raise Unmatched(f"{noun}_several", said, "、".join(rows["code"].astype(str)))
        return rows.iloc[0]["id"]


def _key(name: str) -> str:
    """A name as it is compared: ordinary figures and letters, no blanks (张 三 is 张三)."""
    return plain(name).replace(" ", "").casefold()
