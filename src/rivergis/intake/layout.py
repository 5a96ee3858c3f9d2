"""Where the header of a table is, what its columns are called, and which of them hold positions: by name, else by content."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from rivergis.intake import angles, columns
from rivergis.intake.columns import Pair
from rivergis.intake.grids import Row, width_of, words
from rivergis.intake.positions import Position, cell_of, holds_both, is_labelled, is_shape, readable, side_of_x

_HEADER_WITHIN = 60
_LOOKED_AT = 60
_PART = re.compile(r"^(.*?)[\s(_]*(度|分|秒|°|'|\"|deg|min|sec)[)\s]*$")
Join = Literal["", "line", "points"]


@dataclass(frozen=True)
class Layout:
    """How a table is laid out. Column positions count from 0."""

    names: tuple[str, ...]
    body_from: int
    """Number of the first row that is not header."""
    header: tuple[str, ...] = ()
    """The texts of the header's last row, by which its repetitions are known; empty: there is no header."""
    header_fields: int = 0
    """How many fields the header's last row has, empty ones at its end included."""
    above: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    positions: tuple[Position, ...] = ()
    others: tuple[Position, ...] = ()
    """Further positions that the table has and that are not used."""
    join: Join = ""
    """How several positions of a row belong together: a line from start to end, points of one feature."""
    geometry: int | None = None
    fold: int = 0
    """After so many columns the table begins again beside itself; 0: it does not."""
    by_content: bool = False
    turned: bool = False
    """The coordinates stand in rows (X in one, Y in the next), where no reader looks for them."""
    repeated_names: tuple[str, ...] = ()


def find_layout(head: Sequence[Row]) -> Layout:
    """The layout of a table by its first filled rows."""
    width = max((width_of(c) for _, c in head), default=0)
    at = _named_header(head, width)
    if at is not None:
        return _with_header(head, at, width)
    return _by_content(head, width)


def _named_header(head: Sequence[Row], width: int) -> int | None:
    """Position of the row whose names give a position or geometry that the rows below bear out best."""
    best: tuple[float, int] | None = None
    for i, (_, cells) in enumerate(head[:_HEADER_WITHIN]):
        score = _score(head, i, cells)
        if score is not None and (best is None or score > best[0]):
            best = (score, i)
    return best[1] if best else None


def _score(head: Sequence[Row], i: int, cells: list[Any]) -> float | None:
    below = [c for _, c in head[i + 1 : i + 1 + _LOOKED_AT]]
    texts = ["" if c is None or not isinstance(c, str) else c for c in cells]
    if any(columns.is_geometry(t) and any(is_shape(cell_of(r, k)) for r in below) for k, t in enumerate(texts)):
        return float(_LOOKED_AT + 1)
    found = columns.pairs(texts)
    if not found:
        return _split_score(texts, below)
    shares = [readable(below, Position(p, (p.x,), (p.y,))) for p in found]
    if max(shares) == 0:
        return None if all(p.weak for p in found) else 0.0
    return float(max(shares))


def _split_score(texts: list[str], below: list[list[Any]]) -> float | None:
    """A header whose names give one cell for both (坐标), or degrees, minutes and seconds in columns of their own."""
    if _split_angles(texts):
        return float(len(below))
    named = [k for k, t in enumerate(texts) if t and columns.may_hold_both(t)]
    most = max((sum(holds_both(cell_of(r, k)) for r in below) for k in named), default=0)
    return float(most) if most else None


def _with_header(head: Sequence[Row], at: int, width: int) -> Layout:
    first, last = _parents(head, at), _children(head, at)
    levels = [_spread(head, i, width, over=i < last) for i in range(first, last + 1)]
    fold = _period(levels)
    width = fold or width
    levels = [level[:width] for level in levels]
    leaf = _leaf(levels, at - first)
    names, repeated = _distinct([_name(levels, leaf, c) for c in range(width)])
    body = [part for _, c in head[last + 1 :] for part in folded(c, fold)]
    geometry = _geometry(names, body)
    used, others, join = _chosen(_positions(names, levels, body), body) if geometry is None else ((), (), "")
    return Layout(
        names,
        head[last][0] + 1,
        tuple(leaf),
        len(head[last][1]),
        tuple(w for _, c in head[:first] for w in words(c)),
        tuple(dict.fromkeys(t for level in levels for t in level if t and t not in names)),
        used,
        others,
        join,
        geometry,
        fold=fold,
        repeated_names=repeated,
    )


