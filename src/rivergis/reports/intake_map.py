"""A small map of what was found in a delivery: drawn as SVG from shapes, no tiles, no request to anywhere.

Longitude runs right, latitude up, scaled so that a metre is as long both ways in the middle. Severity is told by shape as
well as by colour, so that colour-blind people and grey printers read it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from rivergis import crs, words

Line = Sequence[tuple[float, float]]
Box = tuple[float, float, float, float]

WIDTH, HEIGHT, EDGE = 720.0, 400.0, 46.0
_LEAST_HEIGHT = 160.0
# marks nearer than this to each other, across and up (in drawing units), become one: their numbers would cover each other
_NEAR = (34.0, 18.0)
_STEPS = (1.0, 2.0, 5.0)


@dataclass(frozen=True)
class Mark:
    """A defect with its number in the list and its place."""

    number: int
    severity: str
    x: float
    y: float


@dataclass(frozen=True)
class Drawing:
    """What a map shows. ``box``: what must be on it; ``certain``: longitude and latitude, else the file's own coordinates;
    ``extent``: whether the box is the extent of a layer, to be drawn."""

    box: Box
    marks: Sequence[Mark] = ()
    outline: Sequence[Line] = ()
    rivers: Sequence[Line] = ()
    certain: bool = True
    extent: bool = True

    @property
    def degrees(self) -> bool:
        """Also coordinates nobody is sure of are degrees where they are as small as degrees."""
        west, south, east, north = self.box
        return self.certain or (-180 <= west <= east <= 180 and -180 <= south <= north <= 180)


@dataclass
class _Sheet:
    """The frame on paper: from coordinates to drawing units."""

    box: Box
    degrees: bool
    certain: bool
    scale: float = field(init=False)
    squeeze: float = field(init=False)
    height: float = field(init=False)

    def __post_init__(self) -> None:
        west, south, east, north = self.box
        self.squeeze = max(math.cos(math.radians((south + north) / 2)), 0.05) if self.degrees else 1.0
        wide, tall = (east - west) * self.squeeze, north - south
        self.scale = min((WIDTH - 2 * EDGE) / wide, (HEIGHT - 2 * EDGE) / tall)
        self.height = max(_LEAST_HEIGHT, tall * self.scale + 2 * EDGE)

    def at(self, x: float, y: float) -> tuple[float, float]:
        west, south, east, north = self.box
        right = WIDTH / 2 + (x - (west + east) / 2) * self.squeeze * self.scale
        return right, self.height / 2 - (y - (south + north) / 2) * self.scale

    def inside(self, x: float, y: float) -> bool:
        right, down = self.at(x, y)
        return EDGE <= right <= WIDTH - EDGE and EDGE <= down <= self.height - EDGE


def svg(drawing: Drawing) -> Markup:
    """The map as one ``<svg>`` element; marks outside the frame stand on its edge."""
    sheet = _Sheet(_room(drawing.box, drawing.degrees), drawing.degrees, drawing.certain)
    height = f"{sheet.height:.0f}"
    parts = [
        f'<svg class="where" viewBox="0 0 {WIDTH:.0f} {height}" role="img" aria-label="{escape(words.both("intake.map"))}">',
        f'<rect class="paper" x="{EDGE}" y="{EDGE}" width="{WIDTH - 2 * EDGE}" height="{sheet.height - 2 * EDGE:.1f}"/>',
        *_ticks(sheet),
        _opening(sheet),
        *(_line(sheet, line, "river") for line in drawing.rivers),
        _extent(sheet, drawing.box) if drawing.extent else "",
        *(_line(sheet, line, "outline") for line in drawing.outline),
        "</svg>",
        *_marks(sheet, drawing.marks),
        _bar(sheet) if drawing.certain else "",
        "</svg>",
    ]
    return Markup("".join(parts))


def _opening(sheet: _Sheet) -> str:
    """The window of the frame: what reaches beyond it is cut off there."""
    size = f"{WIDTH - 2 * EDGE:.1f} {sheet.height - 2 * EDGE:.1f}"
    width, height = size.split()
    return f'<svg x="{EDGE}" y="{EDGE}" width="{width}" height="{height}" viewBox="{EDGE} {EDGE} {size}">'


def _room(box: Box, degrees: bool) -> Box:
    """The extent with some ground round it; a single point gets 200 m."""
    west, south, east, north = box
    least = 0.002 if degrees else 200.0
    pad_x, pad_y = (max((high - low) * 0.08, least / 2) for low, high in ((west, east), (south, north)))
    return west - pad_x, south - pad_y, east + pad_x, north + pad_y


def _line(sheet: _Sheet, line: Line, kind: str) -> str:
    points = " ".join("{:.1f},{:.1f}".format(*sheet.at(x, y)) for x, y in line)
    return f'<polyline class="{kind}" points="{points}"/>'


def _extent(sheet: _Sheet, box: Box) -> str:
    left, top = sheet.at(box[0], box[3])
    right, bottom = sheet.at(box[2], box[1])
    size = f'width="{max(right - left, 1):.1f}" height="{max(bottom - top, 1):.1f}"'
    return f'<rect class="extent" x="{left:.1f}" y="{top:.1f}" {size}/>'


def _step(span: float, wanted: int) -> float:
    """A round step that divides a span into about so many."""
    size = 10.0 ** math.floor(math.log10(span / wanted))
    return next((size * s for s in _STEPS if span / (size * s) <= wanted), size * 10)


def _ticks(sheet: _Sheet) -> list[str]:
    """Coordinates along the lower and left edge of the frame, with fine lines across."""
    out = []
    west, south, east, north = sheet.box
    for low, high, across in ((west, east, True), (south, north, False)):
        step = _step(high - low, 5 if across else 4)
        for n in range(math.ceil(low / step), math.floor(high / step) + 1):
            value = n * step
            x, y = sheet.at(value, south) if across else sheet.at(west, value)
            if sheet.inside(*((value, (south + north) / 2) if across else ((west + east) / 2, value))):
                out.append(_tick(sheet, x, y, _coordinate(sheet, value, step, across), across))
    return out


def _tick(sheet: _Sheet, x: float, y: float, text: str, across: bool) -> str:
    bottom = sheet.height - EDGE
    if across:
        return (
            f'<line class="grid" x1="{x:.1f}" y1="{EDGE}" x2="{x:.1f}" y2="{bottom:.1f}"/>'
            f'<text class="tick" x="{x:.1f}" y="{bottom + 14:.1f}" text-anchor="middle">{text}</text>'
        )
    return (
        f'<line class="grid" x1="{EDGE}" y1="{y:.1f}" x2="{WIDTH - EDGE}" y2="{y:.1f}"/>'
        f'<text class="tick" x="{EDGE - 4}" y="{y:.1f}" text-anchor="middle" transform="rotate(-90 {EDGE - 4} {y:.1f})">{text}</text>'
    )


def _coordinate(sheet: _Sheet, value: float, step: float, across: bool) -> str:
    if not sheet.degrees:
        return f"{value:.0f}" if step >= 1 else f"{value:g}"
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    side = (("E" if value >= 0 else "W") if across else ("N" if value >= 0 else "S")) if sheet.certain else ""
    return f"{abs(value) if side else value:.{digits}f}°{side}"


def _marks(sheet: _Sheet, marks: Iterable[Mark]) -> list[str]:
    """Numbered marks; what lies too near together for two numbers is one mark with the first number and how many more."""
    groups: list[tuple[float, float, list[Mark]]] = []
    for mark in marks:
        x, y = _clamped(sheet, mark)
        near = next((g for g in groups if abs(g[0] - x) < _NEAR[0] and abs(g[1] - y) < _NEAR[1]), None)
        if near is None:
            groups.append((x, y, [mark]))
        else:
            near[2].append(mark)
    return [_mark(x, y, group) for x, y, group in groups]


def _clamped(sheet: _Sheet, mark: Mark) -> tuple[float, float]:
    x, y = sheet.at(mark.x, mark.y)
    return min(max(x, EDGE), WIDTH - EDGE), min(max(y, EDGE), sheet.height - EDGE)


def _mark(x: float, y: float, group: Sequence[Mark]) -> str:
    worst = min((m.severity for m in group), key=("error", "warning", "info").index)
    text = str(group[0].number) + (f"+{len(group) - 1}" if len(group) > 1 else "")
    half = max(8.0, 3.6 * len(text) + 3)
    shapes = {
        "error": f'<rect x="{x - half:.1f}" y="{y - 8:.1f}" width="{2 * half:.1f}" height="16"/>',
        "warning": f'<path d="M{x - half - 5:.1f} {y:.1f}L{x - half + 2:.1f} {y - 9:.1f}H{x + half - 2:.1f}L{x + half + 5:.1f} {y:.1f}'
        f'L{x + half - 2:.1f} {y + 9:.1f}H{x - half + 2:.1f}Z"/>',
        "info": f'<rect x="{x - half:.1f}" y="{y - 8:.1f}" width="{2 * half:.1f}" height="16" rx="8"/>',
    }
    title = ", ".join(str(m.number) for m in group)
    return f'<g class="mark {worst}"><title>{title}</title>{shapes[worst]}<text x="{x:.1f}" y="{y + 4:.1f}">{text}</text></g>'


def _bar(sheet: _Sheet) -> str:
    """A scale bar of a round length, in the upper right corner above the frame."""
    west, south, east, north = sheet.box
    middle = (south + north) / 2
    width_m = crs.GEOD.inv(west, middle, east, middle)[2]
    units = (sheet.at(east, middle)[0] - sheet.at(west, middle)[0]) / width_m
    length = _step(width_m, 4)
    if length * units > WIDTH / 3:
        length /= 2
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    right, y = WIDTH - EDGE, EDGE - 12
    left = right - length * units
    return (
        f'<path class="bar" d="M{left:.1f} {y - 5}V{y}H{right}V{y - 5}"/>'
        f'<text class="tick" x="{(left + right) / 2:.1f}" y="{y - 5}" text-anchor="middle">{text}</text>'
    )
