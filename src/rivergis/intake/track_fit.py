"""FIT: the binary recordings of sports watches and bicycle computers; of a truncated file, the records that are whole."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import fitdecode  # type: ignore[import-untyped]

from rivergis.errors import InputError
from rivergis.intake.delivery import Defect, defect
from rivergis.intake.track_course import Course, Found, rows_of

_DEGREES = 180 / 2**31
"""Of one semicircle, the unit of positions."""
_STOPS = {"stop", "stop_all", "stop_disable", "stop_disable_all"}


@dataclass
class _Recording:
    rows: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    defects: list[Defect] = field(default_factory=list)
    without_position: int = 0
    segment: int = 0
    stopped: bool = False


def read_fit(path: Path, raw: bytes) -> Found:
    """The records of a FIT file as one track, a segment for each time the timer ran; ``InputError`` when it holds none."""
    recording = _Recording()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _frames(raw, recording)
    if not recording.rows:
        raise InputError(
            f"{path.name} holds no positions ({recording.without_position} records without one): it is damaged or of an indoor activity.",
            file=str(path),
        )
    if recording.without_position:
        recording.facts["records_without_position"] = recording.without_position
    columns = {c: [r.get(c) for r in recording.rows] for c in recording.rows[0]}
    return Found("FIT", [Course(path.stem, rows_of(columns), facts=recording.facts)], defects=recording.defects)


def _frames(raw: bytes, recording: _Recording) -> None:
    """Every frame up to the first that cannot be read; the library's own faults on damaged bytes end the reading too."""
    try:
        with fitdecode.FitReader(
            io.BytesIO(raw), check_crc=fitdecode.CrcCheck.WARN, error_handling=fitdecode.ErrorHandling.IGNORE
        ) as reader:
            for frame in reader:
                _frame(frame, recording)
    except fitdecode.FitEOFError as error:
        said = f"The file ends early (byte {error.offset} of {len(raw)}): what came after is not there."
        recording.defects.append(
            defect("file_cut_off", "warning", said, "The records before are read; ask for the whole file.")
        )
    except Exception as error:  # the decoder raises whatever the damaged bytes lead it to
        said = f"The file cannot be read to its end ({type(error).__name__}: {' '.join(str(error).split())[:80]})."
        recording.defects.append(
            defect("file_damaged", "warning", said, "The records before are read; ask for the file again.")
        )


def _frame(frame: Any, recording: _Recording) -> None:
    if isinstance(frame, fitdecode.FitCRC) and frame.matched is False:
        said = "The check sum of the file is not that of its content: it was changed or damaged."
        recording.defects.append(
            defect("checksum_errors", "warning", said, "It is read all the same; compare it with the device.")
        )
    if not isinstance(frame, fitdecode.FitDataMessage):
        return
    if frame.name == "record":
        _record(frame, recording)
    elif frame.name == "event" and _value(frame, "event") == "timer":
        recording.stopped = _value(frame, "event_type") in _STOPS
    elif frame.name == "file_id":
        made = [_value(frame, n) for n in ("manufacturer", "garmin_product", "product_name")]
        recording.facts["device"] = " ".join(str(m) for m in made if m is not None)


def _record(frame: Any, recording: _Recording) -> None:
    lat, lon = _value(frame, "position_lat"), _value(frame, "position_long")
    if lat is None or lon is None:
        recording.without_position += 1
        return
    if recording.stopped:
        recording.segment, recording.stopped = recording.segment + 1, False
    at = _value(frame, "timestamp")
    recording.rows.append(
        {
            "at": at.isoformat() if isinstance(at, datetime) else None,
            "lon": lon * _DEGREES,
            "lat": lat * _DEGREES,
            "ele_m": _value(frame, "enhanced_altitude", "altitude"),
            "acc_m": _value(frame, "gps_accuracy"),
            "speed_ms": _value(frame, "enhanced_speed", "speed"),
            "segment": recording.segment,
        }
    )


def _value(frame: Any, *names: str) -> Any:
    """The first of these fields that has a value; damaged ones hold tuples where a number belongs."""
    for name in names:
        value = frame.get_value(name, fallback=None)
        if value is not None and not isinstance(value, tuple):
            return value
    return None
