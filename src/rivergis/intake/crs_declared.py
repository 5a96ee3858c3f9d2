"""What a declared coordinate system means: EPSG code, datum family and projection, from any dialect of WKT.

ArcGIS, SuperMap, MapGIS, MICAPS and CAD write the same system under different names, with blanks, without parameters
or with a wrong authority code. Names are not trusted where numbers can be: ellipsoid, central meridian and false
easting decide the code; a code is only given where its own definition has the very same numbers. Matching by a
registry's low-confidence guess is not done: it may be kilometres off (EPSG:7086 for a Chinese geographic system).
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np
import pyproj
from pyproj import CRS, Transformer

from rivergis import crs as crs_
from rivergis.errors import CrsRefused

Family = Literal[
    "cgcs2000", "wgs84", "xian80", "beijing54", "other", "local", "unsupported", "unnamed", "unreadable", "none"
]

_GRS80 = (6378137.0, 298.257222101)
_WGS84 = (6378137.0, 298.257223563)
_XIAN80 = (6378140.0, 298.257)
_KRASOVSKY = (6378245.0, 298.3)
_CHINA_2000 = re.compile(r"CGCS|CHINA.*2000|\bD_?2000\b|2000国家|国家大地2000|C2000", re.IGNORECASE)
_OLD: dict[Family, re.Pattern[str]] = {
    "xian80": re.compile(r"XI'?AN|西安|IAG[\s_-]*(?:19)?75|1980坐标|80坐标|C80", re.IGNORECASE),
    "beijing54": re.compile(r"BEIJING|PEKING|北京|54坐标|BJ.?54|KRASS?OW?[SV]SKY|克拉索夫斯基", re.IGNORECASE),
}
# codes under which Web Mercator went before it had its own
_OLD_CODES = {f"EPSG:{n}": "EPSG:3857" for n in (900913, 3785, 102100, 102113, 54004)}
_GCJ = re.compile(r"GCJ[\s_-]*0?2|BD[\s_-]*0?9(?!\d)", re.IGNORECASE)
_LOCAL_WORDS = re.compile(r"独立|地方|城市|城建|施工|工程|假定|任意|LOCAL|CITY", re.IGNORECASE)
_NUMBER = r"([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)"
# unit suffixes and words of a false easting: one false easting of a 3- or 6-degree zone is its number times a million plus this
FALSE_EASTING_M = 500_000.0
_AGREE_M = 0.01


@dataclass(frozen=True)
class Meaning:
    """A declared system: ``family`` of its datum, ``epsg`` where its numbers are those of a code, ``crs`` where PROJ can use it."""

    family: Family
    crs: CRS | None = None
    epsg: int | None = None
    projected: bool = False
    name: str = ""
    reasons: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()
    """Where an authority code and the parameters disagree: the parameters hold."""
    doubts: tuple[str, ...] = ()
    """Where its names speak of another datum, zone or meridian than its parameters: a person must say which is meant."""

    @property
    def usable(self) -> bool:
        return self.crs is not None and self.family in ("cgcs2000", "wgs84", "other")


@dataclass(frozen=True)
class _Parts:
    """The pieces of a WKT that say what it is, by name, whatever the dialect."""

    names: str = ""
    a: float | None = None
    rf: float | None = None
    projection: str = ""
    parameters: dict[str, float] = field(default_factory=dict)
    unit_m: float = 1.0


@lru_cache(maxsize=256)
def understand(text: str | None, given: bool = False) -> Meaning:
    """The meaning of a declared system given as WKT (any dialect), ``EPSG:n`` or PROJ text; never raises.

    ``given``: by a person, who may state the transformation of an old datum with it (TOWGS84, as documented by whoever
    holds it); it is used and never stored or shown. A file's own TOWGS84 is nobody's word: generic values are common.
    """
    said = (text or "").replace("\0", "").lstrip("\ufeff").strip()
    if not said:
        return Meaning("none", reasons=("no coordinate system is declared",))
    crs, fault = _parsed(_OLD_CODES.get(said.upper().removeprefix("URN:OGC:DEF:CRS:").replace("::", ":"), said))
    if crs is None:
        return _unreadable(said, fault)
    if given and (bound := _bound(said)) is not None:
        name = "a system with the transformation that was given (its parameters are not kept)"
        return Meaning("other", bound, None, crs.is_projected, name, (name,))
    parts = _parts_of(said, crs)
    family = _family(parts, crs)
    name = crs.name if crs.name not in ("unknown", "undefined") else "an unnamed system"
    if family in ("xian80", "beijing54", "local"):
        return Meaning(family, crs, _verified_code(crs), crs.is_projected, name, (_refusal(family, name),))
    if family == "cgcs2000":
        return _chinese(said, crs, parts, name)
    epsg = 4326 if family == "wgs84" and not crs.is_projected else _verified_code(crs, said)
    if epsg is None and _is_spherical_mercator(crs):
        return Meaning("wgs84", CRS.from_epsg(3857), 3857, True, name, (f"{name}: Web Mercator under an older name",))
    if family == "other" and _GCJ.search(parts.names):
        return Meaning("wgs84", CRS.from_epsg(4326), 4326, False, name, (f"declared as {name}",))
    if family == "other" and not _datum_known(crs, epsg):
        if _near(parts.a, _GRS80[0], 0.01) and not _LOCAL_WORDS.search(parts.names):
            said_of = f"{name}: the ellipsoid is that of CGCS2000, but its datum ({crs.datum.name if crs.datum else 'none'}) has no name"
            return Meaning("unnamed", None, None, crs.is_projected, name, (said_of,))
        said_of = f"{name}: its datum ({crs.datum.name if crs.datum else 'none'}) is in no registry"
        return Meaning("local", crs, None, crs.is_projected, name, (said_of,))
    try:
        crs_.into_storage(crs)
    except CrsRefused as error:
        return Meaning("unsupported", crs, epsg, crs.is_projected, name, (error.sentence,))
    return Meaning(family, crs, epsg, crs.is_projected, name, (f"declared as {name}",), _authority_lies(said, epsg))


def _is_spherical_mercator(crs: CRS) -> bool:
    """Web Mercator as it was called before it had its code: by its method, or on a sphere of the equator's radius."""
    method = crs.coordinate_operation.method_name if crs.coordinate_operation else ""
    sphere = crs.ellipsoid is not None and crs.ellipsoid.semi_major_metre == crs.ellipsoid.semi_minor_metre == _WGS84[0]
    pseudo = "Pseudo Mercator" in method or "Pseudo-Mercator" in method
    return crs.is_projected and (pseudo or ("Mercator" in method and "Transverse" not in method and sphere))


