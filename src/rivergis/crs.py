"""One policy for coordinates: store CGCS2000 degrees (EPSG:4490), measure in the local zone or on the ellipsoid.

Axis order is always x = east, y = north inside the program. A datum that PROJ would pass through unchanged
(Xian 1980, Beijing 1954: only "ballpark" operations exist, metres to more than 100 m off) is refused, not guessed.
Sources: EPSG v11 ranges 4490-4554; 《地图管理条例》; docs/units_and_crs.md.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from pyproj import CRS, Geod, Transformer
from pyproj.transformer import TransformerGroup

from rivergis.errors import CrsRefused, UsageError

STORAGE = "EPSG:4490"
GEOD = Geod(ellps="GRS80")  # the CGCS2000 ellipsoid differs from it by about 0.1 mm

Array = npt.NDArray[np.float64]

# datums without published parameters to CGCS2000: geographic codes and their projected families
REFUSED_GEOGRAPHIC = {4214: "Beijing 1954", 4610: "Xian 1980", 4555: "New Beijing"}
CHINA_BOX = (73.0, 3.0, 136.0, 54.0)  # as the door has it
# the rough box in which mainland map services shift coordinates; outside it GCJ-02 equals WGS 84
GCJ_BOX = (72.004, 137.8347, 0.8293, 55.8271)
_GCJ_A, _GCJ_EE = 6378245.0, 0.00669342162296594323  # Krasovsky 1940, as the published algorithm has it


def accepted(crs: Any, what: str = "the layer") -> CRS:
    """The CRS as a pyproj object if it may be used; raises ``CrsRefused`` with the reason otherwise.

    ``what`` names file and layer in the sentence.
    """
    if crs is None:
        raise CrsRefused(
            f"{what} names no coordinate system: say which with --crs EPSG:CODE, as its producer documents it."
        )
    try:
        got = CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        raise CrsRefused(
            f"{what}: the coordinate system {str(crs)[:80]!r} is not known: give an EPSG code with --crs."
        ) from error
    geographic = got.geodetic_crs
    code = geographic.to_epsg(min_confidence=70) if geographic is not None else None
    if code in REFUSED_GEOGRAPHIC:
        raise CrsRefused(
            f"{what} is in {REFUSED_GEOGRAPHIC[code]} ({got.name}): no transformation to CGCS2000 is published, PROJ would "
            "silently apply none (tens of metres off); ask the survey office for CGCS2000 coordinates.",
            crs=got.name,
        )
    if geographic is None or code is None:
        raise CrsRefused(
            f"{what} is in {got.name!r}, a local or undocumented system: ask for CGCS2000 coordinates or its documentation."
        )
    return got


@lru_cache(maxsize=256)
def _metric_crs(zone_key: tuple[str, float, float]) -> CRS:
    kind, lon, lat = zone_key
    if kind == "gk":
        return CRS.from_epsg(4509 + int(lon) // 3)
    return CRS.from_proj4(
        f"+proj=tmerc +lat_0={lat} +lon_0={lon} +k=1 +x_0=500000 +y_0=0 +ellps=GRS80 +units=m +no_defs"
    )


def metric_crs(lon: float, lat: float) -> CRS:
    """CRS in metres for measuring near (lon, lat): the 3-degree Gauss-Krueger zone, or a local one outside China.

    In China EPSG:4534-4554 (CGCS2000, zone without prefix in the easting); elsewhere a transverse Mercator on
    the nearest half degree, scale 1 on its meridian.
    """
    if not (-180 <= lon <= 180 and -90 < lat < 90):
        raise UsageError(f"({lon}, {lat}) is not a position in degrees of longitude and latitude.")
    if 73.5 <= lon <= 136.5 and 3 <= lat <= 54:
        return _metric_crs(("gk", 3.0 * round(lon / 3), 0.0))
    return _metric_crs(("local", round(lon * 2) / 2, round(lat * 2) / 2))


def middle_of_zone(lon: float, lat: float) -> tuple[float, float]:
    """A place whose ``metric_crs`` is that of (lon, lat), the same for all places of the zone."""
    if 73.5 <= lon <= 136.5 and 3 <= lat <= 54:
        return (3.0 * round(lon / 3), 30.0)
    return (round(lon * 2) / 2, round(lat * 2) / 2)


def local_crs(lon: float, lat: float) -> CRS:
    """Transverse Mercator on the nearest half degree, scale 1 there: lengths within 3e-5 around, where zones stretch by 2e-4."""
    return _metric_crs(("local", round(lon * 2) / 2, round(lat * 2) / 2))


def centre(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> tuple[float, float]:
    """Middle of the bounding box of a frame in degrees: (lon, lat)."""
    west, south, east, north = frame.total_bounds
    return (float(west + east) / 2, float(south + north) / 2)


def is_geographic(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> bool:
    return frame.crs is not None and CRS(frame.crs).is_geographic


def require_metric(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> None:
    """Refuse a frame whose coordinates are degrees, Web Mercator or unnamed: metres asked of it would be wrong."""
    if frame.crs is None or not _metres(frame.crs.to_wkt()):
        raise CrsRefused("A frame in metres of a local zone is needed here; bring it over with crs.to_metric first.")


@lru_cache(maxsize=64)
def _metres(wkt: str) -> bool:
    """Whether a CRS measures in metres near its own place; cached, because identifying a CRS takes tens of milliseconds."""
    crs = CRS.from_wkt(wkt)
    return crs.is_projected and crs.to_epsg() != 3857


def to_metric(frame: Any, crs: CRS | None = None) -> Any:
    """A GeoDataFrame or GeoSeries in degrees brought to metres: ``crs``, or the zone of its centre."""
    if frame.crs is None:
        raise CrsRefused("A frame without a coordinate system cannot be measured; name its CRS first.")
    if crs is None:
        geographic = frame if is_geographic(frame) else frame.to_crs(STORAGE)
        crs = metric_crs(*centre(geographic)) if len(frame) else metric_crs(105.0, 30.0)
    return frame.to_crs(crs)


def to_storage(frame: Any) -> Any:
    """A GeoDataFrame or GeoSeries in any accepted CRS brought to EPSG:4490; ``CrsRefused`` where no transformation is known."""
    move = into_storage(CRS(frame.crs))

    def moved(shapes: Any) -> Any:
        return shapely.transform(shapes, move)

    if isinstance(frame, gpd.GeoSeries):
        return gpd.GeoSeries(moved(frame.values), index=frame.index, name=frame.name, crs=STORAGE)
    name = frame.geometry.name
    return frame.set_geometry(gpd.GeoSeries(moved(frame.geometry.values), index=frame.index, name=name, crs=STORAGE))


def outward(frame: Any) -> Any:
    """A frame in EPSG:4490 as it goes out in a file: outside China under the name of WGS 84, through which it came in.

    The numbers stay (see ``_pivot``). CGCS2000 is no system of other countries, and the door refuses a file that says so.
    """
    if not isinstance(frame, (gpd.GeoDataFrame, gpd.GeoSeries)) or frame.crs != STORAGE or frame.geometry.isna().all():
        return frame
    lon, lat = centre(frame)
    west, south, east, north = CHINA_BOX
    inside = west <= lon <= east and south <= lat <= north
    return frame if inside else frame.set_crs("EPSG:4326", allow_override=True)


def inward(frame: Any) -> Any:
    """A frame that ``outward`` wrote, in EPSG:4490 again."""
    return frame.set_crs(STORAGE, allow_override=True) if frame.crs == "EPSG:4326" else frame


def into_storage(source: CRS) -> Callable[[Array], Array]:
    """The way from positions (n, 2), x = east, in ``source`` to degrees of EPSG:4490. See ``_pivot``."""
    return _way(source.to_wkt(), True)


def out_of_storage(target: CRS) -> Callable[[Array], Array]:
    """The way from degrees of EPSG:4490 (n, 2) to positions in ``target``, x = east."""
    return _way(target.to_wkt(), False)


@lru_cache(maxsize=128)
def _way(wkt: str, inwards: bool) -> Callable[[Array], Array]:
    other = CRS.from_wkt(wkt)
    hub = _pivot(other)
    steps = [
        Transformer.from_crs(a, b, always_xy=True)
        for a, b in itertools.pairwise([other, *hub] if inwards else [*reversed(hub), other])
    ]

    def move(xy: Array) -> Array:
        x, y = xy[:, 0], xy[:, 1]
        for step in steps:
            x, y = step.transform(x, y)
        return np.column_stack([x, y])

    return move


def _pivot(source: CRS) -> list[CRS]:
    """Systems to pass on the way to storage, the last of them standing for EPSG:4490.

    PROJ knows transformations of the world's datums to WGS 84, but to CGCS2000 only "ballpark" ones, which silently do
    nothing (OSGB36, MGI, DHDN, RD: about 100 m off). WGS 84 and CGCS2000 differ by less than a metre, so the way leads
    through WGS 84; what has no way to it either is refused.
    """
    if source.is_bound:
        return [CRS.from_epsg(4326)]  # a person gave the transformation with the system
    geographic = source.geodetic_crs
    name = (geographic.datum.name if geographic is not None and geographic.datum is not None else "").lower()
    if "china 2000" in name or "cgcs2000" in name:
        return [CRS.from_epsg(4490)]
    wgs84 = CRS.from_epsg(4326)
    if geographic is None or "world geodetic system 1984" in name or "unknown based on grs 1980" in name:
        return [wgs84] if geographic is None or "unknown" not in name else [CRS.from_epsg(4490)]
    code = geographic.to_epsg(min_confidence=60)
    # a registered datum under an unregistered name: its own transformations hold
    hub = CRS.from_epsg(code) if code is not None else geographic
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a finer grid that is not on this machine: the others are good to metres
        ways = TransformerGroup(hub, wgs84, always_xy=True).transformers
    # Beijing 1954 has ways made for single oil basins; PROJ would take one of them for any place
    if code in REFUSED_GEOGRAPHIC or not any("ballpark" not in t.description.lower() for t in ways):
        raise CrsRefused(
            f"{source.name!r} has no known transformation to WGS 84 or CGCS2000 (PROJ would silently apply none): "
            "ask for CGCS2000 coordinates.",
            crs=source.name,
        )
    return [geographic, hub, wgs84] if code is not None and source.is_projected else [hub, wgs84]


def length_m(geometry: Any) -> Any:
    """Ellipsoidal length in metres of a geometry, or of each of an array of geometries, in degrees (EPSG:4490)."""
    if isinstance(geometry, shapely.Geometry):
        return abs(float(GEOD.geometry_length(geometry)))
    return np.array([GEOD.geometry_length(g) for g in geometry], dtype=np.float64)


def area_m2(geometry: Any) -> Any:
    """Ellipsoidal area in m2 of a geometry, or of each of an array of geometries, in degrees (EPSG:4490)."""
    if isinstance(geometry, shapely.Geometry):
        return abs(float(GEOD.geometry_area_perimeter(shapely.orient_polygons(geometry))[0]))
    return np.array([area_m2(g) for g in geometry], dtype=np.float64)


def _gcj_shift(lon: Array, lat: Array) -> tuple[Array, Array]:
    """Offset GCJ-02 minus WGS 84 in degrees, by the widely published algorithm (no library works on arrays)."""
    x, y, pi = lon - 105.0, lat - 35.0, np.pi
    wave = (20 * np.sin(6 * x * pi) + 20 * np.sin(2 * x * pi)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + wave
    east += (20 * np.sin(x * pi) + 40 * np.sin(x / 3 * pi)) * 2 / 3 + (
        150 * np.sin(x / 12 * pi) + 300 * np.sin(x / 30 * pi)
    ) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + wave
    north += (20 * np.sin(y * pi) + 40 * np.sin(y / 3 * pi)) * 2 / 3 + (
        160 * np.sin(y / 12 * pi) + 320 * np.sin(y * pi / 30)
    ) * 2 / 3
    phi = np.radians(lat)
    w2 = 1 - _GCJ_EE * np.sin(phi) ** 2
    d_lat = north * 180 / ((_GCJ_A * (1 - _GCJ_EE)) / (w2 * np.sqrt(w2)) * pi)
    d_lon = east * 180 / (_GCJ_A / np.sqrt(w2) * np.cos(phi) * pi)
    west, e, south, n = GCJ_BOX
    inside = (lon >= west) & (lon <= e) & (lat >= south) & (lat <= n)
    return np.where(inside, d_lon, 0.0), np.where(inside, d_lat, 0.0)


def wgs84_to_gcj02(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Array, Array]:
    """Degrees WGS 84 (or CGCS2000) to GCJ-02 (高德, 腾讯), arrays in and out."""
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    dx, dy = _gcj_shift(x, y)
    return x + dx, y + dy


def gcj02_to_wgs84(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Array, Array]:
    """Degrees GCJ-02 to WGS 84: fixed-point inverse, ended far below a millimetre, after ten rounds at the latest."""
    gx, gy = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    x, y = gx.copy(), gy.copy()
    for _ in range(10):
        dx, dy = _gcj_shift(x, y)
        still = np.allclose(x, gx - dx, rtol=0, atol=1e-12) and np.allclose(y, gy - dy, rtol=0, atol=1e-12)
        x, y = gx - dx, gy - dy
        if still:
            break
    return x, y


def gcj02_to_bd09(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Array, Array]:
    """Degrees GCJ-02 to BD-09 (百度)."""
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    k = np.pi * 3000 / 180
    r = np.hypot(x, y) + 0.00002 * np.sin(y * k)
    theta = np.arctan2(y, x) + 0.000003 * np.cos(x * k)
    return r * np.cos(theta) + 0.0065, r * np.sin(theta) + 0.006


def bd09_to_gcj02(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Array, Array]:
    """Degrees BD-09 to GCJ-02: fixed-point inverse of the published forward formula."""
    bx, by = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    x, y = bx - 0.0065, by - 0.006
    for _ in range(10):
        fx, fy = gcj02_to_bd09(x, y)
        x, y = x + bx - fx, y + by - fy
    return x, y


def to_wgs84(lon: npt.ArrayLike, lat: npt.ArrayLike, datum: str) -> tuple[Array, Array]:
    """Degrees in a declared datum (wgs84, cgcs2000, gcj02, bd09) to WGS 84; ``UsageError`` for any other name.

    CGCS2000 and WGS 84 differ by well under a metre (plate motion), which is below what a phone can tell.
    """
    if datum in ("wgs84", "cgcs2000"):
        return np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    if datum == "gcj02":
        return gcj02_to_wgs84(lon, lat)
    if datum == "bd09":
        return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))
    raise UsageError(f"The datum {datum!r} is not one of wgs84, cgcs2000, gcj02, bd09.")
