"""One layer on the table: what file and user say, the numbers, and how readings of them lie on the known ground."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from pyproj import CRS

from rivergis.intake import crs_datum, crs_numbers
from rivergis.intake.crs_datum import DatumTest
from rivergis.intake.crs_declared import Meaning, meridian_of, understand
from rivergis.intake.crs_numbers import Hypothesis, Numbers
from rivergis.intake.crs_reference import Fit, Ground, Reference
from rivergis.intake.crs_verdict import Candidate
from rivergis.intake.crs_words import Hint, hint, map_datum
from rivergis.intake.delivery import Asked, Delivered

Array = npt.NDArray[np.float64]
# share of the features that a reading must put where its system is meant for
_HOLDS = 0.9
# latitude of the southern end of the mainland and Hainan, degrees
_MAINLAND = 15.0


@dataclass(frozen=True)
class Said:
    """What file and user say, understood."""

    meaning: Meaning
    hint: Hint
    asked: Asked

    @property
    def declared(self) -> str:
        return self.meaning.name


def said_of(layer: Delivered, asked: Asked) -> Said:
    """The declared system (the user's word over the file's), and what words near the data speak of."""
    text = asked.crs or layer.declared.wkt
    meaning = understand(text, given=asked.crs is not None)
    words = hint(layer.declared.text + ("" if meaning.usable else " " + (text or "")))
    # GCS_GCJ_02 is written by converters: a system of degrees like any other, but for its name
    return Said(meaning, replace(words, datum=words.datum or map_datum(text or "")), asked)


@dataclass(frozen=True)
class Tried:
    """A reading held against the reference."""

    h: Hypothesis
    fit: Fit
    test: DatumTest | None = None

    @property
    def best_m(self) -> float:
        return min(self.test.medians_m.values()) if self.test else self.fit.median_m


def listed(tried: list[Tried]) -> str:
    return ", ".join(f"{t.h.words} ({t.best_m:.0f} m)" if np.isfinite(t.best_m) else t.h.words for t in tried[:6])


def candidates(tried: list[Tried], best: Hypothesis) -> tuple[Candidate, ...]:
    """Readings by their rank; the first carries the datum that was found."""
    out = []
    for i, t in enumerate(tried[:8]):
        h = best if i == 0 else t.h
        median = t.best_m if np.isfinite(t.best_m) else None
        out.append(Candidate(h.epsg, h.datum, h.axis, h.words + f" ({t.h.basis})", h.factor, median))
    return tuple(out)


@dataclass
class Case:
    """A layer with its numbers (``all``), those of its bulk (``main``), and the reference it is held against."""

    said: Said
    reference: Reference | None
    layer: Delivered
    all: Numbers
    main: Numbers
    _grounds: dict[tuple[int, int], Ground] = field(default_factory=dict)

    def worded(self, h: Hypothesis) -> bool:
        """Whether words in the file (a heading, a note) name the system of a reading."""
        family = hint(self.layer.declared.text).family
        if family == "cgcs2000":
            return h.epsg is not None and 4490 <= h.epsg <= 4554
        return family == "wgs84" and h.geographic

    def readings(self, n: Numbers, *, any_unit: bool = False, heed_words: bool = True) -> list[Hypothesis]:
        """Every reading of the numbers that puts the layer where its system is meant for."""
        names = self.layer.names
        found = crs_numbers.hypotheses(
            n,
            self.said.meaning,
            self.said.hint if heed_words else Hint(),
            packed=names is not None and names.form == "packed",
            north_first=names.north_first if names else None,
            any_unit=any_unit,
        )
        return [h for h in found if self._possible(h, n)]

    def _possible(self, h: Hypothesis, n: Numbers) -> bool:
        """Whether a reading puts the layer on earth, where its system is meant for."""
        lonlat = h.degrees(n.centres)
        west, south, east, north = _area_of(h)
        lon, lat = lonlat[:, 0], lonlat[:, 1]
        good = np.isfinite(lonlat).all(axis=1) & (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        return bool(good.mean() >= _HOLDS)

    def ground(self, lonlat: Array) -> Ground | None:
        if self.reference is None or self.reference.empty:
            return None
        lon, lat = (float(v) for v in np.nanmedian(np.where(np.isfinite(lonlat), lonlat, np.nan), axis=0))
        key = (round(lon / 1.5), round(lat / 1.5))
        if key not in self._grounds:
            self._grounds[key] = Ground(self.reference, lon, lat)
        return self._grounds[key]

    def tried(self, possible: list[Hypothesis], n: Numbers) -> list[Tried]:
        out = []
        for h in possible:
            xy = n.sample()
            lonlat = h.degrees(xy)
            ground = self.ground(lonlat)
            if ground is None:
                continue
            fit = ground.fit(lonlat)
            test = crs_datum.datum_test(ground, h, xy) if fit.inside >= 0.5 else None
            out.append(Tried(h, fit, test))
        return out


def _area_of(h: Hypothesis) -> tuple[float, float, float, float]:
    """Degrees within which a reading is plausible: China for its own systems, else round the area a system is made for."""
    if h.epsg is not None and 4490 <= h.epsg <= 4554:
        west, south, east, north = crs_numbers.CHINA
        if h.epsg == 4490:
            return crs_numbers.CHINA if h.basis != "declared" else (west - 5, -5.0, east + 5, north + 5)
        meridian = meridian_of(h.epsg)
        if h.axis == "swapped" or h.epsg >= 4534 or 4502 <= h.epsg <= 4512:
            # a northing without its millions, or a tenth of one, still looks like one: it must lie on the mainland
            south = _MAINLAND
        return (max(west, meridian - 4.5), south, min(east, meridian + 4.5), north)
    crs = h.crs if h.epsg is None else CRS.from_epsg(h.epsg)
    if crs is not None and crs.datum is not None and re.search(r"china|cgcs", crs.datum.name, re.IGNORECASE):
        return crs_numbers.CHINA
    area = crs.area_of_use if crs is not None and crs.is_projected else None
    if area is None or area.west > area.east:
        return (-180.0, -90.0, 180.0, 90.0)
    return (
        max(area.west - 3, -180.0),
        max(area.south - 3, -90.0),
        min(area.east + 3, 180.0),
        min(area.north + 3, 90.0),
    )