def _parsed(said: str) -> tuple[CRS | None, str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            crs = CRS.from_user_input(said)
        except (pyproj.exceptions.CRSError, UnicodeError, ValueError) as error:
            return None, " ".join(str(error).split())[:120]
    return (crs.sub_crs_list[0] if crs.is_compound else crs.source_crs if crs.is_bound else crs), ""


def _bound(said: str) -> CRS | None:
    """The system with its transformation, where one is stated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        crs = CRS.from_user_input(said)
    return crs if crs.is_bound else None


def _unreadable(said: str, fault: str) -> Meaning:
    """A text that PROJ cannot parse: old datums and local grids are still known by their words."""
    for family, words in _OLD.items():
        if words.search(said):
            return Meaning(family, name=said[:60], reasons=(_refusal(family, said[:60]),))
    return Meaning("unreadable", name=said[:60], reasons=(f"the declared system cannot be read: {fault or said[:60]}",))


def _refusal(family: str, name: str) -> str:
    if family == "local":
        return f"{name} is a local or engineering grid: nothing public says where it lies"
    return f"{name} is an old datum without published transformation to CGCS2000 (PROJ would silently apply none)"


def _parts_of(said: str, crs: CRS) -> _Parts:
    """Names and numbers; parameters are taken from the text, so that a missing one is seen as missing."""
    operation = crs.coordinate_operation
    if said[:5].upper() == "EPSG:" or said.startswith(("urn:", "+", "http")) or not re.search(r"PARAMETER", said, re.I):
        params = operation.params if operation and crs.is_projected else []
        given = {_key(p.name): float(p.value) for p in params}
    else:
        given = {
            _key(n): float(v)
            for n, v in re.findall(r'PARAMETER\s*\[\s*"([^"]+)"\s*,\s*' + _NUMBER, said, re.IGNORECASE)
        }
    ellipsoid = crs.ellipsoid
    names = " ".join(n for n in (crs.name, crs.datum.name if crs.datum else "", _geographic_name(crs)) if n)
    return _Parts(
        names,
        ellipsoid.semi_major_metre if ellipsoid else None,
        ellipsoid.inverse_flattening if ellipsoid else None,
        operation.method_name if operation and crs.is_projected else "",
        given,
        crs.axis_info[0].unit_conversion_factor if crs.is_projected and crs.axis_info else 1.0,
    )


_KEYS = {
    "longitudeofnaturalorigin": "central_meridian",
    "centralmeridian": "central_meridian",
    "longitudeofcenter": "central_meridian",
    "latitudeofnaturalorigin": "latitude_of_origin",
    "latitudeoforigin": "latitude_of_origin",
    "scalefactoratnaturalorigin": "scale_factor",
    "scalefactor": "scale_factor",
    "falseeasting": "false_easting",
    "falsenorthing": "false_northing",
}


def _key(name: str) -> str:
    flat = re.sub(r"[^a-z]", "", name.lower())
    return _KEYS.get(flat, flat)


def _geographic_name(crs: CRS) -> str:
    return crs.geodetic_crs.name if crs.geodetic_crs is not None else ""


def _near(a: float | None, b: float, tolerance: float) -> bool:
    return a is not None and abs(a - b) <= tolerance


def _family(parts: _Parts, crs: CRS) -> Family:
    """The datum by its ellipsoid, and where two share one, by its words."""
    if parts.a is None or crs.geodetic_crs is None:
        return "local"
    if _near(parts.a, _KRASOVSKY[0], 0.5):
        pulkovo = crs.geodetic_crs.to_epsg(min_confidence=90)
        return "beijing54" if pulkovo in (None, 4214, 4555, 4024) or _OLD["beijing54"].search(parts.names) else "other"
    if _near(parts.a, _XIAN80[0], 0.5) and _near(parts.rf, _XIAN80[1], 0.001):
        return "xian80"
    for family, words in _OLD.items():
        if words.search(parts.names) and not _CHINA_2000.search(parts.names):
            return family
    if _near(parts.a, _GRS80[0], 0.01) and _CHINA_2000.search(parts.names):
        return "cgcs2000"
    if (
        _near(parts.a, _WGS84[0], 0.01)
        and _near(parts.rf, _WGS84[1], 5e-8)
        and re.search("WGS|World Geodetic", parts.names)
    ):
        return "wgs84"
    return "other"


def _chinese(said: str, crs: CRS, parts: _Parts, name: str) -> Meaning:
    """CGCS2000, geographic or in a Gauss-Krueger zone: the code by its numbers."""
    if not crs.is_projected:
        three = crs.is_geographic and len(crs.axis_info) == 3
        reason = f"{name}: CGCS2000 in degrees by its ellipsoid and names" + (", with heights" if three else "")
        return Meaning("cgcs2000", CRS.from_epsg(4490), 4490, False, name, (reason,), (), _two_datums(said))
    meridian, easting = parts.parameters.get("central_meridian"), parts.parameters.get("false_easting")
    if "Transverse Mercator" not in parts.projection:
        return Meaning("cgcs2000", crs, _verified_code(crs), True, name, (f"declared as {name}",))
    missing = [k for k in ("central_meridian", "false_easting") if k not in parts.parameters]
    if missing:
        said_of = f"{name} does not give its {', '.join(m.replace('_', ' ') for m in missing)}"
        return Meaning("cgcs2000", None, None, True, name, (said_of,), (said_of,))
    assert meridian is not None
    greenwich = crs.prime_meridian is None or crs.prime_meridian.longitude == 0
    plain = (
        greenwich
        and parts.unit_m == 1.0
        and all(
            _near(parts.parameters.get(k, d), d, 1e-9)
            for k, d in (("scale_factor", 1.0), ("latitude_of_origin", 0.0), ("false_northing", 0.0))
        )
    )
    code = zone_code(meridian, easting, six=_six_degrees(name)) if plain and easting is not None else None
    doubts = (*_name_lies(name, meridian), *_two_datums(said))
    if code is None:
        if not greenwich or parts.unit_m not in (1.0, 1000.0):
            doubts = (*doubts, "its unit or prime meridian is none that Chinese systems have")
        return Meaning("cgcs2000", crs, None, True, name, (f"declared as {name}, in no standard zone",), (), doubts)
    lies = _authority_lies(said, code)
    return Meaning("cgcs2000", CRS.from_epsg(code), code, True, name, (f"declared as {name}",), lies, doubts)


def _two_datums(said: str) -> tuple[str, ...]:
    """The outermost name of a WKT against its datum: Xian_1980 over China_2000 was typed by hand."""
    outer = re.match(r'\s*\w+\s*\[\s*"([^"]*)"', said)
    found = next((f for f, words in _OLD.items() if outer and words.search(outer.group(1))), None)
    return (f"it is named {outer.group(1)}, and its datum is CGCS2000",) if outer and found else ()


def _six_degrees(name: str) -> bool:
    """Whether a name means a 6-degree zone: CGCS2000_GK_CM_105E does, CGCS2000_3_Degree_GK_CM_105E does not."""
    width = re.search(r"([36三六])[\s_-]*(?:degree|度)", name, re.IGNORECASE)
    return width.group(1) in "6六" if width else bool(re.search(r"GK|Gauss", name, re.IGNORECASE))


def zone_code(meridian: float, easting: float, six: bool = False) -> int | None:
    """EPSG code of a CGCS2000 Gauss-Krueger zone by central meridian (degrees) and false easting (metres), if it is one.

    3-degree zones 25-45: 4513-4533 with the zone number in the easting, 4534-4554 without; 6-degree zones 13-23:
    4491-4501 and 4502-4512 (``six`` chooses where both share a meridian). Source: EPSG v11.
    """
    third = round(meridian / 3)
    if abs(meridian - 3 * third) > 1e-6 or not 25 <= third <= 45:
        return None
    sixth = (third + 1) // 2 if third % 2 else None
    if abs(easting - FALSE_EASTING_M) < _AGREE_M:
        return 4489 + sixth if six and sixth is not None else 4509 + third
    prefix, rest = divmod(round(easting), 1_000_000)
    if rest != FALSE_EASTING_M:
        return None
    if prefix == third:
        return 4488 + third
    return 4478 + sixth if sixth is not None and prefix == sixth else None


def _name_lies(name: str, meridian: float) -> tuple[str, ...]:
    """The zone number or meridian in a name against the parameter."""
    for pattern, meridian_of in (
        (r"CM[\s_]*(\d{2,3}(?:\.\d+)?)E?", lambda n: n),
        (r"Zone[\s_]*(\d{2})", meridian_of_zone),
    ):
        found = re.search(pattern, name, re.IGNORECASE)
        if found and abs(meridian_of(float(found.group(1))) - meridian) > 1e-6:
            return (f"its name says {found.group(0)}, its central meridian is {meridian:g}",)
    return ()


def meridian_of_zone(number: float) -> float:
    return 3.0 * number if number >= 24 else 6.0 * number - 3


def _authority_code(said: str) -> int | None:
    """The EPSG code of the outermost system of a WKT, as it claims."""
    found = re.search(r'(?:AUTHORITY\s*\[\s*"EPSG"\s*,\s*"?|ID\s*\[\s*"EPSG"\s*,\s*)(\d+)"?\s*\]\s*\]\s*$', said)
    return int(found.group(1)) if found else None


def _authority_lies(said: str, epsg: int | None) -> tuple[str, ...]:
    """The authority code against what the numbers say."""
    code = _authority_code(said)
    if code is not None and epsg is not None and code != epsg:
        return (f"it names EPSG:{code}, but its parameters are those of EPSG:{epsg}",)
    return ()


def _verified_code(crs: CRS, said: str = "") -> int | None:
    """The EPSG code the text claims, or a registry proposes, if its own definition puts points in the same place to a centimetre."""
    proposed = (_authority_code(said), crs.to_epsg(min_confidence=60))
    return next((c for c in proposed if c is not None and _is_code(crs, c)), None)


def _is_code(crs: CRS, code: int) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            official = CRS.from_epsg(code)
        except pyproj.exceptions.CRSError:
            return False
        if official.is_projected != crs.is_projected or not _same_ellipsoid(official, crs):
            return False
        if not crs.is_projected:
            return _same_datum_name(official, crs)
        return _same_places(official, crs)


def _same_datum_name(a: CRS, b: CRS) -> bool:
    """Whether two datums go by one name, whatever the marks between its words; an unnamed datum is nobody's."""
    one, other = (re.sub(r"[^a-z0-9]", "", (c.datum.name if c.datum else "").lower()) for c in (a, b))
    ends = ("ensemble", "datum")
    for end in ends:
        one, other = one.removesuffix(end), other.removesuffix(end)
    return bool(one) and one == other and not other.startswith(("unknown", "notspecified"))


def _same_ellipsoid(a: CRS, b: CRS) -> bool:
    if a.ellipsoid is None or b.ellipsoid is None:
        return False
    return _near(a.ellipsoid.semi_major_metre, b.ellipsoid.semi_major_metre, 0.001) and _near(
        a.ellipsoid.inverse_flattening, b.ellipsoid.inverse_flattening, 1e-6
    )


def _same_places(a: CRS, b: CRS) -> bool:
    """Whether two projections on one ellipsoid agree at points of the first one's area of use."""
    area = a.area_of_use
    if area is None or a.geodetic_crs is None or b.geodetic_crs is None:
        return False
    east = area.east if area.east > area.west else area.east + 360
    lon, lat = np.meshgrid(np.linspace(area.west, east, 4)[1:-1], np.linspace(area.south, area.north, 4)[1:-1])
    at_a = Transformer.from_crs(a.geodetic_crs, a, always_xy=True).transform(lon, lat)
    at_b = Transformer.from_crs(b.geodetic_crs, b, always_xy=True).transform(lon, lat)
    gap = np.hypot(np.subtract(at_a[0], at_b[0]), np.subtract(at_a[1], at_b[1]))
    return bool(np.isfinite(gap).all() and gap.max() < _AGREE_M)


def _datum_known(crs: CRS, epsg: int | None) -> bool:
    """Whether the datum of another country's system is in the registry, so that its transformations are known."""
    if epsg is not None:
        return True
    geographic = crs.geodetic_crs
    return geographic is not None and _verified_code(geographic) is not None


def meridian_of(epsg: int) -> float:
    """Central meridian in degrees of a CGCS2000 zone code (4491-4554)."""
    for first, last, start, step in (
        (4491, 4501, 75, 6),
        (4502, 4512, 75, 6),
        (4513, 4533, 75, 3),
        (4534, 4554, 75, 3),
    ):
        if first <= epsg <= last:
            return float(start + step * (epsg - first))
    raise ValueError(f"EPSG:{epsg} is no CGCS2000 zone")
