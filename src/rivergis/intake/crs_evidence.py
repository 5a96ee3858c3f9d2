"""The CRS detective: where do the coordinates of a layer lie, by what is declared, by the numbers, by the known rivers?

Four answers: ``declared`` (the file says it and nothing contradicts), ``recognised`` (the file does not say it, the
evidence does), ``suspected`` (a person must say: best guess and reasons are given), ``refused`` (no reading holds).
GCJ-02 and BD-09 are proposed with their evidence and never applied without consent; old datums and local grids are
refused. Policy (what may be stored and measured) stays in ``crs.py``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS

from rivergis import crs as crs_
from rivergis.intake import crs_datum, crs_numbers
from rivergis.intake.crs_datum import DatumTest
from rivergis.intake.crs_declared import Hint, Meaning, hint, meridian_of, understand
from rivergis.intake.crs_numbers import Axis, Datum, Hypothesis, Numbers
from rivergis.intake.crs_reference import Fit, Ground, Reference
from rivergis.intake.delivery import Asked, Defect, Delivered, defect

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Certainty = Literal["declared", "recognised", "suspected", "refused"]

# share of the vertices that must lie in the area of the reference for a reading to hold
_INSIDE = 0.8
# a vertex is far from its layer beyond this, and beyond eight times the layer's own spread
_FAR_M = 200_000.0
# a minority of features of another kind of numbers counts as a group, not as outliers, from this share
_GROUP = 0.1
_ASK = "Ask the survey office, or say which with --crs EPSG:CODE once it is documented."


@dataclass(frozen=True)
class Candidate:
    """A reading that is possible, with what speaks for it."""

    epsg: int | None
    datum: Datum
    axis: Axis
    reason: str
    unit_factor: float = 1.0
    median_m: float | None = None
    """Median distance to the known rivers, metres."""

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self)}


@dataclass(frozen=True)
class Group:
    """Features of one layer that lie in a system of their own."""

    features: tuple[str, ...]
    count: int
    epsg: int | None
    datum: Datum
    axis: Axis
    reason: str

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "features": list(self.features[:20])}


@dataclass(frozen=True)
class Verdict:
    """Where the coordinates of a layer lie, how sure that is, and why. ``hypothesis``: the reading to use, or the best guess."""

    verdict: Certainty
    hypothesis: Hypothesis | None = None
    epsg: int | None = None
    declared: str = ""
    reasons: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    defects: tuple[Defect, ...] = ()
    outliers: tuple[Any, ...] = ()
    """Ids of features with a vertex that does not lie with the others."""
    groups: tuple[Group, ...] = ()

    @property
    def certain(self) -> bool:
        return self.verdict in ("declared", "recognised") and self.hypothesis is not None

    @property
    def datum(self) -> Datum:
        return self.hypothesis.datum if self.hypothesis else "wgs84"

    @property
    def axis(self) -> Axis:
        return self.hypothesis.axis if self.hypothesis else "normal"

    @property
    def source_crs(self) -> str:
        return self.hypothesis.words if self.hypothesis else "unknown"

    def as_dict(self) -> dict[str, Any]:
        """As ``inspect --json`` prints it."""
        return {
            "verdict": self.verdict,
            "epsg": self.epsg,
            "datum": self.datum,
            "axis": self.axis,
            "declared": self.declared or None,
            "reasons": list(self.reasons),
            "candidates": [c.as_dict() for c in self.candidates],
            "groups": [g.as_dict() for g in self.groups],
        }


def place(verdict: Verdict, shapes: np.ndarray) -> np.ndarray:
    """Shapes as the file has them brought to EPSG:4490 (x = longitude, 2D) by a verdict's reading.

    A shape with a vertex that has no place in that system becomes None.
    """
    h = verdict.hypothesis
    if h is None:
        raise ValueError("a refused layer has no place")
    flat = shapely.force_2d(shapes)
    xy = shapely.get_coordinates(flat)
    moved = shapely.set_coordinates(flat.copy(), h.degrees(xy)) if len(xy) else flat
    sound, feature = shapely.get_coordinates(moved, return_index=True)
    bad = np.unique(feature[~np.isfinite(sound).all(axis=1)])
    moved[bad] = None
    return np.asarray(moved)


_NOTHING_ASKED = Asked()


def judge(layer: Delivered, reference: Reference | None = None, asked: Asked = _NOTHING_ASKED) -> Verdict:
    """The verdict on one layer; never raises for what a file holds."""
    said = _said(layer, asked)
    if said.refusal is not None:
        return said.refusal
    n = crs_numbers.numbers_of(layer)
    if n.empty:
        return _placeless(said)
    gross = crs_numbers.gross_outliers(n)
    bad_rows = np.unique(n.feature[gross])
    # a sizeable minority is a group of its own, not a slip of the pen
    main = n.without(gross) if len(bad_rows) <= max(1, _GROUP * len(n.rows)) else n
    if main.empty:
        main = n
    detective = _Detective(said, reference, layer, n, main)
    return detective.verdict()


@dataclass(frozen=True)
class _Said:
    """What file and user say, understood."""

    meaning: Meaning
    hint: Hint
    asked: Asked
    declared: str
    format_only: bool
    refusal: Verdict | None = None


def _said(layer: Delivered, asked: Asked) -> _Said:
    text = asked.crs or layer.declared.wkt
    meaning = understand(text)
    words = hint(layer.declared.text + ("" if meaning.usable else " " + (text or "")))
    said = _Said(meaning, words, asked, meaning.name, layer.declared.where == "format" and not asked.crs)
    family = meaning.family if meaning.family in ("xian80", "beijing54", "local") else "none"
    if family == "none" and not meaning.usable and words.family in ("xian80", "beijing54", "local"):
        family = words.family
    return replace(said, refusal=_refused_family(family, said)) if family != "none" else said


def _refused_family(family: str, said: _Said) -> Verdict:
    name = said.meaning.name or said.asked.crs or "the heading"
    reasons = said.meaning.reasons or (f"{name} speaks of {family}",)
    if family == "local":
        found = defect("local_grid", "error", f"{name} is a local grid: {reasons[0]}.", "Refused. " + _ASK)
    else:
        old = {"xian80": "Xian 1980", "beijing54": "Beijing 1954"}[family]
        message = f"It is in {old}: no transformation to CGCS2000 is published, and PROJ would silently apply none (tens of metres off)."
        found = defect(
            "datum_unsupported", "error", message, "Refused. Ask the survey office for CGCS2000 coordinates."
        )
    return Verdict("refused", None, None, name, reasons, (), (found,))


def _placeless(said: _Said) -> Verdict:
    if said.meaning.usable:
        h = Hypothesis(said.meaning.epsg, "declared", None if said.meaning.epsg else said.meaning.crs)
        return Verdict("declared", h, said.meaning.epsg, said.declared, ("it holds no coordinates to hold against it",))
    return Verdict("refused", None, None, said.declared, ("it has no coordinates",))


@dataclass(frozen=True)
class _Tried:
    """A reading held against the reference."""

    h: Hypothesis
    fit: Fit
    test: DatumTest | None = None

    @property
    def best_m(self) -> float:
        return min(self.test.medians_m.values()) if self.test else self.fit.median_m


@dataclass
class _Detective:
    """One layer on the table: what was said, the numbers, the ground they may lie on."""

    said: _Said
    reference: Reference | None
    layer: Delivered
    all: Numbers
    main: Numbers
    _grounds: dict[tuple[int, int], Ground] = field(default_factory=dict)

    # ---- the whole layer: groups first, then one verdict, then what lies far off -------------------------------

    def verdict(self) -> Verdict:
        kinds = self._kinds(self.main)
        if len(kinds) > 1:
            return self._mixed(
                [rows for _, rows in kinds], "the numbers are of different kinds: " + "; ".join(k for k, _ in kinds)
            )
        found = self._one(self.main)
        split = self._split_zones(self.main, found)
        if split is not None:
            return self._mixed(split, "no single zone brings all features to the place, two neighbouring ones do")
        return self._finished(self._with_datum_groups(found))

    def _kinds(self, n: Numbers) -> list[tuple[str, Rows]]:
        """Features by the kind of their numbers; kinds of a tenth of the features or more (at least two)."""
        keys = np.array([crs_numbers.shape_of(*c) for c in n.centres])
        least = max(2.0, _GROUP * len(keys))
        kinds = [(k, n.rows[keys == k]) for k, c in Counter(keys).most_common() if c >= least]
        if any(k.startswith("degrees") for k, _ in kinds) and all(
            k in ("degrees", "degrees elsewhere") for k, _ in kinds
        ):
            return kinds[:1]  # a layer that reaches beyond China's box is no mixture
        if (
            self.said.meaning.usable
            and self.said.meaning.family in ("other", "wgs84")
            and not any("zone " in k for k, _ in kinds)
        ):
            return kinds[:1]
        return kinds

    def _mixed(self, parts: list[Rows], why: str) -> Verdict:
        groups = [self._group(rows) for rows in parts]
        features = groups[-1].features
        code = (
            "mixed_zones"
            if len({(g.epsg, g.axis) for g in groups}) > 1 or len({g.datum for g in groups}) == 1
            else "mixed_datums"
        )
        said_of = "; ".join(f"{g.count} features: {g.reason}" for g in groups)
        found = [
            defect(
                code,
                "error",
                f"It mixes systems ({why}): {said_of}.",
                "Split the layer, one system a file; " + _ASK,
                features,
                sum(g.count for g in groups[1:]),
            )
        ]
        if len({g.axis for g in groups}) > 1:
            found.append(
                defect(
                    "axis_swapped",
                    "warning",
                    "Some features have their axes exchanged, others not.",
                    "Split the layer.",
                    features,
                )
            )
        best = Candidate(groups[0].epsg, groups[0].datum, groups[0].axis, groups[0].reason)
        return Verdict(
            "suspected", None, None, self.said.declared, (why, said_of), (best,), tuple(found), (), tuple(groups)
        )

    def _group(self, rows: Rows) -> Group:
        found = self._one(self.main.of(rows))
        ids = tuple(str(i) for i in self.all.ids[rows])
        why = f"{found.source_crs} ({found.verdict})" if found.hypothesis else "; ".join(found.reasons) or "unknown"
        return Group(ids, len(rows), found.epsg, found.datum, found.axis, why)

    def _split_zones(self, n: Numbers, found: Verdict) -> list[Rows] | None:
        """Two groups of features without zone number that only come to one place through neighbouring zones."""
        x = n.centres[:, 1 if found.axis == "swapped" else 0]
        y = n.centres[:, 0 if found.axis == "swapped" else 1]
        if len(x) < 4 or not crs_numbers.shape_of(float(np.median(x)), float(np.median(y))).startswith("no zone"):
            return None
        order = np.argsort(x)
        gaps = np.diff(x[order])
        cut = int(np.argmax(gaps)) + 1
        low, high = order[:cut], order[cut:]
        if gaps.max() < 100_000 or min(len(low), len(high)) < max(2, _GROUP * len(x)):
            return None
        # the western numbers in the next zone east: do they fall among the eastern ones of this zone?
        west, east = (np.column_stack([x[i], y[i]]) for i in (low, high))
        a = Hypothesis(4544, "").degrees(east)
        b = Hypothesis(4545, "").degrees(west)
        apart = np.abs(np.median(a, axis=0) - np.median(b, axis=0))
        width = np.ptp(np.vstack([a, b]), axis=0)
        return [n.rows[low], n.rows[high]] if (apart < 0.6).all() and (width < 1.5).all() else None

    # ---- one group of features ----------------------------------------------------------------------------------

    def _one(self, n: Numbers) -> Verdict:
        possible = self._readings(n)
        here = [t for t in self._tried(possible, n) if t.fit.inside >= _INSIDE]
        if not here and self.reference is not None:
            # nothing lies at the place: perhaps another unit does
            others = [h for h in self._readings(n, any_unit=True) if h.factor != 1.0]
            here = [t for t in self._tried(others, n) if t.fit.inside >= _INSIDE]
        declared = [h for h in possible if h.basis == "declared"]
        if self.said.meaning.usable:
            return self._against_declared(n, declared, possible, here)
        if here:
            return self._by_reference(n, here)
        return self._by_numbers(possible)

    def _readings(self, n: Numbers, any_unit: bool = False) -> list[Hypothesis]:
        names = self.layer.names
        found = crs_numbers.hypotheses(
            n,
            self.said.meaning,
            self.said.hint,
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
        return bool(good.mean() > 0.5)

    def _ground(self, lonlat: Array) -> Ground | None:
        if self.reference is None or self.reference.empty:
            return None
        lon, lat = (float(v) for v in np.nanmedian(np.where(np.isfinite(lonlat), lonlat, np.nan), axis=0))
        key = (round(lon / 1.5), round(lat / 1.5))
        if key not in self._grounds:
            self._grounds[key] = Ground(self.reference, lon, lat)
        return self._grounds[key]

    def _tried(self, possible: list[Hypothesis], n: Numbers) -> list[_Tried]:
        out = []
        for h in possible:
            xy = n.sample()
            lonlat = h.degrees(xy)
            ground = self._ground(lonlat)
            if ground is None:
                continue
            fit = ground.fit(lonlat)
            test = crs_datum.datum_test(ground, h, xy) if fit.inside >= 0.5 else None
            out.append(_Tried(h, fit, test))
        return out

    # ---- something is declared -----------------------------------------------------------------------------------

    def _against_declared(
        self, n: Numbers, declared: list[Hypothesis], possible: list[Hypothesis], here: list[_Tried]
    ) -> Verdict:
        at_home = [t for t in here if t.h.basis == "declared"]
        if at_home:
            chosen = at_home[0]
            if (
                chosen.test is not None
                and not chosen.h.geographic
                and chosen.test.decided is False
                and chosen.best_m > crs_datum.ON_RIVER_M
            ):
                better = [
                    t
                    for t in here
                    if t.h.basis != "declared" and t.test and t.test.decided and t.best_m * 3 < chosen.best_m
                ]
                if better:
                    return self._contradicted(better, possible)
            return self._declared(n, chosen.h, chosen)
        elsewhere = [
            t
            for t in here
            if t.h.basis != "declared" and (t.test is None or t.best_m <= crs_datum.ON_RIVER_M or t.fit.inside >= 0.95)
        ]
        if elsewhere and not self.said.asked.crs:
            return self._contradicted(elsewhere, possible)
        plain = [h for h in declared if h.axis == "normal"]
        swapped = [h for h in declared if h.axis == "swapped"]
        if plain and not (swapped and self._rather_swapped(n)):
            return self._declared(n, plain[0], None, mismatch=bool(elsewhere))
        if swapped:
            return self._declared(n, swapped[0], None)
        if self.said.asked.crs:
            return self._impossible(possible)
        return self._contradicted(
            [_Tried(h, Fit(0.0, np.inf, 0.0)) for h in possible if h.basis != "declared"], possible
        )

    def _rather_swapped(self, n: Numbers) -> bool:
        """Degrees that are a place in China only with their axes exchanged (and a polar sea as they stand)."""
        x, y = (float(v) for v in np.median(n.centres, axis=0))
        return crs_numbers.shape_of(x, y) == "degrees, axes exchanged"

    def _declared(self, n: Numbers, h: Hypothesis, tried: _Tried | None, mismatch: bool = False) -> Verdict:
        given = self.said.asked.crs is not None
        reasons = [f"given with --crs: {self.said.declared}" if given else self.said.meaning.reasons[0]]
        found: list[Defect] = []
        if self.said.meaning.contradictions:
            said_of = "; ".join(self.said.meaning.contradictions)
            reasons.append(said_of)
            found.append(
                defect(
                    "declaration_contradictory",
                    "info",
                    f"The declared system contradicts itself: {said_of}.",
                    "The parameters were taken, not the names.",
                )
            )
        if mismatch:
            found.append(
                defect(
                    "crs_mismatch",
                    "warning",
                    "In the system given it does not lie at the reference, in another it would.",
                    "It is used as given.",
                )
            )
        verdict: Certainty = "declared"
        if h.axis == "swapped":
            named = self.layer.names
            verdict = "declared" if named is not None and named.north_first else "recognised"
            reasons.append("the first ordinate holds north: only exchanged do the numbers lie in the declared system")
            if named is None or h.geographic:
                found.append(_axis_defect())
        if tried is None:
            reasons.append(
                "no reference of this place: not held against rivers"
                if self.reference is not None
                else "nothing in the numbers contradicts it"
            )
            return self._said_datum(Verdict(verdict, h, h.epsg, self.said.declared, tuple(reasons), (), tuple(found)))
        reasons.append(f"{tried.fit.inside:.0%} of it lies in the area of the reference")
        return self._on_the_rivers(
            n, Verdict(verdict, h, h.epsg, self.said.declared, tuple(reasons), (), tuple(found)), tried
        )

    def _contradicted(self, others: list[_Tried], possible: list[Hypothesis]) -> Verdict:
        """The declared system does not hold; what does is a suspicion, because the file says otherwise."""
        said_of = self.said.declared
        units = self.said.meaning.projected != all(not t.h.geographic for t in others) or any(
            t.h.factor != 1.0 for t in others
        )
        message = f"It declares {said_of}, but its coordinates do not lie in it or not at the known place."
        found = [defect("crs_mismatch", "error", message, _ASK)]
        if not others:
            found.append(
                defect(
                    "local_grid",
                    "warning",
                    "The numbers fit no zone of the national system: perhaps a local or construction grid.",
                    _ASK,
                )
            )
            return Verdict("refused", None, None, said_of, (message,), (), tuple(found))
        ranked = sorted(others, key=lambda t: (t.best_m, -t.fit.inside))
        best = ranked[0]
        if units:
            found.append(
                defect(
                    "units_suspect",
                    "warning",
                    "Degrees and metres are mistaken for one another, or the unit is another.",
                    _ASK,
                )
            )
        if best.h.axis == "swapped" and self.layer.names is None:
            found.append(_axis_defect())
        certain_code = (
            len({t.h.epsg for t in ranked if t.best_m <= 1.5 * best.best_m + 1}) == 1
            if np.isfinite(best.best_m)
            else len({t.h.epsg for t in others}) == 1
        )
        h = self._datum_of(best)
        if h.datum != "wgs84" and best.test:
            found.append(_shift_defect(h.datum, best.test))
        if not certain_code:
            found.append(
                defect(
                    "zone_ambiguous",
                    "warning",
                    "Several zones or meridians are possible: " + _listed(ranked) + ".",
                    _ASK,
                )
            )
        reasons = (message, f"best reading: {h.words}" + (f" ({best.test.words})" if best.test else ""))
        return Verdict(
            "suspected",
            h if certain_code else None,
            h.epsg if certain_code else None,
            said_of,
            reasons,
            _candidates(ranked, h),
            tuple(found),
        )

    def _impossible(self, possible: list[Hypothesis]) -> Verdict:
        message = f"The coordinates do not lie in {self.said.declared}, the system given with --crs."
        return Verdict(
            "refused",
            None,
            None,
            self.said.declared,
            (message,),
            (),
            (defect("crs_mismatch", "error", message, "Name another system."),),
        )

    # ---- nothing is declared: by the reference, or by the numbers alone ------------------------------------------

    def _by_reference(self, n: Numbers, here: list[_Tried]) -> Verdict:
        ranked = sorted(here, key=lambda t: (round(t.best_m, 1), t.h.factor != 1.0, t.h.packed, -t.fit.inside))
        best = ranked[0]
        h = self._datum_of(best)
        found = [self._missing()]
        rivals = [
            t for t in ranked[1:] if t.h.epsg != best.h.epsg or t.h.axis != best.h.axis or t.h.packed != best.h.packed
        ]
        # a rival counts if the rivers do not clearly speak against it
        open_ = [
            t
            for t in rivals
            if best.best_m > crs_datum.ON_RIVER_M or t.best_m < crs_datum.CLEAR * max(best.best_m, 5.0)
        ]
        reasons = [
            f"nothing is declared; {best.h.basis}",
            f"{best.fit.inside:.0%} of it lies in the area of the reference",
        ]
        found += self._reading_defects(h)
        if open_:
            found.append(
                defect(
                    "zone_ambiguous",
                    "warning",
                    "Several readings come to the place: " + _listed([best, *open_]) + ".",
                    _ASK,
                )
            )
            same = len({t.h.epsg for t in (best, *open_)}) == 1
            return Verdict(
                "suspected",
                h if same else None,
                h.epsg if same else None,
                "",
                tuple(reasons),
                _candidates([best, *open_], h),
                tuple(found),
            )
        sure: Certainty = "recognised" if h.factor == 1.0 else "suspected"
        return self._on_the_rivers(
            n, Verdict(sure, h, h.epsg, "", tuple(reasons), _candidates(ranked[:5], h), tuple(found)), best
        )

    def _by_numbers(self, possible: list[Hypothesis]) -> Verdict:
        """Without a reference nothing undeclared is certain: zone, datum, even degrees may be another's."""
        found = [self._missing()]
        if not possible:
            message = "The numbers fit no zone of the national system and are no degrees: perhaps a local or construction grid."
            found.append(defect("local_grid", "error", message, "Refused. " + _ASK))
            return Verdict("refused", None, None, "", (message,), (), tuple(found))
        h = possible[0]
        found += self._reading_defects(h)
        codes = {p.epsg for p in possible}
        reason = "no reference of this place, and " + (
            "only the numbers speak for it" if len(codes) == 1 else "the central meridian cannot be known"
        )
        candidates = tuple(Candidate(p.epsg, p.datum, p.axis, p.basis, p.factor) for p in possible)
        if len(codes) > 1 or any(p.packed for p in possible):
            what = (
                "The zone or central meridian is not in the numbers"
                if len(codes) > 1
                else "Degrees may be packed as dd.mmssss"
            )
            found.append(defect("zone_ambiguous", "warning", f"{what}: {len(possible)} readings are possible.", _ASK))
            return Verdict(
                "suspected", None, None if len(codes) > 1 else h.epsg, "", (h.basis, reason), candidates, tuple(found)
            )
        return self._said_datum(Verdict("suspected", h, h.epsg, "", (h.basis, reason), candidates, tuple(found)))

    def _missing(self) -> Defect:
        """Nothing declares the system; for columns named longitude and latitude that is no alarm, only worth knowing."""
        if self.said.meaning.family == "unreadable":
            return defect("crs_missing", "warning", f"Its system cannot be read: {self.said.meaning.reasons[0]}.", _ASK)
        if self.said.meaning.family == "cgcs2000":
            return defect(
                "crs_mismatch", "warning", f"Its declared system is incomplete: {self.said.meaning.reasons[0]}.", _ASK
            )
        if self.layer.names is not None:
            return defect(
                "crs_missing",
                "info",
                "A table names no coordinate system.",
                "The evidence is used where it is clear; else " + _ASK.lower(),
            )
        return defect("crs_missing", "warning", "It names no coordinate system (no .prj, no entry in the file).", _ASK)

    def _reading_defects(self, h: Hypothesis) -> list[Defect]:
        found = []
        if h.factor != 1.0:
            found.append(
                defect(
                    "units_suspect",
                    "warning",
                    f"The numbers are no metres: read as {crs_numbers.UNITS[h.factor]} they fit.",
                    _ASK,
                )
            )
        if h.packed:
            found.append(
                defect(
                    "dms_text",
                    "warning",
                    "Degrees are packed as dd.mmssss (degrees, minutes, seconds without marks).",
                    "They are unpacked and said.",
                )
            )
        names = self.layer.names
        if (h.axis == "swapped" and h.geographic) or (h.axis == "swapped" and names is None):
            found.append(_axis_defect())
        return found

    # ---- the datum --------------------------------------------------------------------------------------------------

    def _datum_of(self, tried: _Tried) -> Hypothesis:
        return tried.h.shifted(tried.test.best) if tried.test and tried.test.decided else tried.h

    def _said_datum(self, found: Verdict) -> Verdict:
        """A datum the user gives is taken; one that words near the table name is a suspicion."""
        given, h = self.said.asked.datum, found.hypothesis
        if given is not None and h is not None:
            shifted = h.shifted(given if given in ("gcj02", "bd09") else "wgs84")  # type: ignore[arg-type]
            sure: Certainty = "declared" if found.verdict == "suspected" and h.geographic else found.verdict
            return replace(
                found, verdict=sure, hypothesis=shifted, reasons=(*found.reasons, f"given with --datum: {given}")
            )
        if self.said.hint.datum is not None and h is not None:
            words = f"words in the file speak of {self.said.hint.datum.upper()}"
            d = defect(
                "datum_shift_suspected",
                "warning",
                f"{words[0].upper()}{words[1:]} (not held against rivers).",
                f"Nothing is shifted without --datum {self.said.hint.datum}.",
            )
            return replace(
                found,
                verdict="suspected",
                hypothesis=h.shifted(self.said.hint.datum),
                reasons=(*found.reasons, words),
                defects=(*found.defects, d),
            )
        return found

    def _on_the_rivers(self, n: Numbers, found: Verdict, tried: _Tried) -> Verdict:
        """The last question: does it lie on the rivers as it stands, or shifted as a whole?"""
        test, h = tried.test, found.hypothesis
        if self.said.asked.datum is not None or test is None or h is None:
            return self._said_datum(found)
        found = replace(found, reasons=(*found.reasons, test.words))
        if test.decided and test.best != "wgs84":
            shifted = h.shifted(test.best)
            proposed = (
                Candidate(
                    h.epsg,
                    test.best,
                    h.axis,
                    f"{test.best} taken off: {test.words}",
                    h.factor,
                    test.medians_m[test.best],
                ),
                *found.candidates,
            )
            return replace(
                found,
                verdict="suspected",
                hypothesis=shifted,
                candidates=proposed,
                defects=(*found.defects, _shift_defect(test.best, test)),
            )
        ground = self._ground(h.degrees(n.sample()))
        shift = crs_datum.constant_shift(ground, h.degrees(n.sample(1_500))) if ground is not None else None
        if shift is not None:
            size = float(np.hypot(shift.east_m, shift.north_m))
            message = f"The whole layer lies about {size:.0f} m off the known rivers (median {shift.before_m:.0f} m, {shift.after_m:.0f} m without the shift): an old datum or a local system."
            d = defect(
                "datum_shift_suspected",
                "warning",
                message,
                "Nothing is shifted. Ask the survey office which datum it is.",
            )
            return replace(found, verdict="suspected", defects=(*found.defects, d), reasons=(*found.reasons, message))
        if (
            found.verdict == "recognised"
            and not self.said.meaning.usable
            and not (test.decided and test.best == "wgs84")
        ):
            why = "it does not lie on known rivers clearly enough to tell its datum"
            return self._said_datum(replace(found, verdict="suspected", reasons=(*found.reasons, why)))
        return self._said_datum(found)

    def _with_datum_groups(self, found: Verdict) -> Verdict:
        """A layer that is right in part and shifted in part."""
        h = found.hypothesis
        if h is None or self.said.asked.datum is not None:
            return found
        plain = h.shifted("wgs84")
        ground = self._ground(plain.degrees(self.main.sample()))
        few = self.main.of(self.main.rows[:: max(1, len(self.main.rows) // 500)])
        groups = crs_datum.split_by_datum(ground, plain, few) if ground is not None else None
        if groups is None:
            return found
        made = tuple(
            Group(
                tuple(str(i) for i in self.all.ids[rows]), len(rows), plain.epsg, d, plain.axis, plain.shifted(d).words
            )
            for d, rows in groups.items()
        )
        said_of = "; ".join(f"{g.count} features: {g.reason}" for g in made)
        d = defect(
            "mixed_datums",
            "error",
            f"Some features lie on the rivers as they stand, others only without a datum shift ({said_of}).",
            "Split the layer, one datum a file.",
            made[-1].features,
            sum(g.count for g in made[1:]),
        )
        return replace(
            found,
            verdict="suspected",
            hypothesis=plain,
            defects=(*found.defects, d),
            reasons=(*found.reasons, said_of),
            groups=made,
        )

    # ---- what lies far off --------------------------------------------------------------------------------------------

    def _finished(self, found: Verdict) -> Verdict:
        """Vertices that do not lie with the others, in the place the layer has."""
        if found.hypothesis is None:
            far = (
                crs_numbers.gross_outliers(self.all) if self.main is not self.all else np.zeros(len(self.all.xy), bool)
            )
        else:
            far = self._far(found.hypothesis)
        if not far.any():
            return found
        rows = np.unique(self.all.feature[far])
        ids = tuple(self.all.ids[rows].tolist())
        x, y = self.all.xy[np.flatnonzero(far)[0]]
        message = f"{int(far.sum())} vertex or vertices of {len(rows)} feature(s) lie far from all others: a digit too many, too few or wrong?"
        d = defect(
            "outlier_vertex",
            "warning",
            message,
            "Those features are set aside; correct the number and bring them in again.",
            ids,
            len(rows),
            f"feature {ids[0]}: ({x:.10g}, {y:.10g})",
        )
        return replace(found, outliers=ids, defects=(*found.defects, d))

    def _far(self, h: Hypothesis) -> npt.NDArray[np.bool_]:
        lonlat = h.degrees(self.all.xy)
        home = h.degrees(self.main.centres)
        home = home[np.isfinite(home).all(axis=1)]
        lon, lat = (float(v) for v in np.median(home, axis=0))
        on_earth = np.isfinite(lonlat).all(axis=1) & (np.abs(lonlat[:, 0]) <= 180) & (np.abs(lonlat[:, 1]) <= 90)
        away = np.full(len(lonlat), np.inf)
        away[on_earth] = _away_m(lonlat[on_earth], lon, lat)
        near_home = _away_m(home, lon, lat)
        far = away > max(_FAR_M, 8 * float(np.quantile(near_home, 0.9)))
        return far | self._jumps(away, far) | self._beyond_reference(lonlat, away, near_home)

    def _jumps(self, away: Array, far: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """A single vertex that its own line leaves and returns from, farther than anything else of the layer."""
        xy, feature = self.all.xy, self.all.feature
        if len(xy) < 5:
            return np.zeros(len(xy), bool)
        step = np.hypot(*np.diff(xy, axis=0).T)
        inner = feature[1:] == feature[:-1]
        if not inner.any():
            return np.zeros(len(xy), bool)
        usual = float(np.quantile(step[inner], 0.9))
        before, after = np.r_[0.0, np.where(inner, step, 0.0)], np.r_[np.where(inner, step, 0.0), 0.0]
        lone = np.minimum(before, after) > 100 * max(usual, 1e-9)
        spread = float(np.quantile(away[np.isfinite(away)], 0.9)) if np.isfinite(away).any() else 0.0
        return np.asarray(lone & (away > 1.5 * spread) & (away > 2_000.0))

    def _beyond_reference(self, lonlat: Array, away: Array, near_home: Array) -> npt.NDArray[np.bool_]:
        """A few vertices far outside the county, where all others lie inside it."""
        nothing = np.zeros(len(lonlat), bool)
        ground = self._ground(lonlat)
        spread = float(np.quantile(near_home, 0.9))
        wide = np.isfinite(away) & (away > max(3 * spread, 30_000.0))
        if ground is None or not wide.any() or wide.mean() > 0.02:
            return nothing
        return np.asarray(wide & ~ground.inside(lonlat)) if ground.inside(lonlat[~wide]).mean() > 0.9 else nothing


def _away_m(lonlat: Array, lon: float, lat: float) -> Array:
    if not len(lonlat):
        return np.empty(0)
    many = np.full(len(lonlat), 1.0)
    return np.asarray(crs_.GEOD.inv(many * lon, many * lat, lonlat[:, 0], lonlat[:, 1])[2])


def _area_of(h: Hypothesis) -> tuple[float, float, float, float]:
    """Degrees within which a reading is plausible: China for its own systems, else round the area a system is made for."""
    if h.epsg is not None and 4490 <= h.epsg <= 4554:
        west, south, east, north = crs_numbers.CHINA
        if h.epsg == 4490:
            return crs_numbers.CHINA if h.basis != "declared" else (west - 5, -5.0, east + 5, north + 5)
        meridian = meridian_of(h.epsg)
        return (max(west, meridian - 4.5), south, min(east, meridian + 4.5), north)
    crs = h.crs if h.epsg is None else CRS.from_epsg(h.epsg)
    area = crs.area_of_use if crs is not None and crs.is_projected else None
    if area is None or area.west > area.east:
        return (-180.0, -90.0, 180.0, 90.0)
    return (
        max(area.west - 3, -180.0),
        max(area.south - 3, -90.0),
        min(area.east + 3, 180.0),
        min(area.north + 3, 90.0),
    )


def _axis_defect() -> Defect:
    return defect(
        "axis_swapped",
        "warning",
        "The axes are exchanged: the first ordinate (or the column named for longitude) holds north.",
        "They are exchanged at the door, and said.",
    )


def _shift_defect(datum: Datum, test: DatumTest) -> Defect:
    name = {"gcj02": "GCJ-02", "bd09": "BD-09"}[datum]
    message = f"The layer looks shifted to {name}: {test.words}."
    return defect(
        "datum_shift_suspected",
        "warning",
        message,
        f"Nothing is shifted without consent: say --datum {datum} if the producer confirms it.",
    )


def _listed(tried: list[_Tried]) -> str:
    return ", ".join(f"{t.h.words} ({t.best_m:.0f} m)" if np.isfinite(t.best_m) else t.h.words for t in tried[:6])


def _candidates(tried: list[_Tried], best: Hypothesis) -> tuple[Candidate, ...]:
    """Readings by their rank; the first carries the datum that was found."""
    out = []
    for i, t in enumerate(tried[:8]):
        h = best if i == 0 else t.h
        median = t.best_m if np.isfinite(t.best_m) else None
        out.append(Candidate(h.epsg, h.datum, h.axis, h.words + f" ({t.h.basis})", h.factor, median))
    return tuple(out)
