"""Can the times of a track be believed? Pure judgement of instants in the order of the file; nothing is repaired here.

Devices repeat a second, jump back when their clock is set, forget the date, or fall 1024 weeks behind when the ten-bit week
number of GPS starts again. A pause, a night between two segments and gaps at one fix per second are honest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from rivergis.intake.delivery import Defect, Severity, defect

ROLLOVER = np.timedelta64(1024 * 7 * 86_400_000_000, "us")
_DAY_S = 86_400.0
# dates that receivers and phones show before their clock was ever set
_EPOCHS = (("1970-01-01", "1970-01-03"), ("1980-01-05", "1980-01-08"))
_OLDEST = np.datetime64("2000-01-01", "us")
# a file is delivered soon after the walk: older dates that a rollover would explain are taken for what they say
_ROLLED_OVER_WITHIN = np.timedelta64(400, "D")
_AHEAD = np.timedelta64(1, "D")
_JUMP_S, _YEAR_JUMP_S = 7 * _DAY_S, 200 * _DAY_S
# a button pressed for a lap writes a second fix in the same second now and then
_FEW_REPEATS = 0.02
_COARSE_REPEATS = 0.3
_REVERSED = 0.8
# a pause is this many times the usual interval, and at least a minute
_PAUSE_TIMES, _PAUSE_S = 10, 60.0


@dataclass(frozen=True)
class _Course:
    """Fixes that have a time, in the order of the file."""

    at: np.ndarray
    """datetime64[us], UTC, none missing."""
    number: np.ndarray
    segment: np.ndarray
    recording: np.ndarray
    moved: np.ndarray
    """Whether the position differs from the fix before."""
    again: np.ndarray
    """Whether the same time and place stands in an earlier segment."""

    @property
    def step_s(self) -> np.ndarray:
        return np.diff(self.at) / np.timedelta64(1, "s")

    @property
    def within(self) -> np.ndarray:
        """Steps between two fixes of one segment."""
        return self.segment[1:] == self.segment[:-1]

    def only(self, chosen: np.ndarray) -> _Course:
        return _Course(*(getattr(self, f.name)[chosen] for f in fields(self)))


def time_verdict(
    at: Any,
    *,
    now: datetime | None = None,
    segment: Sequence[Any] | np.ndarray | None = None,
    recording: Sequence[Any] | np.ndarray | None = None,
    numbers: Sequence[Any] | np.ndarray | None = None,
    moved: np.ndarray | None = None,
    again: np.ndarray | None = None,
    assumed: int = 0,
    zone: str = "Asia/Shanghai",
) -> tuple[str, list[Defect]]:
    """The verdict on instants (UTC, missing allowed) in the order of the file, with a defect for each finding.

    Verdicts: ok | missing | partly_missing | repeated | backward | wrong_year | zone_assumed | mixed (several of them).
    ``now``: what lies beyond it is the future. Of each fix: ``segment``; ``recording``, of which several may run at the same
    time (two devices); ``numbers`` in the file; ``moved``, whether its place differs from the fix before; ``again``, whether
    its time and place stand in an earlier segment too. ``assumed``: how many times named no zone and were taken as
    ``zone``. Never raises, changes nothing.
    """
    instants = pd.to_datetime(pd.Series(np.asarray(at) if not isinstance(at, pd.Series) else at.array), utc=True)
    number = np.arange(1, len(instants) + 1) if numbers is None else np.asarray(numbers)
    missing = instants.isna().to_numpy()
    if missing.all():
        return "missing", [_missing(number, len(number))]
    n = len(instants)
    course = _Course(
        instants.dt.tz_localize(None).to_numpy().astype("datetime64[us]"),
        number,
        np.zeros(n, int) if segment is None else np.asarray(segment),
        np.zeros(n, int) if recording is None else np.asarray(recording),
        np.ones(n, bool) if moved is None else np.asarray(moved),
        np.zeros(n, bool) if again is None else np.asarray(again),
    ).only(~missing)
    found = [("partly_missing", _missing(number[missing], len(number)))] if missing.any() else []
    found += _findings(course, now)
    if assumed:
        found.append(("zone_assumed", _assumed(assumed, zone)))
    return _word([word for word, _ in found]), [d for _, d in found]


def wrong_years(at: np.ndarray, now: datetime) -> list[Defect]:
    """Of ``time_verdict`` the dates that cannot be, for instants (datetime64[us] of UTC, NaT allowed) in the order of the file."""
    known = ~np.isnat(at)
    if _surely_dated(at[known], now):
        return []
    n = len(at)
    every = _Course(at, np.arange(1, n + 1), np.zeros(n, int), np.zeros(n, int), np.ones(n, bool), np.zeros(n, bool))
    return [found for _, found in _wrong_year(every.only(known), now)]


def findings(defects: Sequence[Defect]) -> list[str]:
    """Codes of what was found about times, for a report: every one, also those without alarm."""
    return list(dict.fromkeys(d.code for d in defects if d.code.startswith(("time_", "segments_"))))


def _word(words: list[str]) -> str:
    said = dict.fromkeys(w for w in words if w)
    alarms = [w for w in said if w != "zone_assumed"]
    return "mixed" if len(alarms) > 1 else alarms[0] if alarms else next(iter(said), "ok")


def _findings(course: _Course, now: datetime | None) -> list[tuple[str, Defect]]:
    wrong = _wrong_year(course, now)
    doubtful = np.zeros(len(course.at), bool)
    for chosen, _ in wrong:
        doubtful |= chosen
    # steps from and to a wrong date are no findings of their own
    sound = course if doubtful.all() else course.only(~doubtful)
    found = [("wrong_year", d) for _, d in wrong]
    return found + _repeated(sound) + _twice(sound) + _backward(sound) + _segments(sound) + _jumps(sound)


def _missing(numbers: np.ndarray, of: int) -> Defect:
    some = f"{len(numbers)} of {of} fixes have no time" if len(numbers) < of else f"None of the {of} fixes has a time"
    return defect(
        "time_missing",
        "warning",
        f"{some}: nothing shows when the places were passed.",
        "They are kept as places; ask for a recording with times.",
        numbers.tolist(),
    )


def _assumed(count: int, zone: str) -> Defect:
    return defect(
        "time_zone_assumed",
        "info",
        f"{count} times name no time zone and were taken as {zone}.",
        "Name the zone of the device if it is another.",
        count=count,
    )


def _text(at: np.datetime64) -> str:
    whole = at == at.astype("datetime64[s]")
    return f"{np.datetime_as_string(at, unit='s' if whole else 'ms').replace('T', ' ')} UTC"


# ---- dates that cannot be -------------------------------------------------------------------------------------------


def _wrong_year(course: _Course, now: datetime | None) -> list[tuple[np.ndarray, Defect]]:
    at = course.at
    unset = np.zeros(len(at), bool)
    for first, beyond in _EPOCHS:
        unset |= (at >= np.datetime64(first)) & (at < np.datetime64(beyond))
    old = (at < _OLDEST) & ~unset
    kinds = [
        (unset, "are the first days of a clock that was never set", "Their date cannot be known."),
        (old & ~_rolls_over(at, now), "lie before 2000, when no such track was recorded", "Ask when the walk was."),
        (old & _rolls_over(at, now), "lie before 2000", _PROPOSAL),
    ]
    if now is not None:
        today = np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "us")
        rolled = (at >= _OLDEST) & (today - at >= ROLLOVER) & (today - at < ROLLOVER + _ROLLED_OVER_WITHIN)
        kinds.append(
            (rolled, "lie 1024 weeks before the last months: a receiver's week counter rolled over", _PROPOSAL)
        )
        kinds.append(
            (
                at > today + _AHEAD,
                f"lie in the future (today is {today.astype('datetime64[D]')})",
                "Ask when the walk was.",
            )
        )
    return [(chosen, _dated(course, chosen, why, what)) for chosen, why, what in kinds if chosen.any()]


def _surely_dated(at: np.ndarray, now: datetime) -> bool:
    """Whether all dates are of the years that a receiver can mean."""
    today = np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "us")
    since = max(today - ROLLOVER, _OLDEST)
    return not len(at) or bool(at.min() > since and at.max() <= today + _AHEAD)


_PROPOSAL = "With 1024 weeks added (GPS week rollover) the first is {proposed}: applied only when somebody confirms it."


def _rolls_over(at: np.ndarray, now: datetime | None) -> np.ndarray:
    """Dates that 1024 weeks later would be possible ones."""
    later = at + ROLLOVER
    latest = np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "us") if now else np.datetime64("9999-01-01", "us")
    return np.asarray((later >= _OLDEST) & (later <= latest + _AHEAD))


def _dated(course: _Course, chosen: np.ndarray, why: str, what: str) -> Defect:
    numbers, times = course.number[chosen], course.at[chosen]
    return defect(
        "time_wrong_year",
        "warning",
        f"The times of {len(numbers)} of {len(course.at)} fixes {why}, for instance {_text(times[0])}.",
        what.format(proposed=_text(times[0] + ROLLOVER)),
        numbers.tolist(),
        place=f"fix {numbers[0]}, {_text(times[0])}",
    )


# ---- order ----------------------------------------------------------------------------------------------------------


def _repeated(course: _Course) -> list[tuple[str, Defect]]:
    step = course.within & (course.step_s == 0)
    if not step.any():
        return []
    again = np.flatnonzero(step) + 1
    share, unit = len(again) / len(step), _written_in(course.at)
    if unit and share >= _COARSE_REPEATS and course.moved[again].mean() >= 0.5:
        message = f"{len(again)} fixes share their time with the fix before: the device recorded more often than the {unit} in which times are written."
        return [
            (
                "repeated",
                _at_steps(course, again, "time_resolution", "info", message, "Their order is that of the file."),
            )
        ]
    severity: Severity = "info" if share < _FEW_REPEATS and course.moved[again].all() else "warning"
    still = int((~course.moved[again]).sum())
    same = f", {still} of them also its place" if still else ""
    message = f"{len(again)} of {len(course.at)} fixes repeat the time of the fix before{same}."
    return [
        (
            "repeated",
            _at_steps(
                course,
                again,
                "time_repeated",
                severity,
                message,
                "The same time and place counts once; others keep the order of the file.",
            ),
        )
    ]


def _twice(course: _Course) -> list[tuple[str, Defect]]:
    if not course.again.any():
        return []
    numbers = course.number[course.again].tolist()
    message = f"{len(numbers)} fixes stand in an earlier segment of the file too, with the same time and place."
    return [("repeated", defect("time_repeated", "warning", message, "They count once.", numbers))]


def _written_in(at: np.ndarray) -> str | None:
    """The unit that all times are whole numbers of, if it is a coarse one."""
    micros = at.astype(np.int64)
    return "minutes" if not (micros % 60_000_000).any() else "seconds" if not (micros % 1_000_000).any() else None


def _backward(course: _Course) -> list[tuple[str, Defect]]:
    step_s = course.step_s
    back = np.flatnonzero(course.within & (step_s < 0)) + 1
    if not len(back):
        return []
    moving = course.within & (step_s != 0)
    if len(back) >= 4 and len(back) >= _REVERSED * moving.sum():
        message = f"The file lists its fixes from the last to the first ({len(back)} steps go back in time)."
    else:
        message = (
            f"Times go back at {len(back)} fixes, at most by {_span(-step_s[back - 1].min())}{_reason(course, back)}."
        )
    return [
        (
            "backward",
            _at_steps(course, back, "time_backward", "warning", message, "Fixes are put in the order of their times."),
        )
    ]


def _reason(course: _Course, back: np.ndarray) -> str:
    """What a step back by a whole day or hour usually is."""
    by_s = -course.step_s[back - 1]
    if (np.abs(by_s - _DAY_S) < 600).all():
        return "; by about a day: the device did not change the date at midnight"
    return "; by a whole hour: the clock was put back" if (np.abs(by_s - 3600) < 60).all() else ""


def _segments(course: _Course) -> list[tuple[str, Defect]]:
    """Segments that start before an earlier one of their recording ended; one device cannot be in two of them at once."""
    if (course.segment == course.segment[0]).all():
        return []
    frame = pd.DataFrame({n: getattr(course, n) for n in ("segment", "recording", "at", "number")})
    spans = frame.groupby("segment", sort=False).agg(
        first=("at", "min"), last=("at", "max"), number=("number", "first"), recording=("recording", "first")
    )
    late = _ended_before(spans) > spans["first"]
    if not late.any():
        return []
    numbers = spans.loc[late, "number"].tolist()
    by_time = spans.sort_values("first", kind="stable")
    if (_ended_before(by_time) > by_time["first"]).any():
        message = f"{len(numbers)} segments start before an earlier one ended: times go back between them."
        action = "Fixes are put in the order of their times."
        return [("backward", defect("time_backward", "warning", message, action, numbers, place=f"fix {numbers[0]}"))]
    message = f"{len(numbers)} segments stand in the file after later ones."
    return [
        ("", defect("segments_out_of_order", "info", message, "Segments are put in the order of their times.", numbers))
    ]


def _ended_before(spans: pd.DataFrame) -> pd.Series:
    """When the last of the segments above each, of the same recording, ended."""
    ended = spans.groupby("recording", sort=False)["last"].cummax()
    return ended.groupby(spans["recording"], sort=False).shift()


def _jumps(course: _Course) -> list[tuple[str, Defect]]:
    ahead = np.flatnonzero(course.within & (course.step_s > _JUMP_S)) + 1
    if not len(ahead):
        return []
    longest_s = course.step_s[ahead - 1].max()
    wrong = longest_s > _YEAR_JUMP_S
    message = f"Times jump ahead within a segment at {len(ahead)} fixes, at most by {_span(longest_s)}."
    action = "Ask which of the dates is right." if wrong else "Read as it stands: the device was off."
    found = _at_steps(course, ahead, "time_jump", "warning" if wrong else "info", message, action)
    return [("wrong_year" if wrong else "", found)]


def _span(seconds: float) -> str:
    return f"{seconds / _DAY_S:.1f} days" if seconds >= 2 * _DAY_S else f"{seconds:g} s"


def _at_steps(course: _Course, at: np.ndarray, code: str, severity: Severity, message: str, action: str) -> Defect:
    """A defect of steps, named by the fix they lead to, with the two times of the first."""
    i = int(at[0])
    place = f"fix {course.number[i]}, {_text(course.at[i])} after fix {course.number[i - 1]}, {_text(course.at[i - 1])}"
    return defect(code, severity, message, action, course.number[at].tolist(), place=place)


# ---- pace -----------------------------------------------------------------------------------------------------------


def pace(at: pd.Series, segment: np.ndarray) -> dict[str, Any]:
    """Usual interval (s) and pauses of a recording: steps forward within a segment far longer than usual."""
    step_s = at.diff().dt.total_seconds().to_numpy()[1:]
    step_s = step_s[(segment[1:] == segment[:-1]) & (step_s > 0)]
    if not len(step_s):
        return {"median_interval_s": None, "pauses": 0, "paused_s": 0.0}
    usual_s = float(np.median(step_s))
    pauses_s = step_s[step_s > max(_PAUSE_S, _PAUSE_TIMES * usual_s)]
    return {"median_interval_s": usual_s, "pauses": len(pauses_s), "paused_s": float(pauses_s.sum())}
