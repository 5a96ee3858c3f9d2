"""Steps in the life of a case: people judge, assign, rectify and accept; the machine keeps the order and tells what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from rivergis import crs, lifecycle, rules, words
from rivergis.db import people
from rivergis.db.connect import Database
from rivergis.encroachment import case_needs, case_proof, case_store
from rivergis.encroachment.case_needs import Around, Said
from rivergis.encroachment.case_proof import Bounds, Place, Seen
from rivergis.errors import InputError, UsageError
from rivergis.intake import photo, sources
from rivergis.intake.delivery import Asked
from rivergis.intake.limits import DEFAULT
from rivergis.settings import gis_dir

PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif")
SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Evidence:
    """A picture or document as a person hands it in; position in degrees of ``datum``. Missing = as the picture tells it."""

    path: Path
    lon: float | None = None
    lat: float | None = None
    taken_at: datetime | None = None
    """A time without zone is Beijing time."""
    datum: str = "wgs84"


@dataclass(frozen=True)
class Step:
    """A step taken in the life of a case."""

    finding: str
    move: str
    state: str
    actor: str
    number: str = ""
    """Running number of the case (台账编号)."""
    event: int = 0
    told: list[str] = field(default_factory=list)
    """What evidence, person and case say differently, and what else a person should know."""


def take_step(
    db: Database,
    finding: str,
    move: str,
    actor: str,
    *,
    reason: str | None,
    attachment: Path | None,
    store_dir: Path,
    detail: Mapping[str, Any] | None = None,
    evidence: Sequence[Evidence] = (),
    bounds: Bounds | None = None,
) -> Step:
    """Append an event to a case if its lifecycle allows the move; the one who accepts is not the one who did.

    ``finding``: running number, number of a higher level or beginning of the id. ``detail``: what the move says (deadline,
    measure, units, unit, authority, authority_level, into, stage, severity, class_code ...). ``evidence``: pictures with position
    and time; what they say differently is told and kept. Raises ``NotFound``, ``UsageError`` (move not allowed now, something
    missing), ``InputError`` (a picture cannot be read) or ``NotPermitted``.
    """
    with db.write(actor) as conn:
        case_id = case_store.find(conn, finding)
        return step(
            conn, case_id, move, actor, reason=reason, attachment=attachment, store_dir=store_dir, detail=detail,
            evidence=evidence, bounds=bounds,
        )  # fmt: skip


def step(
    conn: Connection,
    case_id: UUID,
    move: str,
    actor: str,
    *,
    reason: str | None,
    attachment: Path | None,
    store_dir: Path,
    detail: Mapping[str, Any] | None = None,
    evidence: Sequence[Evidence] = (),
    bounds: Bounds | None = None,
) -> Step:
    """``take_step`` within a transaction of the caller, which stands in the name of ``actor``."""
    life = lifecycle.load()["finding"]
    if move not in life.moves:
        raise UsageError(f"There is no move {move!r}; the moves are {', '.join(life.moves)}.")
    people.require(conn, actor, life.moves[move].capability)
    said = _into(conn, dict(detail or {}))
    case_store.lock(conn, case_id, said.get("into"))
    past = case_store.events(conn, case_id)
    said = _rest_of_assignment(said, past) if move == "reassign" else said
    told: list[str] = []
    life.step(case_needs.state(past), move, case_needs.before(past))  # before any file is read
    if evidence:
        told += _with_evidence(conn, case_id, said, evidence, store_dir, bounds or national_bounds())
    sha256 = None if attachment is None else _kept(attachment, store_dir)[0]
    to_state = _judge(conn, case_id, life, move, actor, Said(reason, sha256, said), past)
    told += _of_days(said) if move in ("assign", "reassign") else []
    event = case_store.add_event(conn, case_id, move, to_state, reason=reason, attachment_sha256=sha256, detail=said)
    return Step(str(case_id), move, to_state, actor, case_store.give_number(conn, case_id), event, told)


def _judge(
    conn: Connection,
    case_id: UUID,
    life: lifecycle.Lifecycle,
    move: str,
    actor: str,
    said: Said,
    past: list[dict[str, Any]],
) -> str:
    """State after the move; refuses what the lifecycle does not allow."""
    ill = case_needs.ill_said(said.detail)
    if ill is not None:
        raise UsageError(f"What the move {move!r} says as {ill} cannot be read: {said.detail[ill]!r}; {_HELP[ill]}.")
    around = Around(**asdict(case_store.facts(conn, case_id, said.detail.get("into"))))
    given = case_needs.given(said, past, around)
    severe = case_needs.severe(said, around)
    missing = {*life.moves[move].needs, *(life.moves[move].needs_if_severe if severe else ())} - given
    if missing:
        raise UsageError(
            f"The move {move!r} needs {'; '.join(_lacking(n, said, past, around) for n in sorted(missing))}."
        )
    done_by = [(str(e["move"]), str(e["actor"])) for e in past]
    return life.check(
        case_needs.state(past), move, actor, given, done_by, before=case_needs.before(past), severe=severe
    )


_HELP = {
    "deadline": "write a day of the calendar like 2026-06-30",
    "units": "name each unit once, with exactly one in the lead",
    "measure": "say in words what is to be done",
    "severity": f"it is one of {', '.join(case_needs.SEVERITIES)}",
    "class_code": "name a class of the taxonomy",
    "doubts": "give a list",
}


def _lacking(need: str, said: Said, past: list[dict[str, Any]], around: Around) -> str:
    """What is missing, in words that say what to do."""
    if need == "completions":
        return f"completions (not done yet: {', '.join(case_needs.undone(past))}; or say why not with --why-not-all)"
    if need == "doubts_seen":
        return f"doubts_seen ({len(case_needs.doubts(past))} differences in the evidence: look at them and say --doubts-seen)"
    if need == "authority_level":
        least = max(case_needs.LEVELS.index(around.close_level), 1)
        return f"authority_level (a case of severity {around.severity} is closed by {' or '.join(case_needs.LEVELS[least:])})"
    if need == "unit":
        names = ", ".join(u["unit"] for u in case_needs.units_of(past))
        return f"unit (one of the units it is handed to: {names})"
    if need == "into" and around.holds_others:
        return "into (other cases are merged into this one: take them apart first, or merge the other one into this)"
    return need if need not in _MISSING else f"{need} ({_MISSING[need]})"


_MISSING = {
    "evidence": "a picture or document with position and time: --evidence FILE, with --at LON,LAT and --taken-at where the picture does not tell",
    "deadline": "--deadline YYYY-MM-DD",
    "measure": "--measure in words",
    "units": "--unit NAME, the first one leads",
    "instruction": "an instruction of a leader first: the move instruct",
    "into": "another case that is still to be settled and is not merged itself",
    "untouched": "people have begun to work on this case: take the moves of its life",
    "stage": "--stage card, notice, letter or order",
}


def _rest_of_assignment(said: dict[str, Any], past: list[dict[str, Any]]) -> dict[str, Any]:
    """A changed assignment keeps what it does not say anew: deadline, measure and units as last said."""
    last: dict[str, Any] = {}
    for e in past:
        last |= {k: e["detail"][k] for k in ("deadline", "measure", "units") if k in e["detail"]}
    return last | said


def _into(conn: Connection, said: dict[str, Any]) -> dict[str, Any]:
    """The case to go into by its whole id, however it was named."""
    return said if not said.get("into") else {**said, "into": str(case_store.find(conn, str(said["into"])))}


@lru_cache(maxsize=1)
def _national() -> rules.RuleView:
    return rules.load(gis_dir() / "rules").at((rules.NATIONAL,), datetime.now(SHANGHAI).date())


def national_bounds() -> Bounds:
    """From where on a difference is told, by the national rules."""
    return Bounds.of(_national())


def _of_days(said: Mapping[str, Any]) -> list[str]:
    """What is odd about the days of an assignment, in words."""
    longest = int(_national().number("ledger.deadline.longest"))
    found = case_needs.deadline_doubts(said, datetime.now(SHANGHAI).date(), longest)
    return [words.both(f"deadline_doubt.{d['code']}", **d) for d in found]


def keep_evidence(
    conn: Connection, case_id: UUID, evidence: Sequence[Evidence], store_dir: Path, bounds: Bounds | None = None
) -> list[str]:
    """Keep pictures with a case beside any move: those of the report that opened it. Returns what they say differently."""
    return _with_evidence(conn, case_id, {}, evidence, store_dir, bounds or national_bounds())


def _with_evidence(
    conn: Connection, case_id: UUID, said: dict[str, Any], evidence: Sequence[Evidence], store_dir: Path, bounds: Bounds
) -> list[str]:
    """Keep evidence with the case and put it into what the move says; returns what is to be told."""
    shape, assigned_at = case_store.place(conn, case_id)
    now = datetime.now(SHANGHAI)
    told = []
    said["evidence"], said["doubts"] = [], list(said.get("doubts", []))
    for item in evidence:
        found = _seen(item, Place(shape, assigned_at), bounds, now)
        sha256, where = _kept(item.path, store_dir)
        used = case_store.photo_used(conn, sha256, case_id)
        if used is not None:
            found.doubts.append({"code": f"used_before_{used}"})
        doubts = [{**d, "said": words.both(f"proof_doubt.{d['code']}", **d)} for d in found.doubts]
        case_store.add_evidence(conn, case_id, _row(item, found, doubts, sha256, where))
        said["evidence"].append({"sha256": sha256, "lon": found.lon, "lat": found.lat, "at": found.at.isoformat()})
        said["doubts"] += [{"sha256": sha256, **d} for d in doubts]
        told += [f"{item.path.name}: {d['said']}" for d in doubts]
    return told


def _seen(item: Evidence, place: Place, bounds: Bounds, now: datetime) -> Seen:
    facts: Mapping[str, Any] = {}
    if item.path.suffix.lower() in PICTURES:
        facts = photo.read_photo(item.path, Asked(), DEFAULT).layers[0].facts
    at = item.taken_at
    if at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=SHANGHAI)
    return case_proof.seen(item.path.name, _position(item), at, facts, place, bounds, now)


def _position(item: Evidence) -> tuple[float, float] | None:
    if item.lon is None and item.lat is None:
        return None
    if item.lon is None or item.lat is None or not (abs(item.lon) <= 180 and abs(item.lat) <= 90):
        raise UsageError(f"{item.lon},{item.lat} is no longitude and latitude in degrees: write --at LON,LAT.")
    lon, lat = crs.to_wgs84([item.lon], [item.lat], "wgs84" if item.datum == "cgcs2000" else item.datum)
    return round(float(lon[0]), 8), round(float(lat[0]), 8)


def _kept(path: Path, store_dir: Path) -> tuple[str, str]:
    """Hash and place in the store of a file that is kept there."""
    if path.is_file() and path.stat().st_size == 0:
        raise InputError(f"{path.name} is empty: give the picture or document itself.", file=str(path))
    sha256 = sources.sha256(path)
    where = f"evidence/{sha256}{path.suffix.lower()}"
    sources.keep(path, store_dir / where, sha256=sha256)
    return sha256, where


def _row(item: Evidence, found: Seen, doubts: list[dict[str, Any]], sha256: str, where: str) -> dict[str, Any]:
    return {
        "kind": "photo" if item.path.suffix.lower() in PICTURES else "document",
        "file_sha256": sha256,
        "file_path": where,
        "taken_on": found.at.astimezone(SHANGHAI).date(),
        "taken_at": found.at,
        "caption": item.path.name,
        "position_grade": found.grade,
        "said": found.said,
        "doubts": doubts,
        "lon": found.lon,
        "lat": found.lat,
    }
