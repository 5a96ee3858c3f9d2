"""From a source's fields to the columns of the contract: chosen, mapped, typed, checked."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from rivergis import layers
from rivergis.intake import times
from rivergis.intake.batch import Batch
from rivergis.intake.profile import Mapped

_TRUE, _FALSE = {"1", "1.0", "true", "t", "yes", "y", "是", "有"}, {"0", "0.0", "false", "f", "no", "n", "否", "无"}
_INTEGER_MAX = 2**31 - 1
_DATES = {"valid_from": "有效起日", "valid_to": "有效止日"}
_DBF_NAME = 10
_OPEN_END = 9999  # year that databases write for 'until further notice'


def select(batch: Batch, mapped: Mapped) -> None:
    """Leave out what the mapping's filter does not let through."""
    keep = np.ones(len(batch.frame), bool)
    for source_field, wanted in mapped.where.items():
        values = _text(first_of(batch.frame, source_field))
        here = values.notna() if "*" in wanted else values.isin(wanted)
        keep &= here.to_numpy(bool)
    rule = "; ".join(f"{k} in {', '.join(v)}" for k, v in mapped.where.items())
    batch.skip(~keep, "filtered", f"Left out by the profile, which takes {rule}.")


def first_of(frame: pd.DataFrame, names: Any) -> pd.Series:
    """The first named field that has a value, feature by feature; names in a list or joined by ``|``, upper or lower case."""
    lower = {str(c).lower(): c for c in reversed(frame.columns)}
    out = pd.Series(None, index=frame.index, dtype=object)
    for name in names.split("|") if isinstance(names, str) else names:
        field = name if name in frame else lower.get(name.lower())
        if field is not None:
            out = out.where(~_empty(out), frame[field].astype(object))
    return out


def own_names(layer: layers.Layer) -> dict[str, list[str]]:
    """Names under which a file may carry our columns: ours, the Chinese label, and ours as a Shapefile cuts it (10 letters)."""
    labels = {c.name: c.zh for c in layer.columns} | {"code": "编码"} | _DATES
    cut = Counter(name[:_DBF_NAME] for name in labels)
    return {
        name: [name, zh, *([name[:_DBF_NAME]] if len(name) > _DBF_NAME and cut[name[:_DBF_NAME]] == 1 else [])]
        for name, zh in labels.items()
    }


def _empty(values: pd.Series) -> pd.Series:
    return values.map(
        lambda v: v is None or v is pd.NaT or v is pd.NA or v != v or v == "" if _scalar(v) else False
    ).astype(bool)


def _scalar(value: Any) -> bool:
    return value is None or pd.api.types.is_scalar(value)


def _each(values: pd.Series, one: Callable[[Any], Any]) -> pd.Series:
    """A function of every value; missing stays None, where pandas would make numbers of it."""
    return pd.Series([one(v) for v in values.astype(object)], index=values.index, dtype=object)


def _text(values: pd.Series) -> pd.Series:
    """Text as it was written: a whole number that its column made a float (4.0) is ``4``; empty text is missing."""
    return _each(values, _word)


def _word(value: Any) -> str | None:
    if _scalar(value) and pd.isna(value):
        return None
    whole = isinstance(value, float) and value.is_integer()
    return clean(str(int(value) if whole else value)).strip() or None


def clean(text: str) -> str:
    """Text without NUL and half characters, which no database holds."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode("utf-8")


def as_delivered(value: Any) -> Any:
    """One attribute as JSON can hold it; numbers that are none (NaN, infinite) as missing or text."""
    if isinstance(value, dict):
        return {clean(str(k)): as_delivered(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [as_delivered(v) for v in value]
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, (bool, int)):
        return value
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None if math.isnan(value) else str(value)
    return value.item() if isinstance(value, np.generic) and not isinstance(value, str) else clean(str(value))


def map_fields(batch: Batch, layer: layers.Layer, mapped: Mapped, file_name: str) -> None:
    """Make the contract's columns; the attributes as delivered go along in ``source``."""
    old = batch.frame
    new: dict[str, Any] = {}
    for column, names in own_names(layer).items():
        value = _column(old, column, names, mapped)
        if value.notna().any() or column == "code":
            new[column] = value
    if not mapped.fields and not mapped.code:
        _say_unused(batch, layer)
    if mapped.code:
        new["code"] = _joined(old, mapped.code)
    new["source_feature"] = pd.Series(old.index.astype(str), index=old.index, dtype=object)
    new["source"] = _provenance(old, batch, file_name)
    frame: Any = pd.DataFrame(new, index=old.index)
    if isinstance(old, gpd.GeoDataFrame):
        frame = gpd.GeoDataFrame(frame.assign(geom=old.geometry), geometry="geom", crs=old.crs)
    batch.frame = frame
    if mapped.once_per_code:
        batch.skip(
            frame["code"].notna() & frame.duplicated("code"),
            "same_thing",
            "Further features of a thing that is already taken from its first.",
        )
    batch.frame = batch.frame.reset_index(drop=True)


