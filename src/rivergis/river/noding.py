"""Raw river lines made into pieces between nodes; what was wrong with them is told, and what was mended.

A survey delivers confluences with ends that miss by centimetres, stop short or run past, lines drawn twice, and lines
that cross on a bridge. Nothing is lost in silence: every line is in the result or named by a defect.
"""

from __future__ import annotations

from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from rivergis import crs
from rivergis.river.course import REPAIRS, SAME_M, Bools, Course, cleaned
from rivergis.river.dangles import extend, trim
from rivergis.river.drawn import Drawn, Ints, NetworkDefect
from rivergis.river.ends import Dropped, Sources, alongside, common_vertices, join
from rivergis.river.suspects import suspects

ROUNDS = 30
"""More than any real file needs; a guard against two repairs that would undo each other for ever."""


def node(lines: gpd.GeoDataFrame, *, snap_m: float, gap_m: float, rounds: int = ROUNDS) -> Drawn:
    """Where do these river lines meet? Pieces between nodes (河网结点), as drawn, with every defect and repair listed.

    ``lines``: LineString or MultiLineString in metres of a local zone (Z is dropped; empty, null and non-finite ones
    are set aside with an ``error``), with ``source_fid`` (int), ``kind`` (of ``KINDS``), ``covered`` (bool), ``level``
    (int, 0 on the ground, below 0 under it), ``name`` (text or None) and ``flow`` (+1, -1, 0); all columns are kept.
    ``snap_m``: ends within it become one node, and an end within it of another line cuts that line (rule
    ``river.network.snap``). ``gap_m``: an open end that points to a line or open end within it is drawn on, and an end
    that passes the line it meets by less is trimmed (rule ``river.network.gap``).
    Lines that cross without a common vertex, or on different levels, are not joined but listed. Noding the result again
    changes nothing, unless ``rounds`` (1 or more) of joining and mending were not enough: then ``noding_unsettled`` tells
    where (``error``). Raises ``CrsRefused`` where the frame is not in metres.
    """
    crs.require_metric(lines)
    lines = lines.reset_index(drop=True)
    course, defects = _taken(lines)
    sources = Sources(
        lines["source_fid"].to_numpy(dtype=np.int64),
        lines["level"].to_numpy(dtype=np.int64),
        lines["covered"].to_numpy(dtype=bool),
        float(snap_m),
    )
    dropped: list[Dropped] = []
    if len(course.row):
        course, repairs, dropped = _settled(course, sources, gap_m, rounds)
        defects += repairs
    defects += _repeats_told(dropped, course, sources) + suspects(course, sources, lines["kind"].to_numpy(dtype=object))
    return _drawn(lines, course, defects)


def _settled(
    course: Course, sources: Sources, gap_m: float, rounds: int
) -> tuple[Course, list[NetworkDefect], list[Dropped]]:
    """Joining and mending repeated until nothing changes."""
    told: list[NetworkDefect] = []
    dropped: list[Dropped] = []
    for _ in range(rounds):
        before = course = course.remembered()
        course, copies = _without_copies(course, sources.snap_m)
        course, joined, repeats = join(common_vertices(course, sources), sources)
        told, dropped = told + joined, dropped + copies + repeats
        if not _same(before, course):
            continue
        course, trimmed = trim(before, sources, gap_m)  # what was found about it holds
        course, closed = (course, []) if trimmed else extend(course, sources, gap_m)
        if not trimmed and not closed:
            return course, told, dropped
        told += trimmed + closed
    return course, told + _unsettled(before, course, sources, rounds), dropped


def _unsettled(before: Course, course: Course, sources: Sources, rounds: int) -> list[NetworkDefect]:
    """One record for each source line that the last round still changed."""
    places = _changed(before, course) | _changed(course, before)
    return [
        NetworkDefect(
            "noding_unsettled",
            "error",
            shapely.Point(at),
            f"Line {sources.fid[row]} still changes here after {rounds} rounds of joining and mending: "
            "draw its ends clearly apart from other lines or clearly on them.",
            source_fid=int(sources.fid[row]),
        )
        for row, at in sorted(places.items())
    ]


def _changed(course: Course, other: Course) -> dict[int, tuple[float, float]]:
    """Rows of which a piece is not in the other course, and where that piece begins."""
    known = set(shapely.to_wkb(other.lines()).tolist())
    new = [i for i, shape in enumerate(shapely.to_wkb(course.lines()).tolist()) if shape not in known]
    return {int(course.row[i]): tuple(course.xy[course.first[i]].tolist()) for i in reversed(new)}


def _same(a: Course, b: Course) -> bool:
    return np.array_equal(a.line, b.line) and np.array_equal(a.xy, b.xy)


def _taken(lines: gpd.GeoDataFrame) -> tuple[Course, list[NetworkDefect]]:
    """The usable parts of all lines, and what was set aside."""
    shapes = lines.geometry.to_numpy()
    kind = shapely.get_type_id(shapes)
    parts, row = shapely.get_parts(shapes, return_index=True)
    is_line = np.isin(shapely.get_type_id(parts), (1, 2))
    finite = _finite(parts)
    good = is_line & finite & ~shapely.is_empty(parts)
    xy, line = shapely.get_coordinates(parts[good], return_index=True)
    course = Course(xy, line.astype(np.int64), row[good].astype(np.int64), _known_repairs(lines, row[good]))
    course, alive = cleaned(course)
    points = np.flatnonzero(good)[~alive]
    fid = lines["source_fid"].to_numpy(dtype=np.int64)
    told = [
        *(_aside(fid[i], None, "has no geometry") for i in np.flatnonzero((kind < 0) | shapely.is_empty(shapes))),
        *(_aside(fid[row[i]], None, "has coordinates that are not finite") for i in np.flatnonzero(~finite & is_line)),
        *(_aside(fid[row[i]], parts[i], "is not a line") for i in np.flatnonzero(~is_line)),
        *(_aside(fid[row[i]], parts[i], "has a part without length") for i in points),
    ]
    return course, told


