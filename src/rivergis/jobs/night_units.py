"""The parts of a night, each a transaction of its own: the day's patrols, every district, and the registers of the county."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from rivergis.boundary import workflow as boundary_workflow
from rivergis.db import nights, system
from rivergis.db.nights import JOB, Begun
from rivergis.encroachment import (
    book_workflow,
    ground_workflow,
    night_store,
    patch_workflow,
    pictures_workflow,
    plan_workflow,
    record_workflow,
    report_workflow,
)
from rivergis.encroachment import store as finding_store
from rivergis.encroachment.judge_workflow import judged
from rivergis.encroachment.ledger import NightLimits
from rivergis.encroachment.night_workflow import Registers, night_at, registers
from rivergis.encroachment.plan_workflow import Plan, Work
from rivergis.encroachment.store import Given, Moment, Sighting
from rivergis.lead import Lead
from rivergis.outfall import workflow as outfall_workflow
from rivergis.patrol import workflow as patrol_workflow
from rivergis.river import store as river_store
from rivergis.river.register import Register
from rivergis.rules import RuleBook, RuleView, path_of

TOPICS = ("encroachment", "outfall_in_zone", "outfall_position", "boundary_line")
PATROLS, REGISTERS = "nightly_patrols", "nightly_registers"
Progress = Callable[[str], None]


@dataclass
class Running:
    """A night under way: what it rests on, read once and the same for every part of it."""

    book: RuleBook
    begun: Begun
    before: Begun | None
    home: str
    """Adcode whose rules hold where no district says."""
    forced: str | None
    """Adcode whose rules the user wants everywhere."""
    full: bool
    store_dir: Path
    progress: Progress
    registers: Registers
    plan: Plan
    unconfirmed: set[str]
    failed: frozenset[str] = frozenset()
    """Parts (``job/district``) that failed in the night before."""
    since: dict[str, tuple[Moment | None, pd.DataFrame]] = field(default_factory=dict)
    """Of districts that failed the night before: the last night that looked at them, and the feeds that delivered since."""

    @property
    def now(self) -> Moment:
        return Moment(self.begun.night, self.begun.known_at)

    @property
    def last(self) -> Moment | None:
        return None if self.before is None else Moment(self.before.night, self.before.known_at)

    def view(self, district: str) -> RuleView:
        """The rules of a district on the day."""
        own = district if district.isdigit() else self.home
        return self.book.at(path_of(self.forced or own), self.begun.night)

    def given(self, district: str) -> Given:
        own = district if district.isdigit() else self.home
        return Given(self.begun.rule_set, self.forced or own, self.begun.engine, self.begun.known_at)

    def same(self, *names: str) -> bool:
        """Whether parts of what the night reads are as they were for the night before, which came to an end with the registers."""
        if f"{REGISTERS}/" in self.failed:
            return False
        return self.before is not None and all(self.before.inputs.get(n) == self.begun.inputs[n] for n in names)

    def used(self, view: RuleView) -> None:
        self.unconfirmed |= {v.key for v in view.used if v.status == "unconfirmed"}


def prepare(
    conn: Connection,
    book: RuleBook,
    begun: Begun,
    before: Begun | None,
    *,
    home: str,
    forced: str | None,
    full: bool,
    store_dir: Path,
    progress: Progress,
) -> Running:
    """Read what a night rests on, prepare the ground of new boundaries, and plan what is to be looked at."""
    night, known = begun.night, begun.known_at
    view = book.at(path_of(forced or home), night)
    register = Register(
        river_store.axes(conn, night, known),
        river_store.units(conn, night, known),
        river_store.duties(conn, night, known),
    )
    read = registers(conn, view, register, night, known)
    ground_workflow.prepare(
        conn, read.acts, lambda n, of: progress(f"preparing the ground inside new lines: {n} of {of}")
    )
    as_before = before is not None and all(
        before.inputs.get(n) == begun.inputs[n] for n in ("registers", "rules", "engine")
    )
    failed = frozenset(() if before is None else nights.parts_not_done(conn, before.night))
    everything = full or not as_before or f"{REGISTERS}/" in failed
    again = sorted(part.split("/")[1] for part in failed if part.startswith(f"{JOB}/"))
    last = _moment(before)
    plan = plan_workflow.plan(conn, read.acts, Moment(night, known), last, view, register, full=everything, again=again)
    progress(
        f"to be looked at: {plan.candidates} objects"
        + (", all there are" if plan.full else f", {len(plan.changed)} of them delivered otherwise")
    )
    since = {d: _since(conn, begun, d) for d in again}
    return Running(book, begun, before, home, forced, everything, store_dir, progress, read, plan, set(), failed, since)


def _moment(begun: Begun | None) -> Moment | None:
    return None if begun is None else Moment(begun.night, begun.known_at)


def _since(conn: Connection, begun: Begun, district: str) -> tuple[Moment | None, pd.DataFrame]:
    """The last night that looked at a district, and the feeds that delivered since."""
    last = _moment(nights.before(conn, begun, f"{JOB}/{district}"))
    after, known = (None, None) if last is None else (last.night, last.known_at)
    return last, night_store.feeds_delivered(conn, after, known, begun.night, begun.known_at)


def patrols(conn: Connection, run: Running) -> dict[str, Any]:
    """Score the day's tracks, and those that came late or whose duties or reaches changed."""
    view = run.view(run.home)
    day = patrol_workflow.score_day(conn, view, run.begun.rule_set, run.begun.night, run.begun.known_at)
    since = None if run.before is None or f"{PATROLS}/" in run.failed else run.before.known_at
    late = [d for d in patrol_workflow.days_to_score(conn, view, run.begun.night, since) if d != run.begun.night]
    again = score_days(conn, run.book, run.forced, run.begun.rule_set, late, run.begun.known_at).values()
    run.used(view)
    return {
        "tracks": day.tracks,
        "tracks_scored": day.scored,
        "tracks_to_review": day.to_review,
        "late_tracks_scored": sum(d.scored for d in again),
        "late_tracks_to_review": sum(d.to_review for d in again),
    }


