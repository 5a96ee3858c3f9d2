"""Map files (MapServer 地图文件) made from the one palette and the registry of collections: what the old services draw and tell.

Two for each account's sight: ``drawn`` for pictures, over the shapes and counts that tiles are cut from; ``told`` for
capabilities, feature information, legends and WFS, with all columns. Nothing of a request is written into them but through
MapServer's own validated parameters: day, band and zoom of the counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from rivergis import words
from rivergis.maps import collections, palette
from rivergis.maps.collections import Collection
from rivergis.maps.legacy.mapfile_styles import block, classes, heap_class, labels, quoted, symbols
from rivergis.maps.ogc import source as ogc_source

BANDS = ((14, "geom"), (12, "g12"), (10, "g10"), (8, "g8"), (6, "g6"), (0, "g0"))
"""From which zoom on which of the shapes is drawn (gis/db/migrations/0022_tiles.sql)."""
COUNTED = (4, 6, 8, 10, 12)
"""Zooms for which things too small to be drawn are counted, each serves up to the next; from zoom 14 on all is drawn itself."""
SYSTEMS = ("EPSG:4490", "EPSG:3857", "EPSG:4326", "CRS:84")
ROOT = "rivergis"
"""The layer that holds all others, as capabilities call it."""
LARGEST_PX = 4096
APART_PX = 32
"""A disc that stands for several things takes this much of a picture for itself; tiles hold 8 times 8 of them."""
MOST_FEATURES = 10_000
"""Features in one answer of WFS; the next ones by startIndex."""
_AREA_KINDS = ("MultiPolygon", "Geometry")
NEAR = "s.geom && !BOX!"
"""Condition that lets a query use its index behind the walls of the database; MapServer's own (ST_Intersects) may not."""
_MERCATOR = 40075016.685578488
_ANNOUNCED = {"boundary_line": "cls", "boundary_area": "cls", "source_zone": "mark"}
# classes that hang on the day: how long ago a stretch of bank was seen
_AGO = "DATE '%day%' - day"
_CLASSES = {
    "coverage": f"CASE WHEN {_AGO} <= 7 THEN '0-7' WHEN {_AGO} <= 15 THEN '8-15' WHEN {_AGO} <= 31 THEN '16-31' "
    f"WHEN {_AGO} <= 92 THEN '32-92' ELSE '>92' END"
}


@dataclass(frozen=True)
class Sight:
    """What a map file shows: collections, held to an area (adcode prefix, '' = everywhere)."""

    names: tuple[str, ...]
    area: str = ""
    public: bool = False
    """For anybody: only what is announced of lines, areas and zones."""

    def __post_init__(self) -> None:
        assert self.area == "" or (self.area.isascii() and self.area.isdigit()), self.area


@dataclass(frozen=True)
class Ground:
    """What a map file stands on: the connection (without password), fonts, and the box of each collection (EPSG:3857)."""

    connection: str
    fonts: Path | None
    boxes: Mapping[str, tuple[float, float, float, float]]


def zoom_of(metres_a_pixel: float) -> int:
    """The zoom of web tiles that shows as much as a picture of that resolution (EPSG:3857)."""
    for zoom in range(24):
        if _MERCATOR / 256 / 2**zoom <= metres_a_pixel * 1.2:
            return zoom
    return 23


def drawn_layers(names: Sequence[str], zoom: int) -> list[str]:
    """Layers of the drawn map for some collections at a zoom, bottom first."""
    order = palette.load().layers
    out = []
    for name in sorted(names, key=order.index):
        out += [layer for layer, (least, most) in _parts(collections.collection(name)).items() if least <= zoom <= most]
    return out


def _parts(shown: Collection) -> dict[str, tuple[int, int]]:
    """Layers that draw a collection, each with the zooms at which it has anything to draw."""
    if shown.geometry == "Point":
        return {shown.id: (14, 99), f"{shown.id}_heap": (0, 13)}
    if shown.geometry not in _AREA_KINDS:
        return {shown.id: (0, 99)}
    more = {f"{shown.id}_line": (14, 99), f"{shown.id}_point": (14, 99)} if shown.geometry == "Geometry" else {}
    return {shown.id: (0, 99), **more, f"{shown.id}_heap": (0, 13)}


def told_layers(name: str) -> tuple[str, ...]:
    """Layers of the told map that hold a collection: one a kind of shape, since neither GML clients nor ArcMap mix them."""
    mixed = collections.collection(name).geometry == "Geometry"
    return (name, f"{name}_line", f"{name}_point") if mixed else (name,)


def band_of(zoom: int) -> str:
    """Which shape is drawn at a zoom."""
    return next(band for least, band in BANDS if zoom >= least)


