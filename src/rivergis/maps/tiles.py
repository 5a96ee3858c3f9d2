"""What one vector tile holds (矢量瓦片): the SQL of a tile, collection by collection and zoom by zoom. Pure text, no connection.

Shapes come from ``cache.shape_<collection>``, counts of what is too small to be drawn from ``cache.cell_<collection>``; both
are kept by the triggers of ``gis/db/app/80_tiles.sql``. Far out, lines of one class are one feature and points and small areas
stand as counts in cells of 1/32 or 1/16 of the tile: such features carry ``n``, how many things they stand for; a feature
without ``n`` is one thing. A tile that would be larger than ``MOST_BYTES`` takes coarser things, which also say ``n``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rivergis.errors import UsageError
from rivergis.maps.collections import Collection, collection

MINZOOM, MAXZOOM = 0, 16
MOST_BYTES = 500_000
DETAIL, NAMED, SINGLE = 12, 10, 9
"""Zooms from which a feature says everything, says its name, and from which a line is a feature of its own."""
EXTENT, MARGIN = 4096, 64
WORLD_M = 40_075_016.685578488
_BANDS = ((14, "geom"), (12, "g12"), (10, "g10"), (8, "g8"), (6, "g6"), (0, "g0"))
_KINDS = {"Point": "point", "LineString": "line", "MultiLineString": "line"}
# always with their names, and one by one as soon as that is bearable
_ALWAYS_NAMED = {"admin_unit": 0, "river": 6}
# a fix a few seconds: one by one only where they can be told apart
_DENSE = {"patrol_fix": 14}
_ATTRIBUTES = {"id": "String", "code": "String", "label": "String", "cls": "String", "mark": "String"}
_OWN: dict[str, tuple[str, ...]] = {
    "reach": ("river",), "water_area": ("river",), "bank_line": ("river", "bank"), "levee": ("river", "bank"), "landmark": ("river",),
    "boundary_line": ("river", "bank"), "boundary_area": ("river",), "boundary_draft_line": ("river", "bank"),
    "function_zone": ("river", "bank"), "stake": ("river", "bank"), "intake": ("river",), "outfall": ("river",), "permit": ("river", "bank"),
    "candidate": ("day",), "finding": ("day",), "report": ("day",), "imagery": ("day",), "patrol_track": ("day",), "patrol_fix": ("day",),
    "patrol_leg": ("bank", "day"), "coverage": ("bank", "day"),
}  # fmt: skip
# column of the contract that an attribute shows, where it is not the one of the same name
_SHOWS: dict[str, dict[str, str]] = {
    "admin_unit": {"cls": "level"}, "reach": {"cls": "kind", "mark": "channel"}, "river": {"mark": "kind"}, "water_area": {"cls": "kind"},
    "landmark": {"cls": "kind"}, "boundary_line": {"cls": "basis", "mark": "line_type", "label": "river_code"},
    "boundary_area": {"cls": "version_code", "mark": "version_code", "label": "river_code"},
    "function_zone": {"cls": "zone_type", "label": "river_code"}, "source_zone": {"cls": "zone_class", "mark": "basis"},
}  # fmt: skip
# what the public may see of a layer whose draft lines and areas are nobody's business outside
_ANNOUNCED = {
    "boundary_line": "s.cls = 'announced'",
    "boundary_area": "s.cls = 'announced'",
    "source_zone": "s.mark = 'announced'",
}
# days since a stretch of bank was last seen, as the palette has them (last_seen)
_SINCE = """CASE WHEN $4::date - s.day <= 7 THEN '0-7' WHEN $4::date - s.day <= 15 THEN '8-15' WHEN $4::date - s.day <= 31 THEN '16-31'
    WHEN $4::date - s.day <= 92 THEN '32-92' ELSE '>92' END"""


@dataclass(frozen=True)
class Statement:
    """One prepared statement: parameters $1 z, $2 x, $3 y, $4 day, and $5 area where scoped; one row (mvt bytea, aggregated boolean)."""

    name: str
    sql: str
    types: tuple[str, ...]


@lru_cache(maxsize=4096)
def statement(name: str, z: int, scoped: bool, public: bool = False) -> Statement:
    """SQL of the tiles of a collection at a zoom: the things in force on a day, in an area where ``scoped``, and for the
    ``public`` only what may be published, with the attributes that may be. ``NotFound``, ``UsageError`` for a zoom there is not."""
    if not MINZOOM <= z <= MAXZOOM:
        raise UsageError(f"There are no tiles at zoom {z}: the zooms are {MINZOOM} to {MAXZOOM}.")
    cut = _Cut(collection(name), z, scoped, public)
    types = ("int", "int", "int", "date", *(("text",) if scoped else ()))
    return Statement(f"tile_{name}_{z}{'_area' * scoped}{'_public' * public}", cut.sql(), types)


def fields(name: str, public: bool = False) -> dict[str, str]:
    """Attributes of the features in the tiles of a collection: name -> Number or String, as TileJSON wants them."""
    return {a: _ATTRIBUTES.get(a, "String") for a in _shown(collection(name), public)} | {"n": "Number"}


def _shown(layer: Collection, public: bool) -> Iterator[str]:
    """Attributes of a collection at its closest zooms; for the public those whose column is on the list."""
    shows = {"label": "name", "river": "river_code"} | _SHOWS.get(layer.id, {})
    for attribute in (*_ATTRIBUTES, *_OWN.get(layer.id, ())):
        if not public or attribute == "id" or shows.get(attribute, attribute) in layer.public:
            yield attribute


def _band(z: int) -> str:
    return next(column for lowest, column in _BANDS if z >= lowest)


def _coarser(z: int) -> str:
    """The shape that a tile takes which would be too large."""
    columns = [column for _, column in _BANDS]
    return columns[min(columns.index(_band(z)) + 1, len(columns) - 1)]


@dataclass(frozen=True)
class _Cut:
    """One tile of one collection, as SQL."""

    layer: Collection
    z: int
    scoped: bool
    public: bool

    @property
    def kind(self) -> str:
        return _KINDS.get(self.layer.geometry, "area")

    def sql(self) -> str:
        parts, coarse = self._parts(), self._coarse_parts()
        fine = " UNION ALL ".join(parts)
        return f"""WITH fine AS MATERIALIZED (
  SELECT {self._mvt()} AS mvt, coalesce(bool_or(t.n > 1), false) AS many FROM ({fine}) t)
