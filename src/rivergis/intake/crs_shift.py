"""The last question to a layer that has a place: does it lie there as it stands, or shifted by a datum?

GCJ-02 and BD-09 are proposed with their evidence, a constant shift is said; nothing is shifted without consent.
"""

from __future__ import annotations

from dataclasses import replace

from rivergis.intake import crs_datum
from rivergis.intake.crs_case import Case, Tried
from rivergis.intake.crs_datum import DatumTest, Misfit
from rivergis.intake.crs_numbers import Hypothesis, Numbers
from rivergis.intake.crs_verdict import Candidate, Certainty, Group, Verdict, shift_defect
from rivergis.intake.delivery import defect


def datum_of(tried: Tried) -> Hypothesis:
    return tried.h.shifted(tried.test.best) if tried.test and tried.test.decided else tried.h


def said_datum(case: Case, found: Verdict) -> Verdict:
    """A datum the user gives is taken; one that words near the table name is a suspicion."""
    given, h = case.said.asked.datum, found.hypothesis
    if given is not None and h is not None:
        shifted = h.shifted(given if given in ("gcj02", "bd09") else "wgs84")  # type: ignore[arg-type]
        sure: Certainty = "declared" if found.verdict == "suspected" and h.geographic else found.verdict
        return replace(
            found, verdict=sure, hypothesis=shifted, reasons=(*found.reasons, f"given with --datum: {given}")
        )
    if case.said.hint.datum is not None and h is not None:
        words = f"words in the file speak of {case.said.hint.datum.upper()}"
        d = defect(
            "datum_shift_suspected",
            "warning",
            f"{words[0].upper()}{words[1:]} (not held against rivers).",
            f"Nothing is shifted without --datum {case.said.hint.datum}.",
        )
        return replace(
            found,
            verdict="suspected",
            hypothesis=h.shifted(case.said.hint.datum),
            reasons=(*found.reasons, words),
            defects=(*found.defects, d),
        )
    return found


def on_the_rivers(case: Case, n: Numbers, found: Verdict, tried: Tried) -> Verdict:
    """The last question: does it lie on the rivers as it stands, or shifted as a whole?"""
    test, h = tried.test, found.hypothesis
    if case.said.asked.datum is not None or test is None or h is None:
        return said_datum(case, found)
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
            defects=(*found.defects, shift_defect(test.best, test)),
        )
    ground = case.ground(h.degrees(n.sample()))
    least = crs_datum.LEAST_DECLARED_M if case.said.meaning.usable else crs_datum.LEAST_SILENT_M
    off = crs_datum.misfit(ground, h.degrees(n.sample(1_500)), least) if ground is not None else None
    if off is not None:
        return _misfitting(case, found, off)
    found = _nearer_without_shift(found, test)
    told = case.said.meaning.usable or case.worded(h) or (test.decided and test.best == "wgs84")
    if found.verdict == "recognised" and not told:
        why = "it does not lie on known rivers clearly enough to tell its datum"
        return said_datum(case, replace(found, verdict="suspected", reasons=(*found.reasons, why)))
    return said_datum(case, found)


def _misfitting(case: Case, found: Verdict, off: Misfit) -> Verdict:
    """A whole layer beside the rivers: its direction is not told, for it may be a parameter that must not be passed on."""
    how = "turned or stretched" if off.turned else "in one direction"
    message = f"The whole layer lies up to {round(off.size_m, -1):.0f} m off the known rivers, {how}: an old datum or a local grid?"
    d = defect(
        "datum_shift_suspected", "warning", message, "Nothing is shifted. Ask the survey office which system it is."
    )
    more = (
        (defect("local_grid", "warning", message, "Ask the survey office which system it is."),) if off.turned else ()
    )
    found = replace(found, defects=(*found.defects, d, *more), reasons=(*found.reasons, message))
    # a person who names the system has the last word, and is told
    return found if case.said.asked.crs is not None else replace(found, verdict="suspected")


def _nearer_without_shift(found: Verdict, test: DatumTest) -> Verdict:
    """A shift that would fit, of a layer too small to tell: said, not believed."""
    there, here = test.medians_m[test.best], test.medians_m["wgs84"]
    if test.decided or there > crs_datum.ON_RIVER_M or here <= max(crs_datum.ON_RIVER_M, 2 * there):
        return found
    message = f"Without a shift to {test.best.upper()} it would lie nearer to the rivers, but too little of it tells: {test.words}."
    d = defect("datum_unchecked", "info", message, "Ask which app or office wrote it.")
    return replace(found, defects=(*found.defects, d), reasons=(*found.reasons, message))


def with_datum_groups(case: Case, found: Verdict) -> Verdict:
    """A layer that is right in part and shifted in part."""
    h = found.hypothesis
    if h is None or case.said.asked.datum is not None:
        return found
    plain = h.shifted("wgs84")
    ground = case.ground(plain.degrees(case.main.sample()))
    few = case.main.of(case.main.rows[:: max(1, len(case.main.rows) // 500)])
    groups = crs_datum.split_by_datum(ground, plain, few) if ground is not None else None
    if groups is None:
        return found
    made = tuple(
        Group(
            tuple(str(i) for i in case.all.ids[rows]),
            len(rows),
            plain.epsg,
            d,
            plain.axis,
            plain.shifted(d).words,
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
