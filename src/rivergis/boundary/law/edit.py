"""Two planners on one draft: what each changed since both began, brought together by segment, or shown as a conflict.

Pure: rows are plain mappings, shapes as stored; what touches is measured in metres. Nothing is decided for a planner: where two
edits touch, neither is kept in silence.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import shapely
from shapely import LineString

FIELDS = (
    "code", "river_id", "reach_code", "bank", "from_m", "to_m", "basis", "drawn_by", "hand_edited", "attributes",
    "base_segment_id", "base_segment_version",
)  # fmt: skip
"""What a segment says beside its shape."""


@dataclass(frozen=True)
class Segment:
    """A stretch of line of a draft at one revision: its shape (EPSG:4490, as stored) and what it says."""

    segment_id: uuid.UUID
    revision: int
    geom: LineString
    said: Mapping[str, Any]
    removed: bool = False


@dataclass(frozen=True)
class Edit:
    """One wish of a planner: put a segment (new without ``segment_id``) or take it out.

    ``said``: the fields that change (of ``FIELDS``); ``geom``: LineString, None = the shape stays.
    """

    op: str  # put, remove
    segment_id: uuid.UUID | None = None
    said: Mapping[str, Any] = field(default_factory=dict)
    geom: LineString | None = None


@dataclass(frozen=True)
class Clash:
    """Where two edits cannot both stand: why, the segment as it was, as it was to be saved, and what others left (of it, or beside it)."""

    because: str  # both_changed, removed_there, removed_here, crosses, shared_end, same_stretch, unknown_segment
    base: Segment | None
    mine: Segment | None
    theirs: Segment | None
    edit: Edit | None = None
    """The edit itself, where no segment could be made of it."""

    @property
    def segment_id(self) -> uuid.UUID | None:
        return self.mine.segment_id if self.mine else self.edit.segment_id if self.edit else None


@dataclass(frozen=True)
class Merged:
    """What a save comes to: the segments to write (whole rows), or the clashes that stop it."""

    write: list[Segment]
    clashes: list[Clash]
    merged: bool
    """Others saved meanwhile, and nothing touches."""


def merge(
    base: Sequence[Segment],
    now: Sequence[Segment],
    edits: Sequence[Edit],
    *,
    revision: int,
    touch_m: float,
    metric: Callable[[LineString], LineString],
) -> Merged:
    """Three-way merge of edits made on ``base`` into ``now`` (三方合并); both hold removed segments, too.

    ``revision``: of the rows to write; ``touch_m``: ends nearer than this are one point; ``metric``: brings a shape as stored to
    metres. An edit that says what stands already writes nothing.
    """
    before, after = {s.segment_id: s for s in base}, {s.segment_id: s for s in now}
    theirs = [s for s in now if s.segment_id not in before or not same(before[s.segment_id], s)]
    changed = {s.segment_id for s in theirs}
    write: list[Segment] = []
    clashes: list[Clash] = []
    for edit in edits:
        row = _row(edit, before, after, revision)
        if row is None:
            clashes.append(
                Clash("unknown_segment", None, None, after.get(edit.segment_id) if edit.segment_id else None, edit)
            )
            continue
        there = after.get(row.segment_id)
        if there is not None and same(there, row):
            continue
        if row.segment_id in changed and there is not None:
            clashes.append(_both(before.get(row.segment_id), row, there))
        else:
            write.append(row)
    others = [t for t in theirs if t.segment_id not in {e.segment_id for e in edits}]
    if write and others:
        clashes += _touching(write, others, before, touch_m, metric)
    return Merged([] if clashes else write, clashes, bool(theirs) and not clashes)


def same(a: Segment, b: Segment) -> bool:
    """Whether two rows of a segment say the same."""
    return a.removed == b.removed and bool(a.geom.equals_exact(b.geom, 0.0)) and dict(a.said) == dict(b.said)


def _row(
    edit: Edit, before: Mapping[uuid.UUID, Segment], after: Mapping[uuid.UUID, Segment], revision: int
) -> Segment | None:
    """The whole row an edit leaves; None = it names a segment that never was, or puts a new one without a shape."""
    old = before.get(edit.segment_id) if edit.segment_id else None
    if old is None and (edit.op == "remove" or edit.geom is None):
        return None
    if old is None:
        return Segment(edit.segment_id or uuid.uuid4(), revision, edit.geom, dict(edit.said))
    return Segment(
        old.segment_id,
        revision,
        old.geom if edit.geom is None or edit.op == "remove" else edit.geom,
        dict(old.said) if edit.op == "remove" else {**old.said, **edit.said},
        removed=edit.op == "remove",
    )


def _both(base: Segment | None, mine: Segment, theirs: Segment) -> Clash:
    because = "removed_there" if theirs.removed else "removed_here" if mine.removed else "both_changed"
    return Clash(because, base, mine, theirs)


def _touching(
    mine: Sequence[Segment],
    others: Sequence[Segment],
    before: Mapping[uuid.UUID, Segment],
    touch_m: float,
    metric: Callable[[LineString], LineString],
) -> list[Clash]:
    """Edits of different segments that touch: lines that now cross, a common end that one moved, one stretch drawn twice."""

    def measured(s: Segment) -> Segment:
        return replace(s, geom=metric(s.geom))

    mine_m, others_m = [measured(m) for m in mine], [measured(t) for t in others]
    wanted = {s.segment_id for s in (*mine, *others)}
    before_m = {i: measured(s) for i, s in before.items() if i in wanted}
    tree = shapely.STRtree([_around(t, before_m) for t in others_m])
    out: list[Clash] = []
    for m, m_m in zip(mine, mine_m, strict=True):
        for k in sorted(tree.query(_around(m_m, before_m), predicate="dwithin", distance=touch_m)):
            because = _because(m_m, others_m[int(k)], before_m, touch_m)
            if because:
                out.append(Clash(because, before.get(m.segment_id), m, others[int(k)]))
    return out


def _around(segment: Segment, before: Mapping[uuid.UUID, Segment]) -> shapely.Geometry:
    """A segment where it is and where it was."""
    old = before.get(segment.segment_id)
    return segment.geom if old is None else shapely.union_all([segment.geom, old.geom])


def _because(m: Segment, t: Segment, before: Mapping[uuid.UUID, Segment], touch_m: float) -> str | None:
    a, b = before.get(m.segment_id), before.get(t.segment_id)
    if a and b and _ends_moved(a, m, b, touch_m) | _ends_moved(b, t, a, touch_m):
        return "shared_end"
    if m.removed or t.removed:
        return None
    if a is None and b is None and _one_stretch(m.said, t.said):
        return "same_stretch"
    if _crosses(m.geom, t.geom, touch_m) and not (a and b and _crosses(a.geom, b.geom, touch_m)):
        return "crosses"
    return None


def _ends_moved(old: Segment, new: Segment, other: Segment, touch_m: float) -> bool:
    """Whether an end that two segments shared is no longer an end of the one that was edited."""
    was, is_, shared = _ends(old.geom), _ends(new.geom), _ends(other.geom)
    return any(_near(p, shared, touch_m) and (new.removed or not _near(p, is_, touch_m)) for p in was)


def _ends(line: LineString) -> np.ndarray:
    return shapely.get_coordinates(line)[[0, -1]]


def _near(point: np.ndarray, ends: np.ndarray, touch_m: float) -> bool:
    return bool((np.hypot(*(ends - point).T) <= touch_m).any())


def _crosses(a: LineString, b: LineString, touch_m: float) -> bool:
    """Whether two lines meet elsewhere than in a common end."""
    common = [p for p in _ends(a) if _near(p, _ends(b), touch_m)]
    meet = shapely.intersection(a, b)
    if meet.is_empty:
        return False
    if common:
        meet = shapely.difference(meet, shapely.buffer(shapely.MultiPoint(common), 2 * touch_m))
    return not meet.is_empty


def _one_stretch(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether two new segments stand for the same bank and stretch."""
    key = ("river_id", "reach_code", "bank")
    if any(a.get(k) != b.get(k) for k in key):
        return False
    ends = [s.get(k) for s in (a, b) for k in ("from_m", "to_m")]
    if any(v is None for v in ends):
        return True
    from_a, to_a, from_b, to_b = map(float, ends)  # type: ignore[arg-type]
    return min(to_a, to_b) > max(from_a, from_b)


def edits_between(base: Iterable[Segment], wanted: Iterable[Segment]) -> list[Edit]:
    """The edits that lead from ``base`` to what a file holds now: what is missing there was taken out, what is new was put."""
    before = {s.segment_id: s for s in base if not s.removed}
    after = {s.segment_id: s for s in wanted}
    out = [Edit("remove", i) for i in before if i not in after]
    for i, s in after.items():
        if i not in before or not same(before[i], s):
            out.append(Edit("put", i, s.said, s.geom))
    return out
