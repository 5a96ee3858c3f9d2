"""Segments found by place: what is remembered of an earlier course changes no answer about a later one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.river.course import Course, cleaned, cut, feet, with_vertices

SPOT = st.tuples(st.integers(0, 9), st.integers(0, 9))
LINES = st.lists(st.lists(SPOT, min_size=2, max_size=6, unique=True), min_size=1, max_size=8)
STEPS = st.lists(st.tuples(st.sampled_from(["cut", "bend", "move", "drop"]), st.integers(0, 10_000)), max_size=5)


def course(lines: list) -> Course:
    xy = np.concatenate([np.array(line, dtype=float) * 10 for line in lines])
    line = np.repeat(np.arange(len(lines)), [len(one) for one in lines])
    return Course(xy, line, np.arange(len(lines)), np.zeros(len(lines), dtype=np.int64))


def changed(course: Course, step: str, seed: int) -> Course:
    """One of the changes that joining and mending make."""
    rng = np.random.default_rng(seed)
    k = rng.choice(course.segments, 1)
    if step == "cut":
        f = rng.choice([0.25, 0.5], 1)
        return cut(course, k, f, course.at(k, f), np.zeros(len(course.xy), dtype=bool))
    if step == "bend":
        return cleaned(with_vertices(course, k, np.ones(1), course.at(k, np.array([0.5])) + rng.integers(-2, 3, 2)))[0]
    if step == "move":
        xy = course.xy.copy()
        xy[rng.integers(len(xy))] += 3.5
        return cleaned(replace(course, xy=xy))[0]
    return course.only(np.arange(len(course.row)) != rng.integers(len(course.row))) if len(course.row) > 1 else course


@settings(deadline=None, max_examples=150)
@given(LINES, STEPS)
def test_what_is_remembered_changes_no_answer(lines: list, steps: list) -> None:
    known = course(lines).remembered()
    for step, seed in steps:
        known = changed(known, step, seed)
        plain = replace(known, known=None)
        assert np.array_equal(known.index.pairs, plain.index.pairs)
        for a, b in zip(feet(known, known.xy, 8.0), feet(plain, plain.xy, 8.0), strict=True):
            assert np.array_equal(a, b)


@settings(deadline=None, max_examples=100)
@given(LINES, STEPS)
def test_pairs_are_all_segments_whose_boxes_meet(lines: list, steps: list) -> None:
    last = course(lines).remembered()
    for step, seed in steps:
        last = changed(last, step, seed)
    k = last.segments
    box = shapely.bounds(shapely.linestrings(np.stack([last.xy[k], last.xy[k + 1]], axis=1)))
    meet = (box[:, None, :2] <= box[None, :, 2:]).all(axis=2) & (box[None, :, :2] <= box[:, None, 2:]).all(axis=2)
    i, j = np.nonzero(np.triu(meet, 1) & (k[None, :] != k[:, None] + 1))
    assert np.array_equal(last.index.pairs, (k[i], k[j]))


def test_a_small_change_keeps_the_sorted_segments_and_a_large_one_sorts_anew() -> None:
    long = course([[(i, 0) for i in range(60)]]).remembered()
    little = changed(long, "cut", 1).remembered()
    assert little.index.before is long.index.before and len(little.index.new.k) == 2
    shifted = replace(long, xy=long.xy + 0.5)
    assert shifted.index.worn and not len(shifted.remembered().index.new.k)
