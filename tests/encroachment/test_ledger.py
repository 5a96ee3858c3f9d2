"""Is it the same thing as last night? Nights as they happen on a river.

   yard (occupation)                  heaps a and b                 a point between two
+--------------------+
|        +---+       |            +-----+   +---------+            +-----+     +-----+
|        | h |       |            |  a  |   |    b    |            |  a  |  *  |  b  |
+--------+---+-------+            +-----+   +---------+            +-----+     +-----+
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
import shapely

from rivergis import rules
from rivergis.encroachment.ledger import Carried, Known, NightLimits, Seen, Step, observed_shares, reconcile
from rivergis.settings import gis_dir
from tests import tiny

LIMITS = NightLimits(0.3, 0.3, 0.5, 0.5, 3, 20, 1.1, 20.0, 2, 3, 0.9, 100.0)
START = date(2026, 5, 1)
HERE, NEAR, AWAY = tiny.box(0, 0, 20, 20), tiny.box(4, 0, 20, 20), tiny.box(100, 0, 20, 20)


def seen(shape: shapely.Geometry = HERE, kind: str = "dump", source: str = "feed", **more: object) -> Seen:
    return Seen("", kind, shape, source, **more)  # type: ignore[arg-type]


@dataclass
class Book:
    """A ledger over nights; leads are called A, B, C ... as they come."""

    known: list[Known] = field(default_factory=list)
    night: date = START

    def tell(self, *told: Seen, observed: float = 1.0, moved: bool = False, nights: int = 1) -> dict[str, str]:
        """Status of each lead after a night, or the last of several equal ones."""
        status: dict[str, str] = {}
        for _ in range(nights):
            shares = [observed] * len(self.known)
            steps = reconcile(self.known, told, shares, LIMITS, night=self.night, line_moved=[moved] * len(self.known))
            status = self._write(steps)
            self.night += timedelta(days=1)
        return status

    def _write(self, steps: Sequence[Step]) -> dict[str, str]:
        status = {}
        for step in steps:
            name = chr(65 + len(self.known)) if step.known is None else self.known[step.known].finding_id
            lead = Known(name, step.footprint, step.carried)
            if step.known is None:
                self.known.append(lead)
            else:
                self.known[step.known] = lead
            status[name] = step.status
        return status

    def carried(self, name: str) -> Carried:
        return next(k.carried for k in self.known if k.finding_id == name)


@pytest.mark.parametrize(
    ("label", "first", "then", "observed", "status"),
    [
        ("same object", [seen()], [seen()], 1.0, {"A": "persisting"}),
        ("re-digitised", [seen()], [seen(NEAR)], 1.0, {"A": "persisting"}),
        ("called something else", [seen()], [seen(NEAR, "building")], 1.0, {"A": "persisting"}),
        ("elsewhere", [seen()], [seen(AWAY)], 1.0, {"A": "missed", "B": "new"}),
        ("not looked at", [seen()], [], 0.3, {"A": "unobserved"}),
        ("looked at and not there", [seen()], [], 1.0, {"A": "missed"}),
        ("four times as large", [seen()], [seen(tiny.box(-10, -10, 40, 40))], 1.0, {"A": "persisting"}),
        ("touching neighbour", [seen()], [seen(), seen(tiny.box(20, 0, 20, 20))], 1.0, {"A": "persisting", "B": "new"}),
        (
            "jumped under its own name",
            [seen(identity="n1")],
            [seen(tiny.box(60, 0, 20, 20), identity="n1")],
            1.0,
            {"A": "persisting"},
        ),
        (
            "the name is used again two kilometres off",
            [seen(identity="n1")],
            [seen(tiny.box(2000, 0, 20, 20), identity="n1")],
            1.0,
            {"A": "missed", "B": "new"},
        ),
        (
            "permitted since today",
            [seen()],
            [seen(untold="permitted")],
            1.0,
            {"A": "permitted"},
        ),
        ("the line is open now", [seen()], [seen(untold="undecided")], 1.0, {"A": "unobserved"}),
        ("a permit without a place", [seen()], [seen(untold="permit_place_open")], 1.0, {"A": "unobserved"}),
        ("shrank below the least area", [seen()], [seen(untold="below_min_area")], 1.0, {"A": "missed"}),
        (
            "a small permitted thing on it explains nothing",
            [seen()],
            [seen(tiny.box(0, 0, 5, 5), untold="permitted")],
            1.0,
            {"A": "missed"},
        ),
    ],
)
def test_two_nights(label: str, first: list[Seen], then: list[Seen], observed: float, status: dict[str, str]) -> None:
    book = Book()
    book.tell(*first)
    assert book.tell(*then, observed=observed) == status, label


def test_gone_after_three_observed_nights_however_many_others_lie_between() -> None:
    book = Book()
    book.tell(seen())
    told = [book.tell(observed=share)["A"] for share in (1.0, 0.0, 0.0, 1.0, 0.5, 1.0)]
    assert told == ["missed", "unobserved", "unobserved", "missed", "unobserved", "gone"]
    assert book.tell() == {}
    assert book.tell(seen(NEAR)) == {"A": "rebound"}


def test_back_after_too_long_is_new() -> None:
    book = Book()
    book.tell(seen())
    book.tell(nights=21)
    assert book.tell(seen()) == {"B": "new"}


def test_what_a_permit_closed_is_new_when_the_permit_has_ended() -> None:
    book = Book()
    book.tell(seen())
    book.tell(seen(untold="permitted"))
    assert book.tell(seen(untold="permitted")) == {}
    assert book.tell(seen()) == {"B": "new"}


class TestOneNight:
    def test_two_sources_are_one_thing(self) -> None:
        assert Book().tell(seen(), seen(NEAR, "building", "other")) == {"A": "new"}

    def test_a_fragment_of_its_kind_is_part_of_it_and_a_heap_on_a_yard_is_not(self) -> None:
        yard, heap = tiny.box(0, 0, 60, 50), tiny.box(20, 20, 15, 15)
        assert Book().tell(seen(yard, "occupation"), seen(heap, "occupation")) == {"A": "new"}
        assert Book().tell(seen(yard, "occupation"), seen(heap, "dump")) == {"A": "new", "B": "new"}

    def test_the_heap_stays_a_heap_when_it_is_called_a_yard_or_either_is_not_seen(self) -> None:
        yard, heap = tiny.box(0, 0, 60, 50), tiny.box(20, 20, 15, 15)
        book = Book()
        book.tell(seen(yard, "occupation"), seen(heap, "dump"))
        yard_name = next(k.finding_id for k in book.known if k.footprint.area > 1000)
        heap_name = ({"A", "B"} - {yard_name}).pop()
        both = {yard_name: "persisting", heap_name: "persisting"}
        assert book.tell(seen(yard, "occupation"), seen(heap, "occupation")) == both
        assert book.tell(seen(yard, "occupation")) == {yard_name: "persisting", heap_name: "missed"}
        assert book.tell(seen(heap, "occupation")) == {yard_name: "missed", heap_name: "persisting"}
        assert book.tell(seen(yard, "occupation"), seen(heap, "dump")) == both


class TestPieces:
    WHOLE, LEFT, RIGHT = tiny.box(0, 0, 50, 20), tiny.box(0, 0, 24, 20), tiny.box(26, 0, 24, 20)

    def test_both_parts_keep_the_id_also_when_one_is_called_something_else(self) -> None:
        book = Book()
        book.tell(seen(self.WHOLE))
        assert book.tell(seen(self.LEFT), seen(self.RIGHT, "building")) == {"A": "split"}
        assert book.tell(seen(self.LEFT), seen(self.RIGHT)) == {"A": "persisting"}

    def test_a_part_that_is_missed_for_two_nights_is_no_loss_and_no_birth(self) -> None:
        book = Book()
        book.tell(seen(self.WHOLE))
        book.tell(seen(self.LEFT), seen(self.RIGHT), nights=4)
        assert book.tell(seen(self.LEFT), nights=2) == {"A": "persisting"}
        assert book.tell(seen(self.LEFT), seen(self.RIGHT)) == {"A": "persisting"}

    def test_a_part_that_stays_away_is_a_loss(self) -> None:
        book = Book()
        book.tell(seen(self.WHOLE), nights=3)
        book.tell(seen(self.LEFT), seen(self.RIGHT))
        told = [book.tell(seen(self.LEFT))["A"] for _ in range(5)]
        assert told == ["persisting", "persisting", "persisting", "shrunk", "persisting"]

    def test_the_eldest_goes_on_though_the_younger_was_larger(self) -> None:
        book = Book()
        book.tell(seen(self.LEFT))
        younger = tiny.box(30, 0, 60, 20)
        book.tell(seen(self.LEFT), seen(younger), nights=3)
        assert book.tell(seen(tiny.box(0, 0, 90, 20))) == {"A": "persisting", "B": "merged"}
        assert book.tell(seen(tiny.box(0, 0, 90, 20))) == {"A": "persisting"}

    def test_three_become_one(self) -> None:
        boxes = [tiny.box(30 * i, 0, 24, 20) for i in range(3)]
        book = Book()
        for i in range(3):
            book.tell(*(seen(b) for b in boxes[: i + 1]))
        assert book.tell(seen(tiny.box(0, 0, 84, 20))) == {"A": "persisting", "B": "merged", "C": "merged"}

    def test_neighbours_that_are_missed_are_not_merged(self) -> None:
        book = Book()
        book.tell(seen(HERE), seen(tiny.box(23, 0, 20, 20)))
        assert book.tell(seen(tiny.box(2, 0, 21, 20))) == {"A": "persisting", "B": "missed"}

    def test_a_merge_is_told_only_where_somebody_looked(self) -> None:
        book = Book()
        book.tell(seen(HERE), seen(tiny.box(26, 0, 20, 20)))
        assert book.tell(seen(tiny.box(0, 0, 46, 20)), observed=0.5) == {"A": "persisting", "B": "unobserved"}


class TestSize:
    @staticmethod
    def wide(width: float) -> Seen:
        return seen(tiny.box(0, 0, width, 40))

    def told(self, *widths: float) -> list[str]:
        book = Book()
        return [book.tell(self.wide(w))["A"] for w in widths]

    def test_grown_on_the_second_sight_running_and_once(self) -> None:
        assert self.told(40, 40, 40, 60, 60, 60, 60) == ["new", *["persisting"] * 3, "grown", *["persisting"] * 2]

    def test_one_large_sight_is_jitter(self) -> None:
        assert set(self.told(40, 40, 40, 60, 40, 60, 40)) == {"new", "persisting"}

    def test_slow_creep_is_told(self) -> None:
        told = self.told(*(40 * 1.01**n for n in range(16)))
        assert "grown" in told
        assert 40 * 1.01 ** told.index("grown") < 40 * 1.2

    def test_shrunk(self) -> None:
        assert self.told(40, 40, 40, 20, 20, 20) == ["new", *["persisting"] * 3, "shrunk", "persisting"]

    def test_twenty_square_metres_at_least(self) -> None:
        book = Book()
        assert {book.tell(seen(tiny.box(0, 0, w, 8)))["A"] for w in (8, 8, 8, 10, 10, 10)} == {"new", "persisting"}

    def test_a_source_that_draws_it_larger_does_not_make_it_grow(self) -> None:
        small, large = self.wide(40), seen(tiny.box(0, 0, 52, 40), "dump", "other")
        book = Book()
        book.tell(small, nights=4)
        told = {book.tell(*night)["A"] for night in ([large], [large], [small], [large], [small, large], [large])}
        assert told == {"persisting"}

    def test_a_source_that_comes_late_tells_the_same_growth_not_twice(self) -> None:
        def other(width: float) -> Seen:
            return seen(tiny.box(0, 0, width, 40), "dump", "other")

        book = Book()
        book.tell(self.wide(40), other(40), nights=4)
        told = [book.tell(self.wide(60), other(40))["A"] for _ in range(6)]
        told += [book.tell(self.wide(60), other(60))["A"] for _ in range(6)]
        assert told.count("grown") == 1

    def test_half_a_permit_is_no_change_of_the_object(self) -> None:
        whole = tiny.box(0, 0, 40, 40)
        half = seen(tiny.box(0, 0, 20, 40), whole=whole)
        book = Book()
        book.tell(seen(whole, whole=whole), nights=4)
        assert {book.tell(half)["A"] for _ in range(4)} == {"persisting"}
        assert {book.tell(seen(whole, whole=whole))["A"] for _ in range(4)} == {"persisting"}

    def test_half_under_cloud_is_no_loss(self) -> None:
        book = Book()
        book.tell(self.wide(40), nights=4)
        assert book.tell(self.wide(15), observed=0.4, nights=4) == {"A": "persisting"}
        assert book.tell(self.wide(40)) == {"A": "persisting"}


class TestRedrawnLine:
    def test_it_stays_known_outside_and_comes_back_inside(self) -> None:
        out = seen(untold="outside")
        book = Book()
        book.tell(seen())
        assert book.tell(out, moved=True) == {"A": "left_by_redraw"}
        assert book.tell(out, nights=30) == {"A": "left_by_redraw"}
        assert book.tell(seen(), moved=True) == {"A": "persisting"}

    def test_removed_meanwhile_it_is_gone(self) -> None:
        book = Book()
        book.tell(seen())
        book.tell(seen(untold="outside"), moved=True)
        assert book.tell(nights=3) == {"A": "gone"}

    def test_without_a_redraw_what_left_the_line_is_missed(self) -> None:
        book = Book()
        book.tell(seen())
        assert book.tell(seen(untold="outside"), nights=3) == {"A": "gone"}

    def test_a_line_through_it_is_no_loss(self) -> None:
        book = Book()
        book.tell(seen(tiny.box(0, 0, 40, 40)), nights=4)
        assert book.tell(seen(tiny.box(0, 0, 15, 40)), moved=True) == {"A": "persisting"}
        assert book.tell(seen(tiny.box(0, 0, 15, 40)), nights=3) == {"A": "persisting"}


class TestPoints:
    @staticmethod
    def point(x: float, kind: str = "dump", accuracy_m: float = 8.0) -> Seen:
        return seen(tiny.point(x, 10), kind, "inspector", accuracy_m=accuracy_m)

    def test_beside_one_of_its_kind_it_is_evidence(self) -> None:
        book = Book()
        assert book.tell(seen(), self.point(25)) == {"A": "new"}
        assert book.tell(self.point(25)) == {"A": "persisting"}
        assert book.carried("A").sources == ("feed", "inspector")

    @pytest.mark.parametrize(
        ("label", "others", "x", "kind"),
        [
            ("too far", [seen()], 30.0, "dump"),
            ("of another kind", [seen()], 25.0, "building"),
            ("between two", [seen(), seen(tiny.box(30, 0, 20, 20))], 25.0, "dump"),
        ],
    )
    def test_else_it_is_a_lead_of_its_own(self, label: str, others: list[Seen], x: float, kind: str) -> None:
        book = Book()
        assert len(book.tell(*others, self.point(x, kind))) == len(others) + 1, label

    def test_reported_again_nearby_it_is_the_same(self) -> None:
        book = Book()
        book.tell(self.point(0))
        assert book.tell(self.point(6)) == {"A": "persisting"}
        assert book.tell(self.point(40)) == {"A": "missed", "B": "new"}

    def test_drawn_later_it_gets_an_outline_and_keeps_its_id(self) -> None:
        book = Book()
        book.tell(self.point(5))
        assert book.tell(seen()) == {"A": "persisting"}
        assert book.carried("A").area_m2 == 400.0

    def test_back_where_an_area_was_cleaned_it_is_a_rebound(self) -> None:
        book = Book()
        book.tell(seen())
        book.tell(nights=3)
        assert book.tell(self.point(22)) == {"A": "rebound"}


def looked(coverage: Mapping[str, shapely.Geometry], *told: Seen) -> list[float]:
    book = Book()
    book.tell(*told)
    return observed_shares(book.known, coverage).round(3).tolist()


def test_only_who_has_seen_it_can_miss_it() -> None:
    world, half = tiny.box(-500, -500, 1000, 1000), tiny.box(-500, -500, 510, 1000)
    point = seen(tiny.point(200, 0), source="inspector", accuracy_m=5.0)
    assert looked({"all": world}, seen()) == [1.0]
    assert looked({"feed": half}, seen()) == [0.5]
    assert looked({"other": world}, seen()) == [0.0]
    assert looked({"other": world}, seen(), seen(NEAR, source="other")) == [1.0]
    assert looked({"all": world}, point) == [0.0]
    assert looked({"inspector": world}, point) == [1.0]


def test_the_limits_are_those_of_the_rule_book() -> None:
    view = rules.load(gis_dir() / "rules").at((rules.NATIONAL,), START)
    assert NightLimits.of(view) == LIMITS
