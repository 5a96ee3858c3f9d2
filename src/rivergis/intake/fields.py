"""From a source's fields to the columns of the contract: chosen, mapped, and kept as delivered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from rivergis import layers
from rivergis.intake import cells, values
from rivergis.intake.batch import Batch
from rivergis.intake.contract import DATUM, LEVELS
from rivergis.intake.profile import Mapped

_DATES = {"valid_from": "有效起日", "valid_to": "有效止日"}
_DBF_NAME = 10
_DELIVERED = "delivered"


def select(batch: Batch, mapped: Mapped) -> None:
    """Leave out what the mapping's filter does not let through, and the fields of programs it drops."""
    dropped = [c for c in batch.frame.columns if any(fnmatchcase(str(c).lower(), d.lower()) for d in mapped.drop)]
    batch.frame = batch.frame.drop(columns=dropped)
    said = f"Fields that the profile leaves out (of a program itself, or personal) were not kept: {', '.join(map(str, dropped))}."
    batch.note("fields_dropped", [], said, len(dropped), about="dropped", of_layer=True)
    keep = np.ones(len(batch.frame), bool)
    for source_field, wanted in mapped.where.items():
        given = cells.text(first_of(batch.frame, source_field))
        here = given.isin(wanted) | given.map(lambda v, w=wanted: v is not None and _fits(v, w)).astype(bool)
        keep &= here.to_numpy(bool)
    rule = "; ".join(f"{k} in {', '.join(v)}" for k, v in mapped.where.items())
    batch.skip(~keep, "filtered", f"Left out by the profile, which takes {rule}.")


def _fits(value: str, wanted: tuple[str, ...]) -> bool:
    return any("*" in w and fnmatchcase(value, w) for w in wanted)


def present(frame: pd.DataFrame, layer: layers.Layer, mapped: Mapped) -> set[str]:
    """Columns of the layer that a piece of it fills; a column that none fills is left out of all."""
    batch = Batch(layer.name, frame, "", None, "", len(frame))
    select(batch, mapped)
    named = {c: _column(batch, c, names, mapped) for c, names in own_names(layer).items()}
    filled = {c for c, given in named.items() if given.notna().any()}
    with_datum = [c for c in LEVELS if c in filled and named[c].map(lambda v: values.level(v) is not None).any()]
    return filled | ({DATUM} if with_datum and any(c.name == DATUM for c in layer.columns) else set())


def first_of(frame: pd.DataFrame, names: Any) -> pd.Series:
    """The first named field that has a value, feature by feature; names in a list or joined by ``|``, upper or lower case."""
    lower = {str(c).lower(): c for c in reversed(frame.columns)}
    out = pd.Series(None, index=frame.index, dtype=object)
    for name in names.split("|") if isinstance(names, str) else names:
        field = name if name in frame else lower.get(name.lower())
        if field is not None:
            out = out.where(~cells.empty(out), frame[field].astype(object))
    return out


def own_names(layer: layers.Layer) -> dict[str, list[str]]:
    """Names under which a file may carry our columns: ours, the Chinese label, and both as a Shapefile cuts them (10 bytes)."""
    labels = {c.name: c.zh for c in layer.columns} | {"code": "编码"} | _DATES
    whole = {name: list(dict.fromkeys((name, zh, values.heading(zh)[0]))) for name, zh in labels.items()}
    taken = {n for names in whole.values() for n in names}
    cut = Counter(_cut(n) for n in taken)
    return {
        name: [*names, *(_cut(n) for n in names if _cut(n) not in taken and cut[_cut(n)] == 1)]
        for name, names in whole.items()
    }


def _cut(name: str) -> str:
    """A field's name as a Shapefile holds it, Chinese as two bytes a character."""
    return name.encode("gbk", "ignore")[:_DBF_NAME].decode("gbk", "ignore")


def map_fields(batch: Batch, layer: layers.Layer, mapped: Mapped, about: dict[str, Any]) -> None:
    """Make the contract's columns; the attributes as delivered go along in ``source`` with what ``about`` says of the file."""
    old = batch.frame
    new: dict[str, Any] = {}
    for column, names in own_names(layer).items():
        value = _column(batch, column, names, mapped)
        if value.notna().any() or column == "code" or column in (batch.course.present or ()):
            new[column] = value
    _say_unused(batch, layer, mapped)
    if mapped.code:
        new["code"] = _prefixed(_joined(old, mapped.code), mapped.prefix.get("code"))
    new["source_feature"] = pd.Series(old.index.astype(str), index=old.index, dtype=object)
    new["source"] = _provenance(old, about)
    frame: Any = pd.DataFrame(new, index=old.index)
    if isinstance(old, gpd.GeoDataFrame):
        frame = gpd.GeoDataFrame(
            frame.assign(delivered=old[_DELIVERED], geom=old.geometry), geometry="geom", crs=old.crs
        )
    batch.frame = frame
    if mapped.once_per_code:
        _skip_further(batch)
    batch.frame = batch.frame.reset_index(drop=True)


