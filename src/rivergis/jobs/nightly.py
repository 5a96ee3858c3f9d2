"""The night: score the day's tracks, check candidates, outfalls and lines, record leads, write the morning report.

A night begins by pinning what the database knows; every district is a transaction of its own, and what is done is never done
again. So a night that was killed at any point is gone on with and comes to the same result; a second run changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyproj
import shapely
from sqlalchemy import Connection

from rivergis import __version__, rules
from rivergis.db import fingerprint, nights, system
from rivergis.db.connect import Database, now_of, postgis_version
from rivergis.db.nights import JOB, Begun
from rivergis.encroachment import (
    patch_store,
    record_workflow,
    replay_store,
    report_store,
    report_workflow,
)
from rivergis.encroachment import store as finding_store
from rivergis.errors import EnvironmentFault, NotFound, RivergisError, RuleError, UsageError
from rivergis.jobs import feed_files, morning_job, night_counts, night_units
from rivergis.jobs.night_units import PATROLS, REGISTERS, Running
from rivergis.layers import LAYERS
from rivergis.patrol import workflow as patrol_workflow
from rivergis.reports import morning
from rivergis.river import store as river_store
from rivergis.rules import RuleBook, path_of

log = logging.getLogger("rivergis.nightly")
SHANGHAI = ZoneInfo("Asia/Shanghai")
# nouns whose versions a night reads; boundary lines and areas are stored as the three nouns of an act
NOUNS = sorted(({*LAYERS} - {"boundary_line"}) | {"boundary_version", "boundary_segment", "imagery"})
LINES = ("boundary_version", "boundary_segment", "boundary_area")

Progress = Callable[[str], None]


@dataclass(frozen=True)
class NightResult:
    """What a night did: ``changed`` is False when everything was recorded before; ``unfinished`` names parts still to be run."""

    night: date
    changed: bool
    state: str
    counts: dict[str, Any] = field(default_factory=dict)
    report: str | None = None
    rule_set: str = ""
    unconfirmed: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    """Districts, other parts and files that failed, each with its sentence; the rest of the night stands."""
    page_refused: bool = False
    """The folder of reports did not take the morning page (a full disk): run it again when it does. The night is recorded."""
    late: dict[str, Any] | None = None
    """For a night that later nights follow: what it would tell otherwise today. Nothing of it is written."""


def yesterday(now: datetime | None = None) -> date:
    """The civil day before now in Asia/Shanghai: what a night is about unless told otherwise."""
    return ((now or datetime.now(UTC)).astimezone(SHANGHAI) - timedelta(days=1)).date()


@dataclass(frozen=True)
class Desk:
    """Who runs nights, by which rules, and where files lie."""

    db: Database
    book: RuleBook
    actor: str
    store_dir: Path
    report_dir: Path | None
    """Where the morning page goes; None = none is written."""
    adcode: str | None = None
    rules_dir: Path | None = None
    """Where profiles of feeds are; None = the folders of feeds are not read."""
    progress: Progress = lambda _: None


def run(
    db: Database,
    book: RuleBook,
    night: date | None,
    actor: str,
    *,
    store_dir: Path,
    report_dir: Path | None,
    adcode: str | None = None,
    district: str | None = None,
    resume: bool = False,
    full: bool = False,
    rules_dir: Path | None = None,
    progress: Progress = lambda _: None,
) -> NightResult:
    """Run the night of a civil day, or go on with the one that was interrupted.

    ``adcode``: place whose rules hold everywhere (None: those of each district); ``district``: only this part (county adcode, or
    ``none``); ``resume``: the last night that began, if it has not come to its end; ``full``: look at everything, not only at what
    changed; ``rules_dir``: read the folders of feeds first. Raises ``AlreadyRunning``, ``UsageError``, ``EnvironmentFault``.
    """
    desk = Desk(db, book, actor, store_dir, report_dir, adcode, rules_dir, progress)
    on = night or yesterday()
    with db.lock(JOB):
        _is_no_day_to_come(desk, on)
        if district is not None:
            _known_district(desk, on, district)
        begun = _open(desk)
        if resume and begun is None:
            progress("no night is unfinished")
            return _as_it_was(desk)
        if begun is not None and resume:
            on = begun.night
        if begun is not None and begun.night <= on and not _mended(desk, begun):
            progress(
                f"going on with the night of {begun.night}, which began {begun.began_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
            )
            # nights run in order: one before is run to its end, whatever part of this one is asked for
            done = _go_on(desk, begun, district if begun.night == on else None, full)
            if begun.night == on:
                return done
        elif begun is not None and begun.night < on and begun.state is None:
            # what it told is not lost with the rules by which it began
            anew = _begin(desk, begun.night, begun.files, full)
            assert anew is not None
            _go_on(desk, anew, None, full)
        with db.read() as conn:
            last = nights.last_begun(conn)
        if last is not None and last > on:
            return _late(desk, on, last)
        files = [] if rules_dir is None else _files(desk, rules_dir)
        begun = _begin(desk, on, files, full)
        if begun is None:
            progress("nothing has changed since this night was run")
            return _as_it_was(desk, on)
        return _go_on(desk, begun, district, full)


def _is_no_day_to_come(desk: Desk, night: date) -> None:
    """Refuse a day that is not there yet and that nothing tells of: its night would shut out all nights until then."""
    if night <= yesterday() + timedelta(days=1):
        return
    with desk.db.read() as conn:
        told = nights.last_told_of(conn)
    if told is None or night > told + timedelta(days=7):
        raise UsageError(
            f"{night} is still to come, and nothing was delivered for a day near it: give the day that the night is about."
        )


def _mended(desk: Desk, begun: Begun) -> bool:
    """Whether other rules hold now than for a night that failed, or of which nothing is written: it is begun again, not gone on with."""
    if begun.rule_set == desk.book.version:
        return False
    with desk.db.read() as conn:
        if begun.state is not None or not nights.parts_done(conn, begun):
            return True
        try:
            _rules_of(conn, desk, begun)
        except (RuleError, NotFound):  # kept by a former version of the program
            return True
    return False


def _known_district(desk: Desk, night: date, district: str) -> None:
    """Refuse a district that there is not, before anything begins."""
    with desk.db.read() as conn:
        units = river_store.units(conn, night, now_of(conn))
    known = sorted({str(c)[:6] for c in units["code"]} | {"none"}) if len(units) else ["none"]
    if district not in known:
        raise UsageError(f"There is no district {district!r} on {night}; the districts are: {', '.join(known)}.")


def _open(desk: Desk) -> Begun | None:
    """The last night that began, where a part of it is still to be run or failed."""
    with desk.db.read() as conn:
        begun = nights.latest(conn)
    return None if begun is None or begun.state == "done" else begun


def _files(desk: Desk, rules_dir: Path) -> list[dict[str, Any]]:
    """The folders of feeds read; a bad file is told and stops nothing."""
    taken = feed_files.take_in(
        desk.db, desk.book, desk.actor, rules_dir=rules_dir, store_dir=desk.store_dir, progress=desk.progress
    )
    return [{k: str(v) for k, v in asdict(t).items() if k in ("feed", "file", "state", "sentence")} for t in taken]


def _begin(desk: Desk, night: date, files: Sequence[dict[str, Any]], full: bool) -> Begun | None:
    """Pin what is known and record that the night begins; None where everything was run and read as it is now."""
    with desk.db.write(desk.actor) as conn:
        # what an import that began before has still to say belongs to what was known
        system.one_import_at_a_time(conn)
        home = desk.adcode or river_store.home(conn, night, now_of(conn)) or "000000"
        view = desk.book.at(path_of(home), night)
        report_workflow.take_observations(conn, night, report_workflow.kinds(view))
        known = nights.moment(conn)
        engine = engine_of(conn)
        inputs = _inputs(conn, desk, night, known, engine)
        before, hash_ = nights.latest(conn, night), fingerprint.together(inputs)
        if before is not None and before.input_hash == hash_ and before.state == "done" and not full:
            return None
        rule_set = system.keep_rules(conn, desk.book.version, desk.book.content, desk.book.rows())
        return nights.begin(conn, night, known, inputs, hash_, engine, rule_set, files)


def _as_it_was(desk: Desk, night: date | None = None) -> NightResult:
    """The last night, or one, as it was run; a page that is not there is written."""
    with desk.db.read() as conn:
        run_ = system.latest_job_run(conn, JOB, night)
    if run_ is None:
        raise NotFound("No night was ever begun here: run one with 'rivergis nightly run'.")
    done = NightResult(run_["run_date"], False, run_["state"], run_["counts"], rule_set=run_["rule_set"] or "")
    return _with_page(desk, done)


def _with_page(desk: Desk, done: NightResult) -> NightResult:
    """A night that was run before, with its page; one that is not there is written."""
    path = _report_path(desk.report_dir, done.night)
    if path is not None or desk.report_dir is None:
        return replace(done, report=path)
    path, fault, refused = _page(desk, done.night)
    return replace(done, report=path, failed=fault, state="partly" if fault else done.state, page_refused=refused)


def _inputs(conn: Connection, desk: Desk, night: date, known: datetime, engine: dict[str, str]) -> dict[str, str]:
    """Hashes over everything a night reads, by what it is."""
    apart = {"candidate", "permit", "imagery", "stake", "landmark", *LINES}
    rules_in_force = "".join("1" if row.holds_on(night) else "0" for row in desk.book.rows())
    return {
        "registers": fingerprint.in_force(conn, set(NOUNS) - apart, night, known),
        "lines": fingerprint.in_force(conn, LINES, night, known),
        "permits": fingerprint.in_force(conn, ["permit"], night, known),
        "imagery": fingerprint.in_force(conn, ["imagery"], night, known),
        "deliveries": fingerprint.deliveries(conn, night, known),
        "looks": report_store.state(conn, night, known),
        "patches": patch_store.state(conn, known),
        "tracks": fingerprint.tracks(conn, night),
        "rules": fingerprint.together(
            {"book": desk.book.version, "in_force": rules_in_force, "place": desk.adcode or ""}
        ),
        "engine": fingerprint.together(engine),
        "nights": nights.chain(conn, night),
    }


def engine_of(conn: Connection) -> dict[str, str]:
    """Versions of the software that a night is worked out by."""
    return {
        "rivergis": __version__,
        "postgis": postgis_version(conn),
        "geos": shapely.geos_version_string,
        "proj": pyproj.proj_version_str,
    }


def _go_on(desk: Desk, begun: Begun, district: str | None, full: bool) -> NightResult:
    """Run what is not done yet of a night that began; its end is recorded when every part is done or has failed."""
    started = datetime.now(UTC)
    with desk.db.write(desk.actor) as conn:
        if begun.rule_set != desk.book.version:
            desk.progress("the rule files have changed since: it goes on by the rules it began with")
        desk = replace(desk, book=_rules_of(conn, desk, begun))
        # a program that was upgraded since answers for what it works out
        begun = replace(begun, engine=engine_of(conn))
        before = nights.before(conn, begun)
        done = {part for part, r in nights.parts_done(conn, begun).items() if r["state"] == "done"}
        run_ = _running(conn, desk, begun, before, full)
    every = [(PATROLS, ""), *((JOB, d) for d in night_units.districts(run_)), (REGISTERS, "")]
    wanted = every if district is None else [(JOB, district)]
    for job, code in wanted:
        if f"{job}/{code}" not in done:
            _unit(desk, run_, job, code)
    with desk.db.read() as conn:
        parts = nights.parts_done(conn, begun)
    missing = [f"{job}/{code}" for job, code in every if f"{job}/{code}" not in parts]
    if missing:
        return NightResult(
            begun.night,
            True,
            "partly",
            {},
            None,
            begun.rule_set,
            sorted(run_.unconfirmed),
            [_name(m) for m in missing],
        )
    return _end(desk, run_, parts, started)


def _rules_of(conn: Connection, desk: Desk, begun: Begun) -> RuleBook:
    """The rules a night began with, whatever was written into their files since."""
    if begun.rule_set == desk.book.version:
        return desk.book
    return rules.book_of(replay_store.rule_texts(conn, begun.rule_set))


def _running(conn: Connection, desk: Desk, begun: Begun, before: Begun | None, full: bool) -> Running:
    home = desk.adcode or river_store.home(conn, begun.night, begun.known_at) or "000000"
    return night_units.prepare(
        conn,
        desk.book,
        begun,
        before,
        home=home,
        forced=desk.adcode,
        full=full,
        store_dir=desk.store_dir,
        progress=desk.progress,
    )


def _unit(desk: Desk, run_: Running, job: str, code: str) -> None:
    """One part in one transaction; one that fails is recorded with its sentence, and the others go on."""
    started = datetime.now(UTC)
    desk.progress(_TOLD[job].format(code))
    try:
        with desk.db.write(desk.actor) as conn:
            counts = {
                PATROLS: lambda: night_units.patrols(conn, run_),
                JOB: lambda: night_units.district(conn, run_, code),
                REGISTERS: lambda: night_units.registers_of(conn, run_),
            }[job]()
            night_units.note(conn, run_, job, code, started, "done", counts, None)
    except EnvironmentFault:
        raise  # the database or the disk is gone: that is not this part's fault
    except RivergisError as error:
        _failed(desk, run_, job, code, started, error.sentence)
    except Exception as error:  # a fault of ours in one district must not cost the others their night
        log.debug("the part %s/%s of the night of %s failed", job, code, run_.begun.night, exc_info=error)
        _failed(desk, run_, job, code, started, f"A fault of the program: {morning_job.first_line(error)}")


_TOLD = {
    PATROLS: "scoring the day's patrol tracks",
    JOB: "checking candidates against the lines in force, district {}",
    REGISTERS: "checking outfalls and boundary lines",
}


def _failed(desk: Desk, run_: Running, job: str, code: str, started: datetime, sentence: str) -> None:
    desk.progress(f"failed: {sentence}")
    with desk.db.write(desk.actor) as conn:
        night_units.note(conn, run_, job, code, started, "failed", {}, sentence)


def _end(desk: Desk, run_: Running, parts: dict[str, dict[str, Any]], started: datetime) -> NightResult:
    """Record the whole night, and write the morning report."""
    failed = {part: r["message"] for part, r in sorted(parts.items()) if r["state"] == "failed"}
    bad_files = [f for f in run_.begun.files if f["state"] == "failed"]
    state = "partly" if failed else "done"
    with desk.db.write(desk.actor) as conn:
        counts = night_counts.counts(conn, run_, parts)
        message = "; ".join(f"{part}: {sentence}" for part, sentence in failed.items()) or None
        night_units.note(conn, run_, JOB, "", started, state, counts, message)
    days = int(desk.book.at(path_of("000000"), run_.begun.night).number("personal_data.track_retention"))
    purged = patrol_workflow.purge_expired(
        desk.db, today=run_.begun.night, retention_days=days, store_dir=desk.store_dir, actor=desk.actor
    )
    if purged:
        desk.progress(f"raw tracks past their {days} days removed: {purged}; intervals and hashes stay")
    path, page_fault, refused = _page(desk, run_.begun.night)
    return NightResult(
        run_.begun.night,
        True,
        "partly" if failed or bad_files or page_fault else "done",
        counts,
        path,
        run_.begun.rule_set,
        counts["rules_unconfirmed"],
        failed={_name(p): str(m) for p, m in failed.items()}
        | {f"{f['feed']} {f['file']}": f["sentence"] for f in bad_files}
        | page_fault,
        page_refused=refused,
    )


def _page(desk: Desk, night: date) -> tuple[str | None, dict[str, str], bool]:
    """The morning page written, or why it could not be, and whether that is the folder's fault: the night itself is recorded."""
    if desk.report_dir is None:
        return None, {}, False
    desk.progress("writing the morning report")
    return morning_job.tried(
        desk.db, desk.book, night, desk.actor, store_dir=desk.store_dir, report_dir=desk.report_dir
    )


