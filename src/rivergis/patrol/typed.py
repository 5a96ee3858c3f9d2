"""What somebody types of a patrol without a track: days, hours and figures read, or told what is wrong with them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rivergis import words
from rivergis.patrol import entries

SHANGHAI = ZoneInfo("Asia/Shanghai")
TYPED_KINDS = tuple(k for k in entries.KINDS if k != "platform_record")
_CLOCK = re.compile(r"(\d{1,2})[::.](\d{2})")
_LONGEST_MIN = 1440.0
_EARLIEST = date(2000, 1, 1)


@dataclass(frozen=True)
class Scan:
    """A scan in the store: content hash and place, relative to the store."""

    sha256: str
    path: str


@dataclass(frozen=True)
class Typed:
    """One entry as somebody types it; blank text = not said."""

    kind: str
    chief: str
    """Code, number of the sheet, or a name that only one chief bears on that day."""
    day: str
    river: str = ""
    """Code or name; blank = the one river of the chief on which the places lie."""
    begin: str = ""
    end: str = ""
    """Landmarks or chainages (桩号) that the patrol went between; ``begin`` alone is a place (a meeting on site).

    One patrol along several stretches has them told apart by semicolons: from 石桥;0+200 to 鹭洲堰;0+900.
    """
    bank: str = "both"
    started: str = ""
    ended: str = ""
    minutes: str = ""
    metres: str = ""
    problems: str = ""
    note: str = ""
    person: str = ""
    """Who went for the chief (代巡人)."""
    scan: Scan | None = None
    drawn: Path | None = None


class Wrong(Exception):
    """A row cannot be recorded; carries sentences for the person who typed it."""

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(key)
        self.sentence = words.both(f"entry_problem.{key}", **values)


def day_of(said: str, today: date) -> date:
    """The civil day that was typed, not after ``today``; raises ``Wrong``."""
    try:
        on = date.fromisoformat(said.strip())
    except ValueError:
        raise Wrong("day", said=said) from None
    if not _EARLIEST <= on <= today:
        raise Wrong("day_range", said=said)
    return on


def parts_of(said: str) -> list[str]:
    """What a field says of each stretch of one patrol, told apart by semicolons."""
    return [part.strip() for part in re.split("[;；]", said) if part.strip()]


def values_of(row: Typed, chief_id: Any, on: date) -> dict[str, Any]:
    """Columns of data.patrol_entry without identity: times in their zone, minutes told by the hours if not said; raises ``Wrong``."""
    started, ended = _moment(row.started, on), _moment(row.ended, on)
    if ended is not None and started is None:
        raise Wrong("start_missing")
    if started is not None and ended is not None and ended < started:
        raise Wrong("ends_before", said=f"{row.started} – {row.ended}")
    minutes = _number(row.minutes, "minutes", _LONGEST_MIN)
    if started is not None and ended is None and minutes is not None:
        ended = started + timedelta(minutes=minutes)
    if started is not None and ended is not None and minutes is None:
        minutes = (ended - started).total_seconds() / 60
    problems = _number(row.problems, "problems", 10_000)
    if problems is not None and problems % 1:
        raise Wrong("number", what=words.both("entry_page.problems"), said=row.problems, most=10_000)
    return {
        "kind": row.kind,
        "chief_id": chief_id,
        "day": on,
        "started_at": started,
        "ended_at": ended,
        "minutes": minutes,
        "metres_said": _number(row.metres, "metres", 1_000_000),
        "problems": None if problems is None else int(problems),
        "note": row.note.strip() or None,
        "scan_sha256": row.scan.sha256 if row.scan else None,
        "scan_path": row.scan.path if row.scan else None,
    }


def _moment(said: str, on: date) -> datetime | None:
    if not said.strip():
        return None
    found = _CLOCK.fullmatch(said.strip())
    try:
        clock = time(int(found[1]), int(found[2])) if found else time.fromisoformat(said.strip())
    except ValueError:
        raise Wrong("clock", said=said) from None
    return datetime.combine(on, clock, SHANGHAI)


def _number(said: str, what: str, most: float) -> float | None:
    if not said.strip():
        return None
    try:
        value = float(said)
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        raise Wrong("number", what=words.both(f"entry_page.{what}"), said=said, most=f"{most:g}")
    return value
