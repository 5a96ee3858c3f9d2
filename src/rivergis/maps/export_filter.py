"""Filters in CQL2 text or JSON (OGC 21-065r2) as SQL: values become bound parameters, properties come from a closed list.

The ``cql2`` package reads the text; its tree is walked here, because the SQL it writes itself has the values inside.
Every comparison is checked for kinds first, so that a wrong one is a sentence and not a fault of the database.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import cql2
import numpy as np
import shapely

from rivergis.errors import UsageError

MAX_CHARS, MAX_DEPTH = 20_000, 50
TEXT, JSON = "cql2-text", "cql2-json"
_COMPARE = {"=": "=", "<>": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_DIVIDED = "CAST({0} AS double precision) / nullif({1}, 0)"
_ARITHMETIC = {
    "+": "({0} + {1})", "-": "({0} - {1})", "*": "({0} * {1})", "/": f"({_DIVIDED})", "div": f"trunc({_DIVIDED})",
    "%": "CAST(CAST({0} AS numeric) % nullif(CAST({1} AS numeric), 0) AS double precision)", "^": "power({0}, {1})",
}  # fmt: skip
_SPATIAL = {f"s_{name.lower()}": f"ST_{name}" for name in (
    "Intersects", "Within", "Contains", "Disjoint", "Touches", "Crosses", "Overlaps", "Equals",
)}  # fmt: skip
# what holds between the times (a.low, a.high) and (b.low, b.high), both ends inclusive
_TEMPORAL = {
    "t_after": "{0} > {3}", "t_before": "{1} < {2}", "t_during": "{0} > {2} AND {1} < {3}",
    "t_contains": "{0} < {2} AND {1} > {3}", "t_intersects": "{0} <= {3} AND {1} >= {2}",
    "t_disjoint": "({0} > {3} OR {1} < {2})", "t_equals": "{0} = {2} AND {1} = {3}",
}  # fmt: skip
_OPERATORS = (
    "= <> < > <= >= AND OR NOT LIKE BETWEEN IN IS NULL CASEI + - * / div % ^ S_INTERSECTS S_WITHIN … T_AFTER T_DURING …"
)
_TIMES = ("date", "time")
_RADIUS_M, _POLE = 6378137.0, 85.06  # of EPSG:3857: its sphere, and the latitude at which it ends
# how many operands an operator has; and, or: as many as there are
_OPERANDS = {
    **dict.fromkeys((*_COMPARE, *_SPATIAL, *_TEMPORAL, *_ARITHMETIC, "like", "in"), 2), "between": 3,
    **dict.fromkeys(("not", "isnull", "casei"), 1),
}  # fmt: skip
# positions (n, 2) of a filter as degrees of EPSG:4490, x = east
Move = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Property:
    """What a filter may name: an SQL expression and its kind (text number integer boolean date time clock json geometry)."""

    sql: str
    kind: str
    served: str | None = None
    """The same shape in EPSG:3857, which has an index."""


@dataclass(frozen=True)
class Where:
    """A condition with its parameters."""

    sql: str
    params: dict[str, Any]


def where(text: str, properties: Mapping[str, Property], lang: str = TEXT, move: Move | None = None) -> Where:
    """The SQL condition of a CQL2 text or JSON; geometries in it are EPSG:4490 (longitude, latitude) unless ``move`` brings them there.

    Raises ``UsageError`` with one sentence: unreadable text, unknown property (the known ones are listed), values of
    another kind than the property, or an operator that is not supported.
    """
    return of_tree(tree(text, lang), properties, move)


def of_tree(node: Any, properties: Mapping[str, Property], move: Move | None = None) -> Where:
    """The SQL condition of a filter that has been read (``tree``)."""
    walk = _Walk(properties, move)
    return Where(walk.condition(node), walk.params)


def tree(text: str, lang: str = TEXT) -> Any:
    """A filter in CQL2 text or JSON as the tree of its operators, as CQL2 JSON has it."""
    _check_size(text, MAX_DEPTH if lang == TEXT else 2 * MAX_DEPTH)
    try:
        read = cql2.parse_text(text) if lang == TEXT else cql2.parse_json(text)
        return json.loads(json.dumps(read.to_json()))
    except (cql2.ParseError, cql2.ValidationError, ValueError, TypeError) as error:
        kind = "CQL2 text" if lang == TEXT else "CQL2 JSON"
        raise UsageError(f"The filter cannot be read{_position(str(error))}: {text[:200]!r} is not {kind}.") from error


def _check_size(text: str, depth_limit: int) -> None:
    """The reader is recursive: what is too deep for it is refused before it sees it."""
    depth = deepest = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    run = max((len(m) for m in re.findall(r"(?i)(?:not\s+|[-\s]){2,}", text)), default=0)
    if len(text) > MAX_CHARS or deepest > depth_limit or run > 4 * MAX_DEPTH:
        raise UsageError(f"The filter is too long or too deep: at most {MAX_CHARS} characters and {MAX_DEPTH} levels.")


def _position(said: str) -> str:
    found = re.search(r"--> \d+:(\d+)", said)
    return f" at character {found[1]}" if found else ""


@dataclass
class _Value:
    """An operand: SQL, kind, and the literal it came from (none for properties and calculations)."""

    sql: str
    kind: str
    literal: Any = None
    name: str = "a value"
    served: str | None = None


@dataclass
class _Walk:
    properties: Mapping[str, Property]
    move: Move | None = None
    params: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: Any, cast: str) -> str:
        name = f"f{len(self.params)}"
        self.params[name] = value
        return f"CAST(:{name} AS {cast})"

    def condition(self, node: Any) -> str:
        """A node that is true or false."""
        if isinstance(node, bool):
            return "true" if node else "false"
        if isinstance(node, dict) and "property" in node:
            value = self.value(node)
            if value.kind != "boolean":
                raise UsageError(f"{value.name} is {value.kind}, not true or false: compare it with a value.")
            return value.sql
        if not isinstance(node, dict) or "op" not in node:
            raise UsageError(f"The filter is no condition but a value: {str(node)[:80]}.")
        name, args = _operation(node)
        return self._operators().get(name, self._unknown)(name, args)

    def _operators(self) -> dict[str, Callable[[str, list[Any]], str]]:
        return {
            "and": self._junction, "or": self._junction, "not": self._not, "isnull": self._is_null, "like": self._like,
            "between": self._between, "in": self._in, **dict.fromkeys(_COMPARE, self._compare),
            **dict.fromkeys(_SPATIAL, self._spatial), **dict.fromkeys(_TEMPORAL, self._temporal),
        }  # fmt: skip

    def _unknown(self, name: str, args: list[Any]) -> str:
        raise UsageError(f"The filter uses {name!r}, which is not supported here; there are {_OPERATORS}.")

    def _junction(self, name: str, args: list[Any]) -> str:
        return "(" + f" {name.upper()} ".join(self.condition(a) for a in args) + ")"

    def _not(self, name: str, args: list[Any]) -> str:
        return f"(NOT {self.condition(args[0])})"

    def _is_null(self, name: str, args: list[Any]) -> str:
        return f"({self.value(args[0]).sql} IS NULL)"

    def _like(self, name: str, args: list[Any]) -> str:
        left, pattern = self.value(args[0]), self.value(args[1])
        _same([left, pattern], ("text",))
        return f"({left.sql} LIKE {pattern.sql})"

    def _compare(self, name: str, args: list[Any]) -> str:
        left, right = self._alike(args)
        return f"({left.sql} {_COMPARE[name]} {right.sql})"

    def _between(self, name: str, args: list[Any]) -> str:
        value, low, high = self._alike(args)
        return f"({value.sql} BETWEEN {low.sql} AND {high.sql})"

    def _in(self, name: str, args: list[Any]) -> str:
        if not isinstance(args[1], list):
            raise UsageError("IN wants a list of values in the filter.")
        value, *listed = self._alike([args[0], *args[1]])
        return f"({value.sql} IN ({', '.join(v.sql for v in listed)}))" if listed else "false"

    def _alike(self, args: list[Any]) -> list[_Value]:
        """Operands of one kind; text beside a date or time is read as one."""
        values = [self.value(a) for a in args]
        if any(v.kind in _TIMES for v in values):
            return [self._instant(v, last=False) for v in values]
        _same(values, ("text", "number", "boolean"))
        return values

    def value(self, node: Any) -> _Value:
        """A node that has a value: property, literal, CASEI or a calculation."""
        if node is None:
            raise UsageError("Nothing equals NULL: write IS NULL or IS NOT NULL.")
        if isinstance(node, bool):
            return _Value(self.bind(node, "boolean"), "boolean", node)
        if isinstance(node, (int, float)):
            if not math.isfinite(node):
                raise UsageError("A number in the filter is too large.")
            return _Value(self.bind(node, "double precision"), "number", node)
        if isinstance(node, str):
            return _Value(self.bind(_clean(node), "text"), "text", node)
        if isinstance(node, dict) and "property" in node:
            return self._property(str(node["property"]))
        if isinstance(node, dict) and ("date" in node or "timestamp" in node):
            return self._moment(str(node.get("date") or node.get("timestamp")))
        if isinstance(node, dict) and "op" in node:
            return self._computed(*_operation(node))
        raise UsageError(f"{str(node)[:80]} cannot stand here in a filter.")

    def _property(self, name: str) -> _Value:
        known = self.properties.get(name)
        if known is None:
            raise UsageError(f"There is no property {name!r} to filter by; there are {', '.join(self.properties)}.")
        kind = {"integer": "number", "json": "text", "clock": "time"}.get(known.kind, known.kind)
        casts = {
            "integer": "CAST({0} AS double precision)",
            "json": "CAST({0} AS text)",
            "clock": "({0} AT TIME ZONE 'Asia/Shanghai')",
        }
        return _Value(casts.get(known.kind, "{0}").format(known.sql), kind, name=name, served=known.served)

    def _computed(self, name: str, args: list[Any]) -> _Value:
        values = [self.value(a) for a in args]
        if name == "casei":
            _same(values, ("text",))
            return _Value(f"lower({values[0].sql})", "text")
        if name not in _ARITHMETIC:
            self._unknown(name, args)
        _same(values, ("number",))
        return _Value(_ARITHMETIC[name].format(*(v.sql for v in values)), "number")

    def _moment(self, text: str) -> _Value:
        return self._instant(_Value("", "text", text), last=False)

    def _instant(self, value: _Value, last: bool) -> _Value:
        """A date, time or text of either as timestamp with time zone; a day begins (or ends) in Asia/Shanghai."""
        if value.kind == "time":
            return value
        if value.kind == "date":
            end = " + interval '1 day' - interval '1 microsecond'" if last else ""
            sql = f"((CAST({value.sql} AS timestamp){end}) AT TIME ZONE 'Asia/Shanghai')"
            return _Value(sql, "time", name=value.name)
        if value.kind != "text" or value.literal is None:
            raise UsageError(f"{value.name} is {value.kind} and cannot be compared with a date or time.")
        return self._read_moment(str(value.literal), last)

    def _read_moment(self, text: str, last: bool) -> _Value:
        try:
            if len(text) == len("2026-05-20"):
                day = _Value(self.bind(date.fromisoformat(text), "date"), "date")
                return self._instant(day, last)
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise UsageError(f"{text[:40]!r} is no date or time: write 2026-05-20 or 2026-05-20T08:00:00Z.") from error
        if moment.tzinfo is None:
            raise UsageError(f"{text[:40]!r} names no time zone: write 2026-05-20T08:00:00+08:00 or Z.")
        return _Value(self.bind(moment, "timestamptz"), "time")

    def _temporal(self, name: str, args: list[Any]) -> str:
        ends = [end for a in args for end in self._ends(a)]
        return "(" + _TEMPORAL[name].format(*ends) + ")"

    def _ends(self, node: Any) -> tuple[str, str]:
        """First and last moment of a day, an instant or an interval (``..`` is open)."""
        if isinstance(node, dict) and "interval" in node:
            low, high = _pair(node["interval"])
            first = "'-infinity'::timestamptz" if low == ".." else self._end(low, last=False)
            return first, "'infinity'::timestamptz" if high == ".." else self._end(high, last=True)
        return self._end(node, last=False), self._end(node, last=True)

    def _end(self, node: Any, last: bool) -> str:
        if isinstance(node, dict) and ("date" in node or "timestamp" in node):
            return self._instant(_Value("", "text", str(node.get("date") or node.get("timestamp"))), last).sql
        return self._instant(self.value(node), last).sql

    def _spatial(self, name: str, args: list[Any]) -> str:
        left, right = (self._shape(a) for a in args)
        asked = f"{_SPATIAL[name]}({left.sql}, {right.sql})"
        one, other = (left, right) if left.served else (right, left)
        if one.served is None or other.literal is None or name == "s_disjoint":
            return asked
        # whatever else they have in common, their boxes overlap: found by the index
        box = ", ".join(self.bind(v, "double precision") for v in mercator_box(other.literal))
        return f"({one.served} && ST_MakeEnvelope({box}, 3857) AND {asked})"

    def _shape(self, node: Any) -> _Value:
        if isinstance(node, dict) and "property" in node:
            value = self._property(str(node["property"]))
            if value.kind != "geometry":
                raise UsageError(f"{value.name} is no shape: spatial conditions are asked of geom.")
            return value
        shape = _drawn(node, self.move)
        bounds = shapely.bounds(shape)
        if not (bounds[0] >= -180 and bounds[2] <= 180 and bounds[1] >= -90 and bounds[3] <= 90):
            raise UsageError(
                "Shapes in a filter are longitude and latitude in degrees (EPSG:4490); this one lies outside."
            )
        data = self.bind(shapely.to_wkb(shapely.set_srid(shape, 4490), include_srid=True), "bytea")
        return _Value(f"ST_GeomFromEWKB({data})", "geometry", shape)


def _operation(node: dict[str, Any]) -> tuple[str, list[Any]]:
    """Name and operands of an operator, as many as it has."""
    name, args = str(node["op"]).lower(), node.get("args")
    wanted = _OPERANDS.get(name)
    if not isinstance(args, list) or len(args) < (wanted or 1) or (wanted is not None and len(args) > wanted):
        raise UsageError(f"{name!r} wants {wanted or 'at least 1'} operands in the filter.")
    return name, args


def _pair(ends: Any) -> tuple[Any, Any]:
    if not isinstance(ends, list) or len(ends) != 2:
        raise UsageError("An interval in the filter has two ends, as ['2026-01-01', '..'].")
    return ends[0], ends[1]


def _drawn(node: Any, move: Move | None) -> shapely.Geometry:
    """A bounding box or GeoJSON geometry of a filter, in degrees of EPSG:4490."""
    try:
        if isinstance(node, dict) and "bbox" in node:
            box = node["bbox"]
            shape = shapely.box(*(box if len(box) == 4 else (box[0], box[1], box[3], box[4])))
        else:
            shape = shapely.from_geojson(json.dumps(node))
        if move is not None and shape is not None:
            shape = moved(shape, move)
    except (shapely.GEOSException, TypeError, ValueError, IndexError) as error:
        raise UsageError(f"{str(node)[:80]} is no shape that a filter can use.") from error
    if shape is None or shape.is_empty:
        raise UsageError("A shape in the filter is empty.")
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        raise UsageError("A shape in the filter has coordinates that are no place in its system.")
    return shape if shape.is_valid else shapely.make_valid(shape)


def mercator_box(shape: shapely.Geometry) -> tuple[float, float, float, float]:
    """The box of a shape in degrees as metres of EPSG:3857, a metre wider: two ways to one place differ in their last digits."""
    west, south, east, north = shapely.bounds(shape)
    low, high = (math.tan(math.pi / 4 + math.radians(min(max(y, -_POLE), _POLE)) / 2) for y in (south, north))
    x, y = (math.radians(west), math.radians(east)), (math.log(low), math.log(high))
    return _RADIUS_M * x[0] - 1, _RADIUS_M * y[0] - 1, _RADIUS_M * x[1] + 1, _RADIUS_M * y[1] + 1


def moved(shape: shapely.Geometry, move: Move) -> shapely.Geometry:
    """A shape brought over by ``move``; its edges stay where they were straight, to 1/32 of its extent."""
    west, south, east, north = shapely.bounds(shape)
    step = max(east - west, north - south) / 32
    return shapely.transform(shapely.segmentize(shape, step) if math.isfinite(step) and step > 0 else shape, move)


def _same(values: list[_Value], kinds: tuple[str, ...]) -> None:
    found = {v.kind for v in values}
    if len(found) > 1 or not found <= set(kinds):
        said = ", ".join(f"{v.name} is {v.kind}" for v in values)
        raise UsageError(
            f"The filter compares what cannot be compared ({said}): text stands in single quotes, numbers do not."
        )


def _clean(text: str) -> str:
    if "\0" in text:
        raise UsageError("A text in the filter has a NUL character.")
    return text