def _leaf(levels: list[list[str]], at: int) -> list[str]:
    """The texts that name the columns: of the row found, with what the row below adds (度 分 秒, or X below 纵坐标)."""
    under = levels[-1]
    if at == len(levels) - 1 or all(columns.is_unit(t) and not _is_part(t) for t in under if t):
        return levels[at]
    if any(_is_part(t) for t in under):
        return under
    return [a if not b or a == b else a + b for a, b in zip(levels[at], under, strict=True)]


def _period(levels: list[list[str]]) -> int:
    """After how many columns a header comes again beside itself (点号 X Y 点号 X Y: a list printed in two columns); 0: it does not."""
    joined = list(zip(*levels, strict=True))
    again = next((i for i in range(3, len(joined)) if joined[i] == joined[0] and any(joined[i])), 0)
    if not again or any(joined[i] != joined[i - again] for i in range(again, len(joined)) if any(joined[i])):
        return 0
    block = [c[-1] or "".join(c) for c in joined[:again]]
    made = columns.pairs(block)
    return again if len(made) == 1 and len(joined) >= 2 * again - 1 else 0


def folded(cells: list[Any], fold: int) -> list[list[Any]]:
    """The parts of a row that holds several features beside one another; parts without any cell are none."""
    if not fold or len(cells) <= fold:
        return [cells]
    parts = [cells[i : i + fold] for i in range(0, len(cells), fold)]
    return [p for p in parts if any(c is not None for c in p)]


def _texts(head: Sequence[Row], i: int, width: int) -> list[str]:
    cells = head[i][1]
    return ["" if c is None else " ".join(str(c).split()) for c in [*cells[:width], *[None] * (width - len(cells))]]


def _spread(head: Sequence[Row], i: int, width: int, over: bool) -> list[str]:
    """A header row's texts; an upper row's text also stands for the empty cells to its right that have something below."""
    texts = _texts(head, i, width)
    if not over:
        return texts
    below = _texts(head, i + 1, width)
    for c in range(1, width):
        if not texts[c] and below[c]:
            texts[c] = texts[c - 1]
    return texts


def _parents(head: Sequence[Row], at: int) -> int:
    """Position of the uppermost row that belongs to the header: merged headers such as 坐标 over X and Y."""
    first = at
    while first > 0 and at - first < 2 and head[first][0] - head[first - 1][0] == 1 and _is_parent(head, first - 1):
        first -= 1
    return first


def _is_parent(head: Sequence[Row], i: int) -> bool:
    width = max(len(head[i][1]), len(head[i + 1][1]))
    over, under = _texts(head, i, width), _texts(head, i + 1, width)
    said = {t for t in over if t}
    if len(said) < 2 or any(re.search(r"[:：]", t) or _is_number(t) for t in said):
        return False
    grown_down = any(o and (not u or o == u) for o, u in zip(over, under, strict=True))
    shared = [t for t, n in Counter(u for u in under if u).items() if n > 1]
    return grown_down or bool(shared)


def _is_number(text: str) -> bool:
    return not np.isnan(angles.read_number(text)[0]) or angles.read_angle(text) is not None


def _children(head: Sequence[Row], at: int) -> int:
    """Position of the last row of the header: units, or degrees, minutes and seconds below 经度."""
    if at + 1 < len(head):
        said = [c for c in head[at + 1][1] if c is not None]
        again = [isinstance(c, str) and c in head[at][1] for c in said]
        unit = [isinstance(c, str) and (columns.is_unit(c) or _is_part(c)) for c in said]
        texts = ["" if c is None or c in head[at][1] else str(c) for c in head[at + 1][1]]
        if columns.pairs(texts) and all(not t or columns.role_of(t) for t in texts):
            return at + 1
        if any(unit) and all(a or u for a, u in zip(again, unit, strict=True)):
            return at + 1
    return at


def _is_part(text: str) -> bool:
    return angles.tidy(text).strip("()") in ("°", "'", '"')


