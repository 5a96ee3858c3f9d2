"""Classes, symbols and labels of map files (图例、符号、注记), from the one palette."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rivergis.maps import webstyle
from rivergis.maps.palette import Style

_SCALE_0 = 559_082_264.0
_SIGN_PX = {"circle": 8, "square": 8, "triangle": 10, "drop": 11, "ring": 10, "pin": 16, "": 7}
_INK = {"river": "#14608f", "reach": "#14608f", "water_area": "#14608f", "admin_unit": "#5d594c"}
_FAR_PX = ((10, 9), (100, 12), (1000, 15))
"""Half-sizes of the discs for up to so many things, and the largest one below."""
_LARGEST_PX = 18


def quoted(text: str) -> str:
    """A string of a map file."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'


def block(name: str, lines: Sequence[str]) -> str:
    inner = "\n".join("  " + line for part in lines for line in part.split("\n"))
    return f"{name}\n{inner}\nEND"


def symbols() -> list[str]:
    """The signs of points."""
    shapes = {
        "square": ("VECTOR", "0 0 0 1 1 1 1 0 0 0"),
        "triangle": ("VECTOR", "0 1 0.5 0 1 1 0 1"),
        "drop": ("VECTOR", "0.5 0 0.85 0.5 0.9 0.7 0.75 0.9 0.5 1 0.25 0.9 0.1 0.7 0.15 0.5 0.5 0"),
        "pin": ("VECTOR", "0.5 1 0.2 0.55 0.15 0.3 0.3 0.08 0.5 0 0.7 0.08 0.85 0.3 0.8 0.55 0.5 1"),
        "circle": ("ELLIPSE", "1 1"),
    }
    return [
        block(
            "SYMBOL",
            [
                f"NAME {quoted(n)}",
                f"TYPE {kind}",
                block("POINTS", [points]),
                "FILLED TRUE",
                *(_ANCHOR if n == "pin" else []),
            ],
        )
        for n, (kind, points) in shapes.items()
    ]


_ANCHOR = ["ANCHORPOINT 0.5 1"]


def classes(name: str, kind: str, text: Sequence[str]) -> list[str]:
    """The classes of a collection, the one for all the rest last; ``kind``: POINT, LINE or POLYGON."""
    own = webstyle.classes(name)
    return [_class(style, kind, text, last=not style.code) for style in own]


def _class(style: Style, kind: str, text: Sequence[str], last: bool) -> str:
    chosen = [] if last else [f"EXPRESSION {quoted(style.code)}"]
    styles = {"POINT": _point, "LINE": _line, "POLYGON": _area}[kind](style)
    return block("CLASS", [f"NAME {quoted(f'{style.zh} {style.en}')}", *chosen, *styles, *text])


def _line(style: Style) -> list[str]:
    width = style.width or 1
    return [
        block("STYLE", [
            f"COLOR {quoted(style.stroke)}", f"WIDTH {width}", f"MINWIDTH {width / 2:.2f}", f"MAXWIDTH {width}", *_dash(style),
            "LINECAP BUTT" if style.dash else "LINECAP ROUND", "LINEJOIN ROUND",
        ])
    ]  # fmt: skip


def _dash(style: Style) -> list[str]:
    return [f"PATTERN {style.dash} END"] if style.dash else []


def _area(style: Style) -> list[str]:
    out = []
    if style.fill and not style.fill.endswith("00"):
        out.append(block("STYLE", [f"COLOR {quoted(style.fill)}"]))
    if style.width and style.stroke and not (len(style.stroke) == 9 and style.stroke.endswith("00")):
        out.append(block("STYLE", [f"OUTLINECOLOR {quoted(style.stroke)}", f"WIDTH {style.width}", *_dash(style)]))
    if style.marker == "pin":
        # an area of some metres is not seen from afar: its sign is
        out.append(block("STYLE", ['GEOMTRANSFORM "labelpnt"', "MINSCALEDENOM 6000", *_sign(style)]))
    return out or [block("STYLE", [f"OUTLINECOLOR {quoted(style.stroke[:7])}", "WIDTH 0.5"])]


def _point(style: Style) -> list[str]:
    return [block("STYLE", _sign(style))]


def _sign(style: Style) -> list[str]:
    ring = style.marker == "ring"
    symbol = "circle" if style.marker in ("", "ring") else style.marker
    fill = style.fill[:7] if style.fill and not ring else "" if ring else style.stroke[:7]
    return [
        f"SYMBOL {quoted(symbol)}",
        f"SIZE {_SIGN_PX[style.marker]}",
        *([f"COLOR {quoted(fill)}"] if fill else []),
        f"OUTLINECOLOR {quoted(style.stroke[:7])}",
        f"WIDTH {min(style.width or 1, 1.6)}",
    ]


def labels(name: str, kind: str, fonts: Path | None) -> list[str]:
    """Names of things on the map, from the zoom at which the web maps write them, too."""
    if fonts is None or name not in webstyle.NAMES:
        return []
    zoom, along = webstyle.NAMES[name]
    place = (
        ["ANGLE FOLLOW", "MINDISTANCE 400", "REPEATDISTANCE 500"]
        if along == "line" and kind == "LINE"
        else _PLACES[kind]
    )
    ink = _INK.get(name, "#2c3e4a")
    return [
        block("LABEL", [
            f"MAXSCALEDENOM {_SCALE_0 / 2**zoom * 1.3:.0f}", 'FONT "sc"', "TYPE TRUETYPE", "SIZE 9", "MINSIZE 9", "MAXSIZE 9", f"COLOR {quoted(ink)}",
            'OUTLINECOLOR "#ffffff"', "OUTLINEWIDTH 2", "PARTIALS FALSE", "BUFFER 3", *place,
        ])
    ]  # fmt: skip


_PLACES = {
    "POINT": ["POSITION UR", "OFFSET 4 2"],
    "LINE": ["ANGLE AUTO", "REPEATDISTANCE 500"],
    "POLYGON": ["POSITION CC"],
}


def heap_class(name: str, fonts: Path | None) -> list[str]:
    """Discs with their number, larger for more; one thing alone is drawn as its sign."""
    own = webstyle.classes(name)
    alone = [block("CLASS", [f"EXPRESSION ([n] = 1{_and_class(style)})", *_point(style)]) for style in own]
    sizes = enumerate((*_FAR_PX, (0, _LARGEST_PX)))
    return [
        *alone,
        *(_disc(own[-1], f"[n] <= {most}" if most else "[n] > 0", size, fonts, i) for i, (most, size) in sizes),
    ]


def _and_class(style: Style) -> str:
    return f" AND '[cls]' = '{style.code}'" if style.code else ""


def _disc(style: Style, which: str, size: int, fonts: Path | None, step: int) -> str:
    number = [
        block("LABEL", ['FONT "sc"', "TYPE TRUETYPE", f"SIZE {7 + step}", 'COLOR "#ffffff"', f"OUTLINECOLOR {quoted(style.stroke[:7])}",
                        "OUTLINEWIDTH 2", "POSITION CC", "FORCE TRUE", "PARTIALS TRUE"])
    ] if fonts else []  # fmt: skip
    disc = block(
        "STYLE",
        [
            'SYMBOL "circle"',
            f"SIZE {size * 2}",
            f"COLOR {quoted(style.stroke[:7])}",
            "OPACITY 86",
            'OUTLINECOLOR "#ffffff"',
            "WIDTH 1.2",
        ],
    )
    return block("CLASS", [f"EXPRESSION ({which})", disc, *number])
