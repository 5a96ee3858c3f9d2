"""The tables of a register of rivers: list, sections, who is responsible, and what is open, in words and rounded for reading.

Headings in Chinese and English, lengths in km, chainages as 12+345; what is not known stays empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from rivergis import words
from rivergis.river import duties
from rivergis.river.chainage import label
from rivergis.river.inventory import Inventory

Cells = Sequence[Any]


@dataclass(frozen=True)
class Sheet:
    """One table: key of its title and of the headings of its columns in the catalogue, and the rows as they are shown."""

    key: str
    columns: Sequence[str]
    rows: Sequence[Cells]


@dataclass(frozen=True)
class RiverRegister:
    """What a register file tells: any of the list, the responsibilities and the comparison with an official list.

    ``about``: source, day, filters; ``rules``: rows of the rules that were used; ``min_stretch_m``: shorter stretches are
    counted, not listed. ``codes``: river_id -> code, and chief_id -> code.
    """

    inventory: Inventory | None = None
    assignment: duties.Assignment | None = None
    official: pd.DataFrame | None = None
    without_axis: pd.DataFrame | None = None
    codes: Mapping[Any, str] = field(default_factory=dict)
    min_stretch_m: float = 0.0
    about: dict[str, Any] = field(default_factory=dict)
    rules: list[dict[str, Any]] = field(default_factory=list)
    demo: bool = False

    def sheets(self) -> list[Sheet]:
        out = []
        if self.inventory is not None:
            out += [_list(self.inventory.rivers), _sections(self.inventory)]
        if self.assignment is not None:
            out += self._duty_sheets(self.assignment)
        if self.official is not None:
            out.append(_official(self.official))
        return out

    def _duty_sheets(self, a: duties.Assignment) -> list[Sheet]:
        held, nobody, several = (
            duties.longer(duties.joined(frame), self.min_stretch_m)[0] for frame in (a.intervals, a.orphans, a.doubles)
        )
        sheets = [
            Sheet("duty_summary", _SUMMARY, [_summary_row(r) for r in a.summary.itertuples()]),
            Sheet("duties", _HELD, [self._stretch(r) for r in held.itertuples()]),
            Sheet("orphans", _HELD[:-1], [self._stretch(r)[:-1] for r in nobody.itertuples()]),
            Sheet("doubles", _HELD, [self._stretch(r) for r in several.itertuples()]),
            Sheet("persons", _PERSONS, [self._person(r) for r in a.persons.itertuples()]),
        ]
        astray = a.astray[a.astray["length_m"].abs() >= self.min_stretch_m]
        sheets.append(Sheet("astray", _ASTRAY, [self._astray(r) for r in astray.itertuples()]))
        if self.without_axis is not None and len(self.without_axis):
            rows = [(r.code, r.name, _kind(r.kind), r.duties) for r in self.without_axis.itertuples(index=False)]
            sheets.append(Sheet("without_axis", ("code", "name", "kind", "duties_named"), rows))
        return sheets

    def _stretch(self, r: Any) -> Cells:
        level, bank = words.both(f"level.{r.level}"), words.both(f"bank.{r.bank}")
        return (
            self.codes.get(r.river_id, r.river_id), r.river, level, bank, label(r.from_m), label(r.to_m),
            round(r.length_m, 1), r.chiefs,
        )  # fmt: skip

    def _person(self, r: Any) -> Cells:
        code, level = self.codes.get(r.chief_id, r.chief_id), words.both(f"level.{r.level}")
        return r.chief, code, level, r.rivers, _km(r.river_m), _km(r.bank_m), _km(r.shared_bank_m)

    def _astray(self, r: Any) -> Cells:
        return (
            self.codes.get(r.river_id, r.river_id), words.both(f"level.{r.level}"), words.both(f"bank.{r.bank}"), r.chief,
            label(r.from_m), label(r.to_m), round(r.length_m, 1), words.both(f"river_register.reason_{r.reason}"),
        )  # fmt: skip


_LIST = (
    "code", "name", "kind", "lies_in", "length_km", "side_length_km", "covered_km", "water_area_km2", "source_unit", "source", "mouth_unit",
    "mouth", "flows_into", "flows_into_water", "upstream_area_km2", "area_basis", "basin_class", "lake_class", "grade",
    "grade_basis", "grade_range", "grade_missing", "over_min_length", "small_basin", "line_basis", "line_banks",
)  # fmt: skip
_SECTION = ("code", "name", "level", "unit_code", "unit", "with_unit", "from", "to", "length_km", "area_km2")
_HELD = ("code", "name", "level", "bank", "from", "to", "length_m", "chiefs")
_PERSONS = ("chief", "chief_code", "level", "rivers", "river_km", "bank_km", "shared_bank_km")
_SUMMARY = ("level", "bank_km", "one_km", "nobody_km", "nobody_share", "several_km", "several_share")
_ASTRAY = ("code", "level", "bank", "chiefs", "from", "to", "beyond_m", "reason")
_OFFICIAL = (
    "status", "official_code", "official_name", "code", "name", "official_length_km", "length_km", "difference_km",
    "difference_percent", "matched_by",
)  # fmt: skip


def _list(rivers: pd.DataFrame) -> Sheet:
    return Sheet("list", _LIST, [_river_row(r) for r in rivers.to_dict("records")])


def _river_row(r: dict[str, Any]) -> Cells:
    missing = [words.say(f"river_register.criterion_{c}") for c in (r["grade_missing"] or "").split(",") if c]
    return (
        r["code"], r["name"], _kind(r["kind"]), r["lies_in"], _km(r["length_m"]), _km(r["side_length_m"]), _km(r["covered_m"]),
        _number(r["water_area_km2"], 4), r["source_unit"], _place(r, "source"), r["mouth_unit"], _place(r, "mouth"),
        r["flows_into"], r["flows_into_water"], _number(r["upstream_area_km2"], 3), _said("area_basis", r["area_basis"]),
        r["basin_class"], r["lake_class"], r["grade"], _said("grade_basis", r["grade_basis"]), r["grade_range"],
        "、".join(missing) or None, _yes(r["over_min_length"]), _yes(r["small_basin"]), _line(r["line_basis"]),
        "、".join(words.say(f"bank.{b}") for b in (r["line_banks"] or "").split(",") if b) or None,
    )  # fmt: skip


def _sections(inventory: Inventory) -> Sheet:
    named = inventory.sections.merge(inventory.rivers[["river_id", "code", "name"]], on="river_id", how="left")
    rows: list[Cells] = [
        (
            r["code"], r["name"], words.both(f"level.{r['level']}"), _or_none(r["unit_code"]),
            _or_none(r["unit"]) or (None if pd.notna(r["unit_code"]) else words.both("river_register.outside")),
            _or_none(r["with_unit"]), _label(r["from_m"]), _label(r["to_m"]), _km(r["length_m"]), _number(r["area_m2"] / 1e6, 4),
        )
        for r in named.to_dict("records")
    ]  # fmt: skip
    return Sheet("sections", _SECTION, rows)


def _official(compared: pd.DataFrame) -> Sheet:
    rows = [
        (
            words.both(f"river_register.status_{r['status']}"), r["official_code"], r["official_name"], r["code"], r["name"],
            _km(r["official_length_m"]), _km(r["length_m"]), _km(r["difference_m"]), _number(r["difference_percent"], 2),
            _said("matched_by", r["matched_by"]),
        )
        for r in compared.to_dict("records")
    ]  # fmt: skip
    return Sheet("official", _OFFICIAL, rows)


def _summary_row(r: Any) -> Cells:
    return (
        words.both(f"level.{r.level}"), _km(r.bank_m), _km(r.one_m), _km(r.nobody_m), f"{r.nobody_share:.2%}",
        _km(r.several_m), f"{r.several_share:.2%}",
    )  # fmt: skip


def _kind(kind: str) -> str:
    return words.both(f"choice.kind.{kind}")


def _said(group: str, code: str | None) -> str | None:
    return None if code is None else words.both(f"river_register.{group}_{code}")


def _line(basis: str | None) -> str | None:
    return None if basis is None else words.both("river_register.no_line" if basis == "none" else f"basis.{basis}")


def _yes(value: Any) -> str | None:
    return (
        None if value is None or pd.isna(value) else words.both("river_register.yes" if value else "river_register.no")
    )


def _place(r: dict[str, Any], end: str) -> str | None:
    lon, lat = r[f"{end}_lon"], r[f"{end}_lat"]
    return None if pd.isna(lon) else f"{lon:.6f}, {lat:.6f}"


def _label(at_m: float) -> str | None:
    return None if pd.isna(at_m) else label(at_m)


def _km(length_m: float) -> float | None:
    return _number(length_m / 1000, 3)


def _number(value: float, digits: int) -> float | None:
    return None if value is None or pd.isna(value) else round(float(value), digits)


def _or_none(value: Any) -> Any:
    return None if pd.isna(value) else value
