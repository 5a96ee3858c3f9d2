"""轨迹待核实: what in a track a person should look at, each with its reason in words and figures; never a sentence on anybody.

Assistants on the chief's account, joint patrols, drones and paper logs are lawful in places, phones fail and boats keep an
even speed: a signal is a question with a right of reply. Where a track has too few fixes, or too few for its sampling,
nothing is said. What no statistic on positions can find: an imitation that carries the slow wander of a real receiver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np

from rivergis import crs
from rivergis.patrol import authenticity_alone as one
from rivergis.patrol import authenticity_copy as copies
from rivergis.patrol.authenticity_archive import AROUND_M, Archive
from rivergis.patrol.authenticity_copy import Course, Likeness, course_of
from rivergis.patrol.authenticity_player import Pieces, pieces
from rivergis.patrol.fixes import Fixes, Floats

__all__ = ["Archive", "Course", "Limits", "Signal", "against", "alone", "course", "course_of", "limits_of", "signals"]


@dataclass(frozen=True)
class Signal:
    """One reason to look: stable code, question in both languages, the figure it rests on, and all figures behind it.

    ``family``: ``spoof`` (positions not recorded by a carried phone), ``replay`` (an earlier track), ``shared`` (one track
    under two names), or what else it is about: ``twice``, ``idle``, ``drive``, ``fast``, ``clock``.
    """

    code: str
    zh: str
    en: str
    value: float
    family: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """Thresholds and weights of the signals, from ``patrol.cheat.*`` of the rules (units there); built by ``limits_of``."""

    same_place_m: float
    same_fix_m: float
    similarity: float
    copy_log_odds: float
    same_time_min: float
    map_line_m: float
    map_line_share: float
    rests: float
    rest_jump_m: float
    rest_jump_ms2: float
    player_log_odds: float
    weights: one.Weights
    idle_min: float
    drive_time_min: float
    drive_distance_m: float
    fast_kmh: float
    fast_share: float


def limits_of(number: Callable[[str], float]) -> Limits:
    """The limits with the values a rule view gives for its keys (``view.number``)."""
    cheat: Callable[[str], float] = lambda key: number(f"patrol.cheat.{key}")  # noqa: E731
    return Limits(
        same_place_m=cheat("same_place"),
        same_fix_m=cheat("same_fix"),
        similarity=cheat("similarity"),
        copy_log_odds=cheat("copy_log_odds"),
        same_time_min=cheat("same_time"),
        map_line_m=cheat("map_line"),
        map_line_share=cheat("map_line_share"),
        rests=cheat("rests"),
        rest_jump_m=cheat("rest_jump"),
        rest_jump_ms2=cheat("rest_jump_acceleration"),
        player_log_odds=cheat("player_log_odds"),
        weights=one.Weights(
            base=cheat("player.base"),
            wander=cheat("player.wander"),
            noise=cheat("player.noise"),
            same_speed=cheat("player.same_speed"),
            straight=cheat("player.straight"),
            even_times=cheat("player.even_times"),
            uneven_times=cheat("player.uneven_times"),
            one_accuracy=cheat("player.one_accuracy"),
            many_accuracies=cheat("player.many_accuracies"),
        ),
        idle_min=cheat("idle"),
        drive_time_min=cheat("drive_time"),
        drive_distance_m=cheat("drive_distance"),
        fast_kmh=number("patrol.coverage.fast_speed"),
        fast_share=number("patrol.coverage.fast_share"),
    )


def alone(fixes: Fixes, xy_m: Floats, lines: Sequence[Any], limits: Limits) -> list[Signal]:
    """What a track shows by itself.

    ``xy_m``: the fixes in local metres of WGS 84, shape (n, 2), same order; ``lines``: reach lines around it in the same
    metres, shapely LineStrings or arrays of shape (m, 2), may be empty. Tracks without times are only held against the lines.
    """
    used = fixes.used
    found = [_on_the_map_line(xy_m[used], lines, limits)]
    if fixes.timed:
        timed = np.flatnonzero(fixes.mark != 1)  # a repeat says nothing; a jump may be the very question
        found.append(_rests(fixes.t_s[timed], xy_m[timed], limits))
        rising = np.flatnonzero(used)
        rising = rising[np.diff(fixes.t_s[rising], prepend=-np.inf) > 0]
        t, xy = fixes.t_s[rising], xy_m[rising]
        found += [_played(t, xy, fixes.acc_m[rising], limits), *_speeds(t, xy, limits), _clock(fixes)]
    return [signal for signal in found if signal]


def against(course: Course, others: Archive | Iterable[Course], limits: Limits) -> list[Signal]:
    """Whether a track is a copy of another one: at most one signal, on the track it resembles most.

    ``others``: tracks of any chief, from the same area; the track itself may be among them. Only earlier ones count as
    sources, and later ones of nearly the same time where the noise tells which was first. Costs about 10 ms for each of
    ``others`` that went the same way; of an ``Archive`` only those are looked at.
    """
    rows = others.near(course) if isinstance(others, Archive) else [c for c in others if c.track_id != course.track_id]
    found = []
    for other in rows:
        later_s = course.start_s - other.start_s
        if not (later_s >= 0 or abs(later_s) <= 60 * limits.same_time_min):
            continue
        like = copies.likeness(course, other, AROUND_M)
        odds = _copy_odds(like, limits) if like else -np.inf
        if like and odds >= limits.copy_log_odds and _is_the_copy(course, other, like, limits):
            found.append((odds, other, like))
    if not found:
        return []
    best = max(found, key=lambda row: (row[0], -row[1].start_s))
    return [_copy_signal(course, *best, len(found), limits)]


EXACT, IN_RHYTHM = 20.0, 15.0  # log odds given to what has no other explanation
SURE = 4.0  # standard errors


def _copy_odds(like: Likeness, limits: Limits) -> float:
    """Log odds of a copy against two phones on one way; minus infinity where the courses differ or hardly move."""
    far = like.share < limits.similarity or like.median_m > limits.same_place_m
    if far or like.moved_m < 100 or like.fine_m > limits.same_place_m:
        return -np.inf
    if like.median_m <= limits.same_fix_m:
        return EXACT
    return IN_RHYTHM if like.rhythm >= 0.9 and like.rhythm_sure >= SURE else copies.log_odds(like)


def _is_the_copy(course: Course, other: Course, like: Likeness, limits: Limits) -> bool:
    """Which of two alike tracks was first: told by the noise where it says so, else by the start, else by the name."""
    if abs(course.start_s - other.start_s) <= 60 * limits.same_time_min and like.median_m > limits.same_fix_m:
        if like.inherited - 3 * like.inherited_error > 0.5:
            return False
        if like.inherited + 3 * like.inherited_error < 0.5:
            return True
    return (other.start_s, other.track_id) < (course.start_s, course.track_id)


def _copy_signal(course: Course, odds: float, other: Course, like: Likeness, alike: int, limits: Limits) -> Signal:
    together = abs(course.start_s - other.start_s) <= 60 * limits.same_time_min
    family = "replay" if not together else "twice" if course.chief_id == other.chief_id else "shared"
    zh = {
        "replay": f"与较早轨迹 {other.track_id} 同路",
        "shared": f"与同一时间另一账号的轨迹 {other.track_id} 同路",
        "twice": f"与同一账号同一时间的轨迹 {other.track_id} 同路,可能重复上传",
    }[family]
    en = {
        "replay": f"Same course as the earlier track {other.track_id}",
        "shared": f"Same course as track {other.track_id} of another account at the same time",
        "twice": f"Same course as track {other.track_id} of the same account at the same time, perhaps sent twice",
    }[family]
    reversed_zh, reversed_en = (",方向相反", ", in the other direction") if like.times.scale < 0 else ("", "")
    why_zh, why_en = _why_a_copy(odds, like)
    return Signal(
        f"{family}_course",
        f"{zh}{reversed_zh}:{like.share:.0%} 的定位点有对应点,相距中位数 {like.median_m:.1f} 米;{why_zh}。请说明情况",
        f"{en}{reversed_en}: {like.share:.0%} of its fixes have a partner, at a median of {like.median_m:.1f} m; {why_en}",
        round(like.share, 3),
        family,
        {
            "other": other.track_id,
            "alike": alike,
            "share": round(like.share, 3),
            "median_m": round(like.median_m, 2),
            "fine_m": round(like.fine_m, 2),
            "inherited": round(like.inherited, 3),
            "inherited_error": round(like.inherited_error, 3),
            "slow": round(like.slow, 2),
            "rhythm": None if np.isnan(like.rhythm) else round(like.rhythm, 3),
            "time_scale": round(like.times.scale, 4),
            "log_odds": round(odds, 1),
        },
    )


def _why_a_copy(odds: float, like: Likeness) -> tuple[str, str]:
    if odds == EXACT:
        return "定位点逐点相同", "fix by fix the same"
    if odds == IN_RHYTHM:
        return "记录间隔逐点相同", "the intervals between fixes are the same one by one"
    return (
        f"差异没有缓慢漂移(与白噪声之比 {like.slow:.1f}),也不含对方手机的定位误差(占 {max(like.inherited, 0):.0%})",
        f"the difference does not wander (ratio to white noise {like.slow:.1f}) and holds none of the other phone's noise "
        f"({max(like.inherited, 0):.0%})",
    )


def _on_the_map_line(xy: Floats, lines: Sequence[Any], limits: Limits) -> Signal | None:
    share, fixes = one.share_on_lines(xy, lines, limits.map_line_m)
    if share < limits.map_line_share:
        return None
    return Signal(
        "map_line",
        f"{share:.0%} 的定位点与地图河线相距不超过 {limits.map_line_m:g} 米,手机定位通常有数米误差,请说明情况",
        f"{share:.0%} of the fixes lie within {limits.map_line_m:g} m of the river line of the map; a phone errs by metres",
        round(share, 3),
        "spoof",
        {"share": round(share, 3), "fixes": fixes, "within_m": limits.map_line_m},
    )


def _rests(t: Floats, xy: Floats, limits: Limits) -> Signal | None:
    jumps = one.jumps_between_rests(t, xy, limits.rest_jump_m, limits.rest_jump_ms2)
    if len(jumps) < limits.rests:
        return None
    longest = max(jump.metres for jump in jumps)
    return Signal(
        "rest_jumps",
        f"有 {len(jumps)} 次从静止瞬间移到另一处静止(最远 {longest:.0f} 米),车船无法做到,请说明情况",
        f"{len(jumps)} times it stands, and stands elsewhere a moment later (up to {longest:.0f} m): no vehicle can do that",
        float(len(jumps)),
        "spoof",
        {"jumps": len(jumps), "longest_m": round(longest), "least_ms2": round(min(j.ms2 for j in jumps), 1)},
    )


def _played(t: Floats, xy: Floats, acc: Floats, limits: Limits) -> Signal | None:
    cut = pieces(t, xy)
    parts = one.player_parts(cut, acc, limits.weights) if cut else None
    if cut is None or parts is None or sum(parts.values()) < limits.player_log_odds:
        return None
    return Signal(
        "even_motion",
        *_played_words(cut, parts),
        round(sum(parts.values()), 2),
        "spoof",
        {
            "noise_m": round(cut.noise_m, 2),
            "wander": round(cut.wander, 2),
            "same_speed": round(cut.same_speed, 2),
            "piece_m": round(cut.length_m),
            "fixes_a_piece": round(cut.fixes_each, 1),
            "log_odds": {name: round(value, 2) for name, value in parts.items()},
        },
    )


def _played_words(cut: Pieces, parts: Mapping[str, float]) -> tuple[str, str]:
    """The figures that speak for it, strongest first."""
    words = {
        "wander": (
            f"定位误差 {cut.noise_m:.1f} 米,没有手机常见的缓慢漂移",
            f"its noise of {cut.noise_m:.1f} m does not wander as that of a carried phone",
        ),
        "same_speed": (
            f"{cut.pairs} 处前后路段的速度几乎完全相同",
            f"speeds return exactly over {cut.pairs} pairs of stretches",
        ),
        "straight": (
            f"由平均 {cut.length_m:.0f} 米的匀速直线段组成",
            f"it is made of straight stretches of even speed, {cut.length_m:.0f} m each",
        ),
        "times": ("记录间隔完全相等", "its intervals are exactly even"),
        "accuracy": ("定位精度值始终不变", "its accuracy never changes"),
    }
    told = [words[name] for name, value in sorted(parts.items(), key=lambda p: -p[1]) if name in words and value > 0.3]
    return "、".join(zh for zh, _ in told) + ",请说明情况", ("; ".join(en for _, en in told)).capitalize()


def _speeds(t: Floats, xy: Floats, limits: Limits) -> list[Signal]:
    """Left running, driven, fast: plain figures over windows of a minute."""
    way = one.minutes_of_way(t, xy)
    out = []
    if way.minutes > limits.idle_min and way.rest_min > way.minutes / 2:
        out.append(
            Signal(
                "idle",
                f"记录 {way.minutes:.0f} 分钟,其中 {way.rest_min:.0f} 分钟停留不动,是否忘记结束",
                f"It runs for {way.minutes:.0f} min and stands for {way.rest_min:.0f} of them: was it left running",
                round(way.rest_min, 1),
                "idle",
            )
        )
    if 0 < way.minutes <= limits.drive_time_min and way.metres > limits.drive_distance_m:
        out.append(
            Signal(
                "drive",
                f"{way.minutes:.0f} 分钟内行进 {way.metres / 1000:.1f} 公里,是否乘车请说明",
                f"{way.metres / 1000:.1f} km within {way.minutes:.0f} min: was it driven",
                round(way.metres),
                "drive",
            )
        )
    share = way.share_above(limits.fast_kmh)
    if share > limits.fast_share:
        out.append(
            Signal(
                "fast",
                f"{share:.0%} 的路程速度超过 {limits.fast_kmh:g} 公里/小时,是否乘车请说明",
                f"{share:.0%} of the way is faster than {limits.fast_kmh:g} km/h: was it driven",
                round(share, 3),
                "fast",
            )
        )
    return out


def _clock(fixes: Fixes) -> Signal | None:
    if fixes.clock.basis == "phone" or not fixes.clock.offset_s:
        return None
    off_min = fixes.clock.offset_s / 60
    return Signal(
        "clock",
        f"手机时钟与服务器相差 {off_min:+.0f} 分钟,已按服务器时间改正,请核对手机时间",
        f"The clock of the phone is off by {off_min:+.0f} min; times were put right by the server",
        round(fixes.clock.offset_s),
        "clock",
    )


def signals(
    fixes: gpd.GeoDataFrame, *, same_as: str | None, fast_kmh: float, fast_share: float, teleport_ms: float
) -> list[Signal]:
    """Signals of one track: ``fixes`` used, in time order, Points in metres with ``at``.

    ``same_as``: an earlier track with the same course, if the caller found one; the limits come from the rules.
    """
    crs.require_metric(fixes)
    out = []
    if same_as:
        out.append(
            Signal(
                "same_course",
                f"与较早轨迹 {same_as} 的定位点逐点相同,请说明情况",
                f"Its fixes equal those of the earlier track {same_as}",
                1.0,
            )
        )
    step_m, step_s = _steps(fixes)
    moving = step_s > 0
    if moving.any() and step_m[moving].sum() > 0:
        speed = step_m[moving] / step_s[moving]
        share = float(step_m[moving][speed * 3.6 > fast_kmh].sum() / step_m[moving].sum())
        if share > fast_share:
            out.append(
                Signal(
                    "fast",
                    f"{share:.0%} 的路程速度超过 {fast_kmh:g} 公里/小时,是否乘车请说明",
                    f"{share:.0%} of the way is faster than {fast_kmh:g} km/h",
                    round(share, 3),
                )
            )
        jumps = int((speed > teleport_ms).sum())
        if jumps:
            out.append(
                Signal(
                    "teleport",
                    f"有 {jumps} 处相邻定位点间速度超过 {teleport_ms:g} 米/秒,可能为信号漂移",
                    f"{jumps} steps between neighbouring fixes are faster than {teleport_ms:g} m/s",
                    float(jumps),
                )
            )
    return out


def _steps(fixes: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Length (m) and duration (s) between neighbouring fixes."""
    x, y = fixes.geometry.x.to_numpy(), fixes.geometry.y.to_numpy()
    seconds = fixes["at"].diff().dt.total_seconds().to_numpy()[1:]
    return np.hypot(np.diff(x), np.diff(y)), np.nan_to_num(seconds, nan=0.0)


def course(fixes: gpd.GeoDataFrame) -> tuple[tuple[float, float], ...]:
    """The course of a track as rounded positions without times: equal courses on different days are a question."""
    return tuple(zip(fixes.geometry.x.round(1), fixes.geometry.y.round(1), strict=True))