def _name(levels: list[list[str]], leaf: list[str], c: int) -> str:
    parts = list(dict.fromkeys(level[c] for level in levels if level[c]))
    own = leaf[c]
    if own and leaf.count(own) == 1 and not columns.is_unit(own) and not _is_part(own):
        return own
    named = [p for p in parts if not columns.is_unit(p) or _is_part(p)]
    return "".join(named) or f"column {c + 1}"


def _distinct(names: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names that differ, and those that had to be made so."""
    taken: set[str] = set()
    repeated: list[str] = []
    out = []
    for name in names:
        new, n = name, 1
        while new.casefold() in taken:
            n += 1
            new = f"{name}_{n}"
        if n > 1:
            repeated.append(name)
        taken.add(new.casefold())
        out.append(new)
    return tuple(out), tuple(dict.fromkeys(repeated))


def _positions(names: Sequence[str], levels: list[list[str]], body: list[list[Any]]) -> list[Position]:
    split = _split_angles(names)
    if split:
        return split
    found = [
        Position(_with_unit(p, levels), (p.x,), (p.y,), signs=columns.sign_columns(names)) for p in columns.pairs(names)
    ]
    found += [
        Position(_pair_in_one(k, body, columns.rest_of(name)), (k,), (k,), together=True)
        for k, name in enumerate(names)
        if columns.may_hold_both(name) and _mostly(body, k, holds_both)
    ]
    return found


def _with_unit(pair: Pair, levels: list[list[str]]) -> Pair:
    """A pair whose unit stands above or below its names (坐标(m) over X and Y)."""
    if pair.angular is not None:
        return pair
    said = {columns.unit_of(level[pair.x]) for level in levels if level[pair.x]} - {None}
    return Pair(pair.x, pair.y, pair.north_first, said.pop() if len(said) == 1 else None, pair.rest, pair.weak)


def _mostly(body: list[list[Any]], k: int, holds: Any) -> bool:
    cells = [c for r in body if not angles.is_nothing(c := cell_of(r, k))]
    return bool(cells) and sum(map(holds, cells)) >= 0.5 * len(cells)


def _pair_in_one(k: int, body: list[list[Any]], rest: str = "") -> Pair:
    """What the texts themselves say of the order: 东经 before 北纬, X= before Y=."""
    sides = Counter(side_of_x(c) for r in body if holds_both(c := cell_of(r, k)))
    side = sides.most_common(1)[0][0] if sides else None
    north = {"E": False, "N": True}.get(side or "")
    return Pair(k, k, north, None, rest)


def _split_angles(names: Sequence[str]) -> list[Position]:
    """Positions whose degrees, minutes and seconds have a column each."""
    groups: dict[str, dict[str, int]] = {}
    for k, name in enumerate(names):
        match = _PART.match(angles.tidy(name).lower().replace("经°", "经度").replace("纬°", "纬度"))
        if match and match[1]:
            part = {"度": "°", "deg": "°", "分": "'", "min": "'", "秒": '"', "sec": '"'}.get(match[2], match[2])
            groups.setdefault(match[1], {})[part] = k
    whole = {b: tuple(g[p] for p in "°'\"" if p in g) for b, g in groups.items() if "°" in g and "'" in g}
    bases = list(whole)
    return [
        Position(Pair(whole[bases[p.x]][0], whole[bases[p.y]][0], p.north_first, True, p.rest), whole[bases[p.x]], whole[bases[p.y]])
        for p in columns.pairs(bases)
    ]  # fmt: skip


def _geometry(names: Sequence[str], body: list[list[Any]]) -> int | None:
    return next((k for k, n in enumerate(names) if columns.is_geometry(n) and _mostly(body, k, is_shape)), None)


def _chosen(found: list[Position], body: list[list[Any]]) -> tuple[tuple[Position, ...], tuple[Position, ...], Join]:
    """The positions that are used, the others, and how several of one row belong together."""
    found = [p for p in found if not p.pair.weak or _looks_placed(p, body)]
    read = {p: readable(body, p) for p in found}
    if two := columns.ends([p.pair for p in found if read[p]]):
        used = tuple(next(p for p in found if p.pair is pair) for pair in two)
        return used, tuple(p for p in found if p not in used), "line"
    most = max(read.values(), default=0)
    alive = [p for p in found if (2 * read[p] >= most and read[p]) or (most == 0 and not p.pair.weak)]
    ordered = sorted(alive, key=lambda p: (_coarse(p, body), *columns.preference(p.pair)))
    used = tuple(p for p in ordered if p is ordered[0] or columns.are_two_places(ordered[0].pair, p.pair))
    return used, tuple(p for p in found if p not in used and read[p]), "points" if len(used) > 1 else ""


def _looks_placed(position: Position, body: list[list[Any]]) -> bool:
    """Whether columns that are only called E and N, or B and L (length and breadth as well), hold what may be coordinates."""
    return not body or "other" not in (_kind(body, position.pair.x), _kind(body, position.pair.y))


def _coarse(position: Position, body: list[list[Any]]) -> bool:
    """Degrees with so few decimals that they only tell the neighbourhood (0.01 degrees are a kilometre)."""
    if not position.pair.angular:
        return False
    x = angles.read_values(position.texts(body)[0], angles.Manner())
    known = int((~np.isnan(x.numbers)).sum())
    return not x.dms.any() and angles.packed_candidates(x.numbers) < 0.5 * known


# ---- without telling names --------------------------------------------------------------------------------------------


def _by_content(head: Sequence[Row], width: int) -> Layout:
    rows = [c for _, c in head]
    headed = _is_header(rows)
    body = rows[headed:] if headed else rows
    geometry = next((k for k in range(min(width, 200)) if _mostly(body, k, is_shape)), None)
    if headed:
        names, repeated = _distinct([t or f"column {c + 1}" for c, t in enumerate(_texts(head, headed - 1, width))])
    else:
        names, repeated = tuple(f"column {c + 1}" for c in range(width)), ()
    seen = [] if geometry is not None else _seen(body, names, strict=bool(headed))
    used, others, join = _chosen(seen, body) if len(seen) > 1 else (tuple(seen), (), "")
    turned = not used and geometry is None and _is_turned(rows)
    start = headed if headed else _first_body(rows)
    return Layout(
        names,
        head[start][0] if start < len(head) else (head[-1][0] + 1 if head else 1),
        tuple(_texts(head, headed - 1, width)) if headed else (),
        len(head[headed - 1][1]) if headed else 0,
        tuple(w for c in rows[: max(start - bool(headed), 0)] for w in words(c)),
        positions=used,
        others=others,
        join=join,
        geometry=geometry,
        by_content=bool(used) or geometry is not None,
        turned=turned,
        repeated_names=repeated,
    )


def _is_turned(rows: list[list[Any]]) -> bool:
    """Whether the first cells of two rows name a position and numbers follow them."""
    numbers = [r for r in rows if len(r) > 1 and sum(_is_number(str(c)) for c in r[1:]) >= 0.8 * (len(r) - 1)]
    return any(not p.weak for p in columns.pairs([r[0] if isinstance(r[0], str) else "" for r in numbers]))


def _is_header(rows: list[list[Any]]) -> int:
    """How many rows from the top end with a header (0: there is none): the first full row, if it is text and those below are not all."""
    typical = int(np.median([sum(c is not None for c in r) for r in rows[:_LOOKED_AT]])) if rows else 0
    for i, row in enumerate(rows[:_HEADER_WITHIN]):
        said = [c for c in row if c is not None]
        if len(said) < max(1, typical - 1) or (typical > 1 and len(said) < 2):
            continue
        texts = [c for c in said if isinstance(c, str) and not _is_number(c)]
        below = rows[i + 1 :]
        if len(texts) < len(said) or len(set(texts)) < len(texts) * 0.6 or not below:
            return 0
        numbers_below = any(c is not None and (not isinstance(c, str) or _is_number(c)) for r in below for c in r)
        return i + 1 if numbers_below or _names_like(texts, below) else 0
    return 0


def _names_like(texts: list[str], below: list[list[Any]]) -> bool:
    """In a table of words only: the first row's words are short and none of them comes again."""
    later = {c for r in below for c in r if isinstance(c, str)}
    return not later.intersection(texts) and all(len(t) <= 30 for t in texts)


def _first_body(rows: list[list[Any]]) -> int:
    """Position of the first row of a table without header: titles and counts above it are much shorter."""
    if not rows:
        return 0
    typical = int(np.quantile([sum(c is not None for c in r) for r in rows[:_LOOKED_AT]], 0.75))
    return next((i for i, r in enumerate(rows) if sum(c is not None for c in r) > typical // 2), 0)


def _seen(body: list[list[Any]], names: Sequence[str], strict: bool) -> list[Position]:
    """Columns whose content can only be positions: all that hold both coordinates (起点, 终点), else two neighbours.

    ``strict``: they have names, which say nothing of it.
    """
    width = min(len(names), 200)
    together = [k for k in range(width) if _mostly(body, k, holds_both) and _labelled(body, k)]
    if together:
        pairs = {k: _pair_in_one(k, body, columns.rest_of(names[k])) for k in together}
        return [Position(pair, (k,), (k,), together=True) for k, pair in pairs.items()]
    kinds = [_kind(body, k) for k in range(width)]
    filled = [k for k, kind in enumerate(kinds) if kind != "empty"]
    neighbours = list(pairwise(filled))
    for sure in _SURE if strict else (*_SURE, *_LIKELY):
        for a, b in neighbours:
            if (kinds[a], kinds[b]) in (sure, sure[::-1]):
                return [Position(_pair_seen(a, b, body), (a,), (b,))]
    return []


_SURE = (("angle", "angle"), ("east", "north7"), ("lon", "lat"))
_LIKELY = (("lon?", "lat?"), ("lon", "lat?"), ("lon?", "lat"), ("metres", "metres"), ("east", "metres"), ("north7", "metres"), ("east", "east"), ("north7", "north7"))  # fmt: skip


def _labelled(body: list[list[Any]], k: int) -> bool:
    cells = [c for r in body if isinstance(c := cell_of(r, k), str)]
    return sum(map(is_labelled, cells)) >= 0.5 * len(cells)


def _pair_seen(a: int, b: int, body: list[list[Any]]) -> Pair:
    """The first column counts as x; letters in the values (N29°…) say which way it runs."""
    x = angles.read_values([cell_of(r, a) for r in body], angles.Manner())
    north = True if x.north > x.east else False if x.east else None
    return Pair(a, b, north, None)


def _kind(body: list[list[Any]], k: int) -> str:
    """What the values of a column look like: angle lon lat lon? lat? east north7 metres, empty, or other."""
    cells = [c for r in body if not angles.is_nothing(c := cell_of(r, k))]
    if not cells:
        return "empty"
    values = angles.read_values(cells, angles.manner_of(cells, None))
    good = values.numbers[~np.isnan(values.numbers)]
    if good.size < 0.6 * len(cells):
        return "other"
    if values.dms.sum() >= 0.5 * len(cells) or values.east + values.north >= 0.5 * len(cells):
        return "angle"
    return _kind_of_numbers(good)


def _kind_of_numbers(good: np.ndarray) -> str:
    middle = float(np.median(np.abs(good)))
    broken = float(np.mean(np.abs(good - np.round(good)) > 1e-9))
    fine = float(np.mean(np.abs(good * 1e4 - np.round(good * 1e4)) > 1e-6))
    if 1.8e6 <= middle <= 6e6:
        return "north7"
    if 1e5 <= middle <= 9e5 or (13e6 <= middle < 46e6 and not _are_dates(good)):
        return "east"
    if 73 <= middle <= 136 and broken > 0.8:
        return "lon" if fine > 0.5 else "lon?"
    if 3 <= middle <= 54 and broken > 0.8:
        return "lat" if fine > 0.5 else "lat?"
    return "metres" if middle >= 1000 and broken > 0.5 else "other"


def _are_dates(good: np.ndarray) -> bool:
    """Numbers such as 20240131."""
    whole = good[np.abs(good - np.round(good)) < 1e-9].astype("int64")
    day, month, year = whole % 100, whole // 100 % 100, whole // 10_000
    fit = (np.abs(day - 16) < 16) & (np.abs(month - 6.5) < 6) & (np.abs(year - 2000) <= 100)
    return whole.size == good.size and bool(fit.mean() > 0.9)
