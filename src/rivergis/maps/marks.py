"""From frames to what a map draws: plain, rounded, JSON-ready features with label, popup and class; nothing of HTML.

Every frame may carry these columns, all optional:

- ``label`` what is shown on hover and found by the search; ``cls`` class code of the palette;
- ``popup`` dict ``{zh: value}`` or list of ``(zh, en, value)``; ``chips`` list of ``(zh, en, picture address)``;
- ``text`` what is written on the map itself (river and place names); ``id`` by which a page link ``#id=...`` opens it;
- ``href`` page of the same service with more about it (starts with ``/``);
- ``from_m``, ``to_m`` and ``river`` on lines: the search then understands chainage (桩号) like ``12+345``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.errors import UsageError
from rivergis.maps.palette import Palette

MAX_FEATURES = 2000
BACKDROP = ("admin_unit",)
"""Layers that are only ground: they answer to the search, not to the pointer."""
_LOCAL_PICTURE = re.compile(r"data:image/(png|jpeg|webp);base64,[A-Za-z0-9+/=]+|(?!//)(?:[\w./%?=&-]|\{[xyz]\})+")


@dataclass(frozen=True)
class Picture:
    """An image laid on the map (影像): address on this machine (with ``{z} {x} {y}``: tiles) or ``data:`` URI, bounds in degrees, north up.

    ``role``: ``base`` (ground), or ``before`` and ``after``, which the map shows with a slider between them.
    """

    zh: str
    en: str
    url: str
    west: float
    south: float
    east: float
    north: float
    role: str = "base"

    def as_dict(self) -> dict[str, Any]:
        bounds = [[self.south, self.west], [self.north, self.east]]
        return {"zh": self.zh, "en": self.en, "url": local_url(self.url), "bounds": bounds, "role": self.role}


def local_url(url: str) -> str:
    """The address itself if it stays on this machine; ``UsageError`` otherwise."""
    if not _LOCAL_PICTURE.fullmatch(url):
        raise UsageError(f"The picture {url[:60]!r} would be asked of another machine; give a path or a data: URI.")
    return url


def layer(name: str, frame: gpd.GeoDataFrame, palette: Palette) -> dict[str, Any]:
    """One layer as the page takes it: names, the classes present with their styles, features in EPSG:4490 degrees.

    Rows without geometry are counted (``unplaced``), not drawn. Raises ``CrsRefused`` for a frame without a CRS.
    """
    own = palette.of(name)
    rows = crs.to_storage(frame) if crs.accepted(frame.crs, f"the map layer {name}") != crs.STORAGE else frame
    placed = rows[~(rows.geometry.isna() | rows.geometry.is_empty)]
    codes = placed["cls"].fillna("").astype(str) if "cls" in placed else pd.Series("", index=placed.index)
    styles = [palette.of(name, code) for code in codes]
    present = [s for s in palette.styles.values() if s in set(styles)]
    at = {style: i for i, style in enumerate(present)}
    records = placed.drop(columns=placed.geometry.name).to_dict("records")
    return {
        "id": name,
        "zh": own.zh,
        "en": own.en,
        "backdrop": name in BACKDROP,
        "unplaced": len(rows) - len(placed),
        "classes": [{**style.as_dict(), "count": styles.count(style)} for style in present],
        "features": [
            _feature(geometry, record, at[style], bool(style.marker))
            for geometry, record, style in zip(placed.geometry, records, styles, strict=True)
        ],
    }


def _feature(geometry: shapely.Geometry, record: dict[str, Any], style: int, signed: bool) -> dict[str, Any]:
    """One feature: geometry rounded to 0.1 m, texts as they are (the page escapes), empty fields left out."""
    out: dict[str, Any] = {"c": style, "g": _rounded(shapely.geometry.mapping(geometry))}
    for key in ("label", "text", "id", "river"):
        if _given(record.get(key)):
            out[key] = str(record[key])
    for key in ("from_m", "to_m"):
        if _given(record.get(key)):
            out[key] = float(record[key])
    if _given(record.get("popup")):
        out["popup"] = [list(row) for row in _triples(record["popup"])]
    if _given(record.get("chips")):
        out["chips"] = [[zh, en, local_url(url)] for zh, en, url in record["chips"]]
    if _given(record.get("href")):
        out["href"] = _own_page(str(record["href"]))
    if signed and geometry.geom_type != "Point":
        spot = geometry.representative_point()
        out["at"] = [round(spot.x, 6), round(spot.y, 6)]
    return out


def _given(value: Any) -> bool:
    if isinstance(value, (list, tuple, dict)):
        return bool(value)
    return value is not None and value is not pd.NA and value == value and value != ""


def _own_page(href: str) -> str:
    if not re.fullmatch(r"/(?!/)[\w./%?=&#:-]*", href):
        raise UsageError(f"The link {href[:60]!r} does not stay in this service; it must start with one /.")
    return href


def _triples(popup: Any) -> Iterable[tuple[str, str, str]]:
    rows = ((zh, "", value) for zh, value in popup.items()) if isinstance(popup, dict) else popup
    for zh, en, value in rows:
        yield str(zh), str(en), words(value)


def words(value: Any) -> str:
    """A value as a person reads it: 是 or 否, numbers without needless digits, Beijing time, lists joined."""
    if isinstance(value, (list, tuple, set)):
        return "、".join(words(v) for v in value)
    if pd.isna(value):
        return "—"
    if isinstance(value, (bool, np.bool_)):
        return "是" if value else "否"
    if isinstance(value, (float, np.floating)):
        number = float(value)
        return f"{number:.2g}" if 0 < abs(number) < 0.01 else f"{number:,.2f}".rstrip("0").rstrip(".")
    if isinstance(value, dt.datetime):
        local = value.astimezone(dt.timezone(dt.timedelta(hours=8))) if value.tzinfo else value
        return f"{local:%Y-%m-%d %H:%M}"
    return str(value)


def _rounded(mapping: Any) -> Any:
    """A GeoJSON mapping with 6 decimals of a degree (0.1 m)."""
    if isinstance(mapping, dict):
        return {k: _rounded(v) for k, v in mapping.items()}
    if isinstance(mapping, (list, tuple)):
        return [_rounded(v) for v in mapping]
    return round(mapping, 6) if isinstance(mapping, float) else mapping


def check_size(layers: dict[str, gpd.GeoDataFrame]) -> None:
    """Refuse what would freeze a browser: more than ``MAX_FEATURES`` features in one page."""
    total = sum(len(frame) for frame in layers.values())
    if total > MAX_FEATURES:
        most = max(layers, key=lambda name: len(layers[name]))
        raise UsageError(
            f"The map would carry {total:,} features (most of them {most}); up to {MAX_FEATURES:,} are drawn: "
            "narrow it to a river, a township or one kind of object."
        )


def on_bank(legs: gpd.GeoDataFrame, beyond_m: float = 12.0) -> gpd.GeoDataFrame:
    """Stretches of river drawn on the bank they belong to (左右岸, looking downstream), for the eye only.

    ``legs``: LineStrings digitised downstream with ``bank`` (left, right; anything else stays on the line) and,
    where known, ``half_width_m``; moved sideways by half the width + ``beyond_m`` metres, ends untouched.
    """
    if legs.empty:
        return legs
    metric = crs.to_metric(legs)
    half = metric["half_width_m"].fillna(0.0) if "half_width_m" in metric else pd.Series(0.0, index=metric.index)
    sign = metric["bank"].map({"left": 1.0, "right": -1.0}).fillna(0.0)
    moved = shapely.offset_curve(metric.geometry.values, (sign * (half + beyond_m)).to_numpy(dtype=float))
    # a very tight bend can leave nothing of an offset line; the stretch itself must not vanish with it
    kept = np.where(shapely.is_empty(moved), metric.geometry.values, moved)
    return crs.to_storage(metric.set_geometry(gpd.GeoSeries(kept, index=metric.index, crs=metric.crs)))


def track_lines(fixes: gpd.GeoDataFrame, longest_gap_s: float) -> gpd.GeoDataFrame:
    """A track as lines where it was recorded and separate ``gap`` lines where it was silent (轨迹中断).

    ``fixes``: Points in time order with ``at`` (UTC; without times nothing is silent). Columns of the result: cls (track, gap),
    label, popup (of a gap: seconds, metres and the speed they imply), geometry.
    """
    points = fixes.geometry.to_numpy()
    step_s = fixes["at"].diff().dt.total_seconds().to_numpy()[1:]
    silent = step_s > longest_gap_s
    # each silence is a line of its own: two in a row imply two speeds
    cuts = np.flatnonzero((silent[1:] != silent[:-1]) | silent[1:]) + 1
    rows = []
    for steps in np.split(np.arange(len(silent)), cuts):
        if len(steps):
            gap = bool(silent[steps[0]])
            line = shapely.LineString(points[steps[0] : steps[-1] + 2])
            rows.append(("gap" if gap else "track", _span(fixes["at"], steps), line, float(step_s[steps[0]])))
    cls, label, geometry, seconds = zip(*rows, strict=True) if rows else ((), (), (), ())
    out = gpd.GeoDataFrame({"cls": list(cls), "label": list(label)}, geometry=list(geometry), crs=fixes.crs)
    length_m = crs.length_m(crs.to_storage(out).geometry.values) if len(out) else []
    out["popup"] = [_silence(s, m) if c == "gap" else [] for c, s, m in zip(cls, seconds, length_m, strict=True)]
    return out


def _silence(seconds: float, metres: float) -> list[tuple[str, str, str]]:
    """What is known of a stretch without fixes; its speed is implied, not measured."""
    speed = metres / seconds
    return [
        ("时长", "without fixes", f"{seconds:,.0f} s"),
        ("直线距离", "straight distance", f"{metres:,.0f} m"),
        ("隐含速度", "implied speed", f"{speed:.1f} m/s ({speed * 3.6:.1f} km/h)"),
    ]


def _span(at: pd.Series, steps: np.ndarray) -> str:
    ends = (at.iloc[i] for i in (steps[0], steps[-1] + 1))
    return " – ".join("?" if pd.isna(e) else f"{e.tz_convert('Asia/Shanghai'):%H:%M:%S}" for e in ends)
