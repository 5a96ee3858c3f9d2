"""Which lead a row means: laws of matching (one to one, order-free, the same both ways round), and the cases a person must decide."""

from __future__ import annotations

from dataclasses import replace

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from rivergis.encroachment.baseline import Limits, Matched, Thing, match, plain_number

LIMITS = Limits(overlap_share=0.5, sigmas=2.0, clear=0.25, number_within_m=500.0)
GROUPS = st.sampled_from([None, "乱占", "乱建", "乱堆"])


@st.composite
def things(draw: st.DrawFn, side: str) -> list[Thing]:
    out = []
    for n in range(draw(st.integers(0, 6))):
        x, y = draw(st.integers(0, 60)), draw(st.integers(0, 60))
        shape = draw(
            st.sampled_from(
                [None, shapely.Point(x, y), shapely.box(x, y, x + 20, y + 10), shapely.box(x, y, x + 5, y + 5)]
            )
        )
        numbers = frozenset(
            draw(st.lists(st.sampled_from(["patch:7", "patch:CQ-01", "patch:CQ-02", "list:CQ-02"]), max_size=2))
        )
        out.append(Thing(f"{side}{n}", numbers, shape, draw(st.sampled_from([0.0, 5.0, 10.0])), draw(GROUPS)))
    return out


def told(done: Matched) -> tuple[set[tuple[object, object]], dict[object, set[object]], set[object]]:
    return (
        {(p.row, p.known) for p in done.pairs.values()},
        {k: {p.known for p in v} for k, v in done.open.items()},
        set(done.alone),
    )


@given(things("r"), things("k"), st.randoms())
def test_order_does_not_matter(rows: list[Thing], knowns: list[Thing], chance: object) -> None:
    other_rows, other_knowns = list(rows), list(knowns)
    chance.shuffle(other_rows)  # type: ignore[attr-defined]
    chance.shuffle(other_knowns)  # type: ignore[attr-defined]
    assert told(match(rows, knowns, LIMITS)) == told(match(other_rows, other_knowns, LIMITS))


@given(things("r"), things("k"))
def test_the_same_both_ways_round(rows: list[Thing], knowns: list[Thing]) -> None:
    there, back = match(rows, knowns, LIMITS), match(knowns, rows, LIMITS)
    assert {(p.row, p.known) for p in there.pairs.values()} == {(p.known, p.row) for p in back.pairs.values()}


@given(things("r"), things("k"))
def test_every_row_once_and_every_lead_at_most_once(rows: list[Thing], knowns: list[Thing]) -> None:
    done = match(rows, knowns, LIMITS)
    where = [*done.pairs, *done.open, *done.alone]
    assert sorted(map(str, where)) == sorted(str(r.key) for r in rows)
    meant = [p.known for p in done.pairs.values()]
    assert len(meant) == len(set(meant))
    assert all(done.open.values())


@given(things("r"), things("k"))
def test_nothing_is_decided_outside_the_errors(rows: list[Thing], knowns: list[Thing]) -> None:
    by_row, by_known = {r.key: r for r in rows}, {k.key: k for k in knowns}
    for p in match(rows, knowns, LIMITS).pairs.values():
        row, known = by_row[p.row], by_known[p.known]
        if p.tier == "number":
            assert row.numbers & known.numbers
        else:
            apart = shapely.distance(row.shape, known.shape)
            assert apart <= LIMITS.sigmas * (row.error_m**2 + known.error_m**2) ** 0.5 + 1e-9
            assert p.tier == "overlap" or apart == 0 or row.group == known.group is not None


@given(things("r"), things("k"))
def test_a_second_row_for_a_place_never_takes_the_lead_of_the_first(rows: list[Thing], knowns: list[Thing]) -> None:
    for p in match(rows, knowns, LIMITS).pairs.values():
        twin = replace(next(r for r in rows if r.key == p.row), key="twin")
        done = match([*rows, twin], knowns, LIMITS)
        assert p.row not in done.pairs and "twin" not in done.pairs


def known(key: str, shape: shapely.Geometry, group: str | None = "乱建", *numbers: str) -> Thing:
    return Thing(key, frozenset(numbers), shape, 5.0, group)


