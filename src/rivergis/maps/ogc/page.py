"""Pages of features as SQL: the server writes the JSON, one text a page; scope, day and ground stand in WHERE first.

Rows go by ``fid``, the number a thing keeps over its versions; a page goes on behind the last one of the page before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import shapely

from rivergis.maps.collections import Collection
from rivergis.maps.export_columns import Field
from rivergis.maps.export_filter import mercator_box
from rivergis.maps.ogc.ask import Wanted
from rivergis.maps.ogc.places import CRS84, Place, ewkb
from rivergis.maps.ogc.source import OF_A_DAY, Source, Sql

_STEADY = (10, 20, 50, 100, 200, 250, 500, 1_000, 2_000, 5_000, 10_000)
"""Limits whose statements are prepared; the number stands in them, because a plan for any limit is none for a small one."""
# behind the walls between areas the database may not look at its statistics and takes a condition on ranges or lists for a
# rare one; said as a number that is not 0 it is taken for a common one, and a page is read in the order of its index
_USUAL = "CAST({0} AS int) <> 0"
_INSTANT = _USUAL.format("s.valid @> CAST(:last AS date)")
_IN_AREA = _USUAL.format("s.areas @> ARRAY[CAST(:area AS text)]")
# each thing once in an interval: as it was on the last of its days in it
_SPAN = "daterange(CAST(:first AS date), CAST(:last AS date), '[]')"
_INTERVAL = f"""{_USUAL.format(f"s.valid && {_SPAN}")} AND NOT EXISTS (
  SELECT FROM {{0}} later WHERE later.fid = s.fid AND later.valid && {_SPAN} AND later.valid >> s.valid)"""

_OF_DAYS = _USUAL.format(f"s.day <@ {_SPAN}")


@dataclass(frozen=True)
class Rows:
    """The rows that answer a request, for somebody of an area, in no particular page."""

    source: Source
    where: str
    params: dict[str, Any]
    plain: bool
    """Nothing in it but scope and days."""
    key: tuple[Any, ...]
    """What makes two requests have the same rows while the collection stays as it is."""

    @property
    def text(self) -> str:
        return f"{self.source.rows} WHERE {self.where}"

    @property
    def finished(self) -> str | None:
        """The same rows as finished features, where nothing is asked that is not in them."""
        table = self.source.finished if self.plain else None
        return f"{table} s WHERE {self.where}" if table else None


def rows(source: Source, wanted: Wanted, area: str) -> Rows:
    """The rows of a request: scope, days, ground, filter, in that order."""
    conditions, params = [], {"last": wanted.days.last}
    more: dict[str, Any] = {}
    if area:
        conditions.append(_IN_AREA)
        more["area"] = area
    if wanted.days.interval or (wanted.days.said and source.collection.id in OF_A_DAY):
        more["first"] = wanted.days.first
    conditions.append(_on_days(source.collection, wanted))
    conditions += source.always
    if wanted.ground is not None:
        conditions += _on_ground(source)
        more |= ground(wanted.ground)
    if wanted.where is not None:
        conditions.append(wanted.where.sql)
        more |= wanted.where.params
    plain = wanted.ground is None and wanted.where is None
    key = (source.collection.id, tuple(conditions), wanted.days.last, *sorted((k, v) for k, v in more.items()))
    return Rows(source, " AND ".join(conditions), {**params, **more}, plain, key)


def _on_days(shown: Collection, wanted: Wanted) -> str:
    if shown.id in OF_A_DAY and wanted.days.said:
        return _OF_DAYS
    return _INTERVAL.format(shown.shapes) if wanted.days.interval else _INSTANT


def _on_ground(source: Source) -> tuple[str, str]:
    """The box finds them by the index of the shapes that are served, then the shape itself is asked."""
    return (
        "s.geom && ST_MakeEnvelope(:west, :south, :east, :north, 3857)",
        f"ST_Intersects({source.shape}, ST_GeomFromEWKB(CAST(:ground AS bytea)))",
    )


def ground(shape: shapely.Geometry) -> dict[str, Any]:
    """Parameters of a ground in degrees: itself, and its box in metres of EPSG:3857."""
    return {**dict(zip(("west", "south", "east", "north"), mercator_box(shape), strict=True)), "ground": ewkb(shape)}


def feature(source: Source, fields: Sequence[Field], place: Place) -> str:
    """SQL of a feature as GeoJSON text."""
    columns = ", ".join(f'{f.sql} AS "{f.name}"' for f in fields)
    properties = f"row_to_json((SELECT r FROM (SELECT {columns}) r))" if fields else "'{}'"
    head = '\'{"type":"Feature","id":"\''
    return (
        f"concat({head}, {source.ident}, '\",\"geometry\":', coalesce({place.geojson(source.shape)}, 'null'), "
        f"',\"properties\":', {properties}, '}}')"
    )


def page(found: Rows, wanted: Wanted, behind: int | None, skip: int) -> Sql:
    """One row: how many features, the last one's number, whether there are more, and all of them as JSON texts with commas.

    ``behind``: the page begins behind that row; ``skip``: and so many further on.
    """
    assert wanted.limit is not None
    whole = found.finished if wanted.place is CRS84 and not wanted.narrowed else None
    steady = whole is not None and not skip and wanted.limit in _STEADY
    params = {**found.params, **({} if steady else {"most": wanted.limit})}
    most = str(wanted.limit) if steady else ":most"
    source, offset, further = found.source, "", ""
    if behind is not None or steady:
        further, params["after"] = " AND s.fid > :after", behind or 0
    if skip:
        offset, params["skip"] = " OFFSET :skip", skip
    cut = f"ORDER BY s.fid LIMIT {most} + 1{offset}"
    if whole:
        made, rows = "s.feature", f"{whole}{further} {cut}"
    else:
        made, rows = feature(source, wanted.fields, wanted.place), _facts(found, further, cut)
    track = source.track
    seen = f"array_agg(DISTINCT q.track) FILTER (WHERE q.n <= {most})" if track else "NULL"
    text = f"""SELECT count(*) FILTER (WHERE q.n <= {most}), max(q.fid) FILTER (WHERE q.n <= {most}), count(*) > {most},
      string_agg(q.feature, E',\\n') FILTER (WHERE q.n <= {most}), {seen}
    FROM (SELECT p.*, row_number() OVER () AS n FROM (
      SELECT s.fid, {made} AS feature{f", {track} AS track" if track else ""} FROM {rows}) p) q"""
    return Sql(text, params, steady)


def _facts(found: Rows, further: str, cut: str) -> str:
    """Shapes with their facts; where nothing is asked of the facts, the page is cut out of the shapes first.

    Not for an account of an area: the walls before some facts go by other rules than those before shapes, and what they
    take out must not make a page look like the last one.
    """
    source = found.source
    if not found.plain or source.always or "area" in found.params:
        return f"{found.text}{further} {cut}"
    shapes = source.collection.shapes
    page = f"(SELECT s.* FROM {shapes} s WHERE {found.where}{further} {cut})"
    return f"{source.rows.replace(f'{shapes} s', f'{page} s', 1)} ORDER BY s.fid"


def one(source: Source, wanted: Wanted, area: str, tag: str) -> Sql:
    """The feature of an id (``:id``, ``:version``) that is in force on the day: JSON, mark of its state, track."""
    conditions = ["s.id = CAST(:id AS uuid)"]
    if source.several:
        conditions.append("s.version = CAST(:version AS int)")
    if area:
        conditions.append(_IN_AREA)
    text = f"""SELECT {feature(source, wanted.fields, wanted.place)}, {tag}, {source.track or "NULL"}
    FROM {source.rows} WHERE {" AND ".join([*conditions, _INSTANT, *source.always])} LIMIT 1"""
    return Sql(text, {"last": wanted.days.last, **({"area": area} if area else {})})


def places(found: Rows, step: int) -> Sql:
    """The number of every ``step``-th row, and how many rows there are."""
    text = f"""SELECT array_agg(q.fid ORDER BY q.n) FILTER (WHERE q.n % {step} = 0), count(*)
    FROM (SELECT s.fid, row_number() OVER (ORDER BY s.fid) AS n FROM {found.finished or found.text}) q"""
    return Sql(text, found.params)


def extent(shown: Collection, scoped: bool) -> str:
    """Where a collection lies, in degrees; what the head of its index says is enough. ``scoped``: within the units of ``:area``."""
    whole = f"SELECT ST_Transform(ST_SetSRID(CAST(ST_EstimatedExtent('cache', 'shape_{shown.id}', 'geom') AS geometry), 3857), 4490) AS g"
    if scoped:
        unit = "SELECT ST_SetSRID(ST_Extent(s.geom), 3857) FROM cache.shape_admin_unit s WHERE s.areas @> ARRAY[CAST(:area AS text)]"
        whole = f"SELECT ST_Intersection(w.g, ST_Transform(CAST(({unit}) AS geometry), 4490)) AS g FROM ({whole}) w"
    return f"SELECT ST_XMin(x.g), ST_YMin(x.g), ST_XMax(x.g), ST_YMax(x.g) FROM ({whole}) x"
