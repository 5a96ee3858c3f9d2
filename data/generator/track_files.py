"""Tracks as files: GPX, CSV and GeoJSON as patrol apps export them, all times in UTC."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

from .rivers import Row
from .tracks import Track


def write(out_dir: Path, tracks: list[Track]) -> None:
    out_dir.mkdir(parents=True, exist_ok=True)
    writers = {"gpx": _gpx, "csv": _csv, "geojson": _geojson}
    for track in tracks:
        (out_dir / track.file).write_text(writers[track.plan.fmt](track), encoding="utf-8", newline="\n")
    index = [_index_row(t) for t in tracks]
    text = ",\n".join(json.dumps(row, ensure_ascii=False) for row in index)
    (out_dir / "index.json").write_text(f"[\n{text}\n]\n", encoding="utf-8", newline="\n")


def _index_row(track: Track) -> Row:
    return {
        "track_id": track.track_id, "file": track.file, "format": track.plan.fmt, "chief_code": track.plan.chief,
        "uploaded_at": _utc(track.recv[-1] + timedelta(seconds=20)), "datum_declared": track.plan.declared,
        "mode": track.plan.mode,
    }  # fmt: skip


def _utc(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _gpx(track: Track) -> str:
    points = "\n".join(
        f'<trkpt lat="{lat:.7f}" lon="{lon:.7f}"><time>{_utc(at)}</time></trkpt>'
        for (lon, lat), at in zip(track.lonlat, track.at, strict=True)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gpx version="1.1" creator="demo county generator" xmlns="http://www.topografix.com/GPX/1/1">\n'
        f"<trk><name>{track.track_id} 虚构演示数据</name><trkseg>\n{points}\n</trkseg></trk>\n</gpx>\n"
    )


def _csv(track: Track) -> str:
    lines = ["time,lon,lat,acc_m,speed,recv_time"]
    columns = zip(track.at, track.lonlat, track.acc_m, track.speed, track.recv, strict=True)
    lines += [f"{_utc(at)},{lon:.7f},{lat:.7f},{acc:.1f},{speed:.2f},{_utc(recv)}"
              for at, (lon, lat), acc, speed, recv in columns]  # fmt: skip
    return "\n".join(lines) + "\n"


def _geojson(track: Track) -> str:
    feature = {
        "type": "Feature",
        "properties": {"name": f"{track.track_id} 虚构演示数据", "coordTimes": [_utc(a) for a in track.at]},
        "geometry": {"type": "LineString", "coordinates": [[float(x), float(y)] for x, y in track.lonlat]},
    }
    return json.dumps({"type": "FeatureCollection", "features": [feature]}, ensure_ascii=False) + "\n"
