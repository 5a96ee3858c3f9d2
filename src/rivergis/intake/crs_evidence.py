"""The CRS detective: where do the coordinates of a layer lie, by what is declared, by the numbers, by the known rivers?

Four answers: ``declared`` (the file says it and nothing contradicts), ``recognised`` (the file does not say it, the
evidence does), ``suspected`` (a person must say: best guess and reasons are given), ``refused`` (no reading holds).
GCJ-02 and BD-09 are proposed with their evidence and never applied without consent; old datums and local grids are
refused. Policy (what may be stored and measured) stays in ``crs.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rivergis.intake import crs_datum, crs_numbers
from rivergis.intake.crs_case import Case, Said, Tried, said_of
from rivergis.intake.crs_groups import GROUP, Rows, kinds_of_numbers, split_zones
from rivergis.intake.crs_numbers import Hypothesis, Numbers
from rivergis.intake.crs_outliers import far_vertices
from rivergis.intake.crs_reference import Fit, Reference
from rivergis.intake.crs_shift import datum_of, on_the_rivers, said_datum, with_datum_groups
from rivergis.intake.crs_verdict import ASK, Candidate, Certainty, Group, Verdict, axis_defect, shift_defect
from rivergis.intake.delivery import Asked, Defect, Delivered, defect

# share of the vertices that must lie in the area of the reference for a reading to hold
_INSIDE = 0.8
_NOTHING = Asked()


def judge(layer: Delivered, reference: Reference | None = None, asked: Asked = _NOTHING) -> Verdict:
    """The verdict on one layer; never raises for what a file holds.

    ``reference``: rivers and outlines of the place (EPSG:4490), the evidence; ``asked``: what the user says, which
    overrules the file and is held against the same evidence.
    """
    said = said_of(layer, asked)
    family = _refused(said)
    if family is not None:
        return _refused_family(family, said)
    n = crs_numbers.numbers_of(layer)
    if n.empty:
        return _placeless(said)
    gross = crs_numbers.gross_outliers(n)
    few = len(np.unique(n.feature[gross])) <= max(1, GROUP * len(n.rows))
    # a sizeable minority is a group of its own, not a slip of the pen
    main = n.without(gross) if few and not gross.all() else n
    return _Detective(Case(said, reference, layer, n, main)).verdict()


def _refused(said: Said) -> str | None:
    """The family of a system that no layer may be in: an old datum or a local grid, by definition or by words."""
    families = ("xian80", "beijing54", "local", "unsupported")
    if said.meaning.family in families:
        return said.meaning.family
    return said.hint.family if not said.meaning.usable and said.hint.family in families else None


def _refused_family(family: str, said: Said) -> Verdict:
    name = said.meaning.name or said.asked.crs or "the heading"
    reasons = said.meaning.reasons or (f"{name} speaks of {family}",)
    if family == "local":
        found = defect("local_grid", "error", f"{name} is a local grid: {reasons[0]}.", "Refused. " + ASK)
    elif family == "unsupported":
        found = defect("datum_unsupported", "error", reasons[0], "Refused. " + ASK)
    else:
        old = {"xian80": "Xian 1980", "beijing54": "Beijing 1954"}[family]
        message = f"It is in {old}: no transformation to CGCS2000 is published, and PROJ would silently apply none (tens of metres off)."
        found = defect(
            "datum_unsupported", "error", message, "Refused. Ask the survey office for CGCS2000 coordinates."
        )
    return Verdict("refused", None, None, name, reasons, (), (found,))


def _placeless(said: Said) -> Verdict:
    if said.meaning.usable:
        h = Hypothesis(said.meaning.epsg, "declared", None if said.meaning.epsg else said.meaning.crs)
        return Verdict("declared", h, said.meaning.epsg, said.declared, ("it holds no coordinates to hold against it",))
    return Verdict("refused", None, None, said.declared, ("it has no coordinates",))


@dataclass
class _Detective:
    """From the case to the verdict: groups, one verdict for each, its datum, and what lies far off."""

    case: Case

    # ---- the whole layer: groups first, then one verdict, then what lies far off -------------------------------

    def verdict(self) -> Verdict:
        kinds = kinds_of_numbers(self.case, self.case.main)
        if len(kinds) > 1:
            return self._mixed(
                [rows for _, rows in kinds], "the numbers are of different kinds: " + "; ".join(k for k, _ in kinds)
            )
        if kinds and kinds[0][0] != "other":
            # slips of the pen stand apart from the kind of numbers that the layer has
            self.case.main = self.case.main.of(kinds[0][1])
        found = self._one(self.case.main)
        split = split_zones(self.case.main, found)
        if split is not None:
            return self._mixed(split, "no single zone brings all features to the place, two neighbouring ones do")
        return self._finished(with_datum_groups(self.case, found))

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
                "Split the layer, one system a file; " + ASK,
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
            "suspected", None, None, self.case.said.declared, (why, said_of), (best,), tuple(found), (), tuple(groups)
        )

    def _group(self, rows: Rows) -> Group:
        found = self._one(self.case.main.of(rows))
        ids = tuple(str(i) for i in self.case.all.ids[rows])
        why = f"{found.source_crs} ({found.verdict})" if found.hypothesis else "; ".join(found.reasons) or "unknown"
        return Group(ids, len(rows), found.epsg, found.datum, found.axis, why)

    # ---- one group of features ----------------------------------------------------------------------------------

    def _one(self, n: Numbers) -> Verdict:
        possible = self.case.readings(n)
        here = [t for t in self.case.tried(possible, n) if t.fit.inside >= _INSIDE]
        if not here and self.case.reference is not None:
            # nothing lies at the place: perhaps another unit does
            others = [h for h in self.case.readings(n, any_unit=True) if h.factor != 1.0]
            here = [t for t in self.case.tried(others, n) if t.fit.inside >= _INSIDE]
        declared = [h for h in possible if h.basis == "declared"]
        if self.case.said.meaning.usable:
            return self._against_declared(n, declared, possible, here)
        if here:
            return self._by_reference(n, here)
        return self._by_numbers(possible)

    # ---- something is declared -----------------------------------------------------------------------------------

    def _against_declared(
        self, n: Numbers, declared: list[Hypothesis], possible: list[Hypothesis], here: list[Tried]
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
        if elsewhere and not self.case.said.asked.crs:
            return self._contradicted(elsewhere, possible)
        plain = [h for h in declared if h.axis == "normal"]
        swapped = [h for h in declared if h.axis == "swapped"]
        if plain and not (swapped and self._rather_swapped(n)):
            return self._declared(n, plain[0], None, mismatch=bool(elsewhere))
        if swapped:
            return self._declared(n, swapped[0], None)
        if self.case.said.asked.crs:
            return self._impossible(possible)
        return self._contradicted(
            [Tried(h, Fit(0.0, np.inf, 0.0)) for h in possible if h.basis != "declared"], possible
        )

    def _rather_swapped(self, n: Numbers) -> bool:
        """Degrees that are a place in China only with their axes exchanged (and a polar sea as they stand)."""
        x, y = (float(v) for v in np.median(n.centres, axis=0))
        return crs_numbers.shape_of(x, y) == "degrees, axes exchanged"

    def _declared(self, n: Numbers, h: Hypothesis, tried: Tried | None, mismatch: bool = False) -> Verdict:
        given = self.case.said.asked.crs is not None
        reasons = [f"given with --crs: {self.case.said.declared}" if given else self.case.said.meaning.reasons[0]]
        found: list[Defect] = []
        if self.case.said.meaning.contradictions:
            said_of = "; ".join(self.case.said.meaning.contradictions)
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
            named = self.case.layer.names
            verdict = "declared" if named is not None and named.north_first else "recognised"
            reasons.append("the first ordinate holds north: only exchanged do the numbers lie in the declared system")
            if named is None or h.geographic:
                found.append(axis_defect())
        if tried is None:
            found += self._unchecked(h)
            reasons.append(
                "no reference of this place: not held against rivers"
                if self.case.reference is not None
                else "nothing in the numbers contradicts it"
            )
            return said_datum(
                self.case, Verdict(verdict, h, h.epsg, self.case.said.declared, tuple(reasons), (), tuple(found))
            )
        reasons.append(f"{tried.fit.inside:.0%} of it lies in the area of the reference")
        return on_the_rivers(
            self.case, n, Verdict(verdict, h, h.epsg, self.case.said.declared, tuple(reasons), (), tuple(found)), tried
        )

    def _unchecked(self, h: Hypothesis) -> list[Defect]:
        """A format says WGS 84 by its standard; phone apps write GCJ-02 into it all the same."""
        if self.case.layer.declared.where != "format" or self.case.said.asked.datum or self.case.said.asked.crs:
            return []
        lon, lat = np.median(h.degrees(self.case.main.centres), axis=0)
        west, south, east, north = crs_numbers.CHINA
        if not (west <= lon <= east and south <= lat <= north):
            return []
        message = "Only the format says WGS 84; map apps write GCJ-02 into it. No river of this place is known to hold it against."
        return [defect("datum_unchecked", "info", message, "Give --reference, or ask which app wrote it.")]

    def _contradicted(self, others: list[Tried], possible: list[Hypothesis]) -> Verdict:
        """The declared system does not hold; what does is a suspicion, because the file says otherwise."""
        said_of = self.case.said.declared
        units = self.case.said.meaning.projected != all(not t.h.geographic for t in others) or any(
            t.h.factor != 1.0 for t in others
        )
        message = f"It declares {said_of}, but its coordinates do not lie in it or not at the known place."
        found = [defect("crs_mismatch", "error", message, ASK)]
        if not others:
            found.append(
                defect(
                    "local_grid",
                    "warning",
                    "The numbers fit no zone of the national system either: perhaps a local or construction grid.",
                    ASK,
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
                    ASK,
                )
            )
        if best.h.axis == "swapped" and self.case.layer.names is None:
            found.append(axis_defect())
        certain_code = (
            len({t.h.epsg for t in ranked if t.best_m <= 1.5 * best.best_m + 1}) == 1
            if np.isfinite(best.best_m)
            else len({t.h.epsg for t in others}) == 1
        )
        h = datum_of(best)
        if h.datum != "wgs84" and best.test:
            found.append(shift_defect(h.datum, best.test))
        if not certain_code:
            found.append(
                defect(
                    "zone_ambiguous",
                    "warning",
                    "Several zones or meridians are possible: " + _listed(ranked) + ".",
                    ASK,
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
        message = f"The coordinates do not lie in {self.case.said.declared}, the system given with --crs."
        return Verdict(
            "refused",
            None,
            None,
            self.case.said.declared,
            (message,),
            (),
            (defect("crs_mismatch", "error", message, "Name another system."),),
        )

    # ---- nothing is declared: by the reference, or by the numbers alone ------------------------------------------

    def _by_reference(self, n: Numbers, here: list[Tried]) -> Verdict:
        ranked = sorted(here, key=lambda t: (round(t.best_m, 1), t.h.factor != 1.0, t.h.packed, -t.fit.inside))
        best = ranked[0]
        h = datum_of(best)
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
                    ASK,
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
        return on_the_rivers(
            self.case, n, Verdict(sure, h, h.epsg, "", tuple(reasons), _candidates(ranked[:5], h), tuple(found)), best
        )

    def _by_numbers(self, possible: list[Hypothesis]) -> Verdict:
        """Without a reference nothing undeclared is certain: zone, datum, even degrees may be another's."""
        found = [self._missing()]
        if not possible:
            message = "The numbers are no degrees and fit no zone of the national system: a local or construction grid, or another system."
            found.append(defect("local_grid", "error", message, "Refused. " + ASK))
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
            found.append(defect("zone_ambiguous", "warning", f"{what}: {len(possible)} readings are possible.", ASK))
            return Verdict(
                "suspected", None, None if len(codes) > 1 else h.epsg, "", (h.basis, reason), candidates, tuple(found)
            )
        return said_datum(self.case, Verdict("suspected", h, h.epsg, "", (h.basis, reason), candidates, tuple(found)))

    def _missing(self) -> Defect:
        """Nothing declares the system; for columns named longitude and latitude that is no alarm, only worth knowing."""
        if self.case.said.meaning.family == "unreadable":
            return defect(
                "crs_missing", "warning", f"Its system cannot be read: {self.case.said.meaning.reasons[0]}.", ASK
            )
        if self.case.said.meaning.family == "cgcs2000":
            return defect(
                "crs_mismatch",
                "warning",
                f"Its declared system is incomplete: {self.case.said.meaning.reasons[0]}.",
                ASK,
            )
        if self.case.layer.names is not None:
            return defect(
                "crs_missing",
                "info",
                "A table names no coordinate system.",
                "The evidence is used where it is clear; else " + "say --crs or --datum.",
            )
        return defect("crs_missing", "warning", "It names no coordinate system (no .prj, no entry in the file).", ASK)

    def _reading_defects(self, h: Hypothesis) -> list[Defect]:
        found = []
        if h.factor != 1.0:
            found.append(
                defect(
                    "units_suspect",
                    "warning",
                    f"The numbers are no metres: read as {crs_numbers.UNITS[h.factor]} they fit.",
                    ASK,
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
        names = self.case.layer.names
        if (h.axis == "swapped" and h.geographic) or (h.axis == "swapped" and names is None):
            found.append(axis_defect())
        return found

    # ---- what lies far off --------------------------------------------------------------------------------------------

    def _finished(self, found: Verdict) -> Verdict:
        """Vertices that do not lie with the others, in the place the layer has."""
        if found.hypothesis is None:
            far = (
                crs_numbers.gross_outliers(self.case.all)
                if self.case.main is not self.case.all
                else np.zeros(len(self.case.all.xy), bool)
            )
        else:
            far = far_vertices(self.case, found.hypothesis)
        if not far.any():
            return found
        rows = np.unique(self.case.all.feature[far])
        ids = tuple(self.case.all.ids[rows].tolist())
        x, y = self.case.all.xy[np.flatnonzero(far)[0]]
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


def _listed(tried: list[Tried]) -> str:
    return ", ".join(f"{t.h.words} ({t.best_m:.0f} m)" if np.isfinite(t.best_m) else t.h.words for t in tried[:6])


def _candidates(tried: list[Tried], best: Hypothesis) -> tuple[Candidate, ...]:
    """Readings by their rank; the first carries the datum that was found."""
    out = []
    for i, t in enumerate(tried[:8]):
        h = best if i == 0 else t.h
        median = t.best_m if np.isfinite(t.best_m) else None
        out.append(Candidate(h.epsg, h.datum, h.axis, h.words + f" ({t.h.basis})", h.factor, median))
    return tuple(out)
