"""Replaying verdicts: recomputed from the stored versions of everything, as known then, and held beside what was said.

A later import, a changed rule file or a line superseded since changes nothing: what is read is what was known then,
under the rules that the database kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection

from rivergis.encroachment import ground_workflow, night_store
from rivergis.encroachment.judge_workflow import judged
from rivergis.encroachment.lead_workflow import lead
from rivergis.encroachment.night_workflow import Registers, night_at, registers
from rivergis.encroachment.store import Given, seal
from rivergis.lead import Lead, content_hash, verdict_id
from rivergis.river.register import Register
from rivergis.rules import RuleView

EQUAL, DIFFERS, NOT_KEPT = "equal", "differs", "not_kept"
_SAID = ("position", "basis", "clause", "competent_authority", "our_action", "figures", "rules", "inputs")


@dataclass(frozen=True)
class Difference:
    """One value that a replay finds otherwise."""

    what: str
    then: Any
    now: Any


@dataclass(frozen=True)
class Replayed:
    """A verdict replayed: equal, differs, or not_kept (given before it was kept what it rests on)."""

    finding: str
    topic: str
    night: date
    rule_set: str
    outcome: str
    because: str = ""
    differences: list[Difference] = field(default_factory=list)
    engine_then: dict[str, str] = field(default_factory=dict)
    engine_now: dict[str, str] = field(default_factory=dict)


def content_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a stored verdict says and rests on, in the form of ``Lead.content``."""
    body = {
        "class": row["class_code"],
        **{c: row[c] for c in _SAID},
        "boundary": [None if row["boundary_id"] is None else str(row["boundary_id"]), row["boundary_version"]],
    }
    return body | {c: row[c] for c in ("severity", "built_period") if row[c] is not None}


def sealed(row: Mapping[str, Any]) -> str | None:
    """None if a stored verdict is as it was given, else a sentence."""
    if content_hash(content_of(row)) != row["content_hash"]:
        return "The stored verdict is not the one that was given: its content does not fit its own hash."
    if verdict_id(row["finding_id"], row["content_hash"]) != row["id"]:
        return "The stored verdict was not given on this lead: its id is that of another lead's."
    by = Given(row["rule_set"], row["jurisdiction"], row["engine"], row["known_at"])
    if seal(row["content_hash"], row["night"], by) != row["seal"]:
        return (
            "The stored verdict is not the one that was given: its night, rules, engine or moment do not fit its seal."
        )
    return None


def compare(row: Mapping[str, Any], again: Lead | str, engine: dict[str, str]) -> Replayed:
    """A stored verdict beside the lead made again, or the sentence why it would not be told."""
    base = {
        "finding": str(row["finding_id"]),
        "topic": row["topic"],
        "night": row["night"],
        "rule_set": row["rule_set"],
        "engine_then": row["engine"],
        "engine_now": engine,
    }
    if row["known_at"] is None or row["jurisdiction"] is None:
        return Replayed(**base, outcome=NOT_KEPT, because="It was given before it was kept what a verdict rests on.")
    broken = sealed(row)
    if broken:
        return Replayed(**base, outcome=DIFFERS, because=broken)
    if isinstance(again, str):
        return Replayed(**base, outcome=DIFFERS, because=again)
    found = list(differences(content_of(row), again.content()))
    return Replayed(**base, outcome=DIFFERS if found else EQUAL, differences=found)


def differences(then: Any, now: Any, what: str = "") -> Iterator[Difference]:
    """Values that differ between two plain records, with the way to each (``figures.area_m2``)."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in sorted({*then, *now}):
            yield from differences(then.get(key), now.get(key), f"{what}.{key}".lstrip("."))
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for i, (a, b) in enumerate(zip(then, now, strict=True)):
            yield from differences(a, b, f"{what}[{i}]")
    elif then != now:
        yield Difference(what, then, now)


def again(conn: Connection, rows: Sequence[Mapping[str, Any]], view: RuleView, register: Register) -> list[Lead | str]:
    """Make the leads of encroachment verdicts again that share night, rules and moment; a sentence where one would not be told.

    Reads only: ground that is not prepared any more is prepared for this answer and not kept.
    """
    on, known_at = rows[0]["night"], rows[0]["known_at"]
    known = registers(conn, view, register, on, known_at)
    made = ground_workflow.built(conn, known.acts)
    out: dict[int, Lead | str] = {}
    for at in sorted({_measured_at(r) for r in rows}, key=str):
        mine = [n for n, r in enumerate(rows) if _measured_at(r) == at]
        middle = at or ground_workflow.middle(conn, known.acts, made)
        if middle is None:
            out |= dict.fromkeys(mine, "No management line is in force that day, as known then.")
        else:
            out |= dict(zip(mine, _in_zone(conn, [rows[n] for n in mine], known, view, middle, made), strict=True))
    return [out[n] for n in range(len(rows))]


def _measured_at(row: Mapping[str, Any]) -> tuple[float, float] | None:
    """Middle of the zone a verdict was measured in; verdicts of former versions used that of all ground together."""
    at = row["inputs"].get("measured_at")
    return None if at is None else (at[0], at[1])


def _in_zone(
    conn: Connection,
    rows: Sequence[Mapping[str, Any]],
    known: Registers,
    view: RuleView,
    at: tuple[float, float],
    made: ground_workflow.Made | None,
) -> Iterator[Lead | str]:
    objects = {(str(c), int(v)) for r in rows for c, v in r["inputs"].get("candidates", [])}
    candidates = night_store.candidates_of(conn, sorted(objects), known.known_at)
    if candidates.empty:
        yield from ["A candidate it rests on is not in the database in that version."] * len(rows)
        return
    found = judged(candidates, night_at(conn, known, view, at, candidates.geometry.bounds.to_numpy(), made))
    ids, versions = found.candidates["id"], found.candidates["version"]
    where = {(str(i), int(v)): n for n, (i, v) in enumerate(zip(ids, versions, strict=True))}
    for row in rows:
        mine = [where.get((str(c), int(v))) for c, v in row["inputs"].get("candidates", [])]
        here = [n for n in mine if n is not None]
        untold = sorted({str(found.reason[n]) for n in here if found.reason[n] is not None})
        if not here or len(here) < len(mine):
            yield "A candidate it rests on is not in the database in that version."
        elif untold:
            yield f"It would not be told: {', '.join(untold)}."
        else:
            yield _as_kept(lead(found, here), row)


def _as_kept(told: Lead, row: Mapping[str, Any]) -> Lead:
    """A lead made again with the inputs that verdicts of its time named."""
    if "measured_at" in row["inputs"]:
        return told
    return replace(told, inputs={k: v for k, v in told.inputs.items() if k != "measured_at"})
