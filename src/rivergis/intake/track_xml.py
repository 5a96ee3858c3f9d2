"""GPX, KML and TCX: tracks, waypoints, routes and placemarks out of the XML of a track file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from rivergis.errors import InputError
from rivergis.intake.delivery import Asked, Delivered, defect
from rivergis.intake.track_course import BY_STANDARD, Course, Found, rows_of
from rivergis.intake.track_document import Document, children_of, document_of, local, mended, texts_of, tree_of, walk
from rivergis.intake.track_order import in_order


def read_xml(path: Path, raw: bytes, asked: Asked) -> Found:
    """Tracks, routes, waypoints and placemarks of a GPX, KML or TCX file; ``InputError`` when nothing in it can be read."""
    document = document_of(path, raw, asked)
    reader = {"gpx": _gpx, "kml": _kml, "tcx": _tcx}[document.kind]
    found = reader(document)
    if document.broken:
        found = _again(document, found, reader)
    found.defects[:0] = [*document.encoding.defects, *document.defects]
    found.encoding, found.encoding_basis = document.encoding.encoding, document.encoding.basis
    if not found.courses and not found.others:
        why = "is not a whole" if document.defects else "holds no track, route or place in its"
        raise InputError(f"{path.name} {why} {found.format} file: export it again.", file=str(path))
    return found


def _again(document: Document, found: Found, reader: Callable[[Document], Found]) -> Found:
    """What can be read of broken XML: a second try with everything that is no whole tag taken for text; the loss is said."""
    begun = max(len(re.findall(rf"<(?:[\w.-]+:)?{u}[\s>]", document.text)) for u in _FIXES[document.kind])
    if _held(found) < begun:
        second = reader(replace(document, text=mended(document)))
        found = max(second, found, key=_held)
    if any(d.code == "file_cut_off" for d in document.defects):
        return found
    lost = max(begun - _held(found), 0)
    loss = f"at least {lost} are lost" if lost else "none is seen to be lost"
    said = f"The XML is not well formed ({document.broken}): {_held(found)} fixes and places are read, {loss}."
    action = "What can be read is read; ask for the file again."
    document.defects.append(defect("file_damaged", "warning", said, action, count=max(lost, 1), place=document.broken))
    return found


_FIXES = {"gpx": ("trkpt", "wpt"), "kml": ("coord", "Placemark"), "tcx": ("Trackpoint",)}


def _held(found: Found) -> int:
    return sum(len(c.rows) for c in found.courses) + sum(layer.count for layer in found.others)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


_TEXTS = ("at", "ele_m", "acc_m", "speed_ms")


class _Rows:
    """Fixes column by column; a list of tuples of text would take ten times the memory."""

    def __init__(self) -> None:
        self.columns: dict[str, list[Any]] = {
            c: [] for c in ("at", "lon", "lat", "ele_m", "acc_m", "speed_ms", "segment", "track")
        }

    def add(self, **values: Any) -> None:
        for name, column in self.columns.items():
            column.append(values.get(name))

    def extend(self, **values: list[Any]) -> None:
        for name, column in self.columns.items():
            column += values[name]

    def __len__(self) -> int:
        return len(self.columns["at"])

    def frame(self, without: str = "") -> pd.DataFrame:
        """Rows numbered from 1; text stays text: what is made of it is for the reader of fixes to say."""
        kept = {c: v for c, v in self.columns.items() if c != without}
        return rows_of({c: pd.Series(v, dtype=object) if c in _TEXTS else np.array(v) for c, v in kept.items()})


def _places(name: str, rows: list[dict[str, Any]], shapes: list[Any]) -> Delivered:
    """Waypoints, routes or placemarks as a vector layer with the columns that hold anything."""
    frame = pd.DataFrame(rows)
    frame = frame[[c for c in frame if frame[c].notna().any()]]
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    types = tuple(dict.fromkeys(s.geom_type for s in shapes if s is not None))
    layer = Delivered(name, "vector", len(rows), frame, array, declared=BY_STANDARD, geometry_types=types)
    return layer


def _line(points: list[tuple[float, float]]) -> Any:
    return shapely.LineString(points) if len(points) > 1 and np.isfinite(points).all() else None


def _point(lon: float, lat: float) -> Any:
    return shapely.Point(lon, lat) if np.isfinite(lon) and np.isfinite(lat) else None


# ---- GPX ------------------------------------------------------------------------------------------------------------

_GPX = {"gpx", "trk", "trkseg", "trkpt", "rte", "rtept", "wpt", "name", "metadata"}
_GPX_UNITS = tuple(f"{{*}}{name}" for name in ("gpx", "trk", "trkseg", "trkpt", "rte", "rtept", "wpt"))
_PLACE_FIELDS = ("name", "cmt", "desc", "time", "ele", "sym", "type")


def _gpx(document: Document) -> Found:
    reader = _whole_gpx(document)
    if reader is None:
        reader = _GpxReader()
        for event, name, element in walk(document, _GPX):
            action: Callable[[Any], None] | None = getattr(reader, f"{event}_{name}", None)
            if action is not None:
                action(element)
    found = Found("GPX")
    facts = {"creator": reader.creator} if reader.creator else {}
    if (course := reader.course(document.path)) is not None:
        course.facts |= facts
        found.courses.append(course)
    if reader.waypoints:
        found.others.append(_places("waypoints", reader.waypoints, reader.waypoint_shapes))
    if reader.routes:
        found.others.append(_places("routes", reader.routes, [_line(p) for p in reader.route_points]))
    for layer in found.others:
        layer.facts |= facts
        layer.encoding, layer.encoding_basis = document.encoding.encoding, document.encoding.basis
    return found


def _whole_gpx(document: Document) -> _GpxReader | None:
    """A small sound document, read from its tree; None where elements stand where the standard has none, or it is damaged."""
    root = tree_of(document)
    if root is None or local(root) != "gpx":
        return None
    reader, seen = _GpxReader(), 1
    reader.start_gpx(root)
    for element in root:
        name = local(element)
        if name == "wpt":
            reader.end_wpt(element)
        elif name in ("trk", "rte"):
            seen += reader.take_line(element, name)
        seen += name in ("wpt", "trk", "rte")
    return reader if seen == sum(1 for e in root.iter(*_GPX_UNITS)) else None


class _GpxReader:
    """Collects tracks, routes and waypoints while the file is walked through."""

    def __init__(self) -> None:
        self.creator = ""
        self.rows = _Rows()
        self.segment = 0
        self.names: list[str | None] = []
        """Of the tracks, in their order."""
        self.waypoints: list[dict[str, Any]] = []
        self.waypoint_shapes: list[Any] = []
        self.routes: list[dict[str, Any]] = []
        self.route_points: list[list[tuple[float, float]]] = []

    def start_gpx(self, element: Any) -> None:
        self.creator = (element.get("creator") or "").strip()[:200]

    def start_trk(self, _: Any) -> None:
        self.names.append(None)
        self.segment += 1

    def start_rte(self, _: Any) -> None:
        self.routes.append({"name": None})
        self.route_points.append([])

    def end_name(self, element: Any) -> None:
        parent, name = element.getparent(), (element.text or "").strip() or None
        if parent is not None and local(parent) == "trk" and self.names:
            self.names[-1] = name
        elif parent is not None and local(parent) == "rte" and self.routes:
            self.routes[-1]["name"] = name

    def start_trkseg(self, _: Any) -> None:
        self.segment += 1

    def end_trkpt(self, element: Any) -> None:
        texts = texts_of(element)
        self.rows.add(
            at=texts.get("time"),
            lon=_number(element.get("lon")),
            lat=_number(element.get("lat")),
            ele_m=texts.get("ele"),
            acc_m=texts.get("accuracy", texts.get("acc")),
            speed_ms=texts.get("speed"),
            segment=self.segment,
            track=len(self.names),
        )

    def take_line(self, line: Any, kind: str) -> int:
        """A whole track or route; how many segments and points are in it."""
        taken = 0
        (self.start_trk if kind == "trk" else self.start_rte)(line)
        for element in line:
            name = local(element)
            if name == "name":
                self.end_name(element)
            elif name == "rtept" and kind == "rte":
                self.end_rtept(element)
                taken += 1
            elif name == "trkseg" and kind == "trk":
                self.start_trkseg(element)
                points = [e for e in element if local(e) == "trkpt"]
                self.take_points(points)
                taken += 1 + len(points)
        return taken

    def take_points(self, points: list[Any]) -> None:
        """``end_trkpt`` of many points."""
        texts = [children_of(p) for p in points]
        count = len(points)
        self.rows.extend(
            at=[t.get("time") for t in texts],
            lon=[_number(p.get("lon")) for p in points],
            lat=[_number(p.get("lat")) for p in points],
            ele_m=[t.get("ele") for t in texts],
            acc_m=[t.get("accuracy", t.get("acc")) for t in texts],
            speed_ms=[t.get("speed") for t in texts],
            segment=[self.segment] * count,
            track=[len(self.names)] * count,
        )

    def end_rtept(self, element: Any) -> None:
        if self.routes:
            self.route_points[-1].append((_number(element.get("lon")), _number(element.get("lat"))))

    def end_wpt(self, element: Any) -> None:
        texts = texts_of(element)
        self.waypoints.append({f: texts.get(f) for f in _PLACE_FIELDS})
        self.waypoint_shapes.append(_point(_number(element.get("lon")), _number(element.get("lat"))))

    def course(self, path: Path) -> Course | None:
        """All tracks of the file as one layer, a column telling them apart: a survey may write each line as a track."""
        if not len(self.rows):
            return None
        if len(set(self.rows.columns["track"])) == 1:
            name = self.names[0] if len(self.names) == 1 else None
            return Course(name or path.stem, self.rows.frame(without="track"))
        rows = self.rows.frame()
        counted = Counter(self.names)
        told = [f"{n or 'track'} {i}" if n is None or counted[n] > 1 else n for i, n in enumerate(self.names, 1)]
        return Course(path.stem, rows.assign(track=np.array(["no track", *told], dtype=object)[rows["track"]]))


# ---- KML ------------------------------------------------------------------------------------------------------------


@dataclass
class _Placemark:
    name: str | None
    description: str | None
    at: str | None
    shape: Any


def _kml(document: Document) -> Found:
    """gx:Track and gx:MultiTrack are tracks; without any, points that each have a time, if they are in its order."""
    rows, mark_rows, segment = _Rows(), _Rows(), 0
    marks: list[_Placemark] = []
    for event, _, element in walk(document, {"Placemark"}):
        if event == "start":
            continue
        tracks = [t for t in element.iter() if local(t) == "Track"]
        for track in tracks:
            _gx_track(track, rows, segment)
            segment += 1
        if not tracks:
            marks.append(_placemark(element))
    found = Found("KML", encoding=document.encoding.encoding, encoding_basis=document.encoding.basis)
    if not len(rows):
        marks = _timed_points(marks, mark_rows)
        rows = mark_rows
    if len(rows):
        found.courses.append(Course(document.path.stem, rows.frame()))
    if marks:
        found.others.append(
            _places(
                "placemarks",
                [{"name": m.name, "description": m.description, "time": m.at} for m in marks],
                [m.shape for m in marks],
            )
        )
    return found


def _gx_track(track: Any, rows: _Rows, segment: int) -> None:
    """Times and places of a gx:Track stand in two lists; a place without a time is a fix without one, and the reverse."""
    whens = [(e.text or "").strip() or None for e in track if local(e) == "when"]
    coords = [_coord(e.text) for e in track if local(e) == "coord"]
    for i in range(max(len(whens), len(coords))):
        lon, lat, ele = coords[i] if i < len(coords) else (float("nan"),) * 3
        rows.add(at=whens[i] if i < len(whens) else None, lon=lon, lat=lat, ele_m=ele, segment=segment)


def _coord(text: str | None) -> tuple[float, float, float]:
    values = [_number(v) for v in re.split(r"[\s,]+", (text or "").strip())[:3]]
    lon, lat, ele = (values + [float("nan")] * 3)[:3]
    return lon, lat, ele


def _placemark(element: Any) -> _Placemark:
    stamp = next((e for e in element.iter() if local(e) == "TimeStamp"), None)
    at = texts_of(stamp).get("when") if stamp is not None else None
    texts = texts_of(element)
    return _Placemark(texts.get("name"), texts.get("description"), at, _shape(element))


def _shape(element: Any) -> Any:
    """Geometry of a placemark: points, lines and polygons with their holes, several as a collection."""
    parts = []
    for e in element.iter():
        kind = local(e)
        if kind in ("Point", "LineString"):
            parts.append(_simple(kind, _coordinates(e)))
        elif kind == "Polygon":
            rings = [_coordinates(r) for r in e.iter() if local(r) == "LinearRing"]
            parts.append(shapely.Polygon(rings[0], rings[1:]) if rings and min(map(len, rings)) >= 4 else None)
    sound = [p for p in parts if p is not None]
    if not sound:
        return None
    return sound[0] if len(sound) == 1 else shapely.GeometryCollection(sound)


def _simple(kind: str, points: list[tuple[float, float]]) -> Any:
    if kind == "Point":
        return _point(*points[0]) if points else None
    return _line(points)


def _coordinates(element: Any) -> list[tuple[float, float]]:
    tuples = (_coord(t)[:2] for t in texts_of(element).get("coordinates", "").split())
    return [(lon, lat) for lon, lat in tuples if np.isfinite(lon) and np.isfinite(lat)]


def _timed_points(marks: list[_Placemark], rows: _Rows) -> list[_Placemark]:
    """Moves point placemarks with times into ``rows`` if they are a recording; what is left are places."""
    timed = [m for m in marks if m.at and m.shape is not None and m.shape.geom_type == "Point"]
    if not in_order(pd.Series([m.at for m in timed], dtype=object)):
        return marks
    for m in timed:
        rows.add(at=m.at, lon=m.shape.x, lat=m.shape.y, segment=0)
    taken = {id(m) for m in timed}
    return [m for m in marks if id(m) not in taken]


# ---- TCX ------------------------------------------------------------------------------------------------------------


def _tcx(document: Document) -> Found:
    rows, segment, device, without = _Rows(), -1, None, 0
    for event, name, element in walk(document, {"Track", "Trackpoint", "Creator"}):
        if name == "Track" and event == "start":
            segment += 1
        elif name == "Trackpoint" and event == "end":
            texts = texts_of(element)
            if "LatitudeDegrees" in texts:
                _trackpoint(texts, rows, segment)
            else:
                without += 1
        elif name == "Creator" and event == "end":
            device = texts_of(element).get("Name")
    found = Found("TCX")
    if len(rows):
        facts: dict[str, Any] = {"device": device} if device else {}
        found.courses.append(
            Course(
                document.path.stem,
                rows.frame(),
                facts=facts | ({"records_without_position": without} if without else {}),
            )
        )
    return found


def _trackpoint(texts: dict[str, str], rows: _Rows, segment: int) -> None:
    rows.add(
        at=texts.get("Time"),
        lon=_number(texts.get("LongitudeDegrees")),
        lat=_number(texts["LatitudeDegrees"]),
        ele_m=texts.get("AltitudeMeters"),
        speed_ms=texts.get("Speed"),
        segment=segment,
    )
