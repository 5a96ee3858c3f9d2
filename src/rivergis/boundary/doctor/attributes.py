"""What is written beside a line: announcement, date, chainage, codes, and whether its reach exists."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import shapely

from rivergis.boundary.doctor.axes import Floats
from rivergis.boundary.doctor.case import Case, Defect, Limits
from rivergis.boundary.doctor.desk import Desk
from rivergis.boundary.doctor.lines import Laid

ANNOUNCEMENT = ("announce_gov", "announce_doc_no", "announce_date")
UNANNOUNCED = ("draft", "surrogate", "computed")
"""Bases of lines that nobody has announced yet, or ever will."""
CODED = ("line_type", "basis", "bank")
_LENGTH_SLACK = 1e-3
"""Share of a reach by which measured lengths of two systems may differ."""


def attributes(desk: Desk, laid: Laid) -> list[Defect]:
    """Defects of attributes, one a line and code; columns that the files do not have are not asked."""
    case = desk.case
    wrong: dict[str, list[tuple[int, str]]] = {
        "missing_announcement": _unannounced(case),
        "bad_date": _dates(case),
        "bad_chainage": _chainages(case, laid),
        "unknown_reach": _unknown(case, laid),
        "bad_code": _codes(case),
    }
    span = laid.span
    middle = shapely.get_coordinates(shapely.line_interpolate_point(laid.shapes, 0.5, normalized=True))
    return [
        desk.defect(
            code,
            int(laid.reach[row]),
            int(laid.bank[row]),
            (float(min(span[0][row], span[1][row])), float(max(span[0][row], span[1][row]))),
            middle[row],
            desk.names(row),
            unit="",
            bank=desk.bank(row),
            what=what,
        )
        for code, rows in wrong.items()
        for row, what in rows
    ]


def unasked(case: Case) -> list[str]:
    """Columns of announcements that say nothing in any line, so that nobody was asked for them: a draft has none yet."""
    return [c for c in ANNOUNCEMENT if c not in case.present or case.lines[c].isna().all()]


def _unannounced(case: Case) -> list[tuple[int, str]]:
    asked = [c for c in ANNOUNCEMENT if c not in unasked(case)]
    if not asked:
        return []
    empty = case.lines[asked].isna().to_numpy() & ~case.lines["basis"].isin(UNANNOUNCED).to_numpy()[:, None]
    return [(int(r), ", ".join(np.array(asked)[empty[r]])) for r in np.flatnonzero(empty.any(axis=1))]


def _dates(case: Case) -> list[tuple[int, str]]:
    if "announce_date" in unasked(case):
        return []
    said = case.lines["announce_date"]
    wrong = {d for d in said.dropna().unique() if not date_fits(str(d), case.limits)}
    return [(int(r), str(said.iat[r])) for r in np.flatnonzero(said.isin(wrong))]


def date_fits(text: str, limits: Limits) -> bool:
    """Whether a text is a day in one of the formats, not before the first day and not after today."""
    for pattern in limits.date_formats:
        day = _parsed(text, pattern)
        if day is not None:
            return limits.first_date <= day <= limits.today
    return False


def _parsed(text: str, pattern: str) -> date | None:
    try:
        return datetime.strptime(text, pattern).date()
    except ValueError:
        return None


def _chainages(case: Case, laid: Laid) -> list[tuple[int, str]]:
    """Lines whose chainage runs backwards, or ends beyond their reach.

    It counts from the first vertex of the reach, or along the river where the reaches say at which chainage they begin.
    """
    length = laid.axes.length[laid.reach]
    a, b = case.lines["from_m"].to_numpy(float), case.lines["to_m"].to_numpy(float)
    start = _starts(case, laid)
    most = length * (1 + _LENGTH_SLACK) + 1.0
    with np.errstate(invalid="ignore"):
        beyond = [(b - at > most) | (a - at < -1.0) for at in (np.zeros(len(a)), start)]
        wrong = (a >= b) | (beyond[0] & beyond[1])
    return [(int(r), f"{a[r]:g} – {b[r]:g} ({length[r]:.1f})") for r in np.flatnonzero(wrong)]


def _starts(case: Case, laid: Laid) -> Floats:
    """Chainage along the river at which the reach of each line begins; 0 where it is not said."""
    if "from_m" not in case.reaches or len(case.reaches) != len(laid.axes.length):
        return np.zeros(len(case.lines))
    known = case.reaches["from_m"].to_numpy(float)
    return np.nan_to_num(known)[laid.reach]


def _unknown(case: Case, laid: Laid) -> list[tuple[int, str]]:
    if "reach_id" not in case.present:
        return []
    return [(int(r), str(case.lines["reach_id"].iat[r] or "")) for r in np.flatnonzero(~laid.known)]


def _codes(case: Case) -> list[tuple[int, str]]:
    """Lines with a word that is in none of the lists; one defect a line, whatever the number of words."""
    wrong: dict[int, list[str]] = {}
    for column in CODED:
        if column not in case.present:
            continue
        said = case.lines[column]
        for r in np.flatnonzero(~said.isin(getattr(case.limits, column)).to_numpy()).tolist():
            wrong.setdefault(r, []).append(f"{column} = {said.iat[r] or ''}")
    return [(r, "; ".join(w)) for r, w in sorted(wrong.items())]