SELECT CASE WHEN length(mvt) <= {MOST_BYTES} THEN mvt
  ELSE (SELECT {self._mvt()} FROM ({" UNION ALL ".join(coarse)}) t) END, many OR length(mvt) > {MOST_BYTES} FROM fine"""

    def _parts(self) -> list[str]:
        if self.kind == "line":
            together = self.z < _ALWAYS_NAMED.get(self.layer.id, SINGLE)
            return [self._together(_band(self.z)) if together else self._each(_band(self.z))]
        if self.kind == "point":
            return [self._each("geom") if self.z >= _DENSE.get(self.layer.id, DETAIL) else self._counted()]
        drawn = self._each(_band(self.z))
        return [drawn] if _band(self.z) == "geom" else [drawn, self._counted()]

    def _coarse_parts(self) -> list[str]:
        band = _coarser(self.z)
        if self.kind == "line":
            return [self._together(band)]
        if self.kind == "point":
            return [self._counted_now("true")]
        return [self._each(band, bare=True), self._counted_now(f"s.{band} IS NULL")]

    def _mvt(self) -> str:
        return f"ST_AsMVT(t, '{self.layer.id}', {EXTENT}, 'geom', 'fid')"

    def _attributes(self, bare: bool = False) -> list[str]:
        shown = list(_shown(self.layer, self.public))
        if self.z >= DETAIL and not bare:
            return shown
        named = self.z >= NAMED and not bare
        more = ("id", "label") if named else ("label",) if self.layer.id in _ALWAYS_NAMED else ()
        return [a for a in shown if a in ("cls", "mark", *more)]

    def _value(self, attribute: str) -> str:
        if attribute == "cls" and self.layer.id == "coverage":
            return f"{_SINCE} AS cls"
        text = {
            "id": "s.id::text AS id",
            "day": "s.day::text AS day",
            "cls": "nullif(s.cls, '') AS cls",
            "mark": "nullif(s.mark, '') AS mark",
        }
        return text.get(attribute, f"s.{attribute}")

    @property
    def _box(self) -> str:
        return "(SELECT ST_TileEnvelope($1, $2, $3))"

    @property
    def _where(self) -> str:
        parts = ["s.valid @> $4"]
        if self.scoped:
            parts.append("s.areas @> ARRAY[$5]")
        if self.public and self.layer.id in _ANNOUNCED:
            parts.append(_ANNOUNCED[self.layer.id])
        return " AND ".join(parts)

    def _reached(self, column: str) -> str:
        return f"s.{column} && (SELECT ST_TileEnvelope($1, $2, $3, margin => {MARGIN / EXTENT})) AND {self._where}"

    def _each(self, column: str, bare: bool = False) -> str:
        """Thing by thing, with the attributes of the zoom."""
        said = "".join(f", {self._value(a)}" for a in self._attributes(bare))
        order = " ORDER BY s.day" if self.layer.id == "coverage" else ""  # the latest on top
        rows = f"SELECT s.fid{said}, NULL::int AS n, {self._shape(column)} AS geom FROM cache.shape_{self.layer.id} s WHERE {self._reached(column)}{order}"
        return f"({rows})" if order else rows

    def _cut(self, shape: str) -> str:
        return f"ST_AsMVTGeom({shape}, {self._box}, {EXTENT}, {MARGIN}, true)"

    def _shape(self, column: str) -> str:
        """The shape in the tile; what is thinner than the grid of the tile stays as a line, or as a dot."""
        shape, unit = f"s.{column}", WORLD_M / 2**self.z / EXTENT
        cut = self._cut(shape)
        small = f"greatest(ST_XMax({shape}) - ST_XMin({shape}), ST_YMax({shape}) - ST_YMin({shape}))"
        if self.kind == "point":
            return cut
        if self.kind == "line":
            return f"coalesce({cut}, CASE WHEN {small} < {2 * unit} THEN {self._cut(f'app.tile_line({shape}, {2 * unit})')} END)"
        dot = self._cut(f"ST_Centroid(ST_Envelope({shape}))")
        thin = f"CASE WHEN {small} < {2 * unit} THEN {dot} WHEN ST_Area({shape}) < {2 * unit} * {small} THEN {self._cut(f'ST_Boundary({shape})')} END"
        return f"coalesce({cut}, {thin})"

    def _classes(self) -> list[str]:
        """What features that stand for several say: classes, and nothing else; in the order in which single ones say it."""
        return [a for a in self._attributes(bare=True) if a in ("cls", "mark")]

    def _together(self, column: str) -> str:
        """All lines of a class as one feature."""
        classes = self._classes()
        said = "".join(f", {self._value(a)}" for a in classes)
        group = ", ".join(f"{n}" for n in range(2, 2 + len(classes)))
        return f"""SELECT NULL::bigint AS fid{said}, count(*)::int AS n, {self._cut(f"ST_Collect(s.{column})")} AS geom
    FROM cache.shape_{self.layer.id} s WHERE {self._reached(column)} {f"GROUP BY {group}" if group else "HAVING count(*) > 0"}"""

    def _counted(self) -> str:
        """Counts in cells, from the rows that edits keep; in the order of their index, so that nothing need be sorted."""
        kept = max(4, self.z - self.z % 2)
        wide, at = kept - self.z, "s.cell"
        if wide < 0:  # a quarter of the tile that is kept
            tiles = "s.tile_x = $2 >> 1 AND s.tile_y = $3 >> 1 AND (s.cell >> 4) & 1 = $2 & 1 AND s.cell >> 9 = $3 & 1"
        elif wide == 0:
            tiles = "s.tile_x = $2 AND s.tile_y = $3"
        else:
            tiles = f"s.tile_x BETWEEN $2 << {wide} AND (($2 + 1) << {wide}) - 1 AND s.tile_y BETWEEN $3 << {wide} AND (($3 + 1) << {wide}) - 1"
            at = f"(s.tile_x * 32 + (s.cell & 31)) >> {wide}, (s.tile_y * 32 + (s.cell >> 5)) >> {wide}"
        rows = f"cache.cell_{self.layer.id} s WHERE s.zoom = {kept} AND {tiles} AND {self._where}"
        return self._cells(
            at,
            rows,
            ("sum(s.n)", "sum(s.fid_sum::float8)", "sum(s.east_dm::float8) / 10", "sum(s.north_dm::float8) / 10"),
        )

    def _counted_now(self, condition: str) -> str:
        """The same from the things themselves, for tiles that hold too many."""
        size = WORLD_M / 2**self.z / 32
        rows = f"""cache.shape_{self.layer.id} s
      CROSS JOIN LATERAL (SELECT (ST_XMin(s.geom) + ST_XMax(s.geom)) / 2 AS x, (ST_YMin(s.geom) + ST_YMax(s.geom)) / 2 AS y) p
      WHERE s.geom && {self._box} AND {self._where} AND {condition}
        AND p.x >= ST_XMin({self._box}) AND p.x < ST_XMax({self._box}) AND p.y > ST_YMin({self._box}) AND p.y <= ST_YMax({self._box})"""
        at = f"floor(p.x / {size}), floor(p.y / {size})"
        return self._cells(at, rows, ("count(*)", "sum(s.fid)", "sum(p.x)", "sum(p.y)"), bare=True)

    def _cells(self, at: str, rows: str, sums: tuple[str, str, str, str], bare: bool = False) -> str:
        """One point a cell and class, in the middle of what it stands for; where that is one thing, with its number."""
        n, fid, east, north = sums
        classes, attributes = self._classes(), self._attributes(bare)
        said = "".join(f", {self._value(a) if a in classes else f'NULL::text AS {a}'}" for a in attributes)
        scale = EXTENT / (WORLD_M / 2**self.z)
        x = f"({east} / {n} - (SELECT ST_XMin(ST_TileEnvelope($1, $2, $3)))) * {scale}"
        y = f"((SELECT ST_YMax(ST_TileEnvelope($1, $2, $3))) - {north} / {n}) * {scale}"
        return f"""SELECT CASE WHEN {n} = 1 THEN {fid} END::bigint AS fid{said}, {n}::int AS n, ST_MakePoint({x}, {y}) AS geom
    FROM {rows} GROUP BY {", ".join([at, *(f"s.{a}" for a in classes)])} HAVING {n} > 0"""
