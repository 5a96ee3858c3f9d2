"""How the figures of a morning are worded: labels, numbers, and where a number leads."""

from __future__ import annotations

from urllib.parse import urlencode

from rivergis import words
from rivergis.reports.morning_facts import Figure, Morning

# figures whose label says the days of the rule it goes by
_DAYS = {
    "to_verify": "verify_over",
    "due_soon": "due_within",
    "unseen": "unseen_over",
    "permits_ending": "permit_ends_within",
}
# the ledger list of the service that a number leads to
_LEDGER: dict[str, dict[str, str]] = {
    "new_announced": {"status": "new"},
    "new_elsewhere": {"status": "new"},
    "grown": {"status": "grown"},
    "rebound": {"status": "rebound"},
    "gone": {"status": "gone"},
    "to_verify": {"state": "to_verify"},
    "due_soon": {"clock": "due"},
    "work_overdue": {"clock": "overdue"},
    "to_accept": {"state": "rectified"},
    "at_superior": {"clock": "awaits_above"},
    "closed_seen": {"clock": "rebound", "state": "any"},
    "stock": {"stock": "stock"},
    "increment": {"stock": "increment"},
    "handover": {"status": "new"},
}
_PAGES = {"feeds_missing": "/feeds", "not_observed": "/maps/night/{night}", "permit_open": "/maps/night/{night}"}


def label(code: str, m: Morning, lang: str = "zh") -> str:
    """What a figure is called. Until a baseline is signed nothing is new: it is stock to be verified (存量待核)."""
    if not m.baseline_signed and code.startswith("new_"):
        code = code.replace("new_", "stock_", 1)
    days = {"days": m.limits[_DAYS[code]]} if code in _DAYS else {}
    return words.say(f"morning.{code}", lang, **days)


def number(value: float | None, unit: str = "") -> str:
    """A number as people read it: counts whole, kilometres to a tenth; what is not known is a dash, never nought."""
    if value is None:
        return "—"
    return f"{value:,.1f}{'' if unit == '' else ' ' + unit}" if unit else f"{value:,.0f}"


def mean(figure: Figure) -> str:
    """The mean of the nights before to a tenth."""
    return "—" if figure.mean is None else f"{figure.mean:,.1f}"


def link(figure: Figure, m: Morning, standalone: bool, town: str = "") -> str:
    """Where a number leads: in a file to its rows in the file, in the service to the ledger list, of a township if it is
    named, or to the map of the night."""
    if standalone or not figure.value:
        return f"#f-{figure.code}" if figure.rows else "#summary"
    if figure.code in _PAGES:
        return _PAGES[figure.code].format(night=m.night)
    if figure.code not in _LEDGER:
        return f"#f-{figure.code}"
    asked = dict(_LEDGER[figure.code])
    if "status" in asked:
        asked |= {"night": str(m.night), "state": "any"}
    return f"/cases?{urlencode({**asked, **({'town': town} if town else {})})}"
