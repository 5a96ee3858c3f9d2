"""What a question about a track is made of, and the limits and weights behind it, read from the rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rivergis.patrol.authenticity_motion import Weights


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
    candidates: float
    map_line_m: float
    map_line_share: float
    rests: float
    rest_jump_m: float
    rest_jump_ms2: float
    player_log_odds: float
    weights: Weights
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
        candidates=number("patrol.replay.candidates"),
        map_line_m=cheat("map_line"),
        map_line_share=cheat("map_line_share"),
        rests=cheat("rests"),
        rest_jump_m=cheat("rest_jump"),
        rest_jump_ms2=cheat("rest_jump_acceleration"),
        player_log_odds=cheat("player_log_odds"),
        weights=Weights(
            base=cheat("player.base"),
            wander=cheat("player.wander"),
            most_wander=cheat("player.most_wander"),
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