def counted_at(zoom: int) -> int:
    """For which zoom the counts are taken that are shown at a zoom."""
    return max((c for c in COUNTED if c <= zoom), default=COUNTED[0])


def how(zoom: int, metres_a_pixel: float) -> dict[str, str]:
    """The parameters of a drawn map file for a picture: its shapes, its counts, and how near discs may be (m)."""
    apart = f"{max(metres_a_pixel * APART_PX, 0.001):.9f}"
    return {"band": band_of(zoom), "counted": str(counted_at(zoom)), "apart": apart}


def drawn(sight: Sight, ground: Ground, day: str) -> str:
    """The map file that pictures are drawn from; ``day``: the civil day where a request names none."""
    order = palette.load().layers
    layers = [layer for name in sorted(sight.names, key=order.index) for layer in _drawn(name, sight, ground, day)]
    return _map(ground, "EPSG:3857", layers)


def told(sight: Sight, ground: Ground, day: str) -> str:
    """The map file that capabilities, legends, feature information and WFS are told from."""
    order = palette.load().layers
    layers = [_told(name, sight, ground, day) for name in sorted(sight.names, key=order.index)]
    return _map(ground, "EPSG:4490", [part for parts in layers for part in parts])


def _map(ground: Ground, system: str, layers: Sequence[str]) -> str:
    title = words.both("product.name")
    metadata = {
        "ows_title": title,
        "ows_abstract": f"{words.both('product.about')} {words.both('page.disclaimer')}",
        "ows_keywordlist": "河长制,河道管理范围,水源保护区,入河排污口",
        "ows_srs": " ".join(SYSTEMS),
        "ows_fees": "none",
        "ows_accessconstraints": words.say("legacy.access"),
        "ows_sld_enabled": "false",
        "wms_enable_request": "*",
        "wms_getmap_formatlist": "image/png,image/png; mode=8bit,image/jpeg",
        "wms_getfeatureinfo_formatlist": "text/html,text/plain,application/vnd.ogc.gml",
        "wms_feature_info_mime_type": "text/html",
        "wms_allow_getmap_without_styles": "true",
        "wms_attribution_title": words.say("page.disclaimer"),
        "wfs_enable_request": "*",
        "wfs_maxfeatures": str(MOST_FEATURES),
        "wfs_getfeature_formatlist": "geojson",
        "wcs_enable_request": "!*",
        "sos_enable_request": "!*",
        "oga_enable_request": "!*",
        "gml_uri": "http://rivergis.local/wfs",
        "ows_namespace_prefix": "rivergis",
        "ows_namespace_uri": "http://rivergis.local/wfs",
    }
    head = [
        f"NAME {quoted(ROOT)}",
        "STATUS ON",
        "SIZE 256 256",
        f"MAXSIZE {LARGEST_PX}",
        "EXTENT 73 3 136 54" if system == "EPSG:4490" else "EXTENT 8126322 334111 15139450 7170156",
        f"UNITS {'DD' if system == 'EPSG:4490' else 'METERS'}",
        'IMAGECOLOR "#ffffff"',
        *([f"FONTSET {quoted(str(ground.fonts))}"] if ground.fonts else []),
        block("PROJECTION", [quoted(f"init={system.lower()}")]),
        *_FORMATS,
        block("WEB", [block("METADATA", [f"{quoted(k)} {quoted(v)}" for k, v in metadata.items()])]),
        _legend(ground),
        *symbols(),
    ]
    return block("MAP", [*head, *layers]) + "\n"


_FORMATS = (
    block("OUTPUTFORMAT", ['NAME "png"', 'DRIVER "AGG/PNG"', 'MIMETYPE "image/png"', "IMAGEMODE RGBA", 'EXTENSION "png"',
                           "TRANSPARENT ON", 'FORMATOPTION "COMPRESSION=4"']),
    block("OUTPUTFORMAT", ['NAME "png8"', 'DRIVER "AGG/PNG"', 'MIMETYPE "image/png; mode=8bit"', "IMAGEMODE RGBA", 'EXTENSION "png"',
                           "TRANSPARENT ON", 'FORMATOPTION "QUANTIZE_FORCE=on"', 'FORMATOPTION "QUANTIZE_COLORS=256"',
                           'FORMATOPTION "COMPRESSION=6"']),
    block("OUTPUTFORMAT", ['NAME "jpeg"', 'DRIVER "AGG/JPEG"', 'MIMETYPE "image/jpeg"', "IMAGEMODE RGB", 'EXTENSION "jpg"',
                           'FORMATOPTION "QUALITY=85"']),
    block("OUTPUTFORMAT", ['NAME "geojson"', 'DRIVER "OGR/GEOJSON"', 'MIMETYPE "application/json; subtype=geojson; charset=utf-8"',
                           'FORMATOPTION "STORAGE=stream"', 'FORMATOPTION "FORM=simple"', 'FORMATOPTION "USE_FEATUREID=true"']),
)  # fmt: skip


