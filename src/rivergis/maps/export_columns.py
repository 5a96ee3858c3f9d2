"""Which columns a layer goes out with: the contract's by name, then the attributes as delivered, with the kind each has.

A delivered attribute keeps its name. Where the contract has a column of that name, the contract's stands; the delivered
one is left out if it says the same in every row, else it goes along as ``<name>_delivered``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from rivergis import layers
from rivergis.db.connect import read_table
from rivergis.errors import UsageError
from rivergis.maps.export_filter import Property

DELIVERED = "_delivered"
_TABLES = {"boundary_line": "boundary_segment"}
_OF_ACT = ("line_type", "announce_gov", "announce_doc_no", "announced_on", "survey_scale", "xy_error_m")
_ACT = "LEFT JOIN app.boundary_version_as_of(:on, :known) v ON v.id = t.boundary_id"
_CODE_OF = "(SELECT i.code FROM app.identity i WHERE i.id = {0})"
_INT32, _INT64, _FLOAT = 2.0**31, 2.0**63, 1e300
_CASTS = {
    "number": "double precision", "integer": "bigint", "boolean": "boolean", "date": "date", "time": "timestamptz",
    "clock": "timestamp",
}  # fmt: skip
# days, moments and clock readings (no zone) as the import writes them into JSON
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T]00:00:00$"
_CLOCK = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?"
_MOMENT = _CLOCK + r"([+-][0-9]{2}:[0-9]{2}|Z)$"
_CLOCK += "$"


@dataclass(frozen=True)
class Field:
    """One column that goes out. ``key``: name of the attribute as delivered, none for a column of ours."""

    name: str
    kind: str  # text number integer boolean date time json, and clock: a date and time that names no zone
    sql: str
    zh: str = ""
    en: str = ""
    key: str | None = None
    wide: bool = False
    """Integers beyond 32 bits."""
    longest: int = 0
    """Bytes of the longest text, as delivered; 0 = not known."""
    short: str = ""
    """Name in a .dbf, where one was agreed; else ``name`` is cut to what fits."""
    bind: str = ""
    """Parameter of ``sql`` that holds ``key``: names in files are data, never part of a statement."""


@dataclass(frozen=True)
class Query:
    """A layer as rows in force: FROM and WHERE with their parameters, and the columns there are."""

    layer: layers.Layer
    source: str
    where: str
    params: dict[str, Any]
    fields: tuple[Field, ...]
    notes: tuple[str, ...] = ()

    @property
    def geometry(self) -> bool:
        return self.layer.geometry is not None

    def properties(self) -> dict[str, Property]:
        """What a filter may name."""
        out = {f.name: Property(f.sql, f.kind) for f in self.fields}
        if self.geometry:
            out["geom"] = Property("t.geom", "geometry")
        return out

    def chosen(self, names: Collection[str] | None) -> tuple[Field, ...]:
        """All columns, or those named; ``UsageError`` lists the columns where a name is unknown."""
        if names is None:
            return self.fields
        known = {f.name: f for f in self.fields}
        unknown = [n for n in names if n not in known]
        if unknown:
            raise UsageError(f"{self.layer.name} has no column {', '.join(unknown)}; there are {', '.join(known)}.")
        return tuple(known[n] for n in dict.fromkeys(names))


def query(conn: Connection, layer: layers.Layer, on: date, known_at: datetime, namespace: str | None) -> Query:
    """The rows of a layer in force on a civil day as known at a moment, with the columns they have."""
    acts = layer.name in ("boundary_line", "boundary_area")
    source = f"app.{_TABLES.get(layer.name, layer.name)}_as_of(:on, :known) t {_ACT if acts else ''}"
    where = "v.state IS DISTINCT FROM 'revoked'" if acts else "true"
    params: dict[str, Any] = {"on": on, "known": known_at}
    if namespace is not None:
        where, params = f"{where} AND t.code_namespace = :ns", {**params, "ns": namespace}
    own = _own(layer)
    delivered, notes = _delivered(conn, source, where, params, own)
    named = {bind: f.key for f in delivered if (bind := f.bind)}
    return Query(layer, source, where, {**params, **named}, (*own, *delivered), tuple(notes))


def _own(layer: layers.Layer) -> tuple[Field, ...]:
    """Code, the contract's columns, days of validity and namespace."""
    columns = [Field(c.name, c.kind, column_sql(layer.name, c), c.zh, c.en) for c in layer.columns]
    return (
        Field("code", "text", "t.code", "编码", "code"),
        *columns,
        Field("valid_from", "date", "lower(t.valid)", "有效起日", "valid from"),
        Field("valid_to", "date", "(upper(t.valid) - 1)", "有效止日", "valid to, inclusive"),
        Field("code_namespace", "text", "t.code_namespace", "编码空间", "who gave the code"),
    )


def column_sql(layer: str, column: layers.Column) -> str:
    """SQL of a column of the contract: ``t`` is its table, ``v`` the act of a boundary."""
    if layer in ("boundary_line", "boundary_area"):
        if column.name == "version_code":
            return _CODE_OF.format("t.boundary_id")
        if column.name == "river_code":
            return _CODE_OF.format("v.river_id")
        if column.name in _OF_ACT:
            return f"v.{column.name}"
    return _CODE_OF.format(f"t.{column.stored}") if column.refers else f"t.{column.name}"