def _say_unused(batch: Batch, layer: layers.Layer) -> None:
    """A misspelt field is noticed here, where nobody mapped the fields on purpose."""
    known = {n.lower() for names in own_names(layer).values() for n in names} | {"geom"}
    unused = [str(c) for c in batch.frame.columns if str(c).lower() not in known]
    said = f"Fields that are no column of {layer.name}, kept as delivered only: {', '.join(unused[:30])}."
    batch.note("fields_unused", [], said, len(unused))


def _column(old: pd.DataFrame, column: str, names: list[str], mapped: Mapped) -> pd.Series:
    named = mapped.fields.get(column, names)
    value = _together(old, named) if isinstance(named, dict) else first_of(old, named)
    table = mapped.values.get(column)
    if table is not None:
        value = _each(value, lambda v: table.get(_word(v) or "", table.get("*")))
    if column in mapped.constants:
        value = value.where(~_empty(value), mapped.constants[column])
    return value


def _together(frame: pd.DataFrame, named: dict[str, str]) -> pd.Series:
    """Several source fields as one JSON value: name -> what the field says, empty ones left out."""
    columns = {k: _text(first_of(frame, v)) for k, v in named.items()}
    rows = [
        {k: v for k, v in zip(columns, row, strict=True) if v is not None}
        for row in zip(*columns.values(), strict=True)
    ]
    return pd.Series(rows, index=frame.index, dtype=object)


def _joined(frame: pd.DataFrame, parts: tuple[str, ...]) -> pd.Series:
    """A code from several fields, joined by a slash; empty parts are left out."""
    columns = [_text(first_of(frame, part)) for part in parts]
    rows = ["/".join(v for v in row if v is not None) for row in zip(*columns, strict=True)]
    return pd.Series(rows, index=frame.index, dtype=object)


def _provenance(old: pd.DataFrame, batch: Batch, file_name: str) -> pd.Series:
    names = [c for c in old.columns if c != "geom"]
    keys = [clean(str(c)) for c in names]
    columns = [_each(old[c], as_delivered) for c in names]
    rows = zip(*columns, strict=True) if columns else [()] * len(old)
    about = {"file": file_name, "crs": batch.source_crs}
    made = [{**about, "attributes": dict(zip(keys, row, strict=True))} for row in rows]
    return pd.Series(made, index=old.index, dtype=object)


def check(batch: Batch, layer: layers.Layer) -> None:
    """Type every column by the contract; features with wrong, unknown or missing values are set aside."""
    batch.frame["code"] = _text(batch.frame["code"])
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
    values, wrong, assumed = _typed(given, column.kind)
    batch.frame[column.name] = values
    batch.note(
        "time_zone_assumed", [], f"{column.name} ({column.zh}) names no time zone: taken as Asia/Shanghai.", assumed
    )
    batch.aside(
        wrong,
        "value_wrong",
        [f"{column.name} ({column.zh}) = {str(v)[:60]!r} is not a {column.kind}: correct it." for v in given[wrong]],
    )
    if column.choices:
        values = batch.frame[column.name]
        unknown = (values.notna() & ~values.isin(column.choices)).to_numpy(bool)
        batch.aside(
            unknown,
            "value_unknown",
            [
                f"{column.name} ({column.zh}) = {str(v)[:60]!r} is none of {', '.join(column.choices)}."
                for v in values[unknown]
            ],
        )


def _check_dates(batch: Batch) -> None:
    """Days of validity: readable, not reversed; year 9999 means open."""
    for name, zh in _DATES.items():
        if name in batch.frame:
            given = batch.frame[name]
            days, wrong, _ = _typed(given, "date")
            batch.frame[name] = _each(days, lambda d: None if d is not None and d.year == _OPEN_END else d)
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
    empty = values.map(lambda v: pd.isna(v) or str(v).strip() == "" if _scalar(v) else False).to_numpy(bool)
    assumed = 0
    if kind in ("number", "integer"):
        out, wrong = _numbers(values, empty, kind == "integer")
    elif kind == "boolean":
        out = _each(values, _truth)
        wrong = out.isna().to_numpy(bool)
    elif kind == "date":
        out = _each(values, lambda v: None if _scalar(v) and pd.isna(v) else times.day(v))
        wrong = out.isna().to_numpy(bool)
    elif kind == "time":
        at, assumed = times.instants(values)
        out, wrong = at.astype(object), at.isna().to_numpy(bool)
    elif kind == "json":
        out, wrong = _each(values, _as_json), np.zeros(len(values), bool)
    else:
        out, wrong = _text(values), np.zeros(len(values), bool)
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
            return {"text": clean(value)}
    return as_delivered(value) if isinstance(value, dict) else {}