def _skip_further(batch: Batch) -> None:
    codes, once = batch.frame["code"], batch.course.once
    further = codes.notna() & (codes.duplicated() | codes.isin(once))
    once.update(codes[codes.notna()])
    batch.skip(further, "same_thing", "Further features of a thing that is already taken from its first.")


def _say_unused(batch: Batch, layer: layers.Layer, mapped: Mapped) -> None:
    """A misspelt field is noticed here; what nothing uses is kept as delivered and said."""
    ours = {n.lower() for names in own_names(layer).values() for n in names}
    known = {*ours, *mapped.source_fields, "geom", _DELIVERED, *map(str.lower, batch.positions)}
    bases = {values.heading(n)[0] for names in own_names(layer).values() for n in names}
    unused = [
        str(c)
        for c in batch.frame.columns
        if str(c).strip().lower() not in known
        and not (values.heading(str(c))[1] and values.heading(str(c))[0] in bases)
    ]
    what = f"are no column of {layer.name}" if not mapped.fields and not mapped.code else "the mapping does not use"
    said = f"Fields that {what}, kept as delivered only: {', '.join(unused[:30])}."
    batch.note("fields_unused", [], said, len(unused), about="fields", of_layer=True)


def _column(batch: Batch, column: str, names: list[str], mapped: Mapped) -> pd.Series:
    old, named = batch.frame, mapped.fields.get(column, names)
    value = _together(old, named) if isinstance(named, dict) else first_of(old, named)
    if not isinstance(named, dict) and values.unit_of(column):
        value = _in_unit(batch, column, named, value)
    table = mapped.values.get(column)
    if table is not None:
        value = cells.each(value, partial(_translated, table))
    if column in mapped.constants:
        value = value.where(~cells.empty(value), mapped.constants[column])
    return _prefixed(value, mapped.prefix.get(column))


def _prefixed(value: pd.Series, prefix: str | None) -> pd.Series:
    return value if prefix is None else cells.each(cells.text(value), lambda v: v and f"{prefix}{v}")


def _translated(table: Mapping[str, Any], value: Any) -> Any:
    return table.get(cells.word(value) or "", table.get("*"))


def _in_unit(batch: Batch, column: str, named: Any, found: pd.Series) -> pd.Series:
    """Values of fields whose own name has a unit, in the unit of the column: 起点桩号(km) in metres."""
    wanted = {values.heading(n)[0] for n in (named.split("|") if isinstance(named, str) else named)}
    for name in batch.frame.columns:
        base, factor = values.heading(str(name))
        own = values.heading(column)[1] or 1.0
        if factor is None or base not in wanted or (factor == own and str(name) in named):
            continue
        given = batch.frame[name].astype(object)
        use = ~cells.empty(given) & (cells.empty(found) if factor == own else True)
        read = cells.each(given[use], partial(_converted, column, factor / own))
        found = found.astype(object).copy()
        found[use] = read
        if factor != own:
            said = f"{column}: the field {name} has another unit; its values were multiplied by {factor / own:g}."
            batch.note("unit_converted", [], said, int(use.sum()), about=column)
    return found


def _converted(column: str, factor: float, value: Any) -> Any:
    read = values.number(value, column, factor)
    return value if read is None else read


def _together(frame: pd.DataFrame, named: dict[str, str]) -> pd.Series:
    """Several source fields as one JSON value: name -> what the field says, empty ones left out."""
    columns = {k: cells.text(first_of(frame, v)) for k, v in named.items()}
    rows = [
        {k: v for k, v in zip(columns, row, strict=True) if v is not None}
        for row in zip(*columns.values(), strict=True)
    ]
    return pd.Series(rows, index=frame.index, dtype=object)


def _joined(frame: pd.DataFrame, parts: tuple[str, ...]) -> pd.Series:
    """A code from several fields, joined by a slash; empty parts are left out."""
    columns = [cells.text(first_of(frame, part)) for part in parts]
    rows = ["/".join(v for v in row if v is not None) for row in zip(*columns, strict=True)]
    return pd.Series(rows, index=frame.index, dtype=object)


def _provenance(old: pd.DataFrame, about: dict[str, Any]) -> pd.Series:
    names = [c for c in old.columns if c not in ("geom", _DELIVERED)]
    keys = [cells.clean(str(c)) for c in names]
    columns = [cells.each(old[c], cells.as_delivered) for c in names]
    rows = zip(*columns, strict=True) if columns else [()] * len(old)
    made = [{**about, "attributes": dict(zip(keys, row, strict=True))} for row in rows]
    return pd.Series(made, index=old.index, dtype=object)
