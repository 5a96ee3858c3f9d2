"""What the OGC API says of itself: landing page, conformance, collections, queryables, schemas, tilesets. Pure data."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import pyproj

from rivergis import words
from rivergis.layers import Column
from rivergis.maps import tiles
from rivergis.maps.collections import Collection
from rivergis.maps.ogc import ask as ogc_ask
from rivergis.maps.ogc import places as ogc_places
from rivergis.maps.ogc import written
from rivergis.maps.ogc.ask import FORMATS, HTML, JSON
from rivergis.maps.ogc.places import Extent
from rivergis.maps.ogc.source import GEOMETRY

ROOT = "/ogc"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
SCHEMA = "application/schema+json"
_REL = "http://www.opengis.net/def/rel/ogc/1.0"
MVT = "application/vnd.mapbox-vector-tile"
_SPEC = "http://www.opengis.net/spec"
CONFORMANCE = (
    *(f"{_SPEC}/ogcapi-common-1/1.0/conf/{c}" for c in ("core", "landing-page", "json", "html", "oas30")),
    f"{_SPEC}/ogcapi-common-2/1.0/conf/collections",
    *(f"{_SPEC}/ogcapi-features-1/1.0/conf/{c}" for c in ("core", "oas30", "html", "geojson")),
    f"{_SPEC}/ogcapi-features-2/1.0/conf/crs",
    *(f"{_SPEC}/ogcapi-features-3/1.0/conf/{c}" for c in (
        "queryables", "queryables-query-parameters", "filter", "features-filter")),
    *(f"{_SPEC}/cql2/1.0/conf/{c}" for c in (
        "cql2-text", "cql2-json", "basic-cql2", "advanced-comparison-operators", "case-insensitive-comparison",
        "basic-spatial-functions", "basic-spatial-functions-plus", "spatial-functions", "arithmetic", "property-property")),
    *(f"{_SPEC}/ogcapi-tiles-1/1.0/conf/{c}" for c in (
        "core", "tileset", "tilesets-list", "geodata-tilesets", "mvt", "oas30")),
    *(f"{_SPEC}/tms/2.0/conf/{c}" for c in ("tilematrixset", "json-tilematrixset")),
)  # fmt: skip
WRITING = tuple(
    f"{_SPEC}/ogcapi-features-4/1.0/conf/{c}"
    for c in ("create-replace-delete", "update", "features", "optimistic-locking-etags")
)
_TYPES = {"text": "string", "number": "number", "integer": "integer", "boolean": "boolean", "json": "object"}
_FORMATS = {"date": "date", "time": "date-time"}
_SHAPES = {
    "Point": "geometry-point", "LineString": "geometry-linestring", "MultiLineString": "geometry-multilinestring",
    "MultiPolygon": "geometry-multipolygon",
}  # fmt: skip
GRID = "WebMercatorQuad"
_GRID_URI = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
_ORIGIN_M, _SCALE_0 = 20037508.3427892, 559082264.028717


def link(rel: str, href: str, media: str, title: str) -> dict[str, str]:
    return {"rel": rel, "type": media, "title": title, "href": href}


def alternates(here: str, form: str, media: str = "application/json") -> list[dict[str, str]]:
    """This document, and the same in its other form."""
    other = HTML if form == JSON else JSON
    types = {JSON: media, HTML: FORMATS[HTML]}
    return [
        link("self", f"{here}?f={form}", types[form], f"本页 this document ({form})"),
        link("alternate", f"{here}?f={other}", types[other], f"另一格式 the same as {other}"),
    ]


def landing(base: str, form: str) -> dict[str, Any]:
    """The door: what is here and where."""
    at = base + ROOT
    return {
        "title": f"{words.both('product.name')} · OGC API",
        "description": f"{words.both('product.about')} · {words.both('page.disclaimer')}",
        "links": [
            *alternates(at, form),
            link("service-desc", f"{at}/api?f=json", OPENAPI, "接口定义 OpenAPI 3.0"),
            link("service-doc", f"{at}/api?f=html", "text/html", "接口说明 API documentation"),
            link("conformance", f"{at}/conformance", "application/json", "符合性 conformance classes"),
            link("data", f"{at}/collections", "application/json", "数据集合 collections"),
            link(f"{_REL}/tiling-schemes", f"{at}/tileMatrixSets", "application/json", "切片方案 tile matrix sets"),
            link(f"{_REL}/styles", f"{at}/styles", "application/json", "样式 styles"),
        ],
    }


def conformance(writes: bool) -> dict[str, Any]:
    """The classes of requirements that are met; those of writing only where writing is on."""
    return {"conformsTo": [*CONFORMANCE, *(WRITING if writes else ())]}


def collection(shown: Collection, base: str, extent: Extent | None, form: str, top: bool = False) -> dict[str, Any]:
    """One collection; ``top``: the document is about it alone."""
    at = f"{base}{ROOT}/collections/{shown.id}"
    links = alternates(at, form) if top else [link("self", at, "application/json", shown.label)]
    for media in (JSON, HTML, *ogc_ask.FILES):
        links.append(link("items", f"{at}/items?f={media}", FORMATS[media], f"要素 items ({media})"))
    links += [
        link(f"{_REL}/queryables", f"{at}/queryables", SCHEMA, "可查询字段 queryables"),
        link(f"{_REL}/schema", f"{at}/schema", SCHEMA, "字段结构 schema"),
        link("describedby", f"{at}/feature-schema", SCHEMA, "要素结构 schema of a GeoJSON feature"),
        link(
            "describedBy", f"{at}/feature-schema", SCHEMA, "要素结构,GDAL 3.6 如此拼写 the same, as GDAL 3.6 spells it"
        ),
        link(f"{_REL}/tilesets-vector", f"{at}/tiles", "application/json", "矢量瓦片 vector tilesets"),
        link("tilejson", f"{base}/tiles/{shown.id}.json", "application/json", "TileJSON"),
    ]
    whole = [-180.0, -90.0, 180.0, 90.0] if extent is None else list(extent)
    return {
        "id": shown.id,
        "title": shown.label,
        "description": f"{shown.label}({words.both('capability.' + shown.capability)})",
        "itemType": "feature",
        "extent": {
            "spatial": {"bbox": [whole], "crs": ogc_places.CRS84.uri},
            "temporal": {"interval": [[None, None]], "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"},
        },
        "crs": [p.uri for p in ogc_places.offered(extent)],
        "storageCrs": ogc_places.STORAGE.uri,
        "links": links,
    }


def collections(shown: Sequence[tuple[Collection, Extent | None]], base: str, form: str) -> dict[str, Any]:
    """All collections that somebody may see."""
    places = {p.uri: None for _, extent in shown for p in ogc_places.offered(extent)}
    return {
        "links": alternates(f"{base}{ROOT}/collections", form),
        "crs": list(places),
        "collections": [collection(c, base, extent, form) for c, extent in shown],
    }


def column(one: Column) -> dict[str, Any]:
    """JSON schema of a column."""
    told: dict[str, Any] = {"title": f"{one.zh} {one.en}", "type": _TYPES.get(one.kind, "string")}
    if one.kind in _FORMATS:
        told["format"] = _FORMATS[one.kind]
    if one.choices:
        told["enum"] = list(one.choices)
    return told


def _geometry(shown: Collection) -> dict[str, Any]:
    return {
        "title": "图形 geometry",
        "x-ogc-role": "primary-geometry",
        "format": _SHAPES.get(shown.geometry, "geometry-any"),
    }


def _schema(shown: Collection, at: str, properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": at,
        "type": "object",
        "title": shown.label,
        "properties": properties,
        "additionalProperties": False,
        **more,
    }


def queryables(shown: Collection, columns: Sequence[Column], base: str) -> dict[str, Any]:
    """What a filter may name."""
    properties = {c.name: column(c) for c in columns}
    at = f"{base}{ROOT}/collections/{shown.id}/queryables"
    return _schema(shown, at, {**properties, GEOMETRY: _geometry(shown)})


def schema(shown: Collection, columns: Sequence[Column], base: str, writes: bool) -> dict[str, Any]:
    """What a feature holds; what cannot be sent is ``readOnly``."""
    properties = {c.name: {**column(c), "readOnly": True} for c in columns}
    at = f"{base}{ROOT}/collections/{shown.id}/schema"
    required: list[str] = []
    shape = {**_geometry(shown), "readOnly": True}
    if writes and shown.id in written.WRITTEN:
        sent, required = written.properties(shown.id)
        properties |= sent
        shape = _geometry(shown)
    ident = {"title": "标识 id", "type": "string", "readOnly": True, "x-ogc-role": "id"}
    return _schema(shown, at, {"id": ident, **properties, "geometry": shape}, required=required)


def feature_schema(shown: Collection, columns: Sequence[Column], base: str) -> dict[str, Any]:
    """The schema of a GeoJSON feature of a collection: GDAL takes the types of columns that are empty on its first page from it."""
    plain = {c.name: {k: v for k, v in column(c).items() if k != "enum"} for c in columns}
    kinds = ["Point", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"]
    shape = {
        "type": "object",
        "properties": {"type": {"enum": kinds if shown.geometry == "Geometry" else [shown.geometry]}},
    }
    properties = {
        "type": {"type": "string", "enum": ["Feature"]},
        "id": {"type": "string"},
        "geometry": shape,
        "properties": {"type": "object", "properties": plain},
    }
    at = f"{base}{ROOT}/collections/{shown.id}/feature-schema"
    return _schema(shown, at, properties, required=["type", "geometry", "properties"]) | {"additionalProperties": True}


# ---- tiles ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def grid() -> dict[str, Any]:
    """The grid of tiles of the whole world in Web Mercator, as the register has it."""
    matrices = [
        {
            "id": str(z),
            "scaleDenominator": _SCALE_0 / 2**z,
            "cellSize": _SCALE_0 * 0.00028 / 2**z,
            "cornerOfOrigin": "topLeft",
            "pointOfOrigin": [-_ORIGIN_M, _ORIGIN_M],
            "tileWidth": 256,
            "tileHeight": 256,
            "matrixWidth": 2**z,
            "matrixHeight": 2**z,
        }
        for z in range(tiles.MAXZOOM + 1)
    ]
    return {
        "id": GRID,
        "title": "Google Maps Compatible for the World",
        "uri": _GRID_URI,
        "crs": ogc_places.MERCATOR.uri,
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": matrices,
    }


def grids(base: str) -> dict[str, Any]:
    """The grids there are: one."""
    at = f"{base}{ROOT}/tileMatrixSets/{GRID}"
    one = {
        "id": GRID,
        "title": "Google Maps Compatible for the World",
        "uri": _GRID_URI,
        "crs": ogc_places.MERCATOR.uri,
    }
    return {"tileMatrixSets": [{**one, "links": [link("self", at, "application/json", GRID)]}]}


def tileset(
    shown: Collection, columns: Sequence[Column], base: str, extent: Extent | None, whole: bool
) -> dict[str, Any]:
    """The vector tiles of a collection; ``whole``: with everything that is said of them."""
    at = f"{base}{ROOT}/collections/{shown.id}/tiles/{GRID}"
    template = link("item", f"{at}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}", MVT, "矢量瓦片 vector tile")
    told: dict[str, Any] = {
        "title": shown.label,
        "dataType": "vector",
        "crs": ogc_places.MERCATOR.uri,
        "tileMatrixSetURI": _GRID_URI,
        "links": [
            link("self", at, "application/json", shown.label),
            link(f"{_REL}/tiling-scheme", f"{base}{ROOT}/tileMatrixSets/{GRID}", "application/json", GRID),
            {**template, "templated": True},
            link("describedby", f"{base}/tiles/{shown.id}.json", "application/json", "TileJSON"),
        ],
    }  # fmt: skip
    if not whole:
        return told
    dimension = {"Point": 0, "LineString": 1, "MultiLineString": 1, "MultiPolygon": 2}.get(shown.geometry)
    layer: dict[str, Any] = {"id": shown.id, "title": shown.label, "dataType": "vector"}
    if dimension is not None:
        layer["geometryDimension"] = dimension
    kinds = {"Number": "number", "Boolean": "boolean"}
    named = {c.name: c for c in columns}
    properties = {
        name: {
            "title": f"{named[name].zh} {named[name].en}" if name in named else name,
            "type": kinds.get(kind, "string"),
        }
        for name, kind in tiles.fields(shown.id).items()
    }
    layer["propertiesSchema"] = {"type": "object", "properties": properties}
    told |= {"tileMatrixSetId": GRID, "layers": [layer], "tileMatrixSetLimits": limits(extent)}
    if extent is not None:
        west, south, east, north = extent
        told["boundingBox"] = {"lowerLeft": [west, south], "upperRight": [east, north], "crs": ogc_places.CRS84.uri}
    return told


def tilesets(shown: Collection, columns: Sequence[Column], base: str, form: str) -> dict[str, Any]:
    """The tilesets of a collection: one."""
    at = f"{base}{ROOT}/collections/{shown.id}/tiles"
    return {"links": alternates(at, form), "tilesets": [tileset(shown, columns, base, None, whole=False)]}


def limits(extent: Extent | None) -> list[dict[str, Any]]:
    """From which row and column to which there are tiles, zoom by zoom."""
    if extent is None:
        return []
    to_metres = pyproj.Transformer.from_crs(4490, 3857, always_xy=True)
    west, south = to_metres.transform(extent[0], max(extent[1], -85.0))
    east, north = to_metres.transform(extent[2], min(extent[3], 85.0))
    out = []
    for z in range(tiles.MINZOOM, tiles.MAXZOOM + 1):
        most, side = 2**z - 1, 2 * _ORIGIN_M / 2**z
        columns = [min(max(int((x + _ORIGIN_M) / side), 0), most) for x in (west, east)]
        rows = [min(max(int((_ORIGIN_M - y) / side), 0), most) for y in (north, south)]
        out.append({
            "tileMatrix": str(z), "minTileRow": rows[0], "maxTileRow": rows[1], "minTileCol": columns[0], "maxTileCol": columns[1],
        })  # fmt: skip
    return out
