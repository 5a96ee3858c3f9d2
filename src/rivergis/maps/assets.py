"""Front-end files of the maps: the vendored ones (``vendor/``) and our own (``page/``), linked or written into a page.

No page asks another machine for anything: what a page needs lies here, with its licence (``vendor/README.md``).
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from pathlib import Path

from rivergis.errors import NotFound

VENDOR_DIR = Path(__file__).parent / "vendor"
PAGE_DIR = Path(__file__).parent / "page"

MAP_JS = (
    "leaflet/leaflet.js", "page/marks.js", "page/search.js", "page/live.js", "page/pictures.js", "page/print.js", "page/atlas.js",
)  # fmt: skip
MAP_CSS = ("leaflet/leaflet.css", "page/atlas.css")
# what a map with vector tiles needs beside it; the worker is a file of its own, so that no page has to allow blob: or eval
TILES_JS = ("maplibre-gl/maplibre-gl-csp.js", "maplibre-gl-leaflet/leaflet-maplibre-gl.js", "page/tiles.js")
TILES_CSS = ("maplibre-gl/maplibre-gl.css",)
TILES_WORKER = "maplibre-gl/maplibre-gl-csp-worker.js"
DRAW_JS = (
    "leaflet/leaflet.js", "page/marks.js", "page/boundary_work.js", "page/boundary_snap.js", "page/boundary_tools.js",
    "page/boundary_panel.js", "page/boundary_preview.js", "page/boundary_ground.js", "page/boundary_sight.js", "page/boundary_desk.js",
)  # fmt: skip
DRAW_CSS = ("leaflet/leaflet.css", "page/atlas.css", "page/boundary.css")
SWAGGER_JS = "swagger-ui/swagger-ui-bundle.js"
SWAGGER_CSS = "swagger-ui/swagger-ui.css"
ICON = "page/icon.svg"

_CSS_URL = re.compile(r"url\(([\w./-]+\.png)\)")


def mounts(prefix: str) -> list[tuple[str, Path]]:
    """Folders to serve as static files under a URL prefix, the more specific first: [(url, folder), ...]."""
    return [(f"{prefix.rstrip('/')}/page", PAGE_DIR), (prefix.rstrip("/"), VENDOR_DIR)]


def path(name: str) -> Path:
    """File of an asset like ``leaflet/leaflet.js`` or ``page/atlas.js``; ``NotFound`` for any other name."""
    root, rest = (PAGE_DIR, name.removeprefix("page/")) if name.startswith("page/") else (VENDOR_DIR, name)
    found = (root / rest).resolve()
    if not found.is_relative_to(root) or not found.is_file():
        raise NotFound(f"There is no front-end file {name!r}.")
    return found


@lru_cache(maxsize=64)
def sha256(name: str) -> str:
    """Content hash of an asset (hex)."""
    return hashlib.sha256(path(name).read_bytes()).hexdigest()


def url(name: str, prefix: str) -> str:
    """Address of an asset under a prefix, with its hash: a browser may keep it for ever and sees a new one at once."""
    return f"{prefix.rstrip('/')}/{name}?v={sha256(name)[:12]}"


def data_uri(name: str) -> str:
    """A picture as ``data:`` address."""
    kind = {".png": "image/png", ".svg": "image/svg+xml"}[Path(name).suffix]
    return f"data:{kind};base64,{base64.b64encode(path(name).read_bytes()).decode('ascii')}"


@lru_cache(maxsize=16)
def inline_js(name: str) -> str:
    """Text of a script, safe to stand inside a ``<script>`` element."""
    return path(name).read_text(encoding="utf-8").replace("</script", "<\\/script")


@lru_cache(maxsize=16)
def inline_css(name: str) -> str:
    """Text of a style sheet with its pictures written into it."""
    folder = name.rpartition("/")[0]
    text = path(name).read_text(encoding="utf-8")
    return _CSS_URL.sub(lambda m: f'url("{data_uri(f"{folder}/{m[1]}")}")', text)
