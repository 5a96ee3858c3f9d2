"""Maps of the county, a river, a night and a patrol (地图): one page each, that asks nothing of any other machine.

``LocalMap`` is a Folium map whose scripts and styles are the vendored ones: written into the page (``assets="inline"``,
one file that opens without network) or linked under a URL prefix of the service (``assets="/assets/vendor"``).

What data says reaches the page only as JSON in a data block and from there as text nodes. It must never pass through
a Folium element: those render their content as a template a second time, so that a name like ``{{ 7*7 }}`` would run.

Content Security Policy: each page carries its own, by hash (``content_security_policy``): no frame, no plug-in, pictures
from its own host or ``data:``; a written page no connection at all, a linked one only to its own service. A header that a
server adds must allow at least that for these pages.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

import folium
import geopandas as gpd
import numpy as np
from branca.element import Figure
from folium.template import Template

from rivergis import crs, lead
from rivergis.errors import UsageError
from rivergis.maps import assets as files
from rivergis.maps import collections, marks, palette, webstyle
from rivergis.maps.marks import Picture

Layers = dict[str, gpd.GeoDataFrame]
Bounds = tuple[float, float, float, float]

CHINA: Bounds = (73.5, 18.0, 135.1, 53.6)
"""Where an empty map looks."""
SIDES = ("before", "after")
"""Left and right of the line between two dates."""
_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)
_LIVE = '<meta name="rivergis-live" content="self">'
"""Marks a page that asks its own service: search, popups, tiles."""


class LocalMap(folium.Map):
    """A Folium map that loads nothing from other machines and has no tiles of its own.

    Other Folium elements can be added (in a notebook, say); one that links a script elsewhere is refused by the page's
    own policy. ``add_layers`` draws frames, ``add_tiles`` what is too large for a page; ``html`` gives the page.
    """

    _template = Template(
        """
        {% macro html(this, kwargs) %}<div class="folium-map" id={{ this.get_name()|tojson }}></div>{% endmacro %}
        {% macro script(this, kwargs) %}
        var {{ this.get_name() }} = L.map({{ this.get_name()|tojson }}, {
            center: {{ this.location|tojson }}, crs: L.CRS.{{ this.crs }}, ...{{ this.options|tojavascript }}});
        {% endmacro %}
        """
    )

    def __init__(
        self,
        title_zh: str,
        title_en: str,
        *,
        stamp: str | None = None,
        assets: str = "inline",
        day: date | None = None,
        confidential: bool = True,
    ) -> None:
        """``day``: as of which the map is, shown and printed; ``confidential``: paper says 内部资料."""
        super().__init__(
            tiles=None, zoom_control=False, attribution_control=False, zoom_snap=0.25, wheel_px_per_zoom_level=90
        )
        self.default_js, self.default_css = [], []  # Folium's own are links to other machines
        self._id = "atlas"  # a fixed name: equal data give an equal page
        self.page = _Page(title_zh, title_en, stamp, assets, self.get_name())
        self.page.confidential = confidential
        self.page.data["day"] = str(day) if day else None
        self.page.add_child(self)

    def add_layers(self, layers: Layers, hidden: Sequence[str] = (), side: str | None = None) -> LocalMap:
        """Draw frames (EPSG:4490; columns as in ``marks``) in the order of the palette; ``hidden`` start switched off.

        ``side`` (``before`` or ``after``): only left or right of the line between two dates (前后对比).
        ``UsageError`` above 2,000 features, ``NotFound`` for a layer that the palette does not know.
        """
        marks.check_size(layers)
        if side not in (None, *SIDES):
            raise UsageError(f"A layer stands on the side {' or '.join(SIDES)}, not {side!r}.")
        styles = palette.load()
        for name in layers:
            styles.of(name)
        for name in sorted(layers, key=styles.layers.index):
            if len(layers[name]):
                drawn = marks.layer(name, layers[name], styles)
                place: dict[str, Any] = {"order": styles.layers.index(name), "shown": name not in hidden}
                if side:
                    place |= {"id": f"{name}@{side}", "side": side}
                self.page.data["layers"].append({**drawn, **place})
        return self

    def add_tiles(
        self, names: Sequence[str], *, day: date | None = None, hidden: Sequence[str] = (), base: str = "/tiles"
    ) -> LocalMap:
        """Draw whole collections, however large, as vector tiles of the service (矢量瓦片); ``hidden`` start switched off.

        ``day``: as of which (today where left out); ``base``: address of the tiles in this service. A browser without
        WebGL gets the same layers as pictures. A click asks the service for what is there. ``UsageError`` for a page
        written into one file, which has no service to ask; ``NotFound`` for a collection that is not served.
        """
        if self.page.inline:
            raise UsageError("Vector tiles need the service: give assets=/assets, or draw frames with add_layers.")
        if not re.fullmatch(r"/(?!/)[\w./-]*", base):
            raise UsageError(f"The tiles {base!r} must be a path of this service like /tiles.")
        query = urlencode({"day": str(day)} if day else {})
        self.page.data["tiles"] = {
            "base": base,
            "query": query,
            "style": webstyle.style(names, base, query=query, hidden=hidden, signs=True),
            "layers": [_tiled(name, name not in hidden) for name in webstyle.in_order(names)],
        }
        self.page.link_tiles()
        return self

    def add_pictures(self, pictures: Sequence[Picture]) -> LocalMap:
        """Lay images under the lines (影像): a ``base``, or ``before`` and ``after`` with a slider between them."""
        self.page.data["pictures"] += [picture.as_dict() for picture in pictures]
        return self

    def list_layer(self, name: str) -> LocalMap:
        """List the features of a layer beside the map, also when there are none; a click shows one."""
        style = palette.load().of(name)
        self.page.data.update(list=name, list_title={"zh": style.zh, "en": style.en})
        return self

    def look_at(self, bounds: Bounds) -> LocalMap:
        """First view: west, south, east, north in degrees."""
        west, south, east, north = (float(v) for v in bounds)
        self.page.data["bounds"] = [[south, west], [north, east]]
        return self

    def below(self, html: str) -> LocalMap:
        """What stands under the map: finished HTML of a template of ours, without script, style or style attributes."""
        self.page.below = html
        return self

    def html(self) -> str:
        """The page."""
        return self.page.render()


def _tiled(name: str, shown: bool) -> dict[str, Any]:
    """A collection as the page round the map takes it: names, classes, place in the drawing order."""
    own = palette.load()
    return {
        "id": name,
        "zh": own.of(name).zh,
        "en": own.of(name).en,
        "order": own.layers.index(name),
        "backdrop": name in marks.BACKDROP,
        "shape": collections.collection(name).geometry,
        "shown": shown,
        "classes": [style.as_dict() for style in webstyle.classes(name)],
    }


class _Page(Figure):
    """The page round the map: title, stamp, legend, search and the line that says what it is not for."""

    _template = Template(files.path("page/atlas.html").read_text(encoding="utf-8"))

    def __init__(self, title_zh: str, title_en: str, stamp: str | None, assets: str, map_name: str) -> None:
        super().__init__()
        self.header._children.clear()
        self.inline = assets == "inline"
        if not self.inline and not re.fullmatch(r"/(?!/)[\w./-]*", assets):
            raise UsageError(f"The assets {assets!r} must be 'inline' or a path of this service like /assets/vendor.")
        self.title_zh, self.title_en, self.stamp, self.map_name = title_zh, title_en, stamp, map_name
        self.disclaimer_zh, self.disclaimer_en = lead.DISCLAIMER_ZH, lead.DISCLAIMER_EN
        self.icon = files.data_uri(files.ICON)
        self.assets, self.live = assets, "" if self.inline else _LIVE
        self.scripts = [files.inline_js(n) if self.inline else files.url(n, assets) for n in files.MAP_JS]
        self.sheets = [files.inline_css(n) if self.inline else files.url(n, assets) for n in files.MAP_CSS]
        self.below = ""
        self.confidential = True
        self.data: dict[str, Any] = {"layers": [], "pictures": [], "list": None, "live": not self.inline}
        if self.inline:
            names = {"iconUrl": "marker-icon", "iconRetinaUrl": "marker-icon-2x", "shadowUrl": "marker-shadow"}
            icons = {key: files.data_uri(f"leaflet/images/{name}.png") for key, name in names.items()}
            self.scripts.append(
                f"delete L.Icon.Default.prototype._getIconUrl;L.Icon.Default.mergeOptions({json.dumps(icons)});"
            )

    def link_tiles(self) -> None:
        """What vector tiles need: MapLibre, and the place of its worker."""
        self.sheets[1:1] = [files.url(n, self.assets) for n in files.TILES_CSS]
        self.scripts += [files.url(n, self.assets) for n in files.TILES_JS]
        self.data["tiles"]["worker"] = files.url(files.TILES_WORKER, self.assets)

    @property
    def stamp_px(self) -> int:
        """Room for one stamp in the watermark: a Chinese character is about twice as wide as a Latin one."""
        return 60 + round(sum(18.5 if ord(letter) > 0x2E80 else 11.5 for letter in self.stamp or ""))

    @property
    def data_json(self) -> str:
        """The data block; ``<`` cannot end it."""
        text = json.dumps(self.data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")

    def render(self, **kwargs: Any) -> str:
        # what stands below may quote data: it comes in after the templates have run
        text = super().render(**kwargs).replace("@below@", self.below, 1)
        return text.replace("@policy@", content_security_policy(text), 1)


def content_security_policy(html: str) -> str:
    """What a page may do: run and style only what stands in it (by hash) or comes from its own host.

    A page that asks its own service may connect to it, and run the worker of its tiles from there; nothing else.
    """
    allowed: dict[str, list[str]] = {"script": [], "style": []}
    for kind, text in _INLINE.findall(html):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
        allowed[kind].append(f"'sha256-{digest}'")
    live = "connect-src 'self'; worker-src 'self'; " if _LIVE in html else ""
    return (
        f"default-src 'none'; script-src 'self' {' '.join(allowed['script'])}; "
        f"style-src 'self' {' '.join(allowed['style'])}; img-src 'self' data:; {live}base-uri 'none'; form-action 'none'"
    )


def county_map(
    layers: Layers,
    *,
    title_zh: str,
    title_en: str,
    stamp: str | None = None,
    assets: str = "inline",
    focus: Bounds | None = None,
    pictures: Sequence[Picture] = (),
    hidden: Sequence[str] = (),
) -> str:
    """The county at a glance (一张图): HTML of a page with the given layers, legend, search and popups.

    ``layers``: layer name -> frame in EPSG:4490, columns as in ``marks``; ``focus``: west, south, east, north of the
    first view in degrees (default: all that is drawn); ``hidden``: layers that start switched off; ``stamp``: repeated
    across the map. Up to 2,000 features in all, ``UsageError`` above.
    """
    atlas = LocalMap(title_zh, title_en, stamp=stamp, assets=assets)
    return _finish(atlas, layers, focus, pictures, hidden)


def patrol_map(
    layers: Layers,
    *,
    title_zh: str,
    title_en: str,
    stamp: str | None = None,
    assets: str = "inline",
    focus: Bounds | None = None,
    hidden: Sequence[str] = (),
    below: str = "",
) -> str:
    """One patrol (巡河): ``layers`` as ``patrols`` makes them; the stretches not seen are listed, ``below`` stands under the map.

    Looks at the track and the legs, or at all that is drawn where there are none.
    """
    atlas = LocalMap(title_zh, title_en, stamp=stamp, assets=assets).list_layer("uncovered").below(below)
    if focus is None:
        own = [layers[n] for n in ("track", "leg", "uncovered") if n in layers and len(layers[n])]
        focus = bounds(own, margin=0.06) if own else None
    return _finish(atlas, layers, focus, (), hidden)


def _finish(
    atlas: LocalMap, layers: Layers, focus: Bounds | None, pictures: Sequence[Picture], hidden: Sequence[str]
) -> str:
    """What is common to all maps: layers, images, first view, page."""
    atlas.add_layers(layers, hidden).add_pictures(pictures)
    return atlas.look_at(focus or bounds([f for f in layers.values() if len(f)])).html()


def bounds(frames: Sequence[gpd.GeoDataFrame], margin: float = 0.0) -> Bounds:
    """Box round all frames in degrees, widened by a share of its size; China where there is nothing to see."""
    boxes = np.array([frame.to_crs(crs.STORAGE).total_bounds for frame in frames]).reshape(-1, 4)
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    if not len(boxes):
        return CHINA
    west, south = boxes[:, :2].min(axis=0)
    east, north = boxes[:, 2:].max(axis=0)
    pad = margin * max(east - west, north - south)
    return (west - pad, south - pad, east + pad, north + pad)