def score_days(
    conn: Connection, book: RuleBook, adcode: str | None, rule_set: str, days: list[date], known: datetime
) -> dict[date, patrol_workflow.DayScored]:
    """Score the outings of days, each by the rules and duties of its own day."""
    out = {}
    for day in days:
        view = book.at(path_of(adcode or river_store.home(conn, day, known) or "000000"), day)
        out[day] = patrol_workflow.score_day(conn, view, rule_set, day, known)
    return out


def district(conn: Connection, run: Running, code: str) -> dict[str, Any]:
    """Judge and record what is to be looked at in a district, in bounded parts."""
    view = run.view(code)
    told: Counter[str] = Counter()
    verdicts = pictures = failed = 0
    work = run.plan.work.get(code, [])
    for n, part in enumerate(work):
        recorded = _part(conn, run, code, part, view)
        told.update(recorded.statuses.values())
        verdicts += recorded.verdicts
        shown = pictures_workflow.attach_pictures(conn, recorded.new, run.registers.scenes, run.store_dir)
        pictures, failed = pictures + shown.done, failed + len(shown.failed)
        if len(work) > 1:
            run.progress(f"district {code}: part {n + 1} of {len(work)}")
    calm = run.plan.calm.get(code, [])
    finding_store.add_sightings(conn, run.begun.night, [Sighting(i, status, calm=True) for i, status in calm])
    told.update(status for _, status in calm)
    run.used(view)
    return {
        "statuses": dict(sorted(told.items())),
        "verdicts": verdicts,
        "objects": sum(len(w.candidates) for w in work),
        "pictures": pictures,
        "pictures_failed": failed,
    }


