"""Patrol tracks as phones record them: noise that drifts, stops, gaps, wrong datums, and some that were faked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
from scipy.signal import lfilter
from shapely.geometry import LineString, Polygon
from shapely.ops import substring

from .axes import System
from .boundary import Boundary
from .frame import lonlat, stream
from .people import People
from .rivers import Row, split_ring
from .track_plan import PATROLS, STORY, Leg, Patrol

CHINA = timezone(timedelta(hours=8))


@dataclass
class Track:
    track_id: str
    plan: Patrol
    at: list[datetime]
    lonlat: np.ndarray
    acc_m: np.ndarray
    speed: np.ndarray
    recv: list[datetime]
    walked: list[Row] = field(default_factory=list)

    @property
    def file(self) -> str:
        return f"{self.track_id}.{self.plan.fmt}"


@dataclass
class _Path:
    """A route as points every metre, each with its leg (-1: on the way between legs) and chainage."""

    xy: np.ndarray
    leg: np.ndarray
    s: np.ndarray


def build(seed: int, system: System, boundary: Boundary, reservoir: Polygon) -> list[Track]:
    tracks: list[Track] = []
    for i, plan in enumerate(PATROLS):
        rng = stream(seed, f"track-{i}")
        track_id = f"202605{plan.day:02d}-{i + 1:02d}"
        if plan.copy_of is not None:
            tracks.append(_replay(track_id, plan, tracks[plan.copy_of], rng))
        else:
            route = _route(plan, system, boundary, reservoir)
            tracks.append(_record(track_id, plan, route, rng))
    return tracks


def _route(plan: Patrol, system: System, boundary: Boundary, reservoir: Polygon) -> _Path:
    xy, leg_no, chainage = [], [], []
    for i, leg in enumerate(plan.legs):
        line, s_at = _leg_line(leg, system, boundary, reservoir)
        points = np.array([line.interpolate(d).coords[0] for d in np.arange(0, line.length, 2.0)])
        if xy:
            gap = np.linalg.norm(points[0] - xy[-1][-1])
            link = xy[-1][-1] + np.linspace(0, 1, int(gap / 2) + 2)[1:-1, None] * (points[0] - xy[-1][-1])
            xy.append(link)
            leg_no.append(np.full(len(link), -1))
            chainage.append(np.full(len(link), np.nan))
        xy.append(points)
        leg_no.append(np.full(len(points), i))
        chainage.append(s_at(np.linspace(0, 1, len(points))))
    return _Path(np.vstack(xy), np.concatenate(leg_no), np.concatenate(chainage))


def _leg_line(leg: Leg, system: System, boundary: Boundary, reservoir: Polygon) -> tuple[LineString, Callable]:
    """The path beside the river: on the levee crest where there is one, else a few metres from the bank."""
    axis, side = system.axes[leg.river], 1 if leg.bank == "left" else -1
    low, high = min(leg.from_m, leg.to_m), max(leg.from_m, leg.to_m)
    if leg.river == "QTK":
        shore = split_ring(Polygon(reservoir.buffer(8).exterior), axis.xy[0], axis.xy[-1])[leg.bank]
        line = substring(shore, low / axis.length_m, high / axis.length_m, normalized=True)
    else:
        offset = boundary.offset.get((leg.river, leg.bank)) if leg.river == "YXH" else None
        half = axis.half_width_m

        def path(s: np.ndarray) -> np.ndarray:
            near = offset(s) - 22 if offset else half(s) + 8  # type: ignore[misc]
            return side * (near + leg.beyond_m)

        line = axis.beside(low, high, path)
    if leg.from_m > leg.to_m:
        line = LineString(list(line.coords)[::-1])
    return line, lambda t: leg.from_m + t * (leg.to_m - leg.from_m)


def _record(track_id: str, plan: Patrol, route: _Path, rng: np.random.Generator) -> Track:
    along, rest = _progress(plan, route, rng)
    t = np.arange(len(along)) * plan.interval_s
    at_index = np.clip((along / 2.0).astype(int), 0, len(route.xy) - 1)
    noise = np.zeros((len(t), 2)) if plan.kind == "synthetic" else _gps_noise(len(t), plan.interval_s, rng)
    xy = route.xy[at_index] + noise * np.where(rest, 0.7, 1.0)[:, None]
    acc = np.full(len(t), 5.0) if plan.kind == "synthetic" else np.round(np.clip(rng.gamma(5, 1.3, len(t)), 2.5, 40), 1)
    unsteady = 1.0 if plan.kind == "synthetic" else np.clip(rng.normal(1, 0.08, len(t)), 0.6, 1.4)
    speed = np.abs(np.gradient(along, t)) * unsteady
    if plan.kind == "teleport":
        xy = _teleport(xy, rng)
    keep = np.ones(len(t), bool)
    for a, b in plan.gaps:
        keep &= ~((route.leg[at_index] == 0) & (route.s[at_index] > min(a, b)) & (route.s[at_index] < max(a, b)))
    jitter = np.zeros(len(t)) if plan.kind == "synthetic" else np.round(rng.normal(0, 0.6, len(t)))
    true_at = [_start(plan) + timedelta(seconds=float(x)) for x in np.maximum.accumulate(t + jitter)]
    kept_at = [a for a, k in zip(true_at, keep, strict=True) if k]
    track = _finish(track_id, plan, kept_at, xy[keep], acc[keep], speed[keep], rng)
    if plan.kind == "honest":
        track.walked = _walked(plan)
    return track


def _progress(plan: Patrol, route: _Path, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Metres along the route at every fix, with short stops, and whether the walker stands."""
    total, along, resting = 2.0 * (len(route.xy) - 1), [0.0], [False]
    walks = plan.kind in ("honest", "afar", "teleport")
    stops = sorted(rng.uniform(0.1, 0.9, int(rng.integers(1, 4))) * total) if walks else []
    waits = [float(rng.uniform(40, 200)) for _ in stops]
    if plan.rest_min:
        stops, waits = [total / 2], [plan.rest_min * 60]
    while along[-1] < total:
        if stops and along[-1] >= stops[0]:
            pause = int(waits.pop(0) / plan.interval_s)
            stops.pop(0)
            along += [along[-1]] * pause
            resting += [True] * pause
        vary = 1.0 if plan.kind == "synthetic" else float(np.clip(rng.normal(1, 0.1), 0.6, 1.35))
        along.append(min(along[-1] + plan.speed_ms * vary * plan.interval_s, total))
        resting.append(False)
    return np.array(along), np.array(resting)


