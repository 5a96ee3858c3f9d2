"""Our list against an official one (对照): what is missing, what is extra, and lengths that differ.

An official list is a table as offices send it; its columns are known by their headings. Codes decide first, then names.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rivergis.errors import InputError
from rivergis.river.grades import AREA

_HEADINGS = {
    "code": r"(河流|河湖|河道|水体|湖泊|水库)?(编码|代码|编号)|(river_?)?code|(river_?)?id",
    "name": r"(河流|河湖|河道|水体|湖泊|水库|江河湖库)?(名称|名)|(river_?)?name",
    "length": r"(河流|河道|总|干流)?(长度|河长|长)|总河长|(river_?|total_?)?length",
    "basin_area": r"(流域|集水|集雨|汇水)面积|(basin|catchment|drainage)_?area",
}
_UNITS = {
    "length": {"km": 1000.0, "公里": 1000.0, "千米": 1000.0, "m": 1.0, "米": 1.0},
    "basin_area": {"km2": 1.0, "km²": 1.0, "平方公里": 1.0, "平方千米": 1.0, "万平方公里": 1e4, "万km2": 1e4},
}
_WITH_UNIT = re.compile(r"^(.*?)[\s_]*[(\[/,]?\s*(万?km2|km²|万?平方公里|平方千米|公里|千米|km|米|m)\s*[)\]]?$", re.I)
COLUMNS = (
    "status", "code", "name", "river_id", "official_code", "official_name", "length_m", "official_length_m", "difference_m",
    "difference_percent", "matched_by",
)  # fmt: skip


@dataclass(frozen=True)
class Official:
    """An official list: ``rivers`` (code, name, length_m, basin_area_km2; null where not stated), ``fields``: role -> heading."""

    rivers: pd.DataFrame
    fields: dict[str, str]


def read(table: pd.DataFrame, what: str, length_unit: str | None = None) -> Official:
    """The columns of an official list by their headings (河流名称, 编码, 长度(km), 流域面积(km²) or English).

    ``what`` names the file in errors; ``length_unit`` ('km' or 'm') is taken where the heading states none. ``InputError``
    without a column of names or codes, for a length of unstated unit, or a figure that is no number.
    """
    roles: dict[str, tuple[Any, str | None]] = {}
    for column in table.columns:
        role, unit = _role(str(column))
        if role is not None and role not in roles:
            roles[role] = (column, unit)
    if not {"code", "name"} & set(roles):
        there = ", ".join(map(str, table.columns))
        raise InputError(f"{what} has no column of names or codes (河流名称, 编码); it has {there}.", file=what)
    out = pd.DataFrame(index=table.index)
    for role in ("code", "name"):
        out[role] = [_text(v) for v in table[roles[role][0]]] if role in roles else None
    out["length_m"] = _figures(table, roles, "length", what, length_unit)
    out["basin_area_km2"] = _figures(table, roles, "basin_area", what, "km2")
    stated = out[out["code"].notna() | out["name"].notna()]
    return Official(stated.reset_index(drop=True), {role: str(column) for role, (column, _) in roles.items()})


def _role(heading: str) -> tuple[str | None, str | None]:
    plain = unicodedata.normalize("NFKC", heading).strip()
    for text, unit in ((plain, None), *(((m[1], m[2]),) if (m := _WITH_UNIT.match(plain)) else ())):
        for role, pattern in _HEADINGS.items():
            if re.fullmatch(pattern, text.strip().strip("(").strip(), re.I):
                return role, None if unit is None else unit.lower()
    return None, None


def _text(value: Any) -> str | None:
    if value is None or pd.isna(value) or not str(value).strip():
        return None
    plain = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return unicodedata.normalize("NFKC", plain).strip()


def _figures(
    table: pd.DataFrame, roles: dict[str, tuple[Any, str | None]], role: str, what: str, unit: str | None
) -> pd.Series:
    if role not in roles:
        return pd.Series(float("nan"), index=table.index)
    column, own = roles[role]
    factor = _UNITS[role].get(own or unit or "")
    if factor is None:
        raise InputError(
            f"{what}, column {column!r} does not say its unit: write it as 长度(km), or give --length-unit km or m.",
            file=what,
        )
    said = table[column].map(_text)
    numbers = pd.to_numeric(said.str.replace(",", ""), errors="coerce")
    wrong = said.notna() & numbers.isna()
    if wrong.any():
        row = wrong.idxmax()
        raise InputError(f"{what}, row {row}, column {column!r}: {said[row]!r} is no number; correct it.", file=what)
    return (numbers * factor).astype(float)


def compare(
    ours: pd.DataFrame, official: Official, tolerance_percent: float, *, scope: set[Any] | None = None
) -> pd.DataFrame:
    """Which rivers of an official list are missing here, which of ours are extra, and whose lengths differ? (对照)

    ``ours``: river_id, code, name, length_m. ``status``: agrees, length_differs (more than ``tolerance_percent`` of the official
    length), no_length, missing (only official), extra (only ours), ambiguous (its name is borne by several). ``scope``: river_ids
    that count as extra (default all). One row per river of either list; columns ``COLUMNS``.
    """
    found = _matches(ours, official.rivers)
    rows = []
    for (_, theirs), (position, how) in zip(official.rivers.iterrows(), found, strict=True):
        own = None if position is None else ours.iloc[position]
        rows.append(_row(own, theirs, how, tolerance_percent))
    taken = {p for p, _ in found if p is not None}
    for position in range(len(ours)):
        own = ours.iloc[position]
        if position not in taken and (scope is None or own["river_id"] in scope):
            rows.append(_row(own, None, None, tolerance_percent))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    texts = ("code", "name", "river_id", "official_code", "official_name", "matched_by")
    return table.assign(**{c: pd.Series([r[c] for r in rows], index=table.index, dtype=object) for c in texts})


def _matches(ours: pd.DataFrame, theirs: pd.DataFrame) -> list[tuple[int | None, str | None]]:
    """For each official river the position of ours and how it was found; a name counts where only one river on each side has it."""
    codes, names = ours["code"].map(_text), ours["name"].map(_text)
    by_code = {c: i for i, c in enumerate(codes) if c is not None}
    once = names[names.notna() & ~names.duplicated(keep=False)]
    by_name = {n: ours.index.get_loc(i) for i, n in once.items()}
    several = set(names.dropna()) - set(by_name)
    out: list[tuple[int | None, str | None]] = [
        (by_code[c], "code") if c in by_code else (None, None) for c in theirs["code"]
    ]
    taken = {p for p, _ in out if p is not None}
    repeated = set(theirs.loc[theirs["name"].duplicated(keep=False), "name"].dropna())
    for k, name in enumerate(theirs["name"]):
        if out[k][0] is not None or name is None:
            continue
        if name in several or (name in repeated and name in by_name):
            out[k] = (None, "ambiguous")
        elif name in by_name and by_name[name] not in taken:
            out[k] = (by_name[name], "name")
    return out


def _row(own: Any, theirs: Any, how: str | None, tolerance_percent: float) -> dict[str, Any]:
    length = float("nan") if own is None else float(own["length_m"])
    official = float("nan") if theirs is None else float(theirs["length_m"])
    difference = length - official
    percent = difference / official * 100 if official > 0 else float("nan")
    status = (
        "extra" if theirs is None else "ambiguous" if how == "ambiguous" else "missing" if own is None else "no_length"
    )
    if own is not None and theirs is not None and pd.notna(percent):
        status = "length_differs" if abs(percent) > tolerance_percent else "agrees"
    return {
        "status": status,
        **{c: None if own is None else own[c] for c in ("code", "name", "river_id")},
        "official_code": None if theirs is None else theirs["code"],
        "official_name": None if theirs is None else theirs["name"],
        "length_m": length,
        "official_length_m": official,
        "difference_m": difference,
        "difference_percent": percent,
        "matched_by": how if own is not None else None,
    }


def facts(ours: pd.DataFrame, official: Official) -> pd.DataFrame:
    """Basin areas that an official list states, for our rivers: river_id and the criterion of ``grades`` (10^4 km2)."""
    rows = [
        (ours["river_id"].iloc[position], area / 1e4)
        for (position, _), area in zip(_matches(ours, official.rivers), official.rivers["basin_area_km2"], strict=True)
        if position is not None and pd.notna(area)
    ]
    return pd.DataFrame(rows, columns=["river_id", AREA]).drop_duplicates("river_id")