def _delivered(
    conn: Connection, source: str, where: str, params: dict[str, Any], own: tuple[Field, ...]
) -> tuple[list[Field], list[str]]:
    """The attributes as delivered that go out as columns of their own, and what is to be said of them."""
    kinds = _kinds(conn, source, where, params)
    ours = {f.name.casefold(): f for f in own}
    doubles = {k: ours[k.casefold()] for k in kinds if k.casefold() in ours}
    same = _same(conn, source, where, params, doubles)
    taken = set(ours)
    out: list[Field] = []
    renamed = []
    for key, (kind, row) in kinds.items():
        if key in same:
            continue
        name = _free(key, taken)
        taken.add(name.casefold())
        if name != key:
            renamed.append(f"{key} → {name}")
        bind = f"a{len(out)}"
        out.append(
            Field(
                name,
                kind,
                _attribute(bind, kind),
                key=key,
                wide=bool(row["largest"] >= _INT32),
                longest=row["longest"],
                bind=bind,
            )
        )
    notes = [f"Attributes as delivered whose names are ours or stand twice: {', '.join(renamed)}."] if renamed else []
    return out, notes


def _free(key: str, taken: Collection[str]) -> str:
    name, n = key or "unnamed", 1
    while name.casefold() in taken:
        name, n = f"{key}{DELIVERED}{n if n > 1 else ''}", n + 1
    return name


def _kinds(conn: Connection, source: str, where: str, params: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Every attribute name there is, with the one kind that holds all its values, and what was counted of them."""
    census = read_table(
        conn,
        f"""SELECT a.key, bool_and(jsonb_typeof(a.value) = 'number') AS number,
          bool_and(jsonb_typeof(a.value) = 'number' AND a.value::text ~ '^-?[0-9]+$') AS whole,
          least(max(abs(CASE WHEN jsonb_typeof(a.value) = 'number' THEN a.value::numeric END)), 1e300)::double precision AS largest,
          max(octet_length(a.value #>> '{{}}')) AS longest, bool_and(jsonb_typeof(a.value) = 'boolean') AS truth, bool_or(jsonb_typeof(a.value) IN ('object', 'array')) AS nested,
          bool_and(jsonb_typeof(a.value) = 'string' AND a.value #>> '{{}}' ~ :day) AS day,
          bool_and(jsonb_typeof(a.value) = 'string' AND a.value #>> '{{}}' ~ :clock) AS clock,
          bool_and(jsonb_typeof(a.value) = 'string' AND a.value #>> '{{}}' ~ :moment) AS moment
        FROM (SELECT e.key, nullif(e.value, 'null'::jsonb) AS value FROM {source} CROSS JOIN LATERAL jsonb_each(
                CASE jsonb_typeof(t.source -> 'attributes') WHEN 'object' THEN t.source -> 'attributes' ELSE '{{}}' END
              ) e WHERE {where}) a GROUP BY a.key ORDER BY a.key""",
        {**params, "day": _DAY, "clock": _CLOCK, "moment": _MOMENT},
    )
    census["longest"] = census["longest"].fillna(0).astype(int)
    return {str(row["key"]): (_kind(row), row) for row in census.to_dict("records")}


def _kind(row: Mapping[str, Any]) -> str:
    """Only missing values leave every question open: such a column is text."""
    if row["number"] is True:
        # beyond what the machine's numbers hold only text keeps every digit
        whole = row["whole"] is True
        return ("integer" if whole else "number") if row["largest"] < (_INT64 if whole else _FLOAT) else "text"
    if row["truth"] is True:
        return "boolean"
    for kind, test in (("date", "day"), ("clock", "clock"), ("time", "moment"), ("json", "nested")):
        if row[test] is True:
            return kind
    return "text"


def _same(conn: Connection, source: str, where: str, params: dict[str, Any], doubles: Mapping[str, Field]) -> set[str]:
    """Attributes that say in every row what the column of ours of that name says."""
    if not doubles:
        return set()
    asked, more = [], {}
    for n, (key, ours) in enumerate(doubles.items()):
        given = f"nullif(nullif(t.source -> 'attributes' -> :k{n}, 'null'::jsonb), '\"\"'::jsonb)"
        text = f"({given} #>> '{{}}')"
        own = f"({ours.sql})"
        asked.append(
            f"bool_and(CASE WHEN {given} IS NULL OR {own} IS NULL THEN ({given} IS NULL) = ({own} IS NULL) "
            f"ELSE to_jsonb({own}) = {given} OR {own}::text IN ({text}, regexp_replace({text}, '[ T]00:00:00$', '')) END) AS same{n}"
        )
        more[f"k{n}"] = key
    row = read_table(conn, f"SELECT {', '.join(asked)} FROM {source} WHERE {where}", {**params, **more}).iloc[0]
    return {key for n, key in enumerate(doubles) if row[f"same{n}"] in (True, None)}


def _attribute(bind: str, kind: str) -> str:
    """An attribute as delivered as an SQL value of its kind; its name is the parameter ``bind``."""
    text = f"(t.source -> 'attributes' ->> :{bind})"
    return f"CAST({text} AS {_CASTS[kind]})" if kind in _CASTS else text
