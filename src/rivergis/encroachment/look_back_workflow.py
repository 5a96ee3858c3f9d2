"""Looking back at closed cases (回头看): drawn once by risk, looked at by another person, with one of three outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from rivergis.db.connect import Database, now_of
from rivergis.encroachment import life_workflow, look_back, look_back_store
from rivergis.encroachment.life_workflow import Evidence, Step
from rivergis.encroachment.look_back import SHANGHAI, Closed
from rivergis.errors import NotFound, UsageError
from rivergis.rules import RuleView


@dataclass(frozen=True)
class LookBack:
    """A sample of closed cases and what was found at it so far."""

    id: str
    scope: dict[str, Any]
    population: int
    drawn: int
    looked: int
    outputs: dict[str, int]
    drawn_by: str
    drawn_at: datetime
    members: list[dict[str, Any]] = field(default_factory=list)


def end_of(on: date, now: datetime) -> datetime:
    """The last moment of a civil day (Asia/Shanghai), or now where the day is not over."""
    return min(datetime.combine(on + timedelta(days=1), time(), SHANGHAI) - timedelta(microseconds=1), now)


def draw(
    db: Database,
    view: RuleView,
    first: date,
    last: date,
    actor: str,
    *,
    district: str | None = None,
    class_code: str | None = None,
) -> LookBack:
    """Draw a sample of the cases closed on some civil days, more of those with a risk; drawn again it is the same sample.

    A case counts as it stood at the end of the last day, so that a past period always gives the same sample. Raises
    ``UsageError`` where nothing was closed then.
    """
    scope: dict[str, Any] = {"from": str(first), "to": str(last)}
    scope |= {k: v for k, v in (("district", district), ("class", class_code)) if v}
    share, at_risk = (view.value(k) for k in ("ledger.look_back.share", "ledger.look_back.share_at_risk"))
    quick = view.number("ledger.look_back.quick_days")
    with db.write(actor) as conn:
        rows = look_back_store.closed(conn, first, last, end_of(last, now_of(conn)), district, class_code)
        if not rows:
            raise UsageError(f"No case was closed from {first} to {last} there: there is nothing to look back at.")
        cases = [
            Closed(
                str(r["id"]),
                r["district"] or "",
                r["class_code"] or "",
                look_back.risks(r, quick),
                tuple(r["done_by"] or ()),
            )
            for r in rows
        ]
        drawn = look_back.draw(scope, cases, float(share.value), float(at_risk.value))
        members = [
            {"case_id": c.case_id, "stratum": s, "risks": c.risks, "done_by": c.done_by} for s, c in drawn.members
        ]
        used = [share.as_dict(), at_risk.as_dict()]
        identity = look_back_store.add(conn, scope, float(share.value), used, drawn.seed, drawn.population, members)
        return show(conn, str(identity))


def show(conn: Connection, sample: str) -> LookBack:
    """A sample by the beginning of its id, with its members."""
    head = look_back_store.sample(conn, sample)
    return LookBack(
        str(head["id"]),
        head["scope"],
        head["population"],
        head["drawn"],
        head["looked"],
        {name: head[name] for name in look_back.OUTPUTS},
        head["actor"],
        head["recorded_at"],
        look_back_store.members(conn, head["id"]),
    )


def result(
    db: Database,
    sample: str,
    seq: int,
    output: str,
    reason: str,
    actor: str,
    store_dir: Path,
    *,
    evidence: Sequence[Evidence] = (),
) -> Step:
    """Record what was found at a member: holds, not_done (the case goes back to be rectified) or rebounded (it is a problem again).

    One transaction with the event on the case. Raises ``NotPermitted`` for who rectified or accepted it, ``UsageError`` where it
    was looked at before or is closed no longer.
    """
    if output not in look_back.OUTPUTS:
        raise UsageError(f"{output!r} is no output of looking back: say {', '.join(look_back.OUTPUTS)}.")
    with db.write(actor) as conn:
        head = show(conn, sample)
        member = next((m for m in head.members if m["seq"] == seq), None)
        if member is None:
            raise NotFound(f"The look-back {head.id[:8]} has no number {seq}; it has 1 to {head.drawn}.")
        if member["output"] is not None:
            raise UsageError(
                f"Number {seq} was looked at by {member['looked_by']} ({member['output']}): the result stands."
            )
        done = life_workflow.step(
            conn,
            member["finding_id"],
            f"look_back_{output}",
            actor,
            reason=reason,
            attachment=None,
            store_dir=store_dir,
            detail={"look_back": head.id, "seq": seq},
            evidence=evidence,
        )
        look_back_store.add_result(conn, look_back_store.sample(conn, head.id)["id"], seq, output, done.event)
    return done