def would_say(conn: Connection, run: Running, code: str) -> dict[uuid.UUID, str]:
    """What a night would write of the leads of a district, by lead; for a transaction that is undone."""
    view = run.view(code)
    said: dict[uuid.UUID, str] = dict(run.plan.calm.get(code, []))
    for part in run.plan.work.get(code, []):
        said |= _part(conn, run, code, part, view).statuses
    return said


def _part(conn: Connection, run: Running, code: str, part: Work, view: RuleView) -> record_workflow.Recorded:
    limits = NightLimits.of(view)
    found = plan_workflow.candidates(conn, part, run.now)
    found = found[report_workflow.standing(conn, found, view, run.begun.night, run.begun.known_at)]
    night = night_at(conn, run.registers, view, part.at, part.boxes)
    last, delivered = run.since.get(code, (run.last, run.plan.delivered))
    book = book_workflow.known_leads(conn, record_workflow.ENCROACHMENT, run.now, last, limits, part.leads)
    asked = part.candidates.loc[part.candidates["round"] == 0, "id"]
    touched = None if run.plan.full or code in run.since else frozenset(asked)
    return record_workflow.record_encroachments(
        conn,
        judged(found, night),
        book,
        run.registers,
        view,
        run.given(code),
        run.now,
        delivered,
        run.plan.changed,
        touched,
    )


def registers_of(conn: Connection, run: Running) -> dict[str, Any]:
    """Outfalls and boundary lines, patches and photos, and candidates that are at no line any more."""
    night, known = run.begun.night, run.begun.known_at
    counts: dict[str, Any] = {"statuses": {}}
    asked = {"registers", "lines", "rules", "engine"}
    views = {name: run.view(run.home) for name in ("encroachment", "outfall", "boundary")}
    if not run.same(*asked) or finding_store.missed_lately(conn, TOPICS[1:], run.begun.night):
        for topic, leads in _register_leads(conn, run, views).items():
            limits = NightLimits.of(views["encroachment"])
            book = book_workflow.known_leads(conn, topic, run.now, run.last, limits)
            done = record_workflow.record_register(
                conn, topic, leads, book, views["encroachment"], run.given(run.home), night
            )
            counts["statuses"][topic] = dict(sorted(Counter(done.statuses.values()).items()))
    if not run.same(*asked, "permits", "patches"):
        counts["patches_filled"] = patch_workflow.fill(
            conn, views["encroachment"], run.registers.register, night, known
        )
    counts["report_photos"] = report_workflow.attach_photos(conn)
    gone = (run.plan.changed | run.plan.crossed) - run.plan.judged
    counts["ended"] = night_store.end_not_findings(conn, night, known, gone)
    for view in views.values():
        run.used(view)
    return counts


def _register_leads(conn: Connection, run: Running, views: Mapping[str, RuleView]) -> dict[str, list[Lead]]:
    night, known, register = run.begun.night, run.begun.known_at, run.registers.register
    out: dict[str, list[Lead]] = {topic: [] for topic in TOPICS[1:]}
    out["boundary_line"] = boundary_workflow.leads(conn, views["boundary"], register, night, known)
    for lead in outfall_workflow.leads(conn, views["outfall"], register, night, known):
        out[lead.topic].append(lead)
    return out


def districts(run: Running) -> list[str]:
    """Districts of the night: every county that is known, and ``none`` where something lies in none."""
    units = run.registers.register.units
    counties = set(units.loc[units["level"] == "county", "code"].astype(str)) if len(units) else set()
    return sorted({*counties, *run.plan.work, *run.plan.calm})


def note(
    conn: Connection,
    run: Running,
    job: str,
    code: str,
    started: datetime,
    state: str,
    counts: Mapping[str, Any],
    message: str | None,
) -> None:
    """Record the run of a part in the transaction of its results."""
    system.record_job_run(
        conn,
        job=job,
        run_date=run.begun.night,
        district=code,
        state=state,
        started_at=started,
        finished_at=datetime.now(UTC),
        input_hash=run.begun.input_hash,
        rule_set=run.begun.rule_set,
        counts=counts,
        message=message,
        engine=run.begun.engine,
    )
