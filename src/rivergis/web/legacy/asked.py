"""What a request of the old services may say: parameters that are known go on to MapServer, dangerous ones are refused."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from rivergis import words
from rivergis.errors import UsageError
from rivergis.maps import collections, palette
from rivergis.maps.legacy import mapfile

SHANGHAI = ZoneInfo("Asia/Shanghai")
REFUSED = (
    "sld",
    "sld_body",
    "map",
    "mapfile",
    "mode",
    "remote_ows_type",
    "remote_ows_url",
    "layers_dir",
    "config",
    "file",
)
_COMMON = ("service", "version", "request", "format", "exceptions", "language", "updatesequence")
KNOWN: dict[str, tuple[str, ...]] = {
    "WMS": (
        *_COMMON, "layers", "styles", "crs", "srs", "bbox", "width", "height", "transparent", "bgcolor", "query_layers",
        "info_format", "i", "j", "x", "y", "feature_count", "layer", "style", "scale", "rule", "sld_version", "dpi",
        "map_resolution", "format_options", "radius",
    ),
    "WFS": (
        *_COMMON, "acceptversions", "typename", "typenames", "count", "maxfeatures", "startindex", "srsname", "bbox", "filter",
        "outputformat", "resulttype", "propertyname", "sortby", "resourceid", "featureid", "storedquery_id", "id",
        "valuereference", "namespaces", "namespace", "resolve",
    ),
}  # fmt: skip
_DEGREE_M = 111_319.49
_TIME = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]{0,15}Z?)?")


def read(query: Sequence[tuple[str, str]], service: str) -> dict[str, str]:
    """The parameters of a request, names in lower case, first value of each; what nobody knows is left out, as OGC says.

    ``UsageError`` where the request asks for styles or files of its own, or names another service.
    """
    asked: dict[str, str] = {}
    for name, value in query:
        asked.setdefault(name.lower(), value)
    for name in asked:
        if name in REFUSED or name.startswith(("map.", "map_layer", "map[")):
            raise UsageError(words.both("legacy.refused", name=name[:40]))
    if asked.get("service", service).upper() != service or not asked.get("request"):
        raise UsageError(words.both("legacy.no_service"))
    near = {"near": mapfile.NEAR} if asked.get("bbox") else {}
    return {k: v for k, v in asked.items() if k in KNOWN[service]} | {"service": service} | near | _day(asked)


def _day(asked: Mapping[str, str]) -> dict[str, str]:
    """The civil day in question: ``day``, or ``time`` as WMS calls it; today in Asia/Shanghai where none is named."""
    text = asked.get("day") or asked.get("time") or ""
    if not text:
        return {"day": datetime.now(SHANGHAI).date().isoformat()}
    try:
        if not _TIME.fullmatch(text):
            raise ValueError(text)
        return {"day": date.fromisoformat(text[:10]).isoformat()}
    except ValueError as error:
        raise UsageError(f"day: {text[:40]!r} is no civil day: write YYYY-MM-DD.") from error


def named(asked: Mapping[str, str], seen: Sequence[str]) -> list[str]:
    """Collections that a request names (layers, query_layers, layer, type names), in its order, as far as one may see them."""
    said = (asked.get(k, "") for k in ("layers", "query_layers", "layer", "typename", "typenames"))
    names = [
        n.strip().rpartition(":")[2]
        for part in said
        for n in part.replace("(", "").replace(")", "").split(",")
        if n.strip()
    ]
    owners = {layer: name for name in seen for layer in mapfile.told_layers(name)}
    if mapfile.ROOT in names:
        return list(seen)
    return list(dict.fromkeys(owners[n] for n in names if n in owners))


def metres_a_pixel(asked: Mapping[str, str]) -> float:
    """How much of the ground (EPSG:3857) a pixel of the picture shows; that of zoom 14 where the request is wrong."""
    try:
        box = [float(v) for v in asked["bbox"].split(",")]
        wide, high = int(float(asked["width"])), int(float(asked["height"]))
        size = max(abs(box[2] - box[0]) / wide, abs(box[3] - box[1]) / high)
    except (KeyError, ValueError, IndexError, ZeroDivisionError, OverflowError):
        return 9.6  # MapServer says what is wrong with it
    system = (asked.get("crs") or asked.get("srs") or "").upper()
    metres = size * (_DEGREE_M if system in ("EPSG:4490", "EPSG:4326", "CRS:84") else 1.0)
    return metres if math.isfinite(metres) and 0 < metres < 1e6 else 9.6


def for_map(asked: Mapping[str, str], seen: Sequence[str]) -> dict[str, str]:
    """A GetMap as the drawn map file understands it: collections as the layers that draw them at this zoom."""
    size = metres_a_pixel(asked)
    at = mapfile.zoom_of(size)
    names = [n.strip() for n in asked.get("layers", "").split(",") if n.strip()]
    if mapfile.ROOT in names:
        names = sorted(seen, key=palette.load().layers.index)
    owners = {layer: name for name in seen for layer in mapfile.told_layers(name)}
    layers: dict[str, None] = {}
    for name in names:
        # an unknown one goes on as it is: MapServer says so in the way of its protocol
        drawn = mapfile.drawn_layers([owners[name]], at) if name in owners else [name]
        layers.update(dict.fromkeys(drawn))
    return {
        **asked,
        "layers": ",".join(layers),
        "styles": "",
    } | mapfile.how(at, size)


def for_information(asked: Mapping[str, str], seen: Sequence[str]) -> dict[str, str]:
    """A GetFeatureInfo as the told map file understands it: every kind of shape of a collection is asked."""

    def parts(text: str) -> str:
        names = [n.strip() for n in text.split(",") if n.strip()]
        return ",".join(
            p for n in names for p in (mapfile.told_layers(n) if n in seen and n in collections.COLLECTIONS else (n,))
        )

    return {**asked, **{k: parts(asked[k]) for k in ("layers", "query_layers") if asked.get(k)}, "styles": ""}
