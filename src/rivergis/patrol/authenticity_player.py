"""Was the phone carried, or was its position played to it? Told from the noise and the speeds of one track alone.

A player moves a position at a set speed from waypoint to waypoint and may add noise. Then the track falls into straight
pieces of exactly even speed, the same speed returns piece after piece, and what is left over is white. A phone that is
carried wanders slowly (multipath, ionosphere), and whoever carries it never keeps a speed to the percent for long.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rivergis.patrol.authenticity_kernels import cut
from rivergis.patrol.fixes import Floats

LONGEST_PIECE, MOST_FIXES = 300, 4000  # fixes; bound the work
SMALLEST_NOISE_M = 0.15  # positions are written to about a decimetre
MOVING_MS = 0.4


@dataclass(frozen=True)
class Pieces:
    """A track cut into straight pieces of even speed.

    ``interval_s``: median, and ``even``: typical deviation from it, as a share; ``noise_m``: per axis, from neighbours;
    ``wander``: power of the slow part of the noise within pieces over that of white noise (1: white; 2 and more: a receiver);
    ``same_speed``: log odds that ``pairs`` of neighbouring pieces repeat a speed exactly, over the root of their number;
    ``length_m``, ``fixes_each``: of a typical piece; ``moving``: share of fixes on pieces faster than ``MOVING_MS``.
    """

    fixes: int
    interval_s: float
    even: float
    noise_m: float
    wander: float
    same_speed: float
    pairs: int
    length_m: float
    fixes_each: float
    moving: float


@dataclass(frozen=True)
class _Piece:
    speed_ms: float
    error: float  # relative error of the speed
    fixes: int
    length_m: float


def pieces(t_s: Floats, xy_m: Floats) -> Pieces | None:
    """Cut a track (seconds rising, metres, shape (n,) and (n, 2)) into straight pieces; None below 20 fixes."""
    t, xy = _without_spikes(t_s[:MOST_FIXES], xy_m[:MOST_FIXES])
    if len(t) < 20:
        return None
    noise = max(noise_of(t, xy), SMALLEST_NOISE_M)
    price = 4 + 4 * np.log(len(t))  # four numbers a piece, and where it begins
    starts = cut(t, np.ascontiguousarray(xy[:, 0]), np.ascontiguousarray(xy[:, 1]), noise**2, price, LONGEST_PIECE)
    found, wander = _fitted(t, xy, starts, noise)
    same, pairs = _same_speed(found)
    weight = np.array([p.fixes for p in found if p]) if any(found) else np.ones(1)
    length = np.array([p.length_m for p in found if p]) if any(found) else np.zeros(1)
    moving = np.array([p.speed_ms > MOVING_MS for p in found if p]) if any(found) else np.zeros(1)
    steps = np.diff(t)
    return Pieces(
        fixes=len(t),
        interval_s=float(np.median(steps)),
        even=float(np.median(np.abs(steps - np.median(steps))) / np.median(steps)),
        noise_m=noise,
        wander=wander,
        same_speed=same / max(pairs, 1) ** 0.5,
        pairs=pairs,
        length_m=float(np.average(length, weights=weight)),
        fixes_each=len(t) / len(starts),
        moving=float(np.average(moving, weights=weight)),
    )


def bend(t: Floats, xy: Floats) -> Floats:
    """How far each inner fix lies off the line between its neighbours, scaled so that white noise keeps its size."""
    part = ((t[1:-1] - t[:-2]) / (t[2:] - t[:-2]))[:, None]
    off = xy[1:-1] - (1 - part) * xy[:-2] - part * xy[2:]
    return np.asarray(off / np.sqrt(1 + part**2 + (1 - part) ** 2))


def noise_of(t: Floats, xy: Floats) -> float:
    """Noise between neighbours in metres per axis: the median of a Rayleigh law."""
    return float(np.sqrt(np.median((bend(t, xy) ** 2).sum(axis=1)) / (2 * np.log(2))))


def _without_spikes(t: Floats, xy: Floats) -> tuple[Floats, Floats]:
    """Without single fixes far off: eight times the noise from the median of five and from the line of the neighbours."""
    from scipy.ndimage import median_filter

    for _ in range(2):
        if len(t) < 7:
            break
        limit = 8 * max(noise_of(t, xy), 0.3)
        middle = np.column_stack([median_filter(xy[:, k], 5, mode="nearest") for k in (0, 1)])
        off = np.r_[0, np.hypot(*bend(t, xy).T), 0]
        keep = (off * np.sqrt(1.5) < limit) | (np.hypot(*(xy - middle).T) < limit)
        t, xy = t[keep], xy[keep]
    return t, xy


def _fitted(t: Floats, xy: Floats, starts: Floats, noise: float) -> tuple[list[_Piece | None], float]:
    """Pieces of at least six fixes (None for shorter ones), and the power of what wanders in those of ten and more.

    The wander is the part of degree two to four in time of what a line leaves over, for white noise as large as the rest.
    """
    out: list[_Piece | None] = []
    power, terms = 0.0, 0
    for i, j in zip(starts, np.r_[starts[1:], len(t)], strict=True):
        m = int(j - i)
        if m < 6:
            out.append(None)
            continue
        since = t[i:j] - t[i:j].mean()
        gain = float(since @ since)
        velocity = since @ xy[i:j] / gain
        speed = float(np.hypot(*velocity))
        out.append(_Piece(speed, noise / float(np.sqrt(gain)) / max(speed, 1e-9), m, speed * float(t[j - 1] - t[i])))
        if m >= 10:
            shapes = np.linalg.qr(np.vander(since / np.abs(since).max(), 5, increasing=True))[0][:, 2:]
            power, terms = power + float(((shapes.T @ xy[i:j]) ** 2).sum()), terms + 6
    return out, power / terms / noise**2 if terms else float("nan")


def _same_speed(found: list[_Piece | None]) -> tuple[float, int]:
    """Log odds that moving pieces repeat the speed of the one before exactly (or jump to another), and the pairs compared.

    A person's pieces differ by about 8 %, a player's by the error of measuring them; another pace now and then is both's.
    """
    total, pairs, last = 0.0, 0, None
    for piece in found:
        if piece is None or (piece.speed_ms > MOVING_MS and piece.error > 0.05):
            last = None if piece is None else last
            continue
        if piece.speed_ms <= MOVING_MS:
            continue
        if last is not None:
            change = float(np.log(piece.speed_ms / last.speed_ms))
            error = float(np.hypot(piece.error, last.error)) + 0.002
            other = 0.4 * _normal(change, float(np.hypot(0.4, error)))
            played = 0.6 * _normal(change, error) + other
            carried = 0.6 * _normal(change, float(np.hypot(0.08, error))) + other
            total, pairs = total + float(np.log(played / carried)), pairs + 1
        last = piece
    return total, pairs


def _normal(x: float, width: float) -> float:
    return float(np.exp(-0.5 * (x / width) ** 2) / width) + 1e-12
