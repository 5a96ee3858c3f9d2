"""Styles for the web (矢量瓦片样式): MapLibre style documents made from the one palette, ``gis/styles/classes.csv``.

They draw the vector tiles of the service in our own maps, in the OGC API and in any other client that reads MapLibre
styles. Text is drawn with fonts of the reader's machine: no style names a glyph server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rivergis import words
from rivergis.maps import collections, palette, tiles
from rivergis.maps.palette import Style

FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "SimHei", "sans-serif",
)  # fmt: skip
"""Fonts of machines in China, the first that is there is taken."""
# collection -> zoom from which its names are written, and whether along the line
NAMES: dict[str, tuple[float, str]] = {
    "admin_unit": (8, "point"), "river": (8, "line"), "reach": (11, "line"), "water_area": (12, "point"),
    "levee": (14, "line"), "source_zone": (12, "point"), "outfall": (14, "point"), "intake": (14, "point"),
    "landmark": (15, "point"), "stake": (16, "point"),
}  # fmt: skip


def _unless(levels: Sequence[str]) -> list[Any]:
    return ["match", ["get", "cls"], list(levels), "", ["get", "label"]]


# the name of what fills the window says nothing there
_ABOVE = ("province", "city", "county")
_SAID: dict[str, list[Any]] = {
    "reach": ["coalesce", ["get", "river"], ["get", "label"]],
    "admin_unit": ["step", ["zoom"], ["get", "label"], 11, _unless(_ABOVE), 13, _unless((*_ABOVE, "town")), 15, ""],
}
_INK = {"river": "#14608f", "reach": "#14608f", "water_area": "#14608f", "admin_unit": "#5d594c"}
_N = ["to-number", ["get", "n"], 0]
_SURFACE = ["in", ["geometry-type"], ["literal", ["Polygon", "MultiPolygon"]]]
_SPOT = ["in", ["geometry-type"], ["literal", ["Point", "MultiPoint"]]]
_SEVERAL = ["all", _SPOT, [">", _N, 1]]
"""Stands for several things that are too small, or too many, to be drawn (聚合); lines that do are lines all the same."""
_CLASS = ["to-string", ["get", "cls"]]

Layer = dict[str, Any]


def style(
    names: Sequence[str],
    address: str = "/tiles",
    *,
    signs: bool = False,
    query: str = "",
    hidden: Sequence[str] = (),
    title: str | None = None,
) -> dict[str, Any]:
    """How collections are drawn: a MapLibre style (version 8) over the vector tiles under ``address``.

    Drawn in the order of the palette, bottom first. ``query`` is added to each tile's address (``day=2026-05-20``);
    ``hidden`` collections start invisible; ``signs``: points are the pictures that a page of ours draws under the names of
    ``sign_name``, else circles. Clients outside of our pages need a whole one (``https://...``).
    ``NotFound`` for a collection that is not served or has no row in the palette.
    """
    ordered = in_order(names)
    layers = [layer for name in ordered for layer in _layers(name, signs, name in hidden)]
    # a river is named once: by itself where it is there, else by its reaches
    named = [name for name in ordered if name in NAMES and not (name == "reach" and "river" in ordered)]
    texts = [_names(name, name in hidden) for name in named]
    return {
        "version": 8,
        "name": title or words.both("product.about"),
        "sources": {name: _source(name, address, query) for name in ordered},
        "layers": [*layers, *texts],
    }


def in_order(names: Sequence[str]) -> list[str]:
    """Collections in the order in which they are drawn, bottom first; ``NotFound`` for one that is not served."""
    styles = palette.load()
    for name in names:
        collections.collection(name)
        styles.of(name)
    return sorted(dict.fromkeys(names), key=styles.layers.index)


def classes(name: str) -> list[Style]:
    """Every class of a collection (图例), its own row last where it has others: what stands for the rest."""
    own = [s for (layer, _), s in palette.load().styles.items() if layer == name]
    return [*(s for s in own if s.code), *(s for s in own if not s.code)]


def _source(name: str, address: str, query: str) -> dict[str, Any]:
    tile = f"{address.rstrip('/')}/{name}/{{z}}/{{x}}/{{y}}.mvt" + (f"?{query}" if query else "")
    return {"type": "vector", "tiles": [tile], "minzoom": tiles.MINZOOM, "maxzoom": tiles.MAXZOOM}


def _layers(name: str, signs: bool, hidden: bool) -> list[Layer]:
    """Areas, lines, signs and heaps of one collection, bottom first."""
    own = classes(name)
    shape = collections.collection(name).geometry
    found: list[Layer | None] = []
    if shape in ("MultiPolygon", "Geometry"):
        found.append(_fill(own))
    if shape != "Point":
        found += _lines(own, shape)
    if shape in ("Point", "Geometry") or any(s.marker for s in own):
        found.append(_signs(name, own, shape) if signs else _dots(own, 4.5))
    elif shape == "MultiPolygon":
        found.append(_dots(own, 1.5))  # areas too thin for the grid of a tile are points there
    if shape in ("Point", "Geometry", "MultiPolygon"):
        found += _heaps(own)
    return [_finished(name, layer, hidden) for layer in found if layer]


def _finished(name: str, layer: Layer, hidden: bool) -> Layer:
    layout = {**layer.get("layout", {}), **({"visibility": "none"} if hidden else {})}
    out = {
        "id": f"{name}/{layer['id']}", "type": layer["type"], "source": name, "source-layer": name,
        "metadata": {"rivergis:collection": name}, "filter": layer["filter"], "paint": layer["paint"],
    }  # fmt: skip
    if layout:
        out["layout"] = layout
    return out | {k: layer[k] for k in ("minzoom", "maxzoom") if k in layer}


def _fill(own: Sequence[Style]) -> Layer | None:
    if not any(s.fill for s in own):
        return None
    colour = by_class(own, lambda s: rgba(s.fill) if s.fill else "rgba(0,0,0,0)")
    # edges are lines of their own: drawn twice they cost a slow machine twice
    paint = {"fill-color": colour, "fill-antialias": False}
    return {"id": "area", "type": "fill", "filter": _one(_SURFACE), "paint": paint}


def _lines(own: Sequence[Style], shape: str) -> list[Layer]:
    """One layer a dash: dashes cannot differ within one."""
    dashes = dict.fromkeys(s.dash for s in own if s.width)
    rest = next(s for s in own if not s.code)
    found = []
    for i, dash in enumerate(dashes):
        group = [s for s in own if s.dash == dash]
        codes = ["match", _CLASS, [s.code for s in group if s.code], True, False]
        # what no class names is drawn like the collection's own row
        if rest in group:
            others = [s.code for s in own if s.code and s not in group]
            codes = ["match", _CLASS, others, False, True] if others else ["literal", True]
        found.append(_line(i, dash, group, codes, shape))
    return found


def _line(i: int, dash: str, group: Sequence[Style], codes: list[Any], shape: str) -> Layer:
    own = [*(s for s in group if s.code), *(s for s in group if not s.code)]
    width = max(s.width for s in own) if len({s.width for s in own}) == 1 else by_class(own, lambda s: s.width)
    paint: dict[str, Any] = {"line-color": by_class(own, lambda s: rgba(s.stroke)), "line-width": _thin(width)}
    if dash:
        widest = max(s.width for s in own)
        paint["line-dasharray"] = [round(int(px) / widest, 3) for px in dash.split()]
    conditions = [["!", _SPOT], *([codes] if codes != ["literal", True] else [])]
    # round corners cost triangles: only lines that are looked at as lines have them
    surface = shape in ("MultiPolygon", "Geometry")
    ends = {"line-cap": "butt" if dash or surface else "round", "line-join": "miter" if surface else "round"}
    return {"id": f"line-{i}", "type": "line", "filter": ["all", *conditions], "layout": ends, "paint": paint}


def _thin(width: Any) -> list[Any]:
    """Seen from afar lines get thinner, so that both banks of a narrow river stay apart."""
    return ["interpolate", ["linear"], ["zoom"], 9, ["*", 0.5, width], 14, width]


def _signs(name: str, own: Sequence[Style], shape: str) -> Layer:
    """Signs of points, and of areas whose class has one."""
    image = by_class(own, lambda s: sign_name(name, s))
    signed = [s for s in own if s.marker]
    where = _SPOT if shape == "Point" or not signed else ["any", _SPOT, _SURFACE]
    pinned = by_class(own, lambda s: "bottom" if s.marker == "pin" else "center")
    layout = {
        "icon-image": image, "icon-allow-overlap": True, "icon-anchor": pinned,
        "icon-size": ["interpolate", ["linear"], ["zoom"], 10, 0.6, 15, 1],
    }  # fmt: skip
    return {"id": "sign", "type": "symbol", "filter": _one(where), "layout": layout, "paint": {}}


def sign_name(name: str, style: Style) -> str:
    """Name of a class's sign (``page/tiles.js`` draws it under this name)."""
    return f"{name}/{style.code}" if style.code else name


def _dots(own: Sequence[Style], radius: float) -> Layer:
    paint = {
        "circle-color": by_class(own, lambda s: rgba(s.fill or s.stroke)), "circle-radius": radius,
        "circle-stroke-color": by_class(own, lambda s: rgba(s.stroke)), "circle-stroke-width": min(radius / 3, 1.4),
    }  # fmt: skip
    return {"id": "sign", "type": "circle", "filter": _one(_SPOT), "paint": paint}


def _heaps(own: Sequence[Style]) -> list[Layer]:
    """What stands for several things seen from afar (聚合): a disc with their number, the largest numbers first."""
    disc = {
        "circle-color": by_class(own, lambda s: s.stroke[:7]), "circle-opacity": 0.8,
        "circle-radius": ["interpolate", ["linear"], ["sqrt", _N], 1, 3, 5, 5.5, 30, 10],
        "circle-stroke-color": "#ffffff", "circle-stroke-width": 0.8,
    }  # fmt: skip
    number = {
        "text-field": ["to-string", ["get", "n"]], "text-font": list(FONTS), "text-size": 11, "text-padding": 6,
        "text-offset": [0, -0.9], "symbol-sort-key": ["-", 0, _N],
    }  # fmt: skip
    ink = {"text-color": "#17324a", "text-halo-color": "#ffffff", "text-halo-width": 1.5}
    return [
        {"id": "heap", "type": "circle", "filter": _SEVERAL, "paint": disc},
        {"id": "heap-number", "type": "symbol", "filter": _SEVERAL, "layout": number, "paint": ink},
    ]


def _names(name: str, hidden: bool) -> Layer:
    """Names written on the map, without ever covering one another."""
    zoom, placement = NAMES[name]
    spot = any(s.marker for s in classes(name))
    said = _SAID.get(name, ["get", "label"])
    layout = {
        "text-field": said, "text-font": list(FONTS), "text-size": 12 if spot else 13, "symbol-placement": placement,
        "text-max-width": 9, "symbol-spacing": 420, "text-padding": 2 if spot else 12,
        **({"text-anchor": "top", "text-offset": [0, 0.8]} if spot else {}),
    }  # fmt: skip
    paint = {"text-color": _INK.get(name, "#3a4650"), "text-halo-color": "#ffffff", "text-halo-width": 1.6}
    layer = {"id": "name", "type": "symbol", "filter": ["!", _SEVERAL], "layout": layout, "paint": paint}
    return _finished(name, {**layer, "minzoom": zoom}, hidden)


def _one(where: list[Any]) -> list[Any]:
    """Single things of a shape, not what stands for several."""
    return where if where == _SURFACE else ["all", where, ["!", _SEVERAL]]


def by_class(own: Sequence[Style], value: Callable[[Style], Any]) -> Any:
    """A value of the class of a feature; the last of ``own`` stands for every class that is not named."""
    rest = value(own[-1])
    cases: Mapping[str, Any] = {s.code: value(s) for s in own[:-1] if value(s) != rest}
    if not cases:
        return rest
    return ["match", _CLASS, *(part for code, found in cases.items() for part in (code, found)), rest]


def rgba(colour: str) -> str:
    """A colour of the palette (``#rrggbb[aa]``) as every reader of styles understands it."""
    if len(colour) == 7:
        return colour
    red, green, blue, alpha = (int(colour[i : i + 2], 16) for i in (1, 3, 5, 7))
    return f"rgba({red},{green},{blue},{alpha / 255:.3g})"
