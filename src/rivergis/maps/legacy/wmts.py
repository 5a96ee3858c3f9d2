"""WMTS 1.0 (切片服务): which tiles there are, told to clients that know no other tiles: ArcGIS, SuperMap, 天地图 viewers.

Two sets of tiles: the one of web maps (EPSG:3857, GoogleMapsCompatible) and the one of the national platform 天地图 in degrees
(EPSG:4490, its set ``c``: level 1 has two tiles, latitude comes first).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

DEGREES, MERCATOR = "c", "GoogleMapsCompatible"
LEVELS = 20
_HALF_M = 20037508.342789244
_PIXEL_M = 0.00028
_DEGREE_M = 111319.49079327358
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class TileLayer:
    """One layer of tiles: name, title, box in degrees (west, south, east, north)."""

    name: str
    title: str
    box: Box


@dataclass(frozen=True)
class Place:
    """One tile as the engine wants it: system, box (x, y order), and its zoom, column and row counted from the top left."""

    system: str
    box: Box
    z: int
    x: int
    y: int


def place(tile_set: str, level: int, column: int, row: int) -> Place | None:
    """Where a tile lies; None where there is no such tile."""
    if tile_set == MERCATOR and 0 <= level <= LEVELS and 0 <= column < 1 << level and 0 <= row < 1 << level:
        size = 2 * _HALF_M / (1 << level)
        west, north = -_HALF_M + column * size, _HALF_M - row * size
        return Place("EPSG:3857", (west, north - size, west + size, north), level, column, row)
    if tile_set == DEGREES and 1 <= level <= LEVELS and 0 <= column < 1 << level and 0 <= row < 1 << (level - 1):
        size = 360 / (1 << level)
        west, north = -180 + column * size, 90 - row * size
        return Place("EPSG:4490", (west, north - size, west + size, north), level - 1, column, row)
    return None


def capabilities(base: str, title: str, layers: Sequence[TileLayer]) -> str:
    """The capabilities document; ``base``: address of the service (…/wmts), with a key in it where the client has it there."""
    address = escape(base, {'"': "&quot;"})
    verbs = "".join(
        f'<ows:Operation name="{verb}"><ows:DCP><ows:HTTP><ows:Get xlink:href="{address}?"><ows:Constraint name="GetEncoding">'
        "<ows:AllowedValues><ows:Value>KVP</ows:Value></ows:AllowedValues></ows:Constraint></ows:Get></ows:HTTP></ows:DCP></ows:Operation>"
        for verb in ("GetCapabilities", "GetTile")
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Capabilities xmlns="http://www.opengis.net/wmts/1.0" '
        'xmlns:ows="http://www.opengis.net/ows/1.1" xmlns:xlink="http://www.w3.org/1999/xlink" version="1.0.0">'
        f"<ows:ServiceIdentification><ows:Title>{escape(title)}</ows:Title><ows:ServiceType>OGC WMTS</ows:ServiceType>"
        "<ows:ServiceTypeVersion>1.0.0</ows:ServiceTypeVersion></ows:ServiceIdentification>"
        f"<ows:OperationsMetadata>{verbs}</ows:OperationsMetadata>"
        f"<Contents>{''.join(_layer(layer, address) for layer in layers)}{_mercator()}{_degrees()}</Contents>"
        f'<ServiceMetadataURL xlink:href="{address}/1.0.0/WMTSCapabilities.xml"/></Capabilities>\n'
    )


def _layer(layer: TileLayer, address: str) -> str:
    west, south, east, north = layer.box
    name = escape(layer.name)
    return (
        f"<Layer><ows:Title>{escape(layer.title)}</ows:Title><ows:WGS84BoundingBox><ows:LowerCorner>{west:.7f} {south:.7f}</ows:LowerCorner>"
        f"<ows:UpperCorner>{east:.7f} {north:.7f}</ows:UpperCorner></ows:WGS84BoundingBox><ows:Identifier>{name}</ows:Identifier>"
        '<Style isDefault="true"><ows:Identifier>default</ows:Identifier></Style><Format>image/png</Format>'
        f"<TileMatrixSetLink><TileMatrixSet>{MERCATOR}</TileMatrixSet></TileMatrixSetLink>"
        f"<TileMatrixSetLink><TileMatrixSet>{DEGREES}</TileMatrixSet></TileMatrixSetLink>"
        '<ResourceURL format="image/png" resourceType="tile" '
        f'template="{address}/1.0.0/{name}/default/{{TileMatrixSet}}/{{TileMatrix}}/{{TileRow}}/{{TileCol}}.png"/></Layer>'
    )


def _mercator() -> str:
    scale = 2 * _HALF_M / 256 / _PIXEL_M
    corner = f"{-_HALF_M!r} {_HALF_M!r}"
    levels = "".join(_matrix(z, scale / 2**z, corner, 1 << z, 1 << z) for z in range(LEVELS + 1))
    return (
        f"<TileMatrixSet><ows:Identifier>{MERCATOR}</ows:Identifier><ows:SupportedCRS>urn:ogc:def:crs:EPSG::3857</ows:SupportedCRS>"
        f"<WellKnownScaleSet>urn:ogc:def:wkss:OGC:1.0:GoogleMapsCompatible</WellKnownScaleSet>{levels}</TileMatrixSet>"
    )


def _degrees() -> str:
    scale = 360 / 256 * _DEGREE_M / _PIXEL_M
    levels = "".join(_matrix(z, scale / 2**z, "90.0 -180.0", 1 << z, 1 << (z - 1)) for z in range(1, LEVELS + 1))
    return (
        f"<TileMatrixSet><ows:Identifier>{DEGREES}</ows:Identifier><ows:SupportedCRS>urn:ogc:def:crs:EPSG::4490</ows:SupportedCRS>"
        f"{levels}</TileMatrixSet>"
    )


def _matrix(level: int, scale: float, corner: str, wide: int, high: int) -> str:
    return (
        f"<TileMatrix><ows:Identifier>{level}</ows:Identifier><ScaleDenominator>{scale!r}</ScaleDenominator>"
        f"<TopLeftCorner>{corner}</TopLeftCorner><TileWidth>256</TileWidth><TileHeight>256</TileHeight>"
        f"<MatrixWidth>{wide}</MatrixWidth><MatrixHeight>{high}</MatrixHeight></TileMatrix>"
    )
