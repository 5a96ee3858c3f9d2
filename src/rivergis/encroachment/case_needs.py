"""What a move in the life of a case (台账事项) asks for, and what is there: the same questions that the database asks on every insert.

Asked here first for a better sentence; ``gis/db/app/21_life_guard.sql`` asks them again, so that plain SQL obeys. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

BLANK = " \t\r\n\u3000"
LEVELS = ("county", "city", "province", "nation")
"""Who closes cases, from the county up."""
STAGES = ("card", "notice", "letter", "order")
"""催办阶梯: 提示卡, 督办单, 督办函, 整改令."""
DOING = ("lead", "responsible")
ROLES = (*DOING, "supporting", "police", "procurator")
"""Units of a case: 牵头单位 and 责任单位, who do it; 配合单位, 河道警长 and 检察长 beside them (河长+警长, 河长+检察长)."""
SEVERITIES = ("一般", "较严重", "重大")
OTHER = "other"
"""Severity of a case that neither people nor rules graded."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"(19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
)
Event = Mapping[str, Any]
"""move, to_state, actor, detail of an event, in order."""


@dataclass(frozen=True)
class Around:
    """What a move is judged by beside the events of the case itself."""

    now: datetime
    kept: Collection[str] = ()
    """Hashes of the evidence kept with the case."""
    heir_open: bool = False
    """The case it is to go into is there, another one, still to be settled, and not merged away itself."""
    holds_others: bool = False
    """Other cases are merged into this one."""
    severity: str = OTHER
    close_level: str = "county"
    """Lowest level whose closing ends a case of this severity."""
    instructed: bool = False
    """A leader instructs (批示) before a case of this severity is assigned."""
    instructed_words: Collection[str] = ()
    """All severities of which that is so: a severity may be said with the move itself."""


@dataclass(frozen=True)
class Said:
    """What a move says and carries."""

    reason: str | None = None
    attachment_sha256: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def severe(said: Said, around: Around) -> bool:
    """Whether a leader instructs first: as the case is graded, or as this very move grades it."""
    return around.instructed or said.detail.get("severity") in around.instructed_words


def filled(said: Any) -> bool:
    """Whether something is a text that says something."""
    return isinstance(said, str) and said.strip(BLANK) != ""


def day(said: Any) -> date | None:
    """A civil day written YYYY-MM-DD; None for anything else."""
    if not isinstance(said, str) or not _DAY.fullmatch(said):
        return None
    try:
        return date.fromisoformat(said)
    except ValueError:
        return None


def moment(said: Any) -> datetime | None:
    """A moment written in ISO 8601 with its zone; None for anything else."""
    if not isinstance(said, str) or not _MOMENT.fullmatch(said):
        return None
    try:
        return datetime.fromisoformat(said)
    except ValueError:
        return None


def are_units(said: Any) -> bool:
    """Whether this says which units a case is handed to: each once, one of them in the lead."""
    if not isinstance(said, list) or not said or not all(isinstance(u, Mapping) for u in said):
        return False
    whole = all(
        filled(u.get("unit"))
        and ("deadline" not in u or day(u["deadline"]) is not None)
        and ("measure" not in u or filled(u["measure"]))
        and ("role" not in u or u["role"] in ROLES)
        for u in said
    )
    return whole and len({u["unit"] for u in said}) == len(said) and sum(u.get("lead") is True for u in said) == 1


def is_proof(said: Any, around: Around) -> bool:
    """Whether this is evidence kept with the case, each piece with its position and a time that has been."""

    def within(value: Any, most: float) -> bool:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and -most <= value <= most

    def whole(e: Any) -> bool:
        if not isinstance(e, Mapping) or not (within(e.get("lon"), 180) and within(e.get("lat"), 90)):
            return False
        at = moment(e.get("at"))
        return at is not None and at <= around.now and str(e.get("sha256")) in around.kept

    return isinstance(said, list) and bool(said) and all(whole(e) for e in said)


def ill_said(detail: Mapping[str, Any]) -> str | None:
    """Which part of what a move says cannot be read; None = none."""
    checks = {
        "deadline": lambda v: day(v) is not None,
        "units": are_units,
        "measure": filled,
        "severity": lambda v: isinstance(v, str) and v in SEVERITIES,
        "class_code": filled,
        "doubts": lambda v: isinstance(v, list),
    }
    return next((k for k, good in checks.items() if k in detail and not good(detail[k])), None)


