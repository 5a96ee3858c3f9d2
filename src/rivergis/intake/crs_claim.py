"""The claim of a file held against its numbers and the known place: believed, exchanged, or contradicted."""

from __future__ import annotations

import numpy as np

from rivergis.intake import crs_datum, crs_numbers
from rivergis.intake.crs_case import Case, Tried, candidates, listed
from rivergis.intake.crs_numbers import Hypothesis, Numbers
from rivergis.intake.crs_reference import Fit
from rivergis.intake.crs_shift import datum_of, on_the_rivers, said_datum
from rivergis.intake.crs_verdict import ASK, Certainty, Verdict, axis_defect, shift_defect
from rivergis.intake.delivery import Defect, Severity, defect


def against_declared(
    case: Case, n: Numbers, declared: list[Hypothesis], possible: list[Hypothesis], here: list[Tried]
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
                return _contradicted(case, better, possible)
        return _declared(case, n, chosen.h, chosen)
    elsewhere = [
        t
        for t in here
        if t.h.basis != "declared" and (t.test is None or t.best_m <= crs_datum.ON_RIVER_M or t.fit.inside >= 0.95)
    ]
    if elsewhere and not case.said.asked.crs:
        return _contradicted(case, elsewhere, possible)
    plain = [h for h in declared if h.axis == "normal"]
    swapped = [h for h in declared if h.axis == "swapped"]
    if plain and not (swapped and _rather_swapped(case, n)):
        return _declared(case, n, plain[0], None, mismatch=bool(elsewhere))
    if swapped:
        return _declared(case, n, swapped[0], None)
    if case.said.asked.crs:
        return _impossible(case)
    return _contradicted(case, [Tried(h, Fit(0.0, np.inf, 0.0)) for h in possible if h.basis != "declared"], possible)


def _rather_swapped(case: Case, n: Numbers) -> bool:
    """Degrees that are a place in China only with their axes exchanged (and a polar sea as they stand)."""
    x, y = (float(v) for v in np.median(n.centres, axis=0))
    return crs_numbers.shape_of(x, y) == "degrees, axes exchanged"


def _declared(case: Case, n: Numbers, h: Hypothesis, tried: Tried | None, mismatch: bool = False) -> Verdict:
    given = case.said.asked.crs is not None
    reasons = [f"given with --crs: {case.said.declared}" if given else case.said.meaning.reasons[0]]
    found: list[Defect] = []
    if case.said.meaning.contradictions:
        said_of = "; ".join(case.said.meaning.contradictions)
        reasons.append(said_of)
        found.append(
            defect(
                "declaration_contradictory",
                "info",
                f"The declared system contradicts itself: {said_of}.",
                "The parameters were taken, not the names.",
            )
        )
    verdict: Certainty = "declared"
    doubts = "; ".join(case.said.meaning.doubts)
    confirmed = tried is not None and tried.fit.inside >= 0.95 and tried.fit.median_m <= crs_datum.ON_RIVER_M
    if doubts and not given:
        reasons.append(doubts)
        severity: Severity = "info" if confirmed else "warning"
        found.append(defect("crs_mismatch", severity, f"The declared system contradicts itself: {doubts}.", ASK))
        verdict = "declared" if confirmed else "suspected"
    if mismatch:
        found.append(
            defect(
                "crs_mismatch",
                "warning",
                "In the system given it does not lie at the reference, in another it would.",
                "It is used as given.",
            )
        )
    if h.axis == "swapped":
        named = case.layer.names
        if verdict == "declared" and not (named is not None and named.north_first):
            verdict = "recognised"
        reasons.append("the first ordinate holds north: only exchanged do the numbers lie in the declared system")
        if named is None or h.geographic:
            found.append(axis_defect())
    if tried is None:
        found += _unchecked(case, h)
        reasons.append(
            "no reference of this place: not held against rivers"
            if case.reference is not None
            else "nothing in the numbers contradicts it"
        )
        return said_datum(case, Verdict(verdict, h, h.epsg, case.said.declared, tuple(reasons), (), tuple(found)))
    reasons.append(f"{tried.fit.inside:.0%} of it lies in the area of the reference")
    return on_the_rivers(
        case, n, Verdict(verdict, h, h.epsg, case.said.declared, tuple(reasons), (), tuple(found)), tried
    )


def _unchecked(case: Case, h: Hypothesis) -> list[Defect]:
    """A format says WGS 84 by its standard; phone apps write GCJ-02 into it all the same."""
    if case.layer.declared.where != "format" or case.said.asked.datum or case.said.asked.crs:
        return []
    lon, lat = np.median(h.degrees(case.main.centres), axis=0)
    west, south, east, north = crs_numbers.CHINA
    if not (west <= lon <= east and south <= lat <= north):
        return []
    message = "Only the format says WGS 84; map apps write GCJ-02 into it. No river of this place is known to hold it against."
    return [defect("datum_unchecked", "info", message, "Give --reference, or ask which app wrote it.")]


def _contradicted(case: Case, others: list[Tried], possible: list[Hypothesis]) -> Verdict:
    """The declared system does not hold; what does is a suspicion, because the file says otherwise."""
    said_of = case.said.declared
    units = case.said.meaning.projected != all(not t.h.geographic for t in others) or any(
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
    if best.h.axis == "swapped" and case.layer.names is None:
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
                "Several zones or meridians are possible: " + listed(ranked) + ".",
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
        candidates(ranked, h),
        tuple(found),
    )


def _impossible(case: Case) -> Verdict:
    message = f"The coordinates do not lie in {case.said.declared}, the system given with --crs."
    return Verdict(
        "refused",
        None,
        None,
        case.said.declared,
        (message,),
        (),
        (defect("crs_mismatch", "error", message, "Name another system."),),
    )