def _name(part: str) -> str:
    """A part of the night as people name it: its district, else what it looks at."""
    job, code = part.split("/")
    return code or {PATROLS: "巡河 patrols", REGISTERS: "排污口与界线 outfalls and lines"}[job]


def _report_path(report_dir: Path | None, night: date) -> str | None:
    if report_dir is None:
        return None
    path = morning.path_of_night(report_dir, night)
    return str(path) if path.exists() else None


class _Undo(Exception):
    """Carries the answer of a trial out of a transaction that must not stay."""

    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__()
        self.told = told


def _late(desk: Desk, night: date, last: date) -> NightResult:
    """What a night that later nights follow would tell otherwise today; nothing of it is written."""
    desk.progress(
        f"nights run in order: {last} is recorded already; looking at what {night} would tell otherwise today"
    )
    try:
        with desk.db.write(desk.actor) as conn:
            raise _Undo(_would_tell(conn, desk, night))
    except _Undo as trial:
        told = trial.told
    told |= {"last": str(last)}
    with desk.db.read() as conn:
        run_ = system.latest_job_run(conn, JOB, night)
    return NightResult(
        night,
        False,
        run_["state"] if run_ else "never_run",
        run_["counts"] if run_ else {},
        None,
        desk.book.version,
        late=told,
    )


