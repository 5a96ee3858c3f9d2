"""What a track shows by itself: on the map line, from rest to rest, played; left running, driven, fast; a clock that was off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rivergis.patrol import authenticity_motion as motion
from rivergis.patrol.authenticity_player import Pieces, pieces
from rivergis.patrol.authenticity_signal import Limits, Signal
from rivergis.patrol.fixes import REPEAT, Fixes, Floats


def alone(fixes: Fixes, xy_m: Floats, lines: Sequence[Any], limits: Limits) -> list[Signal]:
    """What a track shows by itself.

    ``xy_m``: the fixes in local metres of WGS 84, shape (n, 2), same order; ``lines``: reach lines around it in the same
    metres, shapely LineStrings or arrays of shape (m, 2), may be empty. Tracks without times are only held against the lines.
    """
    used = fixes.used
    found = [_on_the_map_line(xy_m[used], lines, limits)]
    if fixes.timed:
        timed = np.flatnonzero(np.isfinite(fixes.t_s) & (fixes.mark != REPEAT))  # a jump may be the very question
        found.append(_rests(fixes.t_s[timed], xy_m[timed], limits))
        rising = np.flatnonzero(used)
        rising = rising[np.diff(fixes.t_s[rising], prepend=-np.inf) > 0]
        t, xy = fixes.t_s[rising], xy_m[rising]
        found += [_played(t, xy, fixes.acc_m[rising], limits), *_speeds(t, xy, limits), _clock(fixes)]
    return [signal for signal in found if signal]


def _on_the_map_line(xy: Floats, lines: Sequence[Any], limits: Limits) -> Signal | None:
    share, fixes = motion.share_on_lines(xy, lines, limits.map_line_m)
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
    jumps = motion.jumps_between_rests(t, xy, limits.rest_jump_m, limits.rest_jump_ms2)
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
    parts = motion.player_parts(cut, acc, limits.weights) if cut else None
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
    way = motion.minutes_of_way(t, xy)
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
    off_s = fixes.clock.offset_s
    if fixes.clock.basis == "local_as_utc":
        zh = "时间按北京时间写成了UTC,已减8小时,请核对上传软件的时区"
        en = "Local time was written as UTC; eight hours were taken off. Check the time zone of the app"
    else:
        zh = f"手机时钟与服务器相差 {off_s / 60:+.0f} 分钟,已按服务器时间改正,请核对手机时间"
        en = f"The clock of the phone is off by {off_s / 60:+.0f} min; times were put right by the server"
    return Signal("clock", zh, en, round(off_s), "clock")
