"""Parts of one outing (分段上传): which files continue each other, and which of them is the head they are scored under.

A phone that lost the net sends a patrol in pieces, late and in any order; what belongs together follows from what the files
say, never from when they came.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Gaps:
    """Longest pause, s, between files of one device, and between files of one session number."""

    device_s: float
    session_s: float


def heads(tracks: pd.DataFrame, gaps: Gaps) -> pd.Series:
    """The head of each track: the one of its outing that begins first; a track alone is its own head.

    ``tracks``: id, chief_id, device, session (None = not said), started_at, ended_at (UTC, missing where a file has no times).
    Two files of one chief belong together when they name the same session, or the same device, and the pause between them is
    not longer than the gap; a file without times is alone. Returns heads by position, whatever the order of the rows.
    """
    leader = dict.fromkeys(tracks["id"], None) | {i: i for i in tracks["id"]}

    def find(i: object) -> object:
        while leader[i] != i:
            i = leader[i]
        return i

    order = tracks.sort_values(["started_at", "id"], key=lambda c: c.astype(str) if c.name == "id" else c)
    rank = {i: n for n, i in enumerate(order["id"])}
    for a, b in _continuing(order, gaps):
        first, second = sorted((find(a), find(b)), key=rank.__getitem__)
        leader[second] = first
    return pd.Series([find(i) for i in tracks["id"]], index=tracks.index, dtype=object)


def _continuing(order: pd.DataFrame, gaps: Gaps) -> Iterator[tuple[object, object]]:
    """Pairs of files of which the second goes on after (or within) the first."""
    timed = order[order["started_at"].notna()]
    for key, gap_s in (("session", gaps.session_s), ("device", gaps.device_s)):
        for _, own in timed[timed[key].notna()].groupby(["chief_id", key], dropna=False, sort=False):
            last, until = None, None
            for row in own.itertuples():
                if until is not None and (row.started_at - until).total_seconds() <= gap_s:
                    yield last, row.id
                if until is None or row.ended_at > until:
                    last, until = row.id, row.ended_at
