"""What a file delivered: its layers as they are, before anybody decided what they mean, with every defect said.

Readers make ``Delivered`` layers and decide nothing about places; ``crs_evidence`` judges where the coordinates lie;
``inspection`` puts both together for people, ``vector`` for imports. One vocabulary of defects for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

Severity = Literal["info", "warning", "error"]
Kind = Literal["vector", "track", "raster", "table"]

SHOWN = 20


@dataclass(frozen=True)
class Defect:
    """One thing that is wrong or was found out: stable code, one sentence, where, and what would be done about it.

    ``info`` is no alarm (something was found out that the file did not say); ``warning`` wants a look; ``error`` means that
    what it names cannot be used.
    """

    code: str
    severity: Severity
    message: str
    action: str = ""
    """What an import would do about it, or what to ask the producer for."""
    features: tuple[str, ...] = ()
    """Numbers of the features concerned as the file counts them, the first ``SHOWN``."""
    count: int = 1
    """How many features (or values, or fixes) are concerned in all."""
    place: str | None = None
    """Where, in coordinates as the file has them or in words (row 12, field 备注)."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "action": self.action,
            "feature": self.features[0] if self.features else None,
            "features": list(self.features),
            "count": self.count,
            "place": self.place,
        }


def defect(
    code: str,
    severity: Severity,
    message: str,
    action: str = "",
    features: Sequence[Any] = (),
    count: int | None = None,
    place: str | None = None,
) -> Defect:
    """A defect of any number of features: the first are named, all are counted."""
    named = tuple(str(f) for f in features[:SHOWN])
    return Defect(code, severity, message, action, named, count if count is not None else max(len(features), 1), place)


@dataclass(frozen=True)
class Declared:
    """What a file says about where its coordinates lie.

    ``wkt``: the coordinate system as the file gives it (WKT, ``EPSG:n``, or the raw text of a .prj nobody can parse).
    ``where``: prj | file (inside the data set) | crs_member (GeoJSON) | format (KML, GPX, GeoJSON: fixed by their
    standard) | names (columns called longitude and latitude, or text in a heading) | none.
    ``degrees``: what the names of the columns say (经度 true, X坐标(m) false), if anything.
    ``text``: words near the table that speak of the system (2000国家大地坐标系, 中央子午线105), as they stand.
    """

    wkt: str | None = None
    where: Literal["prj", "file", "crs_member", "format", "names", "none"] = "none"
    degrees: bool | None = None
    text: str = ""


@dataclass(frozen=True)
class Names:
    """How a table names the two columns its positions come from; ``shapes`` has the x column first.

    x is the column named X, 经度, E, 东 or the first of two nameless ones. ``north_first`` is what the names themselves
    say: False = x is east (经度, 东坐标, E), True = x is north (北坐标 in a column named X), None = the names leave it open (X, Y).
    """

    x: str
    y: str
    north_first: bool | None = None
    form: Literal["number", "dms", "packed"] = "number"
    """How positions were written: plain numbers, degrees-minutes-seconds text (already turned into degrees in
    ``shapes``), or perhaps packed dd.mmssss (left as written: whether it is packed is a question of evidence)."""


@dataclass
class Delivered:
    """One layer of a file, as it is. ``shapes`` are in the file's own coordinates, x and y as the file orders them."""

    name: str
    kind: Kind
    count: int
    """Features (rows, fixes, pictures) the layer holds, sound or not; header rows do not count."""
    frame: pd.DataFrame | None = None
    """Attributes; the index is the feature's number as the file counts it. No geometry column."""
    shapes: np.ndarray | None = None
    """Array of shapely geometries (None where a feature has none or it is unreadable), row by row like ``frame``."""
    bounds: np.ndarray | None = None
    """Only of a layer too large to hold (``sampled``): (minx, miny, maxx, maxy) of every one of its ``count`` features in the
    file's coordinates, NaN where there is no shape; ``frame`` and ``shapes`` are then an even sample."""
    declared: Declared = field(default_factory=Declared)
    names: Names | None = None
    """Only where positions come from columns of a table."""
    encoding: str | None = None
    encoding_basis: str = ""
    """declared (how: .cpg, XML declaration, standard) | evidence (which) | given (--encoding) | empty where there is no text."""
    readable: bool = True
    """False: the layer is there but its features cannot be read; a defect says why."""
    defects: list[Defect] = field(default_factory=list)
    geometry_types: tuple[str, ...] = ()
    """As the file has them (``LineString Z``, ``CurvePolygon``, ``TIN`` ...), also of what cannot be read."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What else the format tells and the report shows: fixes, first_at, time_verdict, bands, picture time ..."""

    @property
    def sampled(self) -> bool:
        return self.bounds is not None

    def add(self, *found: Defect) -> None:
        self.defects.extend(found)


@dataclass(frozen=True)
class Reading:
    """A file as its reader found it: the format in words, and its layers."""

    format: str
    layers: list[Delivered]
    defects: list[Defect] = field(default_factory=list)
    """What is wrong with the file as a whole (a part missing, an archive that holds more than was read)."""


@dataclass(frozen=True)
class Asked:
    """What the user says of a file; overrules what the file says, and is reported as overruling."""

    layer: str | None = None
    crs: str | None = None
    datum: str | None = None
    encoding: str | None = None