def _legend(ground: Ground) -> str:
    text = (
        ["TYPE TRUETYPE", 'FONT "sc"', "SIZE 10", 'COLOR "#17324a"'] if ground.fonts else ["TYPE BITMAP", "SIZE MEDIUM"]
    )
    return block("LEGEND", ["KEYSIZE 26 16", "KEYSPACING 6 6", "STATUS ON", block("LABEL", text)])


def _head(name: str, kind: str, ground: Ground, title: str, rows: str, more: Sequence[str]) -> list[str]:
    return [
        f"NAME {quoted(name)}",
        f"TYPE {kind}",
        "STATUS ON",
        "CONNECTIONTYPE POSTGIS",
        f"CONNECTION {quoted(ground.connection)}",
        'PROCESSING "CLOSE_CONNECTION=DEFER"',
        f"DATA {quoted(f'geom from ({rows}) AS t USING UNIQUE fid USING SRID=3857')}",
        block("PROJECTION", ['"init=epsg:3857"']),
        *more,
    ]


def _validation(day: str) -> str:
    checks = {
        "day": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        "default_day": day,
        "band": f"^({'|'.join(b for _, b in BANDS)})$",
        "default_band": "geom",
        "counted": f"^({'|'.join(map(str, COUNTED))})$",
        "default_counted": str(COUNTED[-1]),
        "near": "^(true|s[.]geom && !BOX!)$",
        "default_near": "true",
        "apart": r"^[0-9]{1,8}([.][0-9]{1,12})?$",
        "default_apart": "1000",
    }
    return block("VALIDATION", [f"{quoted(k)} {quoted(v)}" for k, v in checks.items()])


def _held(sight: Sight, alias: str = "") -> str:
    """The first wall: what lies in the area; the database holds the second one."""
    return f" AND {alias}areas @> ARRAY['{sight.area}']" if sight.area else ""


def _open(sight: Sight, name: str) -> str:
    """What the public may not see stays out, as in the vector tiles of the public."""
    return f" AND {_ANNOUNCED[name]} = 'announced'" if sight.public and name in _ANNOUNCED else ""


def _drawn(name: str, sight: Sight, ground: Ground, day: str) -> list[str]:
    shown = collections.collection(name)
    where = f"valid @> DATE '%day%'{_held(sight)}{_open(sight, name)}"
    kinds = {"Point": [("", "POINT")], "Geometry": [("", "POLYGON"), ("_line", "LINE"), ("_point", "POINT")]}
    parts = kinds.get(shown.geometry, [("", "POLYGON" if shown.geometry in _AREA_KINDS else "LINE")])
    out = []
    for suffix, kind in parts:
        shape = "geom" if kind == "POINT" or suffix else "%band%"
        of_kind = (
            f" AND ST_Dimension({shape}) = {('POINT', 'LINE', 'POLYGON').index(kind)}"
            if shown.geometry == "Geometry"
            else ""
        )
        rows = f"SELECT fid, {_CLASSES.get(name, 'cls')} AS cls, label, {shape} AS geom FROM {shown.shapes} WHERE {shape} && !BOX! AND {where}{of_kind}"
        more = [
            _validation(day),
            'CLASSITEM "cls"',
            *_named(name, kind, ground),
            *classes(name, kind, labels(name, kind, ground.fonts)),
        ]
        out.append(block("LAYER", [*_head(f"{name}{suffix}", kind, ground, shown.label, rows, more)]))
    if shown.geometry in ("Point", *_AREA_KINDS):
        out.append(_heap(shown, where, ground, day))
    return out


def _named(name: str, kind: str, ground: Ground) -> list[str]:
    scaled = ["SYMBOLSCALEDENOM 36000"] if kind == "LINE" else []
    return [*scaled, *(['LABELITEM "label"'] if labels(name, kind, ground.fonts) else [])]


