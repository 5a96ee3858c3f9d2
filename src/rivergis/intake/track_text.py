"""NMEA sentences and IGC flight records: lines of text that a receiver wrote, each checked for itself."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pynmea2  # type: ignore[import-untyped]
from aerofiles.igc.reader import LowLevelReader  # type: ignore[import-untyped]

from rivergis.errors import InputError
from rivergis.intake.delivery import Defect, defect
from rivergis.intake.track_course import Course, Found, rows_of

_KNOT_MS = 1852 / 3600
_SENTENCE = re.compile(r"\$[A-Z]{2}(RMC|GGA|GNS|GLL|ZDA),[^$\r\n]*")
_CHECKED = re.compile(r"\*[0-9A-Fa-f]{2}\s*$", re.MULTILINE)
# a time of day that falls by more than this belongs to the next day; a smaller step is the clock going back
_MIDNIGHT = timedelta(hours=12)


class _Clock:
    """Times of day put on days: the day named last, or the one after it when midnight has passed."""

    def __init__(self, day: date | None = None) -> None:
        self.day = day
        self.last: time | None = None

    def name(self, day: date, clock: time | None) -> None:
        self.day, self.last = day, clock

    def at(self, clock: time | None) -> str | None:
        if clock is None or self.day is None:
            return None
        if self.last is not None and _since_midnight(self.last) - _since_midnight(clock) > _MIDNIGHT:
            self.day += timedelta(days=1)
        self.last = clock
        return datetime.combine(self.day, clock.replace(tzinfo=None), UTC).isoformat()


def _since_midnight(clock: time) -> timedelta:
    return timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second, microseconds=clock.microsecond)


# ---- NMEA -----------------------------------------------------------------------------------------------------------


@dataclass
class _Log:
    """What has been read of a log: rows, and the fix that the sentences of one instant are being joined to."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    clock: _Clock = field(default_factory=_Clock)
    fix: dict[str, Any] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)
    wrong: list[int] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)
    void: int = 0
    checked: bool = False
    """Whether sentences end with their check sum: one that does not was cut."""

    def flush(self) -> None:
        if "lon" in self.fix:
            self.fix["at"] = self.clock.at(self.fix.pop("clock"))
            self.rows.append(self.fix)
        elif self.fix:
            self.void += 1
        self.fix, self.kinds = {}, set()


def read_nmea(path: Path, text: str) -> Found:
    """Positions of RMC, GGA, GNS and GLL sentences, those of one instant joined; days from RMC and ZDA.

    ``InputError`` when no sentence tells a position.
    """
    log = _Log(checked=bool(_CHECKED.search(text)))
    for number, line in enumerate(text.splitlines(), 1):
        _sentence(line, number, log)
    log.flush()
    if not log.rows:
        raise InputError(
            f"{path.name} holds no positions ({log.void} moments without a fix, {len(log.wrong) + len(log.broken)} damaged sentences): record under open sky.",
            file=str(path),
        )
    names = ("at", "lon", "lat", "ele_m", "speed_ms")
    rows = rows_of({n: [r.get(n) for r in log.rows] for n in names} | {"segment": 0})
    facts = {"moments_without_fix": log.void} if log.void else {}
    return Found("NMEA", [Course(path.stem, rows, facts=facts)], defects=_damage(log, text))


def _sentence(line: str, number: int, log: _Log) -> None:
    found = _SENTENCE.search(line)
    if found is None:
        if re.search(r"\$[A-Z]{2}(RMC|GGA|GNS|GLL|ZDA)?$", line):
            log.broken.append(number)
        return
    if log.checked and not _CHECKED.search(found[0]):
        log.broken.append(number)
        return
    try:
        message = pynmea2.parse(found[0].strip())
        _join(found[1], message, log)
    except pynmea2.ChecksumError:
        log.wrong.append(number)
    except (pynmea2.ParseError, ValueError, TypeError, AttributeError, OverflowError):
        log.broken.append(number)


def _join(kind: str, message: Any, log: _Log) -> None:
    clock = message.timestamp if isinstance(message.timestamp, time) else None
    if kind in log.kinds or (log.fix and clock != log.fix["clock"]):
        log.flush()
    day = _day(kind, message)
    if day is not None:
        log.clock.name(day, clock)
    if kind == "ZDA":
        return
    log.kinds.add(kind)
    log.fix.setdefault("clock", clock)
    if message.lat and message.lon_dir and _valid(kind, message):
        log.fix |= {"lon": float(message.longitude), "lat": float(message.latitude)}
    if kind == "RMC" and message.spd_over_grnd is not None:
        log.fix["speed_ms"] = float(message.spd_over_grnd) * _KNOT_MS
    if kind == "GGA" and message.altitude is not None:
        log.fix["ele_m"] = float(message.altitude)


def _day(kind: str, message: Any) -> date | None:
    if kind == "RMC":
        return message.datestamp if isinstance(message.datestamp, date) else None
    return date(message.year, message.month, message.day) if kind == "ZDA" and message.year else None


def _valid(kind: str, message: Any) -> bool:
    """Whether the receiver itself calls the position a fix."""
    if kind == "GGA":
        return str(message.gps_qual) != "0"
    return bool(getattr(message, "status", "A") != "V")


def _damage(log: _Log, text: str) -> list[Defect]:
    out = []
    if log.broken and not text.endswith(("\n", "\r")) and log.broken[-1] == len(text.splitlines()):
        last = log.broken.pop()
        out.append(_lines("file_cut_off", [last], "The last sentence is not whole: the file ends within it."))
    if log.wrong:
        out.append(_lines("checksum_errors", log.wrong, f"{len(log.wrong)} sentences do not match their check sum."))
    if log.broken:
        out.append(_lines("lines_left_out", log.broken, f"{len(log.broken)} sentences cannot be read."))
    return out


def _lines(code: str, numbers: list[int], said: str) -> Defect:
    action = "They are left out; ask for the file again if the track has holes there."
    return defect(code, "warning", said, action, numbers, place=f"line {numbers[0]}")


# ---- IGC ------------------------------------------------------------------------------------------------------------


def read_igc(path: Path, text: str) -> Found:
    """The B records of an IGC file, days counted on from the date in its header; ``InputError`` when there is none."""
    rows: list[dict[str, Any]] = []
    header: dict[str, Any] = {}
    broken, clock = [], _Clock()
    reader = LowLevelReader(io.StringIO(text))
    for kind, record, error in reader:
        if error is not None:
            broken += [reader.line_number] if kind in "BH" else []
        elif kind == "H":
            header |= record
            clock.day = header.get("utc_date", clock.day) if not rows else clock.day
        elif kind == "B":
            rows.append(_b_record(record, clock))
    if not rows:
        raise InputError(
            f"{path.name} holds no fixes (B records) of an IGC recording: ask for it again.", file=str(path)
        )
    columns = {n: [r[n] for r in rows] for n in rows[0]}
    device = str(header.get("logger_type") or header.get("firmware_revision") or "").strip()
    course = Course(path.stem, rows_of(columns | {"segment": 0}), facts={"device": device} if device else {})
    said = f"{len(broken)} records cannot be read."
    return Found("IGC", [course], defects=[_lines("lines_left_out", broken, said)] if broken else [])


def _b_record(record: dict[str, Any], clock: _Clock) -> dict[str, Any]:
    return {
        "at": clock.at(record["time"]),
        "lon": record["lon"],
        "lat": record["lat"],
        "ele_m": record["gps_alt"] or record["pressure_alt"] or None,
    }
