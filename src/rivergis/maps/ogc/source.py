"""What a collection is in SQL: its rows (shapes ``s`` that are served, facts ``t`` beside them), columns and shape.

Conditions are texts with ``:names``; ``:last`` is the civil day that is asked about, ``:first`` the first one where it is
an interval, ``:area`` the adcode of whoever asks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rivergis import layers
from rivergis.errors import UsageError
from rivergis.maps.collections import Collection, collection
from rivergis.maps.export_columns import Field, column_sql
from rivergis.maps.export_filter import Property

_NAME = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")
_CODE_OF = "(SELECT i.code FROM app.identity i WHERE i.id = {0})"
# the last day on which a row was so, of the days that are asked about
DAY = "least(CAST(:last AS date), upper(s.valid) - 1)"
_ACT = f"""JOIN data.boundary_version v ON v.id = t.boundary_id AND v.superseded_at IS NULL AND v.valid @> {DAY}
  AND v.state <> 'revoked'"""
_JOINS = {
    "boundary_line": _ACT,
    "boundary_area": _ACT,
    **dict.fromkeys(
        ("patrol_leg", "coverage"),
        "JOIN data.patrol_result p ON p.id = t.result_id JOIN data.track k ON k.id = p.track_id",
    ),
}
_SPECIAL = {
    "patrol_track.chief_code": _CODE_OF.format("t.chief_id"),
    "patrol_fix.track_id": "CAST(t.track_id AS text)",
    "patrol_leg.track_id": "CAST(k.id AS text)",
    **{f"{c}.day": "k.day" for c in ("patrol_leg", "coverage")},
    **{f"{c}.reach_code": _CODE_OF.format("t.reach_id") for c in ("patrol_leg", "coverage")},
}
# things whose shape is made of others: only the one that is served exists
_MADE = ("river", "patrol_track", "patrol_leg", "coverage")
_TRACK = {"patrol_track": "t.id", "patrol_fix": "t.track_id", "patrol_leg": "p.track_id"}
_SEVERAL = ("patrol_fix", "patrol_leg", "coverage")
_UNFINISHED = ("finding", "boundary_draft_line", "report", "patrol_track", "patrol_fix", "patrol_leg", "coverage")
OF_A_DAY = ("patrol_track", "patrol_fix", "patrol_leg", "coverage", "report")
"""What happened on a day, where others are in force on days."""
GEOMETRY = "geom"
_TYPES = {"last": "date", "first": "date", "area": "text", "after": "bigint"}


@dataclass(frozen=True)
class Source:
    """The rows of a collection for somebody: FROM, the conditions that always hold, columns and shape."""

    collection: Collection
    rows: str
    always: tuple[str, ...]
    fields: tuple[Field, ...]
    shape: str
    """SQL of the shape, EPSG:4490."""
    ident: str
    """SQL of the id of a feature."""
    track: str | None
    """SQL of the patrol track of a person that a row shows."""

    @property
    def several(self) -> bool:
        """The id of a feature has the number of its row, too."""
        return self.collection.id in _SEVERAL

    @property
    def finished(self) -> str | None:
        """Table with the finished features of everything in it (gis/db/app/82_items.sql), where there is one."""
        kept = (
            not self.always
            and self.collection.id not in _UNFINISHED
            and len(self.fields) == len(self.collection.columns)
        )
        return f"cache.item_{self.collection.id}" if kept else None

    def properties(self) -> dict[str, Property]:
        """What a filter may name."""
        shape = Property(self.shape, "geometry", "s.geom")
        # most clients and examples call the shape geometry
        return {**{f.name: Property(f.sql, f.kind) for f in self.fields}, GEOMETRY: shape, "geometry": shape}

    def chosen(self, names: Sequence[str] | None) -> tuple[Field, ...]:
        """All columns, or those named; ``UsageError`` lists the columns where a name is unknown."""
        if names is None:
            return self.fields
        known = {f.name: f for f in self.fields}
        for name in names:
            if name not in known:
                raise UsageError(f"{self.collection.id} has no property {name[:60]!r}; there are {', '.join(known)}.")
        return tuple(f for f in self.fields if f.name in names)


@lru_cache(maxsize=128)
def source(name: str, public: bool = False) -> Source:
    """The rows of a collection; ``public``: only the columns and rows that anybody may see."""
    shown = collection(name)
    every = {c.name: _field(shown, c) for c in shown.columns}
    fields = tuple(f for n, f in every.items() if not public or n in shown.public)
    always = []
    if public and shown.public_only:
        column, value = shown.public_only
        always.append(f"{every[column].sql} = '{value}'")
    if public and name in ("boundary_line", "boundary_area"):
        always.append("v.basis = 'announced'")
    shape = "ST_Transform(s.geom, 4490)" if name in _MADE else "t.geom"
    ident = "s.id || '.' || s.version" if name in _SEVERAL else "s.id"
    return Source(shown, _rows(shown), tuple(always), fields, shape, ident, _TRACK.get(name))


def _field(shown: Collection, column: layers.Column) -> Field:
    return Field(column.name, column.kind, _sql(shown.id, column), column.zh, column.en)


def _sql(name: str, column: layers.Column) -> str:
    if special := _SPECIAL.get(f"{name}.{column.name}"):
        return special
    if column.name in ("valid_from", "valid_to"):
        # lines and areas of an act are in force on the days of both
        valid = "s.valid" if name in ("boundary_line", "boundary_area") else "t.valid"
        return f"lower({valid})" if column.name == "valid_from" else f"(upper({valid}) - 1)"
    return column_sql(name, column) if name in layers.LAYERS and name != "river" else f"t.{column.name}"


def _rows(shown: Collection) -> str:
    first, second = shown.key
    if shown.id == "finding":
        # as the nights up to that day left it
        return f"{shown.shapes} s JOIN LATERAL app.finding_as_of(CAST(:last AS date)) t ON t.id = s.id"
    version = f" AND t.{second} = s.version" if second else ""
    return f"{shown.shapes} s JOIN {shown.relation} t ON t.{first} = s.id{version} {_JOINS.get(shown.id, '')}".rstrip()


@dataclass(frozen=True)
class Sql:
    """A statement with ``:names`` and their values; ``steady``: one that comes often and has one good plan."""

    text: str
    params: Mapping[str, Any]
    steady: bool = False

    def numbered(self) -> tuple[str, str, list[Any]]:
        """For PREPARE: names as $1, $2 …, their types, and their values."""
        order = list(dict.fromkeys(_NAME.findall(self.text)))
        text = _NAME.sub(lambda m: f"${order.index(m[1]) + 1}", self.text)
        return text, ", ".join(_TYPES[n] for n in order), [self.params[n] for n in order]

    def percent(self) -> str:
        """For the driver: names as %(name)s."""
        return _NAME.sub(lambda m: f"%({m[1]})s", self.text.replace("%", "%%"))
