"""How a scene is to be looked at (影像显示方式): bands, sum, stretch, colours, relief; read from what an address asks."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rivergis.errors import UsageError
from rivergis.maps.imagery import sum as imagery_sum
from rivergis.maps.imagery.sum import Sum

COLOURS = ("viridis", "terrain", "rdylgn", "rdylbu", "blues", "greys", "ylgnbu", "brbg", "spectral", "turbo")
"""Colour ramps (色带) for one band or a sum; each also backwards with ``_r``."""
RELIEFS = ("hillshade", "relief")
ASKED = ("bands", "expression", "stretch", "gamma", "colormap", "look", "nodata", "azimuth", "altitude", "exaggeration")
_STRETCH = re.compile(r"(percentile|range)(?::(-?[\d.eE+-]+),(-?[\d.eE+-]+))?|minmax|none")
_OF_SUMS = {"ndwi": "brbg", "mndwi": "brbg", "ndvi": "rdylgn", "ndbi": "rdylbu_r"}


@dataclass(frozen=True)
class Look:
    """One way to look at a scene; the same look of the same scene gives the same tile."""

    bands: tuple[str, ...] = ()
    """Band names or numbers from 1: three are red, green, blue; one is grey; none: natural colour where the names tell."""
    sum: Sum | None = None
    stretch: str = "percentile"
    """percentile, minmax, range or none (bytes as they are)."""
    low: float = 2.0
    high: float = 98.0
    gamma: float = 1.0
    colours: str | None = None
    relief: str | None = None
    """hillshade (山体阴影) or relief (分层设色) of heights."""
    nodata: float | None = None
    """A value that shows nothing though the file does not say so, such as -999 for the sea."""
    azimuth: float = 315.0
    altitude: float = 45.0
    exaggeration: float = 1.0

    @property
    def mark(self) -> str:
        """A short name of the look, for caches."""
        said = repr((*(getattr(self, f) for f in self.__dataclass_fields__ if f != "sum"), self.sum and self.sum.text))
        return hashlib.sha256(said.encode()).hexdigest()[:16]


def read(asked: Mapping[str, str]) -> Look:
    """The look that an address asks for (see ``ASKED``); ``UsageError`` names the value that is not understood."""
    kind, low, high = _stretch(asked)
    total = imagery_sum.read(asked["expression"]) if asked.get("expression") else None
    bands = tuple(b.strip().lower() for b in asked["bands"].split(",")) if asked.get("bands") else ()
    if len(bands) not in (0, 1, 3) or any(not re.fullmatch(r"[\w.-]{1,40}", b) for b in bands):
        raise UsageError(
            "bands is one band or three (red, green, blue) by name or number, such as 4,3,2 or nir,red,green."
        )
    relief = _one_of(asked, "look", ("", *RELIEFS)) or None
    if (total is not None) + bool(bands) + (relief is not None) > 1 and not (relief and len(bands) == 1):
        raise UsageError("Ask for bands, for an expression or for a relief: one of the three.")
    colours = _colours(asked, total)
    if colours and len(bands) == 3:
        raise UsageError("A colormap goes with one band or an expression, not with three bands.")
    return Look(
        bands,
        total,
        kind,
        low,
        high,
        _number(asked, "gamma", 1.0, 0.1, 10),
        colours,
        relief,
        _given(asked, "nodata"),
        _number(asked, "azimuth", 315.0, 0, 360),
        _number(asked, "altitude", 45.0, 1, 90),
        _number(asked, "exaggeration", 1.0, 0.1, 50),
    )


def _stretch(asked: Mapping[str, str]) -> tuple[str, float, float]:
    text = asked.get("stretch") or "percentile"
    found = _STRETCH.fullmatch(text)
    if found is None or (text == "range"):
        raise UsageError("stretch is percentile, percentile:2,98, minmax, range:LOW,HIGH or none.")
    if found[2] is None:
        return text, 2.0, 98.0
    try:
        low, high = float(found[2]), float(found[3])
    except ValueError as error:
        raise UsageError(f"stretch={text[:40]}: the two values must be numbers.") from error
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UsageError(f"stretch={text[:40]}: the first value must be below the second.")
    if found[1] == "percentile" and not 0 <= low < high <= 100:
        raise UsageError(f"stretch={text[:40]}: percentiles lie between 0 and 100.")
    return str(found[1]), low, high


def _colours(asked: Mapping[str, str], total: Sum | None) -> str | None:
    name = asked.get("colormap") or (_OF_SUMS.get(asked["expression"].strip().lower(), "viridis") if total else "")
    if name and name.removesuffix("_r") not in COLOURS:
        raise UsageError(f"colormap is one of {', '.join(COLOURS)}, each also with _r.")
    return name or None


def _one_of(asked: Mapping[str, str], name: str, known: Sequence[str]) -> str:
    value = asked.get(name, "")
    if value not in known:
        raise UsageError(f"{name} is one of {', '.join(filter(None, known))}.")
    return value


def _number(asked: Mapping[str, str], name: str, default: float, least: float, most: float) -> float:
    value = _given(asked, name)
    if value is None:
        return default
    if not least <= value <= most:
        raise UsageError(f"{name} is {value:g}: it lies between {least:g} and {most:g}.")
    return value


def _given(asked: Mapping[str, str], name: str) -> float | None:
    text = asked.get(name)
    try:
        return float(text) if text else None
    except ValueError as error:
        raise UsageError(f"{name} is {str(text)[:40]!r}: it must be a number.") from error
