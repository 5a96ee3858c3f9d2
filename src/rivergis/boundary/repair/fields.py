"""Repairs of attributes (属性修复): only what the shape, the list or every other line of the county says for sure.

A document number or a date that nobody knows is not proposed: it has to be looked up.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import numpy as np
import shapely

from rivergis import geometry
from rivergis.boundary.doctor.case import Defect
from rivergis.boundary.repair.case import FIELDS, Change, Repair
from rivergis.boundary.repair.courses import Ground, side_of_word
from rivergis.boundary.repair.stretch import chainages

_FITS_M = 25.0  # a chainage and the foot of the end of its line on the reach
_OTHER_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日")
_ALIASES = {
    "line_type": ("管理线", "管理范围边界线", "河道管理范围线", "management"),
    "levee_toe": ("levee", "toe", "堤脚", "堤脚外"),
    "bank_offset": ("bank", "offset", "岸线外延"),
}
_CODES = ("line_type", "basis", "bank")


def _name(ground: Ground, row: int) -> str:
    return str(ground.value("lines", row, "line_id"))


def _set(ground: Ground, n: int, row: int, basis: str, values: dict[str, Any], en: str, zh: str) -> Repair:
    return Repair(n, _name(ground, row), "attributes", basis, (Change("lines", FIELDS, row, fields=values),), en, zh)


def chainage(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """From and to that cannot be: exchanged, with the point in its place, else measured on the reach."""
    for row in ground.named("lines", d.features):
        shape, axis = ground.shape("lines", row), ground.reaches.get(str(d.reach))
        if axis is None or not geometry.finite(shape):
            continue
        lo, hi = chainages(shapely.get_coordinates(shape), axis)
        said = [ground.value("lines", row, c) for c in ("from_m", "to_m")]
        values = _reread(said, lo, hi) or {"from_m": lo, "to_m": hi}
        a, b = values["from_m"], values["to_m"]
        yield _set(
            ground,
            n,
            row,
            "reach",
            values,
            f"Chainage {a:.2f} to {b:.2f} m, as the line lies.",
            f"桩号改为{a:.2f}～{b:.2f}米（按边线实际位置）。",
        )


def _reread(said: list[Any], lo: float, hi: float) -> dict[str, float] | None:
    """The numbers of the file, exchanged or divided by a power of ten, if that is where the line lies."""
    if any(v is None for v in said):
        return None
    a, b = (float(v) for v in said)
    for one, two in ((b, a), *((x, y) for f in (10, 100, 1000) for x, y in ((a, b / f), (a / f, b), (a / f, b / f)))):
        if abs(one - lo) <= _FITS_M and abs(two - hi) <= _FITS_M:
            return {"from_m": round(one, 2), "to_m": round(two, 2)}
    return None


def reach_named(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """A reach that is not there: the one along which the line lies."""
    for row in ground.named("lines", d.features):
        shape = ground.shape("lines", row)
        if not geometry.finite(shape):
            continue
        ids = list(ground.reaches)
        axes = np.array([ground.reaches[i] for i in ids], dtype=object)
        near = np.flatnonzero(
            shapely.distance(axes, shapely.line_interpolate_point(shape, 0.5, normalized=True)) < 1_000
        )
        points = shapely.line_interpolate_point(shape, np.linspace(0.1, 0.9, 17), normalized=True)
        away = [float(np.mean(shapely.distance(axes[k], points))) for k in near.tolist()]
        if away:
            found = ids[int(near[int(np.argmin(away))])]
            yield _set(
                ground, n, row, "reach", {"reach_id": found},
                f"Reach {found}, along which the line lies {min(away):.0f} m away.", f"河段编码改为{found}（边线沿该河段，平均相距{min(away):.0f}米）。",
            )  # fmt: skip


def code_named(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """A word outside the list: the one it stands for."""
    limits = ground.case.limits
    lists = {"line_type": limits.line_type, "basis": limits.basis, "bank": limits.bank}
    for row in ground.named("lines", d.features):
        values = {}
        for column in _CODES:
            said = ground.value("lines", row, column)
            right = None if str(said) in lists[column] else _meant(column, said, lists[column])
            if column == "bank" and right is not None:
                right = _as_it_lies(ground, row, str(d.reach), right)
            if right is not None:
                values[column] = right
        if values:
            told = ", ".join(f"{c} {v}" for c, v in values.items())
            yield _set(ground, n, row, "names", dict(values), f"Say {told}.", f"改为列表中的代码：{told}。")


def _as_it_lies(ground: Ground, row: int, reach: str, word: str) -> str:
    """The word of the list for the bank on which a line lies, where that is another than it says."""
    side = ground.side_lying(row, reach)
    other = next((w for w in ground.case.limits.bank if side_of_word(w) == side), None)
    return word if side is None or other is None or side_of_word(word) == side else str(other)


def _meant(column: str, said: Any, words: tuple[str, ...]) -> str | None:
    """The word of a list that another stands for, None where that is not sure."""
    if column == "bank":
        side = side_of_word(said)
        same = [w for w in words if side is not None and side_of_word(w) == side]
        return same[0] if same else None
    if said is None:
        return None
    text = str(said).strip()
    known = [w for w in words if text in _ALIASES.get(w, ()) or text in _ALIASES.get(column, ())]
    near = known or difflib.get_close_matches(text, words, n=2, cutoff=0.6)
    return str(near[0]) if len(near) == 1 else None


def announcement(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """The government that announced: where every other line of the county names the same; numbers and dates are not guessed."""
    lines = ground.case.lines
    for row in ground.named("lines", d.features):
        if ground.value("lines", row, "announce_gov") is not None or "announce_gov" not in lines:
            continue
        others = lines["announce_gov"][lines["county"] == lines["county"].iloc[row]].dropna().unique()
        if len(others) == 1:
            gov = str(others[0])
            yield _set(
                ground,
                n,
                row,
                "names",
                {"announce_gov": gov},
                f"{gov}, as every other line of the county says.",
                f"公告单位改为{gov}（本县其余边线均如此）。",
            )


def day(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """A date that is one, only written otherwise: in the agreed form."""
    limits = ground.case.limits
    for row in ground.named("lines", d.features):
        found = _day(ground.value("lines", row, "announce_date"))
        if found is not None and limits.first_date <= found <= limits.today and limits.date_formats:
            text = found.strftime(limits.date_formats[0])
            yield _set(ground, n, row, "names", {"announce_date": text}, f"Write {text}.", f"日期改写为{text}。")


def _day(said: Any) -> date | None:
    for form in _OTHER_FORMATS:
        try:
            return datetime.strptime(str(said).strip(), form).date()
        except ValueError:
            continue
    return None
