"""A morning read from the database (晨报): tonight's measures beside those of the nights before, each as known when it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import geopandas as gpd
from sqlalchemy import Connection

from rivergis.db import system
from rivergis.db.connect import now_of, read_table
from rivergis.errors import NotFound
from rivergis.maps import leads
from rivergis.maps.features import When
from rivergis.reports import morning_leads, morning_patrols, morning_run
from rivergis.reports.morning_facts import (
    BEFORE_NIGHTS,
    LEADS,
    LINES,
    NO_TOWN,
    PATROLS,
    RUN,
    WORK,
    Figure,
    Measured,
    Morning,
    compared,
)
from rivergis.reports.morning_leads import At
from rivergis.river import store as river_store
from rivergis.rules import NATIONAL, RuleBook, RuleView, path_of

JOB, KEPT = "nightly", "morning"
DAYS = ("verify_over", "due_within", "permit_ends_within", "unseen_over", "look_within")
FIGURES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (RUN, "districts_failed", "", morning_run.FAILED),
    (RUN, "feeds_missing", "", morning_run.FEEDS),
    (RUN, "not_observed", "km", morning_run.LINES),
    (LEADS, "new_announced", "", morning_leads.TOLD),
    (LEADS, "new_elsewhere", "", morning_leads.TOLD),
    (LEADS, "grown", "", morning_leads.TOLD),
    (LEADS, "rebound", "", morning_leads.TOLD),
    (LEADS, "gone", "", morning_leads.TOLD),
    (LEADS, "permit_open", "", morning_leads.PERMITS_OPEN),
    (WORK, "to_verify", "", morning_leads.CASES),
    (WORK, "due_soon", "", morning_leads.CASES),
    (WORK, "work_overdue", "", morning_leads.CASES),
    (WORK, "to_accept", "", morning_leads.CASES),
    (WORK, "at_superior", "", morning_leads.CASES),
    (WORK, "closed_seen", "", morning_leads.CASES),
    (WORK, "stock", "", morning_leads.CASES),
    (WORK, "increment", "", morning_leads.CASES),
    (PATROLS, "patrol_due", "", morning_patrols.OWED),
    (PATROLS, "patrol_done", "", morning_patrols.OWED),
    (PATROLS, "patrol_overdue", "", morning_patrols.OWED),
    (PATROLS, "unseen", "km", morning_patrols.BANKS),
    (LINES, "handover", "", morning_leads.TOLD),
    (LINES, "permits_ending", "", morning_leads.PERMITS),
)


@dataclass(frozen=True)
class Read:
    """A morning, and the pieces of boundary line (EPSG:4490) that nobody looked at, for the map."""

    morning: Morning
    not_looked_at: gpd.GeoDataFrame


@dataclass(frozen=True)
class _Ground:
    """What all nights of one page are measured with."""

    book: RuleBook
    view: RuleView
    towns: gpd.GeoDataFrame
    units: Mapping[str, str]
    looked: morning_run.Looked

    def at(self, conn: Connection, night: date, known_at: datetime) -> At:
        names = dict(zip(self.towns["code"], self.towns["name"], strict=True))
        days = {d: int(self.view.number(f"morning.{d}")) for d in DAYS}
        return At(night, known_at, days, names, self.units, leads.is_baseline_signed(conn, When(night, known_at)))


def read(conn: Connection, book: RuleBook, night: date) -> Read:
    """Everything about the morning after a night: ``NotFound`` where that night was not run.

    The last night stands as the database knows it now, so that work of the day counts; an earlier one as it was known when it ended.
    """
    told = system.latest_job_run(conn, JOB, night)
    if told is None:
        raise NotFound(f"No night was run for {night}: run it with 'rivergis nightly run --date {night}'.")
    known = _known(conn, night, told)
    view = book.at(path_of(river_store.home(conn, night, known) or NATIONAL), night)
    units = river_store.units(conn, night, known)
    towns = units[units["level"] == "town"].sort_values("code").reset_index(drop=True)
    ground = _Ground(book, view, towns, dict(zip(units["code"], units["name"], strict=True)), morning_run.Looked())
    at = ground.at(conn, night, known)
    tonight, pieces = _measures(conn, ground, at, told["counts"])
    before = _increment_only(conn, known, _before(conn, ground, night, known))
    return Read(_morning(conn, ground, at, told, tonight, before), pieces)


TOLD_FIRST = ("new_announced", "new_elsewhere", "handover")
"""Figures of what a night tells first."""


def _before(conn: Connection, ground: _Ground, night: date, known_at: datetime) -> dict[date, dict[str, float | None]]:
    """Figures of the nights before: what their own mornings said, measured anew where no morning was kept of a night."""
    out: dict[date, dict[str, float | None]] = {}
    first, last = night - timedelta(days=BEFORE_NIGHTS), night - timedelta(days=1)
    for day, ended in morning_run.nights(conn, first, last, known_at).items():
        kept = system.latest_job_run(conn, KEPT, day)
        if kept is not None and datetime.fromisoformat(kept["counts"]["ended"]) == ended:
            out[day] = kept["counts"]["figures"]
        else:
            run = system.latest_job_run(conn, JOB, day) or {"counts": {}}
            measures, _ = _measures(conn, ground, ground.at(conn, day, ended), run["counts"])
            out[day] = {code: m.value for code, m in measures.items()}
    return out


def _increment_only(
    conn: Connection, known_at: datetime, before: dict[date, dict[str, float | None]]
) -> dict[date, dict[str, float | None]]:
    """The nights before without what they told first as long as it was stock (存量): it is no measure of what is new since."""
    found = read_table(conn, "SELECT night FROM app.baseline_signed(:known)", {"known": known_at})
    until = None if found.empty else found["night"].iloc[0]
    return {
        day: {c: v for c, v in values.items() if c not in TOLD_FIRST or until is None or day > until}
        for day, values in before.items()
    }


def _known(conn: Connection, night: date, told: Mapping[str, Any]) -> datetime:
    found = read_table(conn, "SELECT max(run_date) AS d FROM app.night_run WHERE run_date > :night", {"night": night})
    return now_of(conn) if found["d"].iloc[0] is None else told["finished_at"]


def _measures(
    conn: Connection, ground: _Ground, at: At, counts: Mapping[str, Any]
) -> tuple[dict[str, Measured], gpd.GeoDataFrame]:
    not_observed, pieces = morning_run.not_observed(conn, at, ground.towns, ground.looked)
    return {
        "districts_failed": morning_run.districts_failed(conn, at, dict(counts)),
        "feeds_missing": morning_run.feeds_missing(conn, at),
        "not_observed": not_observed,
        **morning_leads.told(conn, at),
        **morning_leads.work(conn, at),
        **morning_patrols.owed(conn, ground.book, at),
        "unseen": morning_patrols.unseen(conn, ground.view, at),
        "permits_ending": morning_leads.permits_ending(conn, at),
    }, pieces


def _morning(
    conn: Connection,
    ground: _Ground,
    at: At,
    told: dict[str, Any],
    tonight: Mapping[str, Measured],
    before: Mapping[date, Mapping[str, float | None]],
) -> Morning:
    figures = tuple(
        compared(
            group, code, unit, columns, tonight[code], {d: values.get(code) for d, values in before.items()}, at.night
        )
        for group, code, unit, columns in FIGURES
    )
    late_after_h = int(ground.view.number("service.stale_after"))
    run = morning_run.run(conn, at, told, tonight["feeds_missing"], late_after_h)
    return Morning(
        at.night,
        at.known_at,
        river_store.has_namespace(conn, "demo"),
        at.signed,
        run,
        figures,
        _towns(ground, figures),
        tuple(_first(figures)),
        at.days,
        tuple(told["counts"].get("rules_unconfirmed", ())),
    )


def _towns(ground: _Ground, figures: tuple[Figure, ...]) -> tuple[str, ...]:
    """Townships by code, then whatever else figures name, then what has none."""
    known = list(ground.towns["name"])
    named = {t for f in figures for t in f.towns} - {NO_TOWN}
    return (*known, *sorted(named - set(known)), *([NO_TOWN] if any(NO_TOWN in f.towns for f in figures) else []))


def _first(figures: tuple[Figure, ...]) -> list[Any]:
    """Leads that are new, grown or back, those in channel, levee, berm or first-class zones before the others."""
    rows = {
        r["id"]: r for f in figures if f.code in ("new_announced", "grown", "rebound", "new_elsewhere") for r in f.rows
    }
    return sorted(rows.values(), key=morning_leads.order)
