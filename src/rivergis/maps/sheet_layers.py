"""Which layers of a map stand in the page and which come tile by tile: decided by counting, here and nowhere else.

A page carries up to ``marks.MAX_FEATURES`` features of some ``VERTICES`` each (小图层); what does not fit any more is asked of the service as vector
tiles (大图层). A file that opens without the service has no tiles: there the layers are thinned, and the title says by how much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from rivergis.maps import features, marks, thinning
from rivergis.maps.atlas import Layers
from rivergis.maps.features import Scope, When

VERTICES = 60
"""Vertices that one feature of a page may have on average: about 1 kB of text."""


@dataclass(frozen=True)
class Chosen:
    """``frames`` to be written into the page, ``tiled`` collections to be asked for, and what was left out in words."""

    frames: Layers
    tiled: tuple[str, ...]
    note: str


def choose(counts: Mapping[str, int], room: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The layers that fit into a page of ``room`` features, and those that do not: the small ones first."""
    fitting: list[str] = []
    for noun in sorted(counts, key=lambda n: counts[n]):
        if counts[noun] <= room:
            fitting.append(noun)
            room -= counts[noun]
    return tuple(n for n in counts if n in fitting), tuple(n for n in counts if n not in fitting)


def gather(
    conn: Connection,
    nouns: Sequence[str],
    at: When,
    *,
    served: bool,
    scope: Scope | None = None,
    own: Layers | None = None,
    note: str = "",
    taken: int = 0,
) -> Chosen:
    """The layers of a day for one map.

    ``own``: frames that are read already and stand first, ``note``: what was left out of them; ``taken``: features of the page
    that are drawn apart; ``served``: tiles can be asked for.
    """
    own = own or {}
    room = max(marks.MAX_FEATURES - taken - sum(len(f) for f in own.values()), 0)
    drawn: tuple[str, ...] = tuple(nouns)
    tiled: tuple[str, ...] = ()
    if served:
        drawn, tiled = choose({n: _weight(conn, n, at, scope, room) for n in nouns}, room)
    frames = {noun: features.layer(conn, noun, at, scope) for noun in drawn}
    kept, thinned = thinning.fit({**frames, **own}, (*own, *thinning.KEPT))
    return Chosen(kept, tiled, " · ".join(p for p in (note, thinned) if p))


def _weight(conn: Connection, noun: str, at: When, scope: Scope | None, room: int) -> int:
    """What a layer takes of the room: its features, or more where they are large."""
    n, vertices = features.count(conn, noun, at, scope, room)
    return max(n, vertices // VERTICES)