def _heap(shown: Collection, where: str, ground: Ground, day: str) -> str:
    """What is too small to be drawn, as discs with their number, not too near to each other; where it is one, as its sign."""
    tile = f"floor(({{0}} / {_MERCATOR!r} + 0.5) * (1 << %counted%))::int"
    x = f"tile_x BETWEEN {tile.format('ST_XMin(!BOX!)')} AND {tile.format('ST_XMax(!BOX!)')}"
    y = f"tile_y BETWEEN {tile.format('-ST_YMax(!BOX!)')} AND {tile.format('-ST_YMin(!BOX!)')}"
    cells = f"""SELECT sum(n) AS n, sum(east_dm) / 10.0 AS east, sum(north_dm) / 10.0 AS north, min(cls) AS least, max(cls) AS most
      FROM cache.cell_{shown.id} WHERE zoom = %counted% AND {x} AND {y} AND {where}
      GROUP BY tile_x, tile_y, cell HAVING sum(n) > 0"""
    rows = f"""SELECT row_number() OVER () AS fid, sum(n) AS n, CASE WHEN min(least) = max(most) THEN min(least) ELSE '' END AS cls,
      ST_SetSRID(ST_MakePoint(sum(east) / sum(n), sum(north) / sum(n)), 3857) AS geom
      FROM ({cells}) c GROUP BY floor((east / n + {_MERCATOR / 2!r}) / %apart%), floor((north / n + {_MERCATOR / 2!r}) / %apart%)"""
    more = [_validation(day), 'CLASSITEM "cls"', 'LABELITEM "n"', *heap_class(shown.id, ground.fonts)]
    return block("LAYER", _head(f"{shown.id}_heap", "POINT", ground, shown.label, " ".join(rows.split()), more))


def _told(name: str, sight: Sight, ground: Ground, day: str) -> list[str]:
    shown, found = collections.collection(name), ogc_source.source(name)
    columns = ", ".join(
        f"({f.sql})::text AS {f.name}" if f.kind == "json" else f"{f.sql} AS {f.name}" for f in found.fields
    )
    always = "".join(f" AND {c}" for c in found.always)
    day_sql = "DATE '%day%'"
    kinds = {"Point": ["POINT"], "Geometry": ["POLYGON", "LINE", "POINT"]}
    out = []
    for suffix, kind in zip(
        [""] if shown.geometry != "Geometry" else ["", "_line", "_point"],
        kinds.get(shown.geometry, ["POLYGON" if shown.geometry in _AREA_KINDS else "LINE"]),
        strict=True,
    ):
        of_kind = (
            f" AND ST_Dimension(s.geom) = {('POINT', 'LINE', 'POLYGON').index(kind)}"
            if shown.geometry == "Geometry"
            else ""
        )
        rows = f"SELECT s.fid, ({found.ident})::text AS id, s.cls, s.label, {columns}, s.geom AS geom FROM {found.rows} WHERE %near% AND s.valid @> {day_sql}{always}{_held(sight, 's.')}{of_kind} ORDER BY s.fid"
        rows = ogc_day(rows, day_sql)
        title = shown.label + (f" ({words.say('legacy.' + kind.lower())})" if shown.geometry == "Geometry" else "")
        items = ["id", "label", *(f.name for f in found.fields)]
        metadata = {
            "ows_title": title,
            "ows_abstract": shown.label,
            "ows_srs": " ".join(SYSTEMS),
            "wms_include_items": ",".join(items),
            "gml_include_items": ",".join(items),
            "gml_featureid": "fid",
            "gml_geometries": "geom",
            "gml_types": "auto",
            "wfs_use_default_extent_for_getfeature": "false",
            **({"wms_enable_request": "* !GetCapabilities"} if suffix else {}),
            **({"ows_extent": " ".join(map(str, ground.boxes[name]))} if name in ground.boxes else {}),
        }
        more = [
            _validation(day),
            *([f"EXTENT {' '.join(f'{v:.2f}' for v in ground.boxes[name])}"] if name in ground.boxes else []),
            block("METADATA", [f"{quoted(k)} {quoted(v)}" for k, v in metadata.items()]),
            # with a box of ours and a page, MapServer writes WHERE with nothing behind it
            'PROCESSING "NATIVE_FILTER=true"',
            f"TEMPLATE {quoted(template_name(name))}",
            "TOLERANCE 5",
            "TOLERANCEUNITS PIXELS",
            'CLASSITEM "cls"',
            *classes(name, kind, []),
        ]
        out.append(block("LAYER", _head(f"{name}{suffix}", kind, ground, title, rows, more)))
    return out


def ogc_day(rows: str, day: str) -> str:
    """A query of a collection with the day that it is asked about."""
    return rows.replace("CAST(:last AS date)", day).replace(":last", day)


def template_name(name: str) -> str:
    return f"{name}.html"


def template(name: str) -> str:
    """What feature information shows of a thing (属性): a table, Chinese first; MapServer writes values without markup."""
    found = ogc_source.source(name)
    rows = "\n".join(
        f"<tr><th>{escape(f.zh)} <small>{escape(f.en)}</small></th><td>[{f.name}]</td></tr>" for f in found.fields
    )
    title = escape(collections.collection(name).label)
    return f"<!-- MapServer Template -->\n<table><caption>{title}</caption>\n{rows}\n</table>\n"