def _gps_noise(n: int, interval_s: float, rng: np.random.Generator) -> np.ndarray:
    """Slow drift of about 3.5 m (time constant 80 s) and a little white noise."""
    keep = float(np.exp(-interval_s / 80))
    start = rng.normal(0, 3.2, (1, 2))
    drift = lfilter([1], [1, -keep], np.vstack([start, rng.normal(0, 3.2 * np.sqrt(1 - keep**2), (n - 1, 2))]), axis=0)
    return drift + rng.normal(0, 0.8, (n, 2))


def _teleport(xy: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Five places, a stay of some minutes at each, and jumps in between that nobody can walk."""
    places = np.linspace(0, len(xy) - 1, 6).astype(int)
    index = np.repeat(places, int(np.ceil(len(xy) / 6)))[: len(xy)]
    return xy[index] + _gps_noise(len(xy), 12, rng) * 0.5


def _replay(track_id: str, plan: Patrol, source: Track, rng: np.random.Generator) -> Track:
    """An earlier track handed in again with new times and a little white noise."""
    shift = _start(plan) - source.at[0]
    xy_ll = source.lonlat + rng.normal(0, 1.2e-5, source.lonlat.shape)
    at = [a + shift for a in source.at]
    recv = [a + timedelta(seconds=float(x)) for a, x in zip(at, rng.uniform(1, 4, len(at)), strict=True)]
    return Track(track_id, plan, at, np.round(xy_ll, 7), source.acc_m, source.speed, recv)


def _start(plan: Patrol) -> datetime:
    hour, minute = map(int, plan.start.split(":"))
    return datetime(2026, 5, plan.day, hour, minute, tzinfo=CHINA).astimezone(UTC)


def _finish(track_id: str, plan: Patrol, true_at: list[datetime], xy: np.ndarray, acc: np.ndarray, speed: np.ndarray,
            rng: np.random.Generator) -> Track:  # fmt: skip
    """Datum, phone clock and receive times."""
    ll = np.round(lonlat(xy), 7)
    if plan.datum == "gcj02":
        ll = np.round(gcj02(ll), 7)
    if plan.mode == "offline_upload":
        later = true_at[-1] + timedelta(minutes=95)
        recv = [later + timedelta(milliseconds=20 * i) for i in range(len(true_at))]
    else:
        recv = [a + timedelta(seconds=float(x)) for a, x in zip(true_at, rng.uniform(1, 4, len(true_at)), strict=True)]
    at = [a + timedelta(seconds=plan.clock_s) for a in true_at]
    return Track(track_id, plan, at, ll, acc, np.round(speed, 2), recv)


def _walked(plan: Patrol) -> list[Row]:
    """The stretches really walked beside the river, gaps and far detours left out."""
    rows: list[Row] = []
    for i, leg in enumerate(plan.legs):
        low, high = min(leg.from_m, leg.to_m), max(leg.from_m, leg.to_m)
        if leg.beyond_m > 100:
            continue
        edges = [low, *(x for gap in (plan.gaps if i == 0 else ()) for x in sorted(gap)), high]
        rows += [{"river_code": leg.river, "bank": leg.bank, "from_m": a, "to_m": b}
                 for a, b in zip(edges[::2], edges[1::2], strict=True)]  # fmt: skip
    return rows


def gcj02(ll: np.ndarray) -> np.ndarray:
    """The widely published GCJ-02 shift of WGS 84 positions."""
    a, ee = 6378245.0, 0.00669342162296594323
    x, y = ll[:, 0] - 105.0, ll[:, 1] - 35.0
    root = np.sqrt(np.abs(x))
    common = (20 * np.sin(6 * x * np.pi) + 20 * np.sin(2 * x * np.pi)) * 2 / 3
    lat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + common
    lat += (20 * np.sin(y * np.pi) + 40 * np.sin(y / 3 * np.pi)) * 2 / 3
    lat += (160 * np.sin(y / 12 * np.pi) + 320 * np.sin(y * np.pi / 30)) * 2 / 3
    lon = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + common
    lon += (20 * np.sin(x * np.pi) + 40 * np.sin(x / 3 * np.pi)) * 2 / 3
    lon += (150 * np.sin(x / 12 * np.pi) + 300 * np.sin(x / 30 * np.pi)) * 2 / 3
    phi = np.radians(ll[:, 1])
    magic = 1 - ee * np.sin(phi) ** 2
    dlat = lat * 180 / (a * (1 - ee) / (magic * np.sqrt(magic)) * np.pi)
    dlon = lon * 180 / (a / np.sqrt(magic) * np.cos(phi) * np.pi)
    return ll + np.column_stack([dlon, dlat])


def truth(tracks: list[Track], people: People) -> tuple[list[Row], Row]:
    """Rows for every track, and the story's patrol with what was seen, what was not, and why."""
    rows: list[Row] = []
    for track in tracks:
        plan = track.plan
        rows.append({
            "track_id": track.track_id, "kind": plan.kind, "honest": plan.kind in ("honest", "afar"),
            "datum": plan.datum, "chief_code": plan.chief, "day": f"2026-05-{plan.day:02d}",
            "clock_ahead_s": plan.clock_s, "walked": track.walked,
            "gaps": [sorted(g) for g in plan.gaps], **({"notes": plan.notes} if plan.notes else {}),
            **({"copy_of": tracks[plan.copy_of].track_id} if plan.copy_of is not None else {}),
        })  # fmt: skip
    story = tracks[STORY]
    duty = next(d for d in people.duty if d["chief_code"] == story.plan.chief and d["river_code"] == "YXH")
    far = story.plan.legs[1]
    low, high = float(str(duty["from_m"])), float(str(duty["to_m"]))
    gap = story.plan.gaps[0]
    seen = [(float(str(w["from_m"])), float(str(w["to_m"]))) for w in story.walked]
    return rows, {
        "track_id": story.track_id, "chief_code": story.plan.chief, "river_code": "YXH", "assigned": [low, high],
        "assigned_bank": "both", "seen": [{"bank": "left", "from_m": a, "to_m": b} for a, b in seen],
        "not_seen": [
            {"bank": "left", "from_m": low, "to_m": seen[0][0], "why": "not_walked"},
            {"bank": "left", "from_m": gap[0], "to_m": gap[1], "why": "gap"},
            {"bank": "left", "from_m": seen[1][1], "to_m": seen[2][0], "why": "too_far",
             "distance_from_axis_m": round(92 + far.beyond_m)},
            {"bank": "left", "from_m": seen[2][1], "to_m": high, "why": "not_walked"},
            {"bank": "right", "from_m": low, "to_m": high, "why": "other_bank_not_walked"},
        ],
        "tolerance_m": 45,
    }  # fmt: skip