def _would_tell(conn: Connection, desk: Desk, night: date) -> dict[str, Any]:
    known = nights.moment(conn)
    engine = engine_of(conn)
    inputs = _inputs(conn, desk, night, known, engine)
    same = nights.latest(conn, night)
    if same is not None and same.input_hash == fingerprint.together(inputs):
        return {"same_inputs": True, "leads": {}, "listed": []}
    rule_set = system.keep_rules(conn, desk.book.version, desk.book.content, desk.book.rows())
    begun = nights.begin(conn, night, known, inputs, fingerprint.together(inputs), engine, rule_set, [])
    run_ = _running(conn, desk, begun, nights.before(conn, begun), True)
    then = finding_store.statuses_on(conn, night)  # before the trial writes its own
    otherwise: dict[str, dict[str, str]] = {}
    for code in sorted({*run_.plan.work, *run_.plan.calm}):
        said = night_units.would_say(conn, run_, code)
        otherwise |= {str(i): {"then": then.get(i, ""), "now": s} for i, s in said.items() if _differs(then.get(i), s)}
    leads: dict[str, int] = {}
    for x in otherwise.values():
        leads[x["now"]] = leads.get(x["now"], 0) + 1
    return {
        "same_inputs": False,
        "leads": leads,
        "listed": [{"finding": i, **x} for i, x in sorted(otherwise.items())][:50],
    }


def _differs(then: str | None, now: str) -> bool:
    """Whether a night would say something else of a lead; that it goes on is not worth saying."""
    return then != now and now not in record_workflow.QUIET


def score_patrols(
    db: Database, book: RuleBook, days: list[date], actor: str, adcode: str | None = None
) -> dict[date, patrol_workflow.DayScored]:
    """Score the outings of days without waiting for a night (a month brought in at once, a correction), each as of its own day."""
    with db.lock(JOB), db.write(actor) as conn:
        known = now_of(conn)
        rule_set = system.keep_rules(conn, book.version, book.content, book.rows())
        return night_units.score_days(conn, book, adcode, rule_set, days, known)


def days_due(db: Database, book: RuleBook, until: date) -> list[date]:
    """Days up to ``until`` whose patrols wait for a scoring: new, late or continued tracks, changed duties or reaches."""
    with db.read() as conn:
        view = book.at(path_of(river_store.home(conn, until, now_of(conn)) or "000000"), until)
        return patrol_workflow.days_to_score(conn, view, until, None)
