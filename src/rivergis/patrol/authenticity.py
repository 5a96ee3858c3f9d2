"""轨迹待核实: signals in a track that a person should look at, each with its reason in words; never a sentence.

Assistants on the chief's account, joint patrols, drones and paper logs are lawful in places, so a signal is a
question with a right of reply. Thin on purpose: three signals that need no statistics.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np

from rivergis import crs


@dataclass(frozen=True)
class Signal:
    """One reason to look: stable code, sentence in both languages, and the figure it rests on."""

    code: str
    zh: str
    en: str
    value: float


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