def deadline_doubts(detail: Mapping[str, Any], today: date, longest_days: int) -> list[dict[str, Any]]:
    """What is odd about the days of an assignment (整改期限), code and figures: past, far off, a unit later than its case. Told, not refused."""
    own = day(detail.get("deadline"))
    units = [(u["unit"], due) for u in detail.get("units") or [] if (due := day(u.get("deadline"))) is not None]
    out: list[dict[str, Any]] = []
    for due in dict.fromkeys(d for d in (own, *(d for _, d in units)) if d is not None):
        if due < today:
            out.append({"code": "past", "day": str(due)})
        elif (due - today).days > longest_days:
            out.append({"code": "far", "day": str(due), "days": longest_days})
    return out + [
        {"code": "unit_later", "unit": u, "day": str(due)} for u, due in units if own is not None and due > own
    ]


def since_assigned(events: Sequence[Event]) -> Sequence[Event]:
    """Events after the case last came into 'assigned' from elsewhere: what counts as done is counted from there."""
    before, entered = "found", None
    for n, e in enumerate(events):
        if e["to_state"] == "assigned" and before not in ("assigned", "merged"):
            entered = n
        before = e["to_state"]
    return () if entered is None else events[entered + 1 :]


def units_of(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Units that the case is handed to now, as last said."""
    return next((e["detail"]["units"] for e in reversed(events) if "units" in e["detail"]), [])


def undone(events: Sequence[Event]) -> list[str]:
    """Responsible units beside the one in the lead that have not said yet that their part is done."""
    done = {e["detail"].get("unit") for e in since_assigned(events) if e["move"] == "unit_done"}
    others = [u for u in units_of(events) if u.get("lead") is not True and u.get("role", "responsible") in DOING]
    return [u["unit"] for u in others if u["unit"] not in done]


def doubts(events: Sequence[Event]) -> list[Any]:
    """What evidence and sayings of this round of rectifying say differently."""
    return [d for e in since_assigned(events) for d in e["detail"].get("doubts", [])]


def state(events: Sequence[Event]) -> str:
    """State of a case: where its last event led."""
    return str(events[-1]["to_state"]) if events else "found"


def before(events: Sequence[Event]) -> str:
    """State of a case before its last event."""
    return state(events[:-1])


def given(said: Said, events: Sequence[Event], around: Around) -> set[str]:
    """What is said, attached or has happened when a move is about to be taken: the names that ``needs`` may hold."""
    return {name for name, there in _given(said, events, around) if there}


def _given(said: Said, events: Sequence[Event], around: Around) -> Iterator[tuple[str, bool]]:
    d = said.detail
    yield "reason", filled(said.reason)
    yield "attachment", bool(re.fullmatch("[0-9a-f]{64}", said.attachment_sha256 or ""))
    yield "deadline", day(d.get("deadline")) is not None
    yield "measure", filled(d.get("measure"))
    yield "authority", filled(d.get("authority"))
    yield "units", are_units(d.get("units"))
    yield "stage", d.get("stage") in STAGES
    yield "evidence", is_proof(d.get("evidence"), around)
    level = d.get("authority_level")
    least = max(LEVELS.index(around.close_level), 1)
    yield "authority_level", level in LEVELS and LEVELS.index(level) >= least
    closed = [n for n, e in enumerate(events) if e["to_state"] in ("closed", "closed_above")]
    yield "instruction", any(e["move"] == "instruct" for e in events[closed[-1] + 1 if closed else 0 :])
    # what a table of before says is taken over only while nobody here has begun to work on the case
    yield "untouched", all(e["move"].startswith("take_over_") for e in events)
    names = [u["unit"] for u in units_of(events)]
    yield "unit", filled(d.get("unit")) and (not names or d["unit"] in names)
    yield "completions", filled(d.get("why_not_all")) or not undone(events)
    yield "doubts_seen", d.get("doubts_seen") is True or not doubts(events)
    yield "into", around.heir_open and not around.holds_others
