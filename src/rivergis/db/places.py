"""Where somebody may write who is held to an area: the first wall before a write, in the words of the writer."""

from __future__ import annotations

import re

import shapely
from sqlalchemy import Connection, text

from rivergis.errors import NotPermitted

_ZEROS = re.compile(r"(00)+$")


def bare(adcode: str) -> str:
    """An adcode as a prefix of those below it: 500100 is 5001, the whole country is empty."""
    return _ZEROS.sub("", adcode) if len(adcode) == 6 else adcode


def require_within(conn: Connection, shape: shapely.Geometry, area: str) -> None:
    """``NotPermitted`` unless a shape (EPSG:4490) lies in the units whose adcodes begin with ``area``; empty = everywhere."""
    if not area:
        return
    inside = conn.execute(
        text("SELECT app.within_area(ST_GeomFromWKB(:g, 4490), :area)"),
        {"g": shapely.to_wkb(shape, output_dimension=2), "area": area},
    ).scalar()
    if not inside:
        at = shape.representative_point()
        raise NotPermitted(f"The place {at.x:.5f}, {at.y:.5f} is not inside {area}, where you may write.")