def _finite(parts: np.ndarray) -> Bools:
    xy, part = shapely.get_coordinates(parts, return_index=True)
    bad = np.bincount(part[~np.isfinite(xy).all(axis=1)], minlength=len(parts))
    return np.asarray(bad == 0, dtype=np.bool_)


def _known_repairs(lines: gpd.GeoDataFrame, row: Ints) -> Ints:
    """Repairs that a noded frame already tells."""
    if "repair" not in lines:
        return np.zeros(len(row), dtype=np.int64)
    said = [set(str(text).split("+")) if isinstance(text, str) else set() for text in lines["repair"]]
    return np.array([sum(bit for bit, word in REPAIRS.items() if word in words) for words in said], dtype=np.int64)[row]


def _aside(fid: int, part: shapely.Geometry | None, what: str) -> NetworkDefect:
    usable = part is not None and not part.is_empty and np.isfinite(shapely.get_coordinates(part)).all()
    at = shapely.Point(shapely.get_coordinates(part)[0]) if usable else shapely.Point()
    return NetworkDefect(
        "unusable_geometry",
        "error",
        at,
        f"Line {fid} {what} and was set aside: draw it again.",
        source_fid=int(fid),
        done=True,
    )


def _without_copies(course: Course, snap_m: float) -> tuple[Course, list[Dropped]]:
    """Lines that another repeats from end to end, in either direction, set aside: the first stays."""
    near = _same_ends(course, snap_m)
    if not len(near):
        return course, []
    shapes = dict(zip(np.unique(near).tolist(), course.some_lines(np.unique(near)), strict=True))
    # a short line beside another one of its kind is no copy: it must agree over most of its own length
    allowed = np.minimum(snap_m, course.length[near].min(axis=1) / 4)
    keep = np.ones(len(course.row), dtype=np.bool_)
    dropped = []
    one, other = ([shapes[i] for i in side] for side in near.T.tolist())
    for i, j in near[alongside(one, other, allowed)].tolist():
        if keep[i] and keep[j]:
            keep[j] = False
            dropped.append(Dropped(int(course.row[j]), int(course.row[i]), float(course.length[j]), _middle(shapes[j])))
    return course.only(keep), dropped


def _same_ends(course: Course, snap_m: float) -> Ints:
    """Pairs of lines, in order, between whose ends there is about the tolerance, whichever way they are drawn."""
    a, b = course.xy[course.first], course.xy[course.last]
    i, j = np.unique(cKDTree((a + b) / 2).query_pairs(snap_m + SAME_M, output_type="ndarray"), axis=0).T
    apart = np.minimum(
        ((a[i] - a[j]) ** 2 + (b[i] - b[j]) ** 2).sum(axis=1), ((a[i] - b[j]) ** 2 + (b[i] - a[j]) ** 2).sum(axis=1)
    )
    return np.column_stack([i, j])[apart <= 2 * snap_m**2].astype(np.int64)


def _middle(shape: shapely.Geometry) -> shapely.Point:
    return shapely.line_interpolate_point(shape, 0.5, normalized=True)


def _repeats_told(dropped: Iterable[Dropped], course: Course, sources: Sources) -> list[NetworkDefect]:
    """A line of which nothing is left repeats others; one of which something is left overlaps them."""
    left = set(course.row.tolist())
    whole: dict[int, list[Dropped]] = {}
    told = []
    for piece in dropped:
        if piece.row in left:
            told.append(_repeat("overlapping_lines", "the stretch that both follow was kept once", [piece], sources))
        else:
            whole.setdefault(piece.row, []).append(piece)
    return told + [_repeat("duplicate_line", "the first was kept", pieces, sources) for pieces in whole.values()]


def _repeat(code: str, done: str, pieces: list[Dropped], sources: Sources) -> NetworkDefect:
    fid = int(sources.fid[pieces[0].row])
    others = ", ".join(str(i) for i in sorted({int(sources.fid[piece.kept]) for piece in pieces}))
    length = sum(piece.length_m for piece in pieces)
    return NetworkDefect(
        code,
        "warning",
        pieces[0].at,
        f"Line {fid} runs where line {others} runs for {length:.2f} m: {done}; check that its attributes are the right ones.",
        length,
        "m",
        fid,
        True,
    )


def _drawn(lines: gpd.GeoDataFrame, course: Course, defects: list[NetworkDefect]) -> Drawn:
    """The course as pieces with the attributes of their lines."""
    pieces = lines.iloc[course.row].drop(columns=[c for c in ("piece", "repair") if c in lines])
    pieces = pieces.set_geometry(gpd.GeoSeries(course.lines(), index=pieces.index, crs=lines.crs)).reset_index(
        drop=True
    )
    same = pieces.groupby("source_fid")["source_fid"]
    pieces["piece"] = np.where(same.transform("size") > 1, same.cumcount() + 1, 0)
    pieces["repair"] = pd.Series([_words(bits) for bits in course.repair.tolist()], dtype=object, index=pieces.index)
    where, number = course.nodes if len(course.row) else (np.empty((0, 2)), np.empty(0, dtype=np.int64))
    return Drawn(pieces, number[: len(course.row)], number[len(course.row) :], where, defects)


def _words(bits: int) -> str | None:
    return "+".join(word for bit, word in REPAIRS.items() if bits & bit) or None
