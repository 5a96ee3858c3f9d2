"""A feature as a client of the OGC API sends it: GeoJSON in the system it names, brought to degrees of EPSG:4490."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import shapely
from fastapi import Request
from starlette.exceptions import HTTPException

from rivergis import crs, geometry
from rivergis.errors import InputError, UsageError
from rivergis.maps.ogc import places as ogc_places

MAX_BODY = 16 << 20  # a stretch of line along a whole river
MAX_CORNERS = 200_000
FEATURE = ("application/geo+json", "application/json", "")
"""Kinds of content that are a feature; some clients name none."""
_SAID_TO_BE = "text/xml"  # what OWSLib says of JSON that it is given as a text
PATCH = "application/merge-patch+json"


@dataclass(frozen=True)
class SentFeature:
    """What was sent: properties as they stand there, and the shape in EPSG:4490; None = there is none."""

    properties: Mapping[str, Any]
    shape: shapely.Geometry | None


async def read(request: Request, *, patch: bool = False) -> dict[str, Any]:
    """The JSON object of a request. 415 where it is of another kind; ``InputError`` where it is none."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    kinds = (PATCH, *FEATURE) if patch else FEATURE
    if kind not in (*kinds, _SAID_TO_BE):
        raise HTTPException(415, f"The body is {kind[:60]}: send {' or '.join(k for k in kinds if k)}.")
    try:
        said = json.loads(await request.body(), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InputError("The body is no JSON.") from error
    if not isinstance(said, dict):
        raise InputError("The body must be one GeoJSON Feature.")
    return said


def feature(request: Request, said: Mapping[str, Any], held: shapely.Geometry | None = None) -> SentFeature:
    """A Feature, or for a patch (``held``: the shape as it stands) a part of one; ``InputError`` says what is wrong with it."""
    kind = said.get("type", "Feature" if held is not None else None)
    if kind != "Feature":
        raise InputError(f"The body is of type {str(kind)[:40]}: send one GeoJSON Feature.")
    properties = said.get("properties")
    if not isinstance(properties, dict) and not (held is not None and properties is None):
        raise InputError("properties must be an object.")
    shape = said.get("geometry")
    if held is not None and isinstance(shape, dict):
        shape = {"type": held.geom_type, **shape}
    return SentFeature(properties or {}, None if shape is None else _shape(request, shape))


def _no_number(name: str) -> float:
    raise ValueError(name)


def _shape(request: Request, said: Any) -> shapely.Geometry:
    """The shape in degrees of EPSG:4490, by the system and the order of axes that ``Content-Crs`` names (else CRS84)."""
    place = _place(request)
    try:
        shape = shapely.from_geojson(json.dumps(said))
    except (shapely.GEOSException, TypeError, ValueError) as error:
        raise InputError("The geometry is no GeoJSON geometry.") from error
    if shape is None or shape.is_empty or shapely.get_num_coordinates(shape) > MAX_CORNERS:
        raise InputError(f"The geometry is empty, or has more than {MAX_CORNERS} corners.")
    shape = shapely.transform(shapely.force_2d(shape), place.to_storage)
    west, south, east, north = shape.bounds
    if not geometry.finite(shape) or west < -180 or east > 180 or south < -90 or north > 90:
        raise InputError(
            f"The geometry does not lie on earth in {place.uri}: name its system, with its order of axes, in Content-Crs."
        )
    return shape


def _place(request: Request) -> ogc_places.Place:
    named = request.headers.get("content-crs")
    if named is None:
        return ogc_places.CRS84
    try:
        return ogc_places.named(named.strip().removeprefix("<").removesuffix(">"), crs.CHINA_BOX, "Content-Crs")
    except UsageError as error:
        raise InputError(error.sentence) from error
