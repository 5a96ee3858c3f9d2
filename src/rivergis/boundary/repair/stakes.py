"""Repairs of stakes (界桩修复), and stakes that go with a line that is drawn anew: on the line, in order, near enough to each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

from rivergis import geometry
from rivergis.boundary.doctor.case import Defect
from rivergis.boundary.repair.case import ADD, FIELDS, SHAPE, SPLICE, Change, Repair, spliced
from rivergis.boundary.repair.courses import Ground
from rivergis.boundary.stake import numbers as stake_numbers
from rivergis.errors import InputError

_MOST_NUMBERS = 6  # numbers given out again; more is no slip of the pen


def on_line(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """A stake beside its line: the nearest place of the line."""
    line = _bank_line(ground, d)
    for row in ground.named("stakes", d.features) if line is not None else ():
        stake = ground.shape("stakes", row)
        point = shapely.line_interpolate_point(line, line.line_locate_point(stake))
        away = float(point.distance(stake))
        yield Repair(
            n, str(ground.value("stakes", row, "stake_no")), "geometry", "vertices", (Change("stakes", SHAPE, row, shape=point),),
            f"Coordinates {away:.2f} m away, on the line; survey the stake again first.", f"坐标改到边线上（移动{away:.2f}米）；须先复测界桩。",
        )  # fmt: skip


def _bank_line(ground: Ground, d: Defect) -> Any:
    """The line of the bank nearest to a defect, else any line of the reach."""
    lines = ground.rows_of("lines", str(d.reach))
    if lines is None:
        return None
    sound = [(g, b) for g, b in zip(lines.geometry, lines["bank"], strict=True) if geometry.finite(g)]
    same = [g for g, b in sound if b == d.bank] or [g for g, _ in sound]
    return min(same, key=lambda g: float(g.distance(d.place))) if same else None


def in_order(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """Numbers that do not rise downstream: those of the stretch given out again in the order of the river."""
    stakes, axis = ground.rows_of("stakes", str(d.reach)), ground.reaches.get(str(d.reach))
    if stakes is None or axis is None:
        return
    mine = stakes[stakes["bank"].astype(str) == str(d.bank)]
    placed = mine.index.to_numpy()[np.argsort(shapely.line_locate_point(axis, mine.geometry.to_numpy()), kind="stable")]
    numbers = mine["stake_no"].loc[placed].astype(str).to_numpy()
    keys = [stake_numbers.read(t) for t in numbers.tolist()]
    if any(k is None for k in keys):
        return
    right = np.array(sorted(numbers.tolist(), key=lambda t: k.key if (k := stake_numbers.read(t)) else ()))
    wrong = np.flatnonzero(numbers != right)
    if 0 < len(wrong) <= _MOST_NUMBERS:
        changes = tuple(Change("stakes", FIELDS, int(placed[k]), fields={"stake_no": str(right[k])}) for k in wrong)
        told = ", ".join(f"{numbers[k]} → {right[k]}" for k in wrong)
        yield Repair(
            n,
            str(numbers[wrong[0]]),
            "attributes",
            "reach",
            changes,
            f"Number anew: {told}.",
            f"界桩编号更正：{told}。",
        )


def more(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """Too far between two stakes: as many between them as the spacing asks, on the line, with numbers between theirs."""
    stakes, line, axis = ground.case.stakes, _bank_line(ground, d), ground.reaches.get(str(d.reach))
    rows = ground.named("stakes", d.features)
    if stakes is None or line is None or axis is None or len(rows) != 2:
        return
    along = shapely.line_locate_point(axis, stakes.geometry.iloc[rows].to_numpy())
    first, second = (rows[0], rows[1]) if along[0] <= along[1] else (rows[1], rows[0])
    at = shapely.line_locate_point(line, stakes.geometry.iloc[[first, second]].to_numpy())
    count = int(np.ceil(abs(at[1] - at[0]) / (0.95 * ground.case.limits.stake_max_spacing_m))) - 1
    names = _names(
        str(ground.value("stakes", first, "stake_no")), str(ground.value("stakes", second, "stake_no")), max(count, 1)
    )
    if names is None:
        return
    keep = {c: stakes[c].iloc[first] for c in ("reach_id", "bank", "county") if c in stakes}
    places = np.linspace(at[0], at[1], len(names) + 2)[1:-1]
    changes = tuple(
        Change("stakes", ADD, shape=shapely.line_interpolate_point(line, s), fields={**keep, "stake_no": name})
        for s, name in zip(places, names, strict=True)
    )
    yield Repair(
        n,
        names[0],
        "add",
        "vertices",
        changes,
        f"Place {', '.join(names)} on the line.",
        f"在边线上加密界桩{'、'.join(names)}。",
    )


def _names(before: str, after: str, count: int) -> list[str] | None:
    """Numbers between two, None where none fits."""
    first, last = stake_numbers.read(before), stake_numbers.read(after)
    if first is None or last is None or first.series != last.series:
        return None
    try:
        keys = stake_numbers.between(first.key, last.key, count)
    except InputError:
        return None
    return [str(dataclasses.replace(first, key=key)) for key in keys]


def with_stakes(ground: Ground, repair: Repair) -> Repair:
    """A repair of lines with the stakes that stand on what it draws anew: they go with their line, and the sentence says so."""
    moved: dict[int, Any] = {}
    tolerance = ground.case.limits.stake_tolerance_m
    redrawn = [c for c in repair.changes if c.layer == "lines" and c.what in (SPLICE, SHAPE)]
    for c in redrawn if ground.case.stakes is not None else ():
        old = None if c.row is None else ground.shape("lines", c.row)
        new = spliced(old, [c]) if c.what == SPLICE and old is not None else c.shape
        if old is None or not geometry.finite(old) or not geometry.finite(new):
            continue
        for row in ground.stakes_near(old, tolerance):
            stake = ground.shape("stakes", row)
            if new.distance(stake) > tolerance:
                moved[row] = shapely.line_interpolate_point(new, new.line_locate_point(stake))
    if not moved:
        return repair
    return dataclasses.replace(
        repair,
        changes=(*repair.changes, *(Change("stakes", SHAPE, row, shape=p) for row, p in moved.items())),
        sentence=f"{repair.sentence} {len(moved)} stakes on it have to be set again.",
        zh=f"{repair.zh}其上{len(moved)}个界桩须随线重新埋设。",
    )
