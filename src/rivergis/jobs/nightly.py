"""The night: score the day's tracks, check candidates, outfalls and lines, record leads, write the morning report.

One transaction: a night is recorded whole or not at all. Its inputs are hashed first, so a second run of the same
night changes nothing, and a killed one is simply run again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyproj
import shapely

from rivergis import __version__
from rivergis.boundary import workflow as boundary_workflow
from rivergis.db import fingerprint, system
from rivergis.db.connect import Database, now_of, postgis_version
from rivergis.encroachment import (
    book_workflow,
    judge_workflow,
    night_store,
    patch_workflow,
    pictures_workflow,
    record_workflow,
    report_store,
    report_workflow,
)
from rivergis.encroachment import store as finding_store
from rivergis.errors import UsageError
from rivergis.layers import LAYERS
from rivergis.lead import Lead
from rivergis.outfall import workflow as outfall_workflow
from rivergis.patrol import workflow as patrol_workflow
from rivergis.reports import morning
from rivergis.river import store as river_store
from rivergis.river.register import Register
from rivergis.rules import RuleBook, path_of

JOB = "nightly"
SHANGHAI = ZoneInfo("Asia/Shanghai")
# nouns whose versions a night reads; boundary lines and areas are stored as the three nouns of an act
NOUNS = sorted(({*LAYERS} - {"boundary_line"}) | {"boundary_version", "boundary_segment", "imagery"})

TOPICS = ("encroachment", "outfall_in_zone", "outfall_position", "boundary_line")

Progress = Callable[[str], None]


@dataclass(frozen=True)
class NightResult:
    """What a night did: ``changed`` is False when everything was recorded before."""

    night: date
    changed: bool
    state: str
    counts: dict[str, Any] = field(default_factory=dict)
    report: str | None = None
    rule_set: str = ""
    unconfirmed: list[str] = field(default_factory=list)


def yesterday(now: datetime | None = None) -> date:
    """The civil day before now in Asia/Shanghai: what a night is about unless told otherwise."""
    return ((now or datetime.now(UTC)).astimezone(SHANGHAI) - timedelta(days=1)).date()


def run(
    db: Database,
    book: RuleBook,
    night: date,
    actor: str,
    *,
    adcode: str | None,
    store_dir: Path,
    report_dir: Path,
    progress: Progress = lambda _: None,
) -> NightResult:
    """Run one night. ``adcode`` sets the jurisdiction of the rules; None takes the county the database holds.

    Raises ``AlreadyRunning`` when another night holds the lock, ``UsageError`` when a later night is already recorded.
    """
    started = datetime.now(UTC)
    with db.lock(JOB), db.write(actor) as conn:
        # what an import that began before has still to say belongs to what was known
        system.one_import_at_a_time(conn)
        known = now_of(conn)
        county = adcode or river_store.home(conn, night, known) or "000000"
        engine = engine_of(conn)
        view = book.at(path_of(county), night)
        report_workflow.take_observations(conn, night, report_workflow.kinds(view))
        looks = report_store.state(conn, night, known)
        inputs = fingerprint.fingerprint(conn, NOUNS, night, known, book.version, county, looks, *engine.values())
        before = system.latest_job_run(conn, JOB, night, "")
        if before is not None and before["input_hash"] == inputs:
            progress("nothing has changed since this night was run")
            return NightResult(
                night, False, before["state"], before["counts"], _report_path(report_dir, night), book.version
            )
        last = system.last_run_date(conn, JOB)
        if last is not None and last > night:
            raise UsageError(
                f"Nights run in order: {last} is already recorded, so {night}, whose inputs have changed since, cannot be run after it."
            )
        rule_set = system.keep_rules(conn, book.version, book.content, book.rows())
        counts, unconfirmed = _work(conn, book, county, rule_set, engine, night, known, store_dir, progress)
        system.record_job_run(
            conn,
            job=JOB,
            run_date=night,
            district="",
            state="done",
            started_at=started,
            finished_at=datetime.now(UTC),
            input_hash=inputs,
            rule_set=rule_set,
            counts=counts,
            message=None,
            engine=engine,
        )
    days = int(book.at(path_of("000000"), night).number("personal_data.track_retention"))
    purged = patrol_workflow.purge_expired(db, today=night, retention_days=days, store_dir=store_dir, actor=actor)
    if purged:
        progress(f"raw tracks past their {days} days removed: {purged}; intervals and hashes stay")
    progress("writing the morning report")
    path = morning.write(db, night, report_dir, store_dir)
    return NightResult(night, True, "done", counts, str(path), book.version, unconfirmed)


def engine_of(conn: Any) -> dict[str, str]:
    """Versions of the software that a night is worked out by."""
    return {
        "rivergis": __version__,
        "postgis": postgis_version(conn),
        "geos": shapely.geos_version_string,
        "proj": pyproj.proj_version_str,
    }


def score_patrols(
    db: Database, book: RuleBook, days: list[date], actor: str, adcode: str | None = None
) -> dict[date, patrol_workflow.DayScored]:
    """Score the outings of days without waiting for a night (a month brought in at once, a correction), each as of its own day."""
    with db.lock(JOB), db.write(actor) as conn:
        known = now_of(conn)
        rule_set = system.keep_rules(conn, book.version, book.content, book.rows())
        return _score_days(conn, book, adcode, rule_set, days, known)


def days_due(db: Database, book: RuleBook, until: date) -> list[date]:
    """Days up to ``until`` whose patrols wait for a scoring: new, late or continued tracks, changed duties or reaches."""
    with db.read() as conn:
        view = book.at(path_of(river_store.home(conn, until, now_of(conn)) or "000000"), until)
        return patrol_workflow.days_to_score(conn, view, until, None)


def _score_days(
    conn: Any, book: RuleBook, adcode: str | None, rule_set: str, days: list[date], known: datetime
) -> dict[date, patrol_workflow.DayScored]:
    out = {}
    for day in days:
        view = book.at(path_of(adcode or river_store.home(conn, day, known) or "000000"), day)
        out[day] = patrol_workflow.score_day(conn, view, rule_set, day, known)
    return out


def _registers(conn: Any, book: RuleBook, county: str, engine: dict[str, str], night: date, known: datetime) -> str:
    """Hash over everything but deliveries that verdicts on candidates rest on: registers, images, rules in force, software."""
    rules_in_force = "".join("1" if row.holds_on(night) else "0" for row in book.rows())
    versions = fingerprint.in_force(conn, set(NOUNS) - {"candidate"}, night, known)
    return hashlib.sha256(
        "|".join([versions, book.version, rules_in_force, county, *engine.values()]).encode()
    ).hexdigest()


def _registers_before(conn: Any, night: date) -> str | None:
    """The same of the night before, None where it is not known."""
    last = finding_store.night_before(conn, night)
    run = None if last is None else system.latest_job_run(conn, JOB, last[0])
    return None if run is None else run["counts"].get("registers")


def _report_path(report_dir: Path, night: date) -> str | None:
    path = morning.path_of_night(report_dir, night)
    return str(path) if path.exists() else None


def _work(
    conn: Any,
    book: RuleBook,
    county: str,
    rule_set: str,
    engine: dict[str, str],
    night: date,
    known: datetime,
    store_dir: Path,
    progress: Progress,
) -> tuple[dict[str, Any], list[str]]:
    """All checks of a night in the caller's transaction: counts, and the unconfirmed rule keys used."""
    path = path_of(county)
    views = {name: book.at(path, night) for name in ("patrol", "encroachment", "outfall", "boundary")}
    progress("scoring the day's patrol tracks")
    day = patrol_workflow.score_day(conn, views["patrol"], rule_set, night, known)
    progress("scoring tracks that came late, and those whose duties or reaches changed")
    since = system.last_begun(conn, JOB)
    late = [d for d in patrol_workflow.days_to_score(conn, views["patrol"], night, since) if d != night]
    again = _score_days(conn, book, county, rule_set, late, known).values()
    register = Register(
        river_store.axes(conn, night, known),
        river_store.units(conn, night, known),
        river_store.duties(conn, night, known),
    )
    progress("checking candidates against the lines in force")
    view = views["encroachment"]
    books = {topic: book_workflow.known_leads(conn, topic, night, view) for topic in TOPICS}
    watched = books["encroachment"].watched
    judged = judge_workflow.judge(conn, view, register, night, known, watched)
    progress("checking outfalls and boundary lines")
    registers: dict[str, list[Lead]] = {topic: [] for topic in TOPICS if topic != "encroachment"}
    registers["boundary_line"] = boundary_workflow.leads(conn, views["boundary"], register, night, known)
    for lead in outfall_workflow.leads(conn, views["outfall"], register, night, known):
        registers[lead.topic].append(lead)
    counts: dict[str, Any] = {
        "tracks": day.tracks,
        "tracks_scored": day.scored,
        "tracks_to_review": day.to_review,
        "late_tracks_scored": sum(d.scored for d in again),
        "late_tracks_to_review": sum(d.to_review for d in again),
        "candidates": judged.count,
        "not_told": judged.reasons,
        "topics": {},
    }
    given = finding_store.Given(rule_set, county, engine, known)
    done = {
        topic: record_workflow.record_register(conn, topic, leads, books[topic], view, given, night)
        for topic, leads in registers.items()
    }
    counts["registers"] = _registers(conn, book, county, engine, night, known)
    same = counts["registers"] == _registers_before(conn, night)
    told = record_workflow.record_encroachments(
        conn, judged, books["encroachment"], view, given, night, known, unchanged=same
    )
    scenes = night_store.imagery(conn, night, known)
    counts["pictures"] = pictures_workflow.attach_pictures(conn, told.new, scenes, store_dir)
    counts["report_photos"] = report_workflow.attach_photos(conn)
    counts["patches_filled"] = patch_workflow.fill(conn, view, register, night, known)
    for topic, recorded in {"encroachment": told, **done}.items():
        counts["topics"][topic] = {
            "leads": recorded.leads,
            "on_announced": recorded.announced,
            "statuses": recorded.statuses,
            "verdicts": recorded.verdicts,
        }
    unconfirmed = sorted({v.key for view in views.values() for v in view.used if v.status == "unconfirmed"})
    counts["rules_unconfirmed"] = unconfirmed
    return counts, unconfirmed