def row(shape: shapely.Geometry | None, group: str | None = "乱建", *numbers: str, error_m: float = 10.0) -> Thing:
    return Thing("row", frozenset(numbers), shape, error_m, group)


HOUSE = shapely.box(0, 0, 20, 10)


@pytest.mark.parametrize(
    ("said", "knowns", "meant"),
    [
        (row(shapely.Point(25, 5)), [known("a", HOUSE)], "a"),
        (row(shapely.Point(25, 5), "乱堆"), [known("a", HOUSE)], "open"),
        (row(shapely.Point(25, 5), None), [known("a", HOUSE)], "open"),
        (row(shapely.Point(10, 5), None), [known("a", HOUSE)], "a"),
        (row(shapely.Point(60, 5)), [known("a", HOUSE)], "alone"),
        (row(shapely.Point(22, 5)), [known("a", HOUSE), known("b", shapely.box(24, 0, 44, 10))], "open"),
        (row(shapely.box(0, 0, 20, 10), "乱占"), [known("a", HOUSE)], "a"),
        (row(shapely.box(0, 0, 100, 100)), [known("a", HOUSE), known("b", shapely.box(50, 50, 70, 60))], "open"),
        (row(None, "乱建", "patch:CQ-01"), [known("a", HOUSE, "乱占", "patch:CQ-01")], "a"),
        (row(None, "乱建", "patch:12"), [known("a", HOUSE, "乱占", "patch:12")], "open"),
        (row(shapely.Point(90, 5), "乱建", "patch:12"), [known("a", HOUSE, "乱占", "patch:12")], "a"),
        (row(shapely.Point(9000, 5), "乱建", "patch:12"), [known("a", HOUSE, "乱建", "patch:12")], "alone"),
        (row(shapely.Point(9000, 5), "乱建", "patch:CQ-01"), [known("a", HOUSE, "乱建", "patch:CQ-01")], "open"),
        (
            row(shapely.Point(9005, 5), "乱建", "patch:CQ-01"),
            [known("a", HOUSE, "乱建", "patch:CQ-01"), known("b", shapely.box(9000, 0, 9010, 10))],
            "open",
        ),
        (
            row(None, "乱建", "patch:CQ-01"),
            [known("a", HOUSE, "乱建", "patch:CQ-01"), known("b", HOUSE, "乱建", "patch:CQ-01")],
            "open",
        ),
        (row(None, "乱建", "list:2025-001"), [known("a", HOUSE, "乱建", "list:2025-001")], "a"),
        (row(None, None, "list:2025-001"), [known("a", HOUSE, "乱建", "list:2025-001")], "open"),
        (row(shapely.Point(9000, 5), "乱堆", "list:2025-001"), [known("a", HOUSE, "乱建", "list:2025-001")], "alone"),
        (row(None), [known("a", HOUSE)], "alone"),
    ],
)
def test_what_a_row_means(said: Thing, knowns: list[Thing], meant: str) -> None:
    done = match([said], knowns, LIMITS)
    found = done.pairs["row"].known if "row" in done.pairs else "open" if "row" in done.open else "alone"
    assert found == meant


def test_a_place_beside_a_lead_that_another_row_means_is_its_own() -> None:
    mine, beside = row(HOUSE), replace(row(shapely.box(18, 0, 40, 10)), key="beside")
    done = match([mine, beside], [known("a", HOUSE)], LIMITS)
    assert done.pairs["row"].known == "a" and done.alone == ["beside"]


def test_two_neighbours_each_with_its_own_row_are_told_apart() -> None:
    knowns = [known("a", HOUSE), known("b", shapely.box(36, 0, 56, 10))]
    rows = [replace(row(shapely.Point(x, 5)), key=key) for key, x in (("at a", 12), ("at b", 40))]
    assert {k: p.known for k, p in match(rows, knowns, LIMITS).pairs.items()} == {"at a": "a", "at b": "b"}
    twice = [replace(row(shapely.Point(x, 5)), key=key) for key, x in (("one", 40), ("again", 41))]
    assert match(twice, knowns, LIMITS).pairs == {}


def test_numbers_are_one_however_they_are_typed() -> None:
    assert plain_number(" ＣＱ—２０２５－０１ ") == plain_number("cq-2025-01") == "cq-2025-01"
    assert plain_number("  ") is None
