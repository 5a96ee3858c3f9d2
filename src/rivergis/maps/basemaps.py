"""Base maps (底图): what a deployment may lay under its own layers, by a file of its own. There are none by default.

Nothing here is fetched. A base map lies in CGCS2000 or WGS 84 (less than a metre apart); one in GCJ-02 or BD-09 is refused,
for nothing of ours is ever shifted to fit it (国家秘密范围: offsets are not ours to make or undo). Each one that comes from elsewhere
names its 审图号, which stands on the map as long as it is seen (地图管理条例 art. 22).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from rivergis.errors import RuleError

KINDS = ("tiles", "pmtiles", "imagery")
DATUMS = ("cgcs2000", "wgs84")
NETWORKS = ("internet", "intranet")
_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SCENE = re.compile(r"[0-9A-Za-z_.-]{1,80}")
_MARKS = re.compile(r"\{([^{}]*)\}")
_KNOWN = (
    "id", "zh", "en", "kind", "address", "file", "scene", "review", "credit", "datum", "network", "zooms", "shown", "over", "public",
)  # fmt: skip


@dataclass(frozen=True)
class Base:
    """One base map. ``address``: where our server fetches its tiles (``kind`` tiles); ``file``: own PMTiles; ``scene``: own imagery."""

    id: str
    zh: str
    en: str
    kind: str
    review: str
    """审图号; empty only for own files and scenes."""
    datum: str
    address: str = ""
    file: Path | None = None
    scene: str = ""
    credit: str = ""
    network: str = "internet"
    """``intranet``: the address may be a private one."""
    zooms: tuple[int, int] = (1, 18)
    shown: bool = False
    over: bool = False
    """Lies over other base maps: place names of a picture."""
    public: bool = False

    @property
    def key_name(self) -> str:
        """Environment variable that holds the key of the address."""
        return f"RIVERGIS_BASEMAP_KEY_{self.id.upper()}"

    @property
    def keyed(self) -> bool:
        return "{key}" in self.address


def load(path: Path | None) -> tuple[Base, ...]:
    """The base maps of a YAML file, in its order; none without a file. ``RuleError`` names the entry and what is wrong."""
    if path is None:
        return ()
    try:
        listed = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RuleError(
            f"{path}: the file of base maps cannot be read ({type(error).__name__}); correct it."
        ) from error
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise RuleError(f"{path}: the file must be a list of base maps, each with id, zh, en, kind, datum.")
    found = tuple(_base(entry, f"{path.name}, entry {i}", path.parent) for i, entry in enumerate(listed, 1))
    if len({base.id for base in found}) < len(found):
        raise RuleError(f"{path.name}: two base maps have the same id; each needs its own.")
    return found


def _base(entry: Mapping[str, Any], where: str, folder: Path) -> Base:
    if unknown := sorted(set(map(str, entry)) - set(_KNOWN)):
        raise RuleError(f"{where}: {unknown[0][:40]!r} is not known; a base map has {', '.join(_KNOWN)}.")
    texts = {k: str(entry.get(k) or "").strip() for k in _KNOWN}
    where = f"{where} ({texts['id'] or 'without id'})"
    if not _ID.fullmatch(texts["id"]):
        raise RuleError(f"{where}: the id must be small letters, digits and _, like tianditu_vec.")
    for name, allowed in (("kind", KINDS), ("datum", DATUMS)):
        if texts[name] not in allowed:
            why = (
                "; a base map in GCJ-02 or BD-09 lies hundreds of metres off and is not used" if name == "datum" else ""
            )
            raise RuleError(f"{where}: {name} is {texts[name][:40]!r}: it must be {' or '.join(allowed)}{why}.")
    if not texts["zh"] or not texts["en"]:
        raise RuleError(f"{where}: zh and en must name it.")
    network = texts["network"] or "internet"
    if network not in NETWORKS:
        raise RuleError(f"{where}: network is {network[:40]!r}: it must be {' or '.join(NETWORKS)}.")
    base = Base(
        texts["id"], texts["zh"], texts["en"], texts["kind"], texts["review"], texts["datum"], texts["address"],
        folder / texts["file"] if texts["file"] else None, texts["scene"], texts["credit"], network,
        _zooms(entry.get("zooms", [1, 18]), where), *(_switch(entry, name, where) for name in ("shown", "over", "public")),
    )  # fmt: skip
    _checked(base, where)
    return base


def _switch(entry: Mapping[str, Any], name: str, where: str) -> bool:
    value = entry.get(name, False)
    if not isinstance(value, bool):
        raise RuleError(f"{where}: {name} must be true or false.")
    return value


def _zooms(value: Any, where: str) -> tuple[int, int]:
    whole = isinstance(value, list) and len(value) == 2 and all(type(v) is int for v in value)
    if not whole or not 0 <= value[0] <= value[1] <= 22:
        raise RuleError(f"{where}: zooms must be two whole numbers from 0 to 22, like [1, 18].")
    return value[0], value[1]


def _checked(base: Base, where: str) -> None:
    """What a kind of base map needs, and what the law asks of it."""
    if base.kind == "tiles":
        _address(base.address, where)
    if base.kind == "pmtiles" and (base.file is None or not base.file.is_file()):
        raise RuleError(f"{where}: file must be a PMTiles file that is there; {base.file} is not.")
    if base.kind == "imagery" and not _SCENE.fullmatch(base.scene):
        raise RuleError(f"{where}: scene must be the id of an image scene of this service.")
    if not base.review and (base.kind == "tiles" or base.public):
        raise RuleError(f"{where}: review must be its 审图号, which stands on the map; without one it is not shown.")


def _address(address: str, where: str) -> None:
    """An address whose machine is fixed: only the path and what is asked may hold ``{z} {x} {y} {key}``."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise RuleError(f"{where}: the address must begin with http:// or https:// and a machine, without a user name.")
    if _MARKS.search(parts.netloc):
        raise RuleError(f"{where}: the machine of the address is fixed: {{s}} or other marks cannot stand in it.")
    marks = _MARKS.findall(address)
    if not {"x", "y", "z"} <= set(marks) or set(marks) - {"x", "y", "z", "key"}:
        raise RuleError(f"{where}: the address must hold {{z}}, {{x}} and {{y}}, may hold {{key}}, and no other mark.")


