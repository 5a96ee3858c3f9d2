"""A layer's contract: every column of its kind, required ones there, choices known; features that fail are set aside."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from rivergis import layers
from rivergis.intake import cells, times, values
from rivergis.intake.batch import Batch

_TRUE, _FALSE = {"1", "1.0", "true", "t", "yes", "y", "是", "有"}, {"0", "0.0", "false", "f", "no", "n", "否", "无"}
_INTEGER_MAX = 2**31 - 1
_DATES = {"valid_from": "有效起日", "valid_to": "有效止日"}
LEVELS, DATUM = ("normal_level_m", "height_m"), "vertical_datum"
_OPEN_END = 9999  # year that databases write for 'until further notice'


def check(batch: Batch, layer: layers.Layer, datum: str | None = None) -> None:
    """Type every column by the contract; features with wrong, unknown or missing values are set aside.

    ``datum``: the vertical datum that words beside a table name, for heights that name none themselves.
    """
    batch.frame["code"] = cells.text(batch.frame["code"])
    batch.aside(
        batch.frame["code"].isna(),
        "code_missing",
        "It has no code: give every feature a code of its own, or name the field in the profile.",
    )
    for column in layer.columns:
        if column.name in batch.frame:
            _check_column(batch, column)
        if column.required:
            _check_required(batch, layer, column)
    if any(c.name == DATUM for c in layer.columns):
        _check_levels(batch, datum)
    _check_dates(batch)


def _check_required(batch: Batch, layer: layers.Layer, column: layers.Column) -> None:
    if column.name not in batch.frame:
        batch.aside(
            np.ones(len(batch.frame), bool),
            "value_missing",
            f"The field {column.name} ({column.zh}) is missing: name its source in the profile.",
        )
        return
    batch.aside(
        batch.frame[column.name].isna(),
        "value_missing",
        f"{column.name} ({column.zh}) is empty, but {layer.name} needs it.",
    )


def _check_column(batch: Batch, column: layers.Column) -> None:
    given = batch.frame[column.name]
    typed, wrong, assumed = _typed(given, column.kind)
    typed, wrong = _understood(batch, column, given, typed, wrong)
    batch.frame[column.name] = typed
    said = f"{column.name} ({column.zh}) names no time zone: taken as Asia/Shanghai."
    batch.note("time_zone_assumed", [], said, assumed, about=column.name)
    batch.aside(
        wrong,
        "value_wrong",
        [f"{column.name} ({column.zh}) = {str(v)[:60]!r} is not a {column.kind}: correct it." for v in given[wrong]],
    )
    if column.choices:
        _check_choices(batch, column)


def _check_choices(batch: Batch, column: layers.Column) -> None:
    given = batch.frame[column.name]
    unknown = given.notna() & ~given.isin(column.choices)
    if unknown.any():
        read = cells.each(given[unknown], lambda v: values.choice(batch.layer, column, v))
        _say_understood(batch, column, given, read.dropna())
        batch.frame[column.name] = given = given.where(~given.index.isin(read.dropna().index), read)
        unknown = given.notna() & ~given.isin(column.choices)
    batch.aside(
        unknown,
        "value_unknown",
        [
            f"{column.name} ({column.zh}) = {str(v)[:60]!r} is none of {', '.join(column.choices)}."
            for v in given[unknown]
        ],
    )


def _understood(
    batch: Batch, column: layers.Column, given: pd.Series, typed: pd.Series, wrong: np.ndarray
) -> tuple[pd.Series, np.ndarray]:
    """Values that plain typing does not take, read as survey offices write them; what was read is said."""
    if not wrong.any():
        return typed, wrong
    written = given[wrong]
    levels = cells.each(written, values.level) if column.name in LEVELS else None
    if levels is not None and levels.notna().any():
        _put_datums(batch, levels.dropna())
    read = cells.each(written, lambda v: _read(column, v)).dropna()
    again, still, _ = _typed(read, column.kind)
    read = read[~still]
    _say_understood(batch, column, given, again[~still])
    if len(read):
        typed = typed.astype(object).where(~typed.index.isin(read.index), again.astype(object))
        wrong = wrong & ~typed.index.isin(read.index)
        typed = typed.astype(float) if column.kind == "number" else typed
    return typed, wrong


def _read(column: layers.Column, value: Any) -> Any:
    """A value of a kind in the words of survey offices; ``None`` if it cannot be read so."""
    if column.kind == "number":
        found = values.level(value) if column.name in LEVELS else None
        return values.number(value, column.name) if found is None else found[0]
    if column.kind == "integer":
        whole = values.integer(value)
        return values.number(value, column.name) if whole is None else whole
    return values.day(value) if column.kind == "date" else None


def _put_datums(batch: Batch, levels: pd.Series) -> None:
    """The vertical datum that stands with a height, where its own column is empty."""
    named = cells.each(levels, lambda found: found[1])
    there = batch.frame[DATUM] if DATUM in batch.frame else pd.Series(None, index=batch.frame.index, dtype=object)
    batch.frame[DATUM] = there.where(~cells.empty(there), named.reindex(there.index))


def _say_understood(batch: Batch, column: layers.Column, given: pd.Series, read: pd.Series) -> None:
    if len(read):
        pairs = dict.fromkeys(zip(given[read.index].map(str), read.map(str), strict=True))
        examples = ", ".join(f"{a[:30]} → {b}" for a, b in list(pairs)[:6])
        features = list(batch.frame.loc[read.index, "source_feature"])
        said = f"{column.name} ({column.zh}) was read from the words of the file: {examples}."
        batch.note("value_understood", features, said, about=column.name)


def _check_levels(batch: Batch, beside: str | None) -> None:
    """Every height names what it counts from: known words become one spelling; a height without any is said."""
    heights = [batch.frame[name].notna() for name in LEVELS if name in batch.frame]
    if not heights:
        return
    named = batch.frame[DATUM] if DATUM in batch.frame else pd.Series(None, index=batch.frame.index, dtype=object)
    named = cells.each(named, lambda v: None if cells.scalar(v) and pd.isna(v) else values.datum(v) or v)
    without = heights[0] & cells.empty(named)
    features = list(batch.frame.loc[without, "source_feature"])
    if beside is not None and without.any():
        beside = values.datum(beside) or beside
        named = named.where(~without, beside)
        batch.note(
            "vertical_datum_beside", features, f"The vertical datum {beside} stands beside the table.", about=DATUM
        )
    elif without.any():
        said = "Heights name no vertical datum (1985, 吴淞 … lie metres apart along the Yangtze): kept as unknown."
        batch.note("vertical_datum_unknown", features, said, about=DATUM)
    if named.notna().any():
        batch.frame[DATUM] = named


def _check_dates(batch: Batch) -> None:
    """Days of validity: readable, not reversed; year 9999 means open."""
    for name, zh in _DATES.items():
        if name in batch.frame:
            given = batch.frame[name]
            days, wrong, _ = _typed(cells.each(given, lambda v: (isinstance(v, str) and values.day(v)) or v), "date")
            batch.frame[name] = cells.each(days, lambda d: None if d is not None and d.year == _OPEN_END else d)
            batch.aside(
                wrong,
                "value_wrong",
                [f"{name} ({zh}) = {str(v)[:60]!r} is not a day: write it as 2026-05-20." for v in given[wrong]],
            )
    if set(_DATES) <= set(batch.frame.columns):
        pairs = list(zip(batch.frame["valid_from"], batch.frame["valid_to"], strict=True))
        reversed_ = [a is not None and b is not None and b < a for a, b in pairs]
        batch.aside(reversed_, "dates_reversed", "Its validity ends before it begins: correct valid_from and valid_to.")


def _typed(values: pd.Series, kind: str) -> tuple[pd.Series, np.ndarray, int]:
    """Values in the kind of the contract, which of them are not of that kind, and how many times named no zone."""
    empty = values.map(lambda v: pd.isna(v) or str(v).strip() == "" if cells.scalar(v) else False).to_numpy(bool)
    assumed = 0
    if kind in ("number", "integer"):
        out, wrong = _numbers(values, empty, kind == "integer")
    elif kind == "boolean":
        out = cells.each(values, _truth)
        wrong = out.isna().to_numpy(bool)
    elif kind == "date":
        out = cells.each(values, lambda v: None if cells.scalar(v) and pd.isna(v) else times.day(v))
        wrong = out.isna().to_numpy(bool)
    elif kind == "time":
        at, assumed = times.instants(values)
        out, wrong = at.astype(object), at.isna().to_numpy(bool)
    elif kind == "json":
        out, wrong = cells.each(values, _as_json), np.zeros(len(values), bool)
    else:
        out, wrong = cells.text(values), np.zeros(len(values), bool)
    if kind == "number":
        return out, wrong & ~empty, assumed
    return out.where(~(wrong | empty), None), wrong & ~empty, assumed


def _numbers(values: pd.Series, empty: np.ndarray, whole: bool) -> tuple[pd.Series, np.ndarray]:
    typed = pd.to_numeric(values.where(~empty, None), errors="coerce").astype(float)
    wrong = ~np.isfinite(typed.to_numpy())
    if not whole:
        return typed.where(~wrong), wrong
    sound = typed.where(~wrong, 0)
    wrong |= (sound % 1 != 0).to_numpy(bool) | (sound.abs() > _INTEGER_MAX).to_numpy(bool)
    return sound.where(~wrong, 0).astype(int).astype(object), wrong


def _truth(value: Any) -> bool | None:
    word = str(value).strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _as_json(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_constant=str)
        except (ValueError, RecursionError):
            return {"text": cells.clean(value)}
    return cells.as_delivered(value) if isinstance(value, dict) else {}
