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
from rivergis.intake.crs_case import Case, Said, Tried, candidates, listed, said_of
from rivergis.intake.crs_claim import against_declared
from rivergis.intake.crs_groups import GROUP, Rows, kinds_of_numbers, split_zones
from rivergis.intake.crs_numbers import Hypothesis, Numbers
from rivergis.intake.crs_outliers import far_vertices
from rivergis.intake.crs_reference import Reference
from rivergis.intake.crs_shift import datum_of, on_the_rivers, said_datum, with_datum_groups
from rivergis.intake.crs_verdict import ASK, Candidate, Certainty, Group, Verdict, axis_defect
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
    if not n.xy.any():
        message = "Every position is (0, 0): whoever wrote it knew none."
        return Verdict(
            "refused", None, None, said.declared, (message,), (), (defect("outlier_vertex", "error", message, ASK),)
        )
    gross = crs_numbers.gross_outliers(n)
    zeros = crs_numbers.zeros(n)
    few = len(np.unique(n.feature[gross & ~zeros])) <= max(1, GROUP * len(n.rows))
    # a sizeable minority is a group of its own, not a slip of the pen; zeros are never a place
    off = gross if few else zeros
    main = n.without(off) if off.any() and not off.all() else n
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
        hint = self.case.said.hint
        if not here and not self.case.said.meaning.usable and (hint.meridian is not None or hint.zone is not None):
            # nothing lies at the place in the zone that words name: perhaps in another
            heedless = self.case.readings(n, heed_words=False)
            against = [t for t in self.case.tried(heedless, n) if t.fit.inside >= _INSIDE]
            if against:
                return self._words_contradicted(n, against)
            if not possible and heedless:
                return self._unusual_meridian(heedless)
        declared = [h for h in possible if h.basis == "declared"]
        if self.case.said.meaning.usable:
            return against_declared(self.case, n, declared, possible, here)
        if here:
            return self._by_reference(n, here)
        return self._by_numbers(possible)

    def _words_contradicted(self, n: Numbers, here: list[Tried]) -> Verdict:
        """Words name a zone in which the layer does not lie at the place; in another it does."""
        found = self._by_reference(n, here)
        message = f"Words in the file name another zone ({self.case.layer.declared.text[:80]}) than the one it lies in."
        d = defect("crs_mismatch", "warning", message, ASK)
        return replace(found, verdict="suspected", defects=(*found.defects, d), reasons=(*found.reasons, message))

    def _unusual_meridian(self, heedless: list[Hypothesis]) -> Verdict:
        """Words name a central meridian that no standard zone has."""
        hint = self.case.said.hint
        meridian = f"{hint.meridian:g}" if hint.meridian is not None else f"of zone {hint.zone}"
        message = (
            f"Words in the file name the central meridian {meridian}, which fits no standard zone and these numbers."
        )
        action = "Ask for the data in a standard zone or in degrees."
        found = (self._missing(), defect("zone_ambiguous", "warning", message, action))
        candidates = tuple(Candidate(h.epsg, h.datum, h.axis, h.basis, h.factor) for h in heedless)
        return Verdict("suspected", None, None, "", (message,), candidates, found)

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
                    "Several readings come to the place: " + listed([best, *open_]) + ".",
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
                candidates([best, *open_], h),
                tuple(found),
            )
        sure: Certainty = "suspected" if h.factor != 1.0 or self._against_names(h) else "recognised"
        return on_the_rivers(
            self.case, n, Verdict(sure, h, h.epsg, "", tuple(reasons), candidates(ranked[:5], h), tuple(found)), best
        )

    def _by_numbers(self, possible: list[Hypothesis]) -> Verdict:
        """Without a reference nothing is certain but what words declare: zone, datum, even degrees may be another's."""
        found = [self._missing()]
        if not possible and self.case.layer.declared.degrees:
            message = "Columns named for longitude and latitude hold no degrees: seconds, dddmm.mm, whole numbers of a millionth?"
            found.append(defect("units_suspect", "error", message, "Refused. Ask how they are written."))
            return Verdict("refused", None, None, "", (message,), (), tuple(found))
        if not possible:
            message = "The numbers are no degrees and fit no zone of the national system: a local or construction grid, or another system."
            found.append(defect("local_grid", "error", message, "Refused. " + ASK))
            return Verdict("refused", None, None, "", (message,), (), tuple(found))
        h = possible[0]
        found += self._reading_defects(h)
        candidates = tuple(Candidate(p.epsg, p.datum, p.axis, p.basis, p.factor) for p in possible)
        if len({p.epsg for p in possible}) > 1:
            reasons = (
                "the easting carries no zone number",
                "no reference of this place to tell the central meridian by",
            )
            message = f"The central meridian is not in the numbers: {len(possible)} readings are possible."
            found.append(defect("zone_ambiguous", "warning", message, ASK))
            return Verdict("suspected", None, None, "", reasons, candidates, tuple(found))
        if any(p.packed for p in possible):
            message = "Degrees may be packed as dd.mmssss, or be decimal: no reference of this place tells."
            found.append(defect("dms_text", "warning", message, ASK))
            return Verdict("suspected", None, h.epsg, "", (h.basis, message), candidates, tuple(found))
        if self.case.worded(h) and h.factor == 1.0:
            words = f"words in the file name the system: {self.case.layer.declared.text[:120]}"
            if h.geographic:
                message = "Words name the system, nothing else tells whether a map app shifted it."
                found.append(defect("datum_unchecked", "info", message, "Give --reference, or ask which app wrote it."))
            h = replace(h, epsg=4326) if self.case.said.hint.family == "wgs84" else h
            return said_datum(self.case, Verdict("declared", h, h.epsg, "", (words, h.basis), (), tuple(found)))
        reason = "no reference of this place, only the numbers speak for it"
        shifted = [h.shifted(d) for d in crs_datum.DATUMS[1:]] if h.geographic and h.epsg == 4490 else []
        candidates += tuple(
            Candidate(p.epsg, p.datum, p.axis, f"if it comes from a map app: {p.words}") for p in shifted
        )
        return said_datum(self.case, Verdict("suspected", h, h.epsg, "", (h.basis, reason), candidates, tuple(found)))

    def _missing(self) -> Defect:
        """Nothing declares the system; for columns named longitude and latitude that is no alarm, only worth knowing."""
        if self.case.said.meaning.family in ("unreadable", "unnamed"):
            message = f"Its system is not known: {self.case.said.meaning.reasons[0]}."
            return defect("crs_missing", "warning", message, ASK)
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

    def _against_names(self, h: Hypothesis) -> bool:
        """Whether a projected reading takes for north what the columns name east, or the reverse."""
        names = self.case.layer.names
        told = names is not None and names.north_first is not None and not h.geographic
        return told and names is not None and names.north_first != (h.axis == "swapped")

    def _reading_defects(self, h: Hypothesis) -> list[Defect]:
        found = []
        if h.factor != 1.0:
            message = f"The numbers are no metres: read as {crs_numbers.UNITS[h.factor]} they fit."
            found.append(defect("units_suspect", "warning", message, ASK))
        if h.packed:
            message = "Degrees are packed as dd.mmssss (degrees, minutes, seconds without marks)."
            found.append(defect("dms_text", "warning", message, "They are unpacked and said."))
        unnamed = h.axis == "swapped" and (h.geographic or self.case.layer.names is None)
        if unnamed or self._against_names(h):
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
        found = replace(found, outliers=ids, defects=(*found.defects, d))
        nowhere = set(np.unique(self.case.all.feature[crs_numbers.zeros(self.case.all)]).tolist())
        elsewhere = [r for r in rows.tolist() if r not in nowhere]
        return self._too_many_off(found, elsewhere) if found.certain else found

    def _too_many_off(self, found: Verdict, rows: list[int]) -> Verdict:
        """So many features off the others are no slips of the pen, but another system; zeros are simply no position."""
        of = len(self.case.all.rows)
        if len(rows) <= max(1, GROUP * of):
            return found
        ids = tuple(self.case.all.ids[rows].tolist())
        why = f"{len(ids)} of {of} features do not lie with the others: another zone or system"
        mixed = defect("mixed_zones", "warning", f"{why}.", ASK, ids, len(ids))
        return replace(found, verdict="suspected", reasons=(*found.reasons, why), defects=(*found.defects, mixed))