_GROUND: tuple[tuple[str, str, dict[str, Any], dict[str, Any]], ...] = (
    (r"water|ocean|river|lake|水", "fill", {"fill-color": "#cfe3ee"}, {"line-color": "#9cc4d8", "line-width": 1}),
    (
        r"earth|land|cover|park|green|地",
        "fill",
        {"fill-color": "#f1efe6"},
        {"line-color": "#e4e0d2", "line-width": 0.6},
    ),
    (r"build|建", "fill", {"fill-color": "#e4ddd3"}, {"line-color": "#d3cabc", "line-width": 0.6}),
    (r"road|transport|highway|street|rail|路", "line", {}, {"line-color": "#d5cdbd", "line-width": 1.4}),
    (r"bound|admin|界", "line", {}, {"line-color": "#a9a292", "line-width": 1, "line-dasharray": [4, 3]}),
    (r"", "line", {}, {"line-color": "#d8d5cb", "line-width": 0.8}),
)
_WRITTEN = re.compile(r"place|label|name|poi|注记|地名", re.I)


def ground(layers: Sequence[str], fonts: Sequence[str]) -> list[dict[str, Any]]:
    """How the layers of an own PMTiles file are drawn: pale, by what their names say, names in Chinese first."""
    found: list[dict[str, Any]] = []
    for name in layers:
        _, kind, fill, line = next(row for row in _GROUND if re.search(row[0], name, re.I))
        if _WRITTEN.search(name):
            found.append(_written(name, fonts))
            continue
        if kind == "fill":
            surface = ["in", ["geometry-type"], ["literal", ["Polygon", "MultiPolygon"]]]
            found.append({"id": f"{name}/area", "type": "fill", "source-layer": name, "filter": surface, "paint": fill})
        found.append({"id": f"{name}/line", "type": "line", "source-layer": name, "paint": line})
    return sorted(found, key=lambda layer: ("fill", "line", "symbol").index(layer["type"]))


def _written(name: str, fonts: Sequence[str]) -> dict[str, Any]:
    said = ["coalesce", ["get", "name:zh"], ["get", "name"], ""]
    layout = {"text-field": said, "text-font": list(fonts), "text-size": 12, "text-max-width": 8}
    paint = {"text-color": "#6f6957", "text-halo-color": "#ffffff", "text-halo-width": 1.4}
    return {"id": f"{name}/name", "type": "symbol", "source-layer": name, "layout": layout, "paint": paint}
