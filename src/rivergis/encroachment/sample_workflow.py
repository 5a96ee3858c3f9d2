"""Samples of what was judged no problem: drawn once, examined by another person, and what that says of the rest (抽样复核)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import lifecycle
from rivergis.db.connect import Database, now_of
from rivergis.encroachment import life_workflow, patch_store, sample_store, sampling, store
from rivergis.encroachment.sampling import Member, Result
from rivergis.errors import NotFound, NotPermitted, UsageError
from rivergis.river import store as river_store
from rivergis.river.register import Register
from rivergis.rules import RuleView


@dataclass(frozen=True)
class Sample:
    """A sample and what it tells so far."""

    id: str
    scope: dict[str, Any]
    share: float
    drawn_by: str
    drawn_at: datetime
    result: Result
    members: list[dict[str, Any]] = field(default_factory=list)
    earlier: list[str] = field(default_factory=list)
    """Samples of the same scope that were drawn before from another population; their members stay to be examined."""


def draw(db: Database, view: RuleView, *, batch: str | None, days: tuple[date, date] | None, actor: str) -> Sample:
    """Draw a sample from what stands judged no problem in a batch, or on some civil days; the same population again is the same sample.

    Judged no problem: by people (不是问题, 历史不碍洪), or not told by the machine for a reason near the line. Raises ``UsageError``
    where nothing was judged so.
    """
    if (batch is None) == (days is None):
        raise UsageError("Say what to draw from: --batch, or --from and --to.")
    share = view.value("encroach.sample.negatives_share")
    with db.write(actor) as conn:
        scope: dict[str, Any] = {"batch": batch} if batch else {"from": str(days[0]), "to": str(days[1])}  # type: ignore[index]
        population = _population(conn, view, batch, days)
        if not population:
            raise UsageError(f"Nothing stands judged no problem in {_said(scope)}: there is nothing to draw from.")
        drawn = sampling.draw(scope, population, float(share.value))
        identity = sample_store.add(conn, scope, float(share.value), share.as_dict(), drawn)
        return _sample(conn, str(identity))


def _said(scope: dict[str, Any]) -> str:
    return f"the batch {scope['batch']}" if "batch" in scope else f"{scope['from']} to {scope['to']}"


def _population(conn: Connection, view: RuleView, batch: str | None, days: tuple[date, date] | None) -> list[Member]:
    """Everything that stands judged no problem, each once: a lead, a check without one, or what was not told."""
    first, last = days or (date.min, date.max)
    own = None
    if batch is not None:
        own = sample_store.candidates_of_batch(conn, patch_store.batch(conn, batch)["id"])
    leads = sample_store.leads_judged(conn, first, last, own)
    checks = sample_store.checks(conn, first, last, own)
    checked = {str(c["candidate_id"]) for c in checks}
    rest = [n for n in sample_store.not_told(conn, last, own) if str(n["candidate_id"]) not in checked]
    seen = {str(x["candidate_id"]) for x in leads}
    rest = [n for n in rest if str(n["candidate_id"]) not in seen]
    counties = _counties(conn, [*checks, *rest])
    out = [
        Member(
            f"finding/{x['finding_id']}", (x["district"] or "")[:6], x["class_code"] or "", x["state"], tuple(x["judged_by"]),
            str(x["finding_id"]), x["candidate_id"],
        )
        for x in leads
    ]  # fmt: skip
    for row, county in zip([*checks, *rest], counties, strict=True):
        outcome = row.get("reason") or ("not_a_problem" if row["outcome"] == 1 else "historic_harmless")
        out.append(
            Member(
                f"candidate/{row['candidate_id']}", county, view.class_of(row["kind"], row["word"]).taxon.code, outcome,
                tuple(row.get("judged_by") or ()), None, str(row["candidate_id"]), row["candidate_version"],
            )
        )  # fmt: skip
    return out


def _counties(conn: Connection, rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    known = now_of(conn)
    on = known.date()
    register = Register(river_store.axes(conn, on, known).iloc[:0], river_store.units(conn, on, known), pd.DataFrame())
    spots = register.spots([shapely.Point(r["lon"], r["lat"]) for r in rows])
    return [(s.county_code or s.village_code or "")[:6] for s in spots]


def examine(
    db: Database, sample: str, seq: int, result: str, reason: str, actor: str, store_dir: Path
) -> dict[str, Any]:
    """Record what another person finds on re-examination; who disagrees sends the lead back to be judged again.

    Raises ``NotPermitted`` for who judged it, ``UsageError`` where it was examined before or no reason is given.
    """
    if not reason.strip():
        raise UsageError("Say with --reason what was looked at and found.")
    with db.read() as conn:
        head = sample_store.sample(conn, sample)
        found = [m for m in sample_store.members(conn, head["id"]) if m["seq"] == seq]
    if not found:
        raise NotFound(f"The sample {str(head['id'])[:8]} has no number {seq}; it has 1 to {head['drawn']}.")
    member = found[0]
    if member["result"] is not None:
        raise UsageError(f"Number {seq} was examined by {member['examiner']} ({member['result']}): the result stands.")
    if actor in member["judged_by"]:
        raise NotPermitted(f"{actor} judged number {seq}: it is for another person to examine.")
    finding = None if member["finding_id"] is None else str(member["finding_id"])
    state = _reopen(db, finding, reason, actor, store_dir) if result == "disagree" and finding else None
    with db.write(actor) as conn:
        sample_store.add_result(conn, head["id"], seq, result, reason.strip())
    return {"sample": str(head["id"]), "seq": seq, "result": result, "finding": finding, "state": state}


def _reopen(db: Database, finding: str, reason: str, actor: str, store_dir: Path) -> str:
    """The lead back among those to be judged; one that people took up themselves since stays where it is."""
    life = lifecycle.load()["finding"]
    with db.read() as conn:
        state = life.fold([e["move"] for e in store.record_of(conn, finding)["events"]])
    if state not in life.moves["reexamine"].from_states:
        return state
    step = life_workflow.take_step(db, finding, "reexamine", actor, reason=reason, attachment=None, store_dir=store_dir)
    return step.state


def report(conn: Connection, sample: str) -> Sample:
    """A sample with its members and the share of wrong judgements it tells, with Wilson's interval."""
    return _sample(conn, str(sample_store.sample(conn, sample)["id"]))


def _sample(conn: Connection, identity: str) -> Sample:
    every = sample_store.samples(conn)
    head = next(s for s in every if str(s["id"]) == identity)
    members = sample_store.members(conn, head["id"])
    examined = [(m["stratum"], m["result"] == "disagree") for m in members if m["result"] is not None]
    earlier = [str(s["id"]) for s in every if s["scope"] == head["scope"] and s["recorded_at"] < head["recorded_at"]]
    return Sample(
        identity,
        head["scope"],
        head["share"],
        head["actor"],
        head["recorded_at"],
        sampling.result(sample_store.strata(conn, head["id"]), examined),
        members,
        earlier,
    )
