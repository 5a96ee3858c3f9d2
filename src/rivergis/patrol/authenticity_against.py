"""Whether a track is a copy of an earlier one, in words and figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rivergis.patrol import authenticity_copy as copies
from rivergis.patrol.authenticity_archive import AROUND_M, Archive
from rivergis.patrol.authenticity_copy import Course, Likeness
from rivergis.patrol.authenticity_signal import Limits, Signal

LEAST_M = 100.0  # extent of a track below which standing near each other is likeness enough


def against(course: Course, others: Archive | Iterable[Course], limits: Limits) -> list[Signal]:
    """Whether a track is a copy of another one: at most one signal, on the track it resembles most.

    ``others``: tracks of any chief, from the same area; the track itself may be among them. Only earlier ones count as
    sources, and later ones of nearly the same time where the noise tells which was first. All that went the same way are
    held beside the track roughly (0.3 ms each), the likeliest ``candidates`` closely (10 ms each).
    """
    rows = others.near(course) if isinstance(others, Archive) else [c for c in others if c.track_id != course.track_id]
    near_s = 60 * limits.same_time_min
    earlier = [other for other in rows if course.start_s - other.start_s >= -near_s]
    held = [_held(course, other, limits) for other in _likely(course, earlier, limits)]
    found = [match for match in held if match and _is_the_copy(course, match, limits)]
    if not found:
        return []
    best = max(found, key=lambda match: (match.odds, -match.other.start_s))
    return [_signal(course, best, len(found), limits)]


def _likely(course: Course, others: Sequence[Course], limits: Limits) -> list[Course]:
    """The courses that a track lies on most closely: at least half of it, as every copy does, and not more than are asked for."""
    shares = [copies.share_within(course, other, limits.same_place_m) for other in others]
    order = sorted(range(len(others)), key=lambda k: (-shares[k], others[k].start_s))
    return [others[k] for k in order[: int(limits.candidates)] if shares[k] >= 0.5]


@dataclass(frozen=True)
class _Match:
    """A track that resembles the course, how surely, by what (``same_fixes``, ``rhythm``, ``blind`` or ``line``)."""

    other: Course
    odds: float
    by: str
    share: float
    like: Likeness | None


SURELY = {"same_fixes": 20.0, "line": 18.0, "rhythm": 15.0}  # log odds given to what has no other explanation
SURE = 4.0  # standard errors


def _held(course: Course, other: Course, limits: Limits) -> _Match | None:
    """One course held against another: None where they are not alike, or nobody can tell."""
    like = copies.likeness(course, other, AROUND_M)
    if like and like.share >= limits.similarity and like.median_m <= limits.same_place_m and like.moved_m >= LEAST_M:
        if like.median_m <= limits.same_fix_m:
            return _Match(other, SURELY["same_fixes"], "same_fixes", like.share, like)
        if like.rhythm >= 0.9 and like.rhythm_sure >= SURE:
            return _Match(other, SURELY["rhythm"], "rhythm", like.share, like)
        odds = copies.log_odds(like, max(course.interval_s, other.interval_s))
        if odds >= limits.copy_log_odds and like.fine_m <= limits.same_place_m:
            return _Match(other, odds, "blind", like.share, like)
        return None
    share = copies.share_on_its_line(course, other, limits.same_fix_m)
    return _Match(other, SURELY["line"], "line", share, None) if share >= limits.similarity else None


def _is_the_copy(course: Course, match: _Match, limits: Limits) -> bool:
    """Which of two alike tracks was first: told by the noise where it says so, else by the start, else by the name."""
    other, like = match.other, match.like
    if like and match.by != "same_fixes" and _together(course, other, limits):
        if like.inherited - 3 * like.inherited_error > 0.5:
            return False
        if like.inherited + 3 * like.inherited_error < 0.5:
            return True
    return (other.start_s, other.track_id) < (course.start_s, course.track_id)


def _together(course: Course, other: Course, limits: Limits) -> bool:
    return abs(course.start_s - other.start_s) <= 60 * limits.same_time_min


def _signal(course: Course, match: _Match, alike: int, limits: Limits) -> Signal:
    other, like = match.other, match.like
    same_chief = course.chief_id is not None and course.chief_id == other.chief_id
    family = "replay" if not _together(course, other, limits) else "twice" if same_chief else "shared"
    what_zh, what_en = {
        "replay": (f"与较早轨迹 {other.track_id} 同路", f"Same course as the earlier track {other.track_id}"),
        "shared": (
            f"与同一时间另一账号的轨迹 {other.track_id} 同路",
            f"Same course as track {other.track_id} of another account at the same time",
        ),
        "twice": (
            f"与同一账号同一时间的轨迹 {other.track_id} 同路,可能重复上传",
            f"Same course as track {other.track_id} of the same account at the same time, perhaps sent twice",
        ),
    }[family]
    why_zh, why_en = _why(match)
    return Signal(
        f"{family}_course",
        f"{what_zh}:{why_zh},请说明情况",
        f"{what_en}: {why_en}",
        round(match.share, 3),
        family,
        {"other": other.track_id, "alike": alike, "by": match.by, "log_odds": round(match.odds, 1)} | _figures(like),
    )


def _why(match: _Match) -> tuple[str, str]:
    like, share = match.like, f"{match.share:.0%}"
    if like is None:
        return (
            f"{share} 的定位点落在该轨迹各定位点的连线上,两部手机通常相差数米",
            f"{share} of its places lie on the line through the fixes of that track; two phones differ by metres",
        )
    back_zh, back_en = ("(方向相反)", " in the other direction") if like.times.scale < 0 else ("", "")
    zh = f"{share} 的定位点有对应点{back_zh},相距中位数 {like.median_m:.1f} 米"
    en = f"{share} of its fixes have a partner{back_en}, at a median of {like.median_m:.1f} m"
    if match.by == "same_fixes":
        return f"{zh},逐点相同", f"{en}, fix by fix the same"
    if match.by == "rhythm":
        return f"{zh},记录间隔逐点相同", f"{en}, and the intervals between fixes are the same one by one"
    part = f"{max(like.inherited, 0):.0%}"
    return (
        f"{zh},差异没有缓慢漂移(为白噪声的 {like.slow:.1f} 倍),也不含对方手机的定位误差(占 {part})",
        f"{en}; the difference does not wander ({like.slow:.1f} times white noise) and holds no noise of the other phone "
        f"({part})",
    )


def _figures(like: Likeness | None) -> dict[str, float | None]:
    """The figures of a comparison, rounded for the record."""
    if like is None:
        return {}
    return {
        "share": round(like.share, 3),
        "median_m": round(like.median_m, 2),
        "fine_m": round(like.fine_m, 2),
        "inherited": round(like.inherited, 3),
        "inherited_error": round(like.inherited_error, 3),
        "slow": round(like.slow, 2),
        "rhythm": None if np.isnan(like.rhythm) else round(like.rhythm, 3),
        "time_scale": round(like.times.scale, 4),
    }
