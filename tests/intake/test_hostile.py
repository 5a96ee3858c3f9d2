"""Hostile files through the door: bombs, claims, pointers and odd texts end in a report or one sentence, never elsewhere."""

from __future__ import annotations

import contextlib
import ctypes
import http.server
import io
import json
import os
import re
import shutil
import sqlite3
import stat
import struct
import subprocess
import sys
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import geopandas as gpd
import numpy as np
import openpyxl
import pyogrio
import pytest
import rasterio
import shapely

from rivergis.cli import _run
from rivergis.errors import InputError, RivergisError, UsageError, legible
from rivergis.intake import inspection, vector
from rivergis.intake.delivery import Asked
from rivergis.intake.limits import Limits
from rivergis.reports import intake_report
from rivergis.settings import load

QUICK = Limits(seconds=30, memory_bytes=2 << 30)
SECRET = "TOP-SECRET-4711"
# what may stand in a name or value and steer a terminal, turn its text or begin a line of its own
STEERING = "\x1b[31m\x1b]0;title\x07\u202egnp\x9b2J\x7f\r\n\x08"


def points(count: int = 3, **columns: Any) -> gpd.GeoDataFrame:
    """Some points near Chongqing in EPSG:4490."""
    shapes = [shapely.Point(106.5 + i / 1000, 29.5) for i in range(count)]
    return gpd.GeoDataFrame({"name": ["甲"] * count, **columns}, geometry=shapes, crs=4490)


def put(path: Path, frame: gpd.GeoDataFrame | None = None) -> Path:
    frame = points() if frame is None else frame
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_file(path, engine="pyogrio")
    return path


def told(*paths: Path, asked: Asked = Asked(), limits: Limits = QUICK) -> list[dict[str, Any]]:  # noqa: B008
    """What ``inspect --json`` would say, as JSON holds it: no NaN, nothing that is no text."""
    found = inspection.inspect(paths, asked=asked, limits=limits).as_list()
    return json.loads(json.dumps(found, allow_nan=False))


def refusal(path: Path, limits: Limits = QUICK) -> str:
    """The one sentence a file is refused with."""
    [file] = told(path, limits=limits)
    assert file["error"] and "\n" not in file["error"] and file["error"].rstrip().endswith("."), file
    return file["error"]


def codes(file: dict[str, Any]) -> set[str]:
    return {d["code"] for layer in file["layers"] for d in layer["defects"]} | {d["code"] for d in file["defects"]}


# ---- archives -------------------------------------------------------------------------------------------------------


@lru_cache
def deflated(size: int) -> bytes:
    """Zeros, packed a thousand times smaller."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(bytes(size)) + packer.flush()


def zip_of(path: Path, members: list[tuple[str | bytes, bytes, int, int]], shared: bool = False) -> Path:
    """A ZIP by hand: (name, packed bytes, claimed size, external attributes); ``shared``: all point at the first's bytes."""
    out, directory, first = bytearray(), bytearray(), 0
    for n, (name, packed, claimed, attributes) in enumerate(members):
        raw = name if isinstance(name, bytes) else name.encode()
        at = first if shared and n else len(out)
        head = struct.pack("<HHHHHIIIHH", 20, 0x800, 8, 0, 0, 0, len(packed), claimed, len(raw), 0)
        if not (shared and n):
            out += b"PK\3\4" + head + raw + packed
        directory += b"PK\1\2" + struct.pack("<H", 0x314) + head + struct.pack("<HHHII", 0, 0, 0, attributes, at) + raw
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(out), 0)
    path.write_bytes(bytes(out) + bytes(directory) + b"PK\5\6" + end)
    return path


def nested(path: Path) -> Path:
    """As 42.zip: archives in archives in archives."""
    inner = deflated(1 << 20)
    for level in range(3):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for n in range(16):
                archive.writestr(f"lib {n}.zip" if level else f"{n}.shp", inner)
        inner = buffer.getvalue()
    path.write_bytes(inner)
    return path


BOMBS: dict[str, Callable[[Path], Path]] = {
    "ratio": lambda p: zip_of(p, [("a.geojson", deflated(64 << 20), 64 << 20, 0)]),
    "claims 10 GB": lambda p: zip_of(p, [("a.geojson", deflated(1 << 10), 10 << 30 & 0xFFFFFFFF, 0)] * 3),
    "claims less than it holds": lambda p: zip_of(p, [("a.geojson", deflated(64 << 20), 100, 0)]),
    "overlapping": lambda p: zip_of(p, [(f"{n}.geojson", deflated(9 << 20), 9 << 20, 0) for n in range(600)], True),
    "nested": nested,
    "too many": lambda p: zip_of(p, [(f"{n}.csv", b"", 0, 0) for n in range(20_000)]),
    "no end": lambda p: (p.write_bytes(b"PK\3\4" + bytes(2000)), p)[1],
}


@pytest.mark.parametrize("ending", [".zip", ".kmz", ".xlsx", ".docx"])
@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path, bomb: str, ending: str) -> None:
    path = BOMBS[bomb](tmp_path / f"a{ending}")
    refusal(path, Limits(seconds=20, memory_bytes=512 << 20))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


NAMES = ["../out.geojson", "/tmp/rivergis-out.geojson", "a/../../out.geojson", "..\\..\\out.geojson", "C:\\out.geojson",
         "\\\\server\\share\\out.geojson", "a\0/../out.geojson", "./../out.geojson"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_that_lead_out_of_an_archive(tmp_path: Path, name: str) -> None:
    body = put(tmp_path / "in.geojson").read_bytes()
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    inside = tmp_path / "deep" / "er"
    inside.mkdir(parents=True)
    path = zip_of(inside / "a.zip", [(name, packer.compress(body) + packer.flush(), len(body), 0)])
    before = sorted(tmp_path.rglob("*"))
    told(path)
    assert sorted(tmp_path.rglob("*")) == before and not Path("/tmp/rivergis-out.geojson").exists()


def test_links_in_archives_are_not_followed(tmp_path: Path) -> None:
    secret = put(tmp_path / "secret.geojson", points(name=[SECRET] * 3))
    link = str(secret).encode()
    packed = zlib.compress(link)[2:-4]
    path = zip_of(tmp_path / "a.zip", [("a.geojson", packed, len(link), (stat.S_IFLNK | 0o777) << 16)])
    assert "holds a link" in refusal(path)


# ---- claims of headers ----------------------------------------------------------------------------------------------


def shp_record(path: Path) -> Path:
    put(path)
    raw = bytearray(path.read_bytes())
    raw[104:108] = struct.pack(">i", 0x7FFFFFF0)
    path.write_bytes(raw)
    return path


def shp_vertices(path: Path) -> Path:
    """A line that says it has two thousand million vertices."""
    put(path, gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.LineString([(106, 29), (107, 30)])], crs=4490))
    raw = bytearray(path.read_bytes())
    raw[148:152] = struct.pack("<i", 0x7FFFFFFF)
    path.write_bytes(raw)
    return path


def gpkg_blob(path: Path) -> Path:
    """A line whose WKB says it has four thousand million vertices, and a blob that says nothing true at all."""
    put(path, gpd.GeoDataFrame({"a": [1, 2]}, geometry=[shapely.LineString([(106, 29), (107, 30)])] * 2, crs=4490))
    with contextlib.closing(sqlite3.connect(path)) as base:
        for (trigger,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            base.execute(f'DROP TRIGGER "{trigger}"')
        [(blob,)] = base.execute("SELECT geom FROM a WHERE fid = 1").fetchall()
        at = blob.rindex(struct.pack("<I", 2) + struct.pack("<d", 106))
        base.execute("UPDATE a SET geom = ? WHERE fid = 1", [blob[:at] + b"\xff\xff\xff\x7f" + blob[at + 4 :]])
        base.execute("UPDATE a SET geom = zeroblob(1000) WHERE fid = 2")
        base.commit()
    return path


def fgb_feature(path: Path) -> Path:
    put(path, points(1))
    raw = bytearray(path.read_bytes())
    raw[8:12] = struct.pack("<I", 0x7FFFFFF0)
    path.write_bytes(raw)
    return path


def tiff(path: Path) -> Path:
    with rasterio.open(path, "w", driver="GTiff", width=8, height=8, count=1, dtype="uint8", crs=4490) as out:
        out.write(np.ones((1, 8, 8), "uint8"))
    raw = bytearray(path.read_bytes())
    at = struct.unpack("<I", raw[4:8])[0]
    for n in range(struct.unpack("<H", raw[at : at + 2])[0]):
        entry = at + 2 + 12 * n
        if struct.unpack("<H", raw[entry : entry + 2])[0] in (256, 257, 278):
            raw[entry + 2 : entry + 12] = struct.pack("<HII", 4, 1, 100_000)
    path.write_bytes(raw)
    return path


def png(path: Path) -> Path:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b""))  # fmt: skip
    return path


def parquet(path: Path) -> Path:
    path.write_bytes(b"PAR1" + bytes(100) + struct.pack("<I", 0x7FFFFFF0) + b"PAR1")
    return path


def dbf(path: Path) -> Path:
    put(path.with_suffix(".shp"))
    raw = bytearray(path.read_bytes())
    raw[4:8] = struct.pack("<I", 0x7FFFFFFF)
    path.write_bytes(raw)
    path.with_suffix(".shp").unlink()
    path.with_suffix(".shx").unlink()
    return path


CLAIMS: dict[str, tuple[str, Callable[[Path], Path], int]] = {
    "length of a record": ("a.shp", shp_record, 3),
    "vertices of a line": ("a.shp", shp_vertices, 1),
    "vertices in a blob": ("a.gpkg", gpkg_blob, 2),
    "size of a FlatGeobuf header": ("a.fgb", fgb_feature, 1),
    "cells of a TIFF": ("a.tif", tiff, 1),
    "pixels of a PNG": ("a.png", png, 1),
    "size of a Parquet footer": ("a.parquet", parquet, 0),
    "rows of a dBase table": ("a.dbf", dbf, 3),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_what_headers_claim_is_not_believed(tmp_path: Path, claim: str) -> None:
    name, make, most = CLAIMS[claim]
    [file] = told(make(tmp_path / name), limits=Limits(seconds=20, memory_bytes=512 << 20))
    assert sum(layer["count"] for layer in file["layers"]) <= most
    assert "more than 0.5 GB" not in (file["error"] or ""), "memory was taken at the header's word"


def test_sparse_files_of_ten_gigabytes(tmp_path: Path) -> None:
    for name in ("a.geojson", "a.csv", "a.kml", "a.dbf", "a.shp", "a.gpkg", "a.tif", "a.asc", "a.bin"):
        with (tmp_path / name).open("wb") as out:
            out.truncate(10 << 30)
        refusal(tmp_path / name)
        (tmp_path / name).unlink()


# ---- XML ------------------------------------------------------------------------------------------------------------

BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9)
)
ROOTS = {
    "gpx": '<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><wpt lat="29" lon="106"><name>%s</name></wpt><trk><trkseg><trkpt lat="29" lon="106"/></trkseg></trk></gpx>',
    "kml": '<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><name>%s</name><Point><coordinates>106,29</coordinates></Point></Placemark></kml>',
    "gml": '<gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml"><gml:featureMember><a><n>%s</n></a></gml:featureMember></gml:FeatureCollection>',
    "tcx": '<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"><Activities><Activity><Notes>%s</Notes></Activity></Activities></TrainingCenterDatabase>',
    "osm": '<osm version="0.6"><node id="1" lat="29" lon="106"><tag k="name" v="%s"/></node></osm>',
    "html": '<html><body><svg xmlns="http://www.w3.org/2000/svg"><text>%s</text></svg><table><tr><td>点号</td><td>X</td><td>Y</td></tr><tr><td>%s</td><td>29.1</td><td>106.1</td></tr></table></body></html>',
}


class Listener(http.server.BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:  # the name is the library's
        self.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *said: Any) -> None:
        """Nothing to the terminal."""


@pytest.fixture
def listening() -> Iterator[tuple[str, list[str]]]:
    """An address of this machine, and what was asked of it."""
    Listener.asked = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", Listener.asked
        server.shutdown()


@contextlib.contextmanager
def unopened(*paths: Path) -> Iterator[None]:
    """Nobody opens these files meanwhile: the kernel tells."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    for path in paths:
        assert libc.inotify_add_watch(watch, os.fsencode(path), 0x20) >= 0
    try:
        yield
        with contextlib.suppress(BlockingIOError):
            assert not os.read(watch, 1 << 16), "a file was opened that another one points at"
    finally:
        os.close(watch)


def xml_files(folder: Path, declared: str, entity: str) -> Iterator[Path]:
    for ending, root in ROOTS.items():
        for encoding in ("utf-8", "utf-16"):
            text = f'<?xml version="1.0" encoding="{encoding}"?>{declared}{root.replace("%s", entity)}'
            path = folder / f"{encoding}.{ending}"
            path.write_bytes(text.encode(encoding))
            yield path
    for name, part, plain in (("a.xlsx", "xl/sharedStrings.xml", "sst"), ("a.docx", "word/document.xml", "w:document")):
        path = folder / name
        if plain == "sst":
            book = openpyxl.Workbook()
            book.active.append(["点号", "X", "Y"])
            book.active.append(["a", 29.1, 106.1])
            book.save(path)
        else:
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("[Content_Types].xml", "<Types/>")
                archive.writestr("word/document.xml", "<w:document/>")
        kept = {n: zipfile.ZipFile(path).read(n) for n in zipfile.ZipFile(path).namelist() if n != part}
        with zipfile.ZipFile(path, "w") as archive:
            for n, body in kept.items():
                archive.writestr(n, body)
            archive.writestr(part, f'<?xml version="1.0"?>{declared}<{plain}><si><t>{entity}</t></si></{plain}>')
        yield path


def test_entity_bombs(tmp_path: Path) -> None:
    for path in xml_files(tmp_path, BOMB + "]>", "&j;"):
        [file] = told(path, limits=Limits(seconds=20, memory_bytes=1 << 30))
        assert "aaaaaaaaaaaaaaaaaaaa" not in json.dumps(file), path.name
        assert not re.search("within 20 seconds|of memory", file["error"] or ""), path.name


def test_external_entities_read_nothing(tmp_path: Path, listening: tuple[str, list[str]]) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    address, asked = listening
    declared = (
        f'<!DOCTYPE x SYSTEM "{address}/a.dtd" [<!ENTITY s SYSTEM "file://{secret}"><!ENTITY n SYSTEM "{address}/n">]>'
    )
    with unopened(secret):
        for path in xml_files(tmp_path, declared, "&s;&n;"):
            assert SECRET not in json.dumps(told(path)), path.name
    assert asked == []


# ---- files that point at other files --------------------------------------------------------------------------------


def pointers(secret: Path, address: str) -> dict[str, str]:
    layer = '<OGRVRTLayer name="secret"><SrcDataSource>%s</SrcDataSource></OGRVRTLayer>'
    raster = f'<VRTRasterBand dataType="Byte" band="1"><SimpleSource><SourceFilename>{secret}</SourceFilename></SimpleSource></VRTRasterBand>'
    command = f"gdal vector pipeline ! read {secret} ! write --output-format stream streamed_dataset"
    return {
        "OGR VRT": f"<OGRVRTDataSource>{layer % secret}</OGRVRTDataSource>",
        "OGR VRT behind a comment": f"\ufeff<!-- <kml> -->\n<OGRVRTDataSource>{layer % secret}</OGRVRTDataSource>",
        "OGR VRT behind a KML": f"<kml/><OGRVRTDataSource>{layer % secret}</OGRVRTDataSource>",
        "OGR VRT of an address": f"<OGRVRTDataSource>{layer % ('/vsicurl/' + address + '/a.geojson')}</OGRVRTDataSource>",
        "VRT": f'<VRTDataset rasterXSize="2" rasterYSize="2">{raster}</VRTDataset>',
        "WFS": f"<OGRWFSDataSource><URL>{address}/wfs</URL></OGRWFSDataSource>",
        "WMS": f'<GDAL_WMS><Service name="TMS"><ServerUrl>{address}/a</ServerUrl></Service></GDAL_WMS>',
        "GDALG": json.dumps({"type": "gdal_streamed_alg", "command_line": command}),
        "GDALG with features": json.dumps({"features": [], "type": "gdal_streamed_alg", "command_line": command}),
        "address": f"{address}/a.geojson",
    }


ENDINGS = ["kml", "gml", "geojson", "json", "geojsonl", "topojson", "shp", "dxf", "mif", "tab", "csv", "gpkg", "osm", "pbf",
           "dbf", "gpx", "tcx", "tif", "img", "asc", "html", "xlsx", "gdb", "vrt", "svg"]  # fmt: skip


def readable(path: Path) -> str:
    """What looking at a file says, in this process: a report, or the sentence."""
    try:
        return json.dumps(inspection.look(path, Asked()).as_dict(), default=str)
    except RivergisError as error:
        return error.sentence


def test_files_that_only_point_elsewhere_are_not_followed(tmp_path: Path, listening: tuple[str, list[str]]) -> None:
    secret = put(tmp_path / "secret.geojson", points(name=[SECRET] * 3))
    address, asked = listening
    with unopened(secret):
        for pointer, text in pointers(secret, address).items():
            for ending in ENDINGS:
                path = tmp_path / f"a.{ending}"
                path.write_text(text)
                assert SECRET not in readable(path), (pointer, ending)
                path.unlink()
    assert asked == []


def test_pointers_in_other_encodings_and_archives(tmp_path: Path) -> None:
    secret = put(tmp_path / "secret.geojson", points(name=[SECRET] * 3))
    text = pointers(secret, "http://127.0.0.1:9")["OGR VRT"]
    with unopened(secret):
        for encoding in ("utf-16", "utf-16-le", "utf-7", "utf-32"):
            (tmp_path / "a.kml").write_bytes(
                f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding)
                if encoding != "utf-7"
                else b'<?xml version="1.0" encoding="utf-7"?><kml/>+ADw-OGRVRTDataSource>' + text[18:].encode()
            )
            assert SECRET not in readable(tmp_path / "a.kml")
        (tmp_path / "a.geojson").write_bytes(text.replace("OGRVRT", "OGR\0VRT").encode())
        assert SECRET not in readable(tmp_path / "a.geojson")
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("a.pbf", text)
            archive.writestr("b.topojson", text)
        assert SECRET not in readable(tmp_path / "a.zip")


SIDE: dict[str, Callable[[Path, str], str]] = {
    "a.vrt": lambda secret, _: (
        f'<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>{secret}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
    ),
    "a.csvt": lambda secret, _: f'"{secret}"',
    "a.gfs": lambda secret, _: f'<GMLFeatureClassList><schemaLocation href="{secret}"/></GMLFeatureClassList>',
    "a.xsd": lambda secret, address: (
        f'<schema xmlns="http://www.w3.org/2001/XMLSchema"><include schemaLocation="{secret}"/>'
        f'<import schemaLocation="{address}/b.xsd"/></schema>'
    ),
}
GML = (
    '<ogr:FeatureCollection xmlns:ogr="http://ogr.maptools.org/" xmlns:gml="http://www.opengis.net/gml" '
    'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:schemaLocation="http://ogr.maptools.org/ {where}"><gml:featureMember><ogr:a fid="1"><ogr:shape xlink:href="{link}">'
    '<gml:Point srsName="EPSG:4490"><gml:pos>29 106</gml:pos></gml:Point></ogr:shape><ogr:n xlink:href="{link}">x</ogr:n>'
    "</ogr:a></gml:featureMember></ogr:FeatureCollection>"
)
LINKED_KML = """<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Style id="s"><IconStyle><Icon><href>{link}</href></Icon></IconStyle></Style>
<NetworkLink><Link><href>{link}</href></Link></NetworkLink><GroundOverlay><Icon><href>{link}</href></Icon></GroundOverlay>
<Placemark><styleUrl>{link}#s</styleUrl><ExtendedData><SchemaData schemaUrl="{link}#x"><SimpleData name="a">1</SimpleData></SchemaData></ExtendedData>
<Point><coordinates>106,29</coordinates></Point></Placemark></Document></kml>"""


def test_links_and_side_files_are_not_followed(tmp_path: Path, listening: tuple[str, list[str]]) -> None:
    secret = put(tmp_path / "secret.kml", points(name=[SECRET] * 3))
    address, asked = listening
    for name, text in SIDE.items():
        (tmp_path / name).write_text(text(secret, address))
    (tmp_path / "a.csv").write_text("id,经度,纬度\n1,106.5,29.5\n")
    schemas = [
        str(secret),
        f"{address}/a.xsd",
        f"{address}/?service=WFS&amp;request=DescribeFeatureType&amp;typename=a",
    ]
    with unopened(secret):
        before = sorted(p.name for p in tmp_path.iterdir())
        assert SECRET not in readable(tmp_path / "a.csv")
        for where in schemas:
            for link in (f"{address}/b.gml#x", f"file://{secret}#x"):
                (tmp_path / "a.gml").write_text(GML.format(where=where, link=link))
                assert SECRET not in readable(tmp_path / "a.gml")
                (tmp_path / "a.kml").write_text(LINKED_KML.format(link=link))
                assert SECRET not in readable(tmp_path / "a.kml")
        assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*before, "a.gml", "a.kml"]), "a file was written"
    assert asked == []


def test_databases_hold_only_what_is_in_them(tmp_path: Path) -> None:
    """Virtual tables read other files, triggers write, views call functions: what only exists elsewhere is refused."""
    secret = put(tmp_path / "secret.shp", points(name=[SECRET] * 3))
    stem = secret.with_suffix("")
    virtual = {
        "shape": f"CREATE VIRTUAL TABLE w USING VirtualShape('{stem}', UTF-8, 4490)",
        "quoted": f'CREATE /* */ VIRTUAL -- x\n TABLE "w" USING/**/"VirtualDbf"(\'{stem}.dbf\', UTF-8)',
        "ogr": f"CREATE VIRTUAL TABLE w USING VirtualOGR('{secret}')",
        "view": f"CREATE VIEW w AS SELECT load_extension('{secret}') AS n",
        "function": f"CREATE VIEW w AS SELECT CastToText(BlobFromFile('{stem}.dbf')) AS n",
    }
    with unopened(secret, stem.with_suffix(".dbf")):
        for ending in (".gpkg", ".sqlite"):
            for label, sql in virtual.items():
                path = put(tmp_path / f"{label}{ending}") if ending == ".gpkg" else tmp_path / f"{label}{ending}"
                with contextlib.closing(sqlite3.connect(path)) as base:
                    base.execute("PRAGMA writable_schema = ON")
                    kind = "view" if " VIEW " in sql else "table"
                    base.execute("INSERT INTO sqlite_master VALUES (?, 'w', 'w', 0, ?)", [kind, sql])
                    if ending == ".gpkg":
                        base.execute("INSERT INTO gpkg_contents(table_name, data_type, identifier, srs_id) VALUES ('w', 'attributes', 'w', 0)")  # fmt: skip
                    base.commit()
                assert SECRET not in readable(path), (label, ending)
    assert told(put(tmp_path / "a.gpkg"))[0]["error"] is None, "its own index is a virtual table too"


@pytest.mark.parametrize("name", ["a.tif.ovr", "a.tif.msk", "a.ovr", "a.tif.aux.xml"])
def test_what_lies_beside_a_raster_leads_nowhere(tmp_path: Path, name: str) -> None:
    secret, path = tmp_path / "secret.tif", tmp_path / "a.tif"
    tiff_of_one(secret)
    place = rasterio.transform.from_origin(106, 30, 0.001, 0.001)
    with rasterio.open(path, "w", driver="GTiff", width=600, height=600, count=1, dtype="uint8", crs=4490, transform=place) as out:  # fmt: skip
        out.write(np.arange(360_000).reshape(1, 600, 600).astype("uint8"))
    pointing = pointers(secret, "http://127.0.0.1:9")["VRT"]
    if name.endswith(".xml"):
        pointing = f'<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{secret}</MDI></Metadata></PAMDataset>'  # fmt: skip
    (tmp_path / name).write_text(pointing)
    with unopened(secret):
        assert json.loads(readable(path))["error"] is None


@pytest.mark.parametrize(("name", "part"), [("a.tif", "a.tif.aux.xml"), ("a.tif", "a.tfw"), ("a.shp", "a.dbf"), ("a.tab", "a.map"), ("a.gml", "a.xsd")])  # fmt: skip
def test_a_part_that_is_a_pipe_is_not_waited_for(tmp_path: Path, name: str, part: str) -> None:
    path = tmp_path / name
    if name == "a.tif":
        tiff_of_one(path)
    elif name == "a.gml":
        path.write_text(GML.format(where="x", link="y"))
    else:
        put(path)
    (tmp_path / part).unlink(missing_ok=True)
    os.mkfifo(tmp_path / part)
    [file] = told(path, limits=Limits(seconds=10))
    assert "within 10 seconds" not in (file["error"] or "")


def test_a_geodatabase_of_pipes_and_devices(tmp_path: Path) -> None:
    for n, make in enumerate((os.mkfifo, lambda p: p.symlink_to("/dev/zero"), lambda p: p.symlink_to(p))):
        folder = tmp_path / f"{n}.gdb"
        folder.mkdir()
        make(folder / "a00000001.gdbtable")
        assert "pipes, devices or broken links" in refusal(folder)


def test_a_mapinfo_view_of_other_tables(tmp_path: Path) -> None:
    secret = put(tmp_path / "secret.tab", points(name=[SECRET] * 3))
    (tmp_path / "a.tab").write_text(f'!table\n!version 100\nOpen Table "{secret}" Hide\nCreate View a As\nSelect name\nFrom secret\n')  # fmt: skip
    with unopened(secret):
        assert "only joins other tables" in refusal(tmp_path / "a.tab")


# ---- coordinates ----------------------------------------------------------------------------------------------------

WILD = [float("nan"), float("inf"), -float("inf"), 1e308, -1e308, 5e-324]


@pytest.mark.parametrize("name", ["a.shp", "a.gpkg", "a.fgb", "a.geojson", "a.parquet", "a.kml", "a.gml", "a.mif", "a.tab", "a.dxf", "a.csv"])  # fmt: skip
def test_numbers_that_are_no_places(tmp_path: Path, name: str) -> None:
    shapes = [
        shapely.Point(106.5, 29.5),
        *(shapely.LineString([(x, 29.5), (106.6, y)]) for x in WILD for y in WILD[:3]),
    ]
    if name != "a.dxf":
        shapes = [shapely.Point(106.5, 29.5), *(shapely.Point(x, y) for x in WILD for y in WILD)]
    path = tmp_path / name
    if name == "a.csv":
        rows = "".join(f"{i},{s.x},{s.y}\n" for i, s in enumerate(shapes))
        path.write_text("id,经度,纬度\n" + rows)
    elif name == "a.geojson":
        found = [f'{{"type":"Feature","properties":{{"i":{i}}},"geometry":{{"type":"Point","coordinates":[{s.x},{s.y}]}}}}' for i, s in enumerate(shapes)]  # fmt: skip
        path.write_text('{"type":"FeatureCollection","features":[' + ",".join(found) + "]}")
    else:
        frame = gpd.GeoDataFrame({"i": range(len(shapes))}, geometry=shapes, crs=4490)
        try:
            put(path, frame.drop(columns="i") if name == "a.dxf" else frame)
        except (RuntimeError, ValueError, pyogrio.errors.FeatureError) as error:
            pytest.skip(f"cannot be written: {error}")
    [file] = told(path)
    for layer in file["layers"]:
        assert layer["count"] <= len(shapes)
        extent = layer["extent_4490"]
        assert extent is None or (np.abs(extent) <= 180).all()


def test_a_million_vertices_in_one_feature(tmp_path: Path) -> None:
    angle = np.linspace(0, 2 * np.pi, 1_000_000)
    ring = np.column_stack([106.5 + np.cos(angle) / 100, 29.5 + np.sin(angle) / 100])
    frame = gpd.GeoDataFrame({"a": [1, 2]}, geometry=[shapely.Polygon(ring), shapely.box(106.5, 29.5, 106.51, 29.51)], crs=4490)  # fmt: skip
    path = put(tmp_path / "a.gpkg", frame)
    [file] = told(path)
    assert (file["error"], file["layers"][0]["count"]) == (None, 2)
    [file] = told(path, limits=Limits(seconds=30, vertices=100_000))
    assert "too_many_vertices" in codes(file)


@pytest.mark.parametrize("name", ["a.geojson", "a.geojsonl", "a.topojson", "a.json"])
@pytest.mark.parametrize("deep", ["[", '{"a":', '[{"a":'])
def test_json_a_hundred_thousand_deep(tmp_path: Path, name: str, deep: str) -> None:
    close = {"[": "]", '{"a":': "}", '[{"a":': "}]"}[deep]
    nest = deep * 100_000 + "1" + close * 100_000
    for text in (
        '{"type":"FeatureCollection","features":' + nest + "}",
        '{"type":"Feature","geometry":{"type":"Point","coordinates":[106,29]},"properties":{"a":' + nest + "}}",
        nest,
    ):
        (tmp_path / name).write_text(text)
        refusal(tmp_path / name)


# ---- files that change ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.geojson", "a.csv", "a.gpkg", "a.shp", "a.tif", "a.zip", "a.gpx"])
def test_a_file_that_is_rewritten_while_it_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "a.tif":
        tiff(path)
    elif name == "a.csv":
        path.write_text("id,经度,纬度\n" + "1,106.5,29.5\n" * 5000)
    elif name == "a.gpx":
        fix = '<trkpt lat="29.5" lon="106.5"/>'
        path.write_text(f"<gpx><trk><trkseg>{fix * 3000}</trkseg></trk></gpx>")
    elif name == "a.zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(put(tmp_path / "in.geojson", points(2000)), "in.geojson")
    else:
        put(path, points(3000))
    whole, over = path.read_bytes(), threading.Event()

    def rewrite() -> None:
        n = 0
        while not over.wait(0.001):
            n += 1
            path.write_bytes(whole[: len(whole) * (n % 7 + 1) // 8] if n % 2 else whole)

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        for _ in range(4):
            [file] = told(path)
            assert all(layer["count"] <= 5000 for layer in file["layers"])
    finally:
        over.set()
        writer.join()


# ---- texts ----------------------------------------------------------------------------------------------------------


def steering_file(folder: Path) -> Path:
    feature = {
        "type": "Feature",
        "properties": {f"a{STEERING}": f"v{STEERING}", "tags": "[/bold][red]:smile:<script>alert(1)</script>"},
        "geometry": {"type": "Point", "coordinates": [106.5, 29.5]},
    }
    path = folder / f"n{STEERING}[b].geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "name": f"l{STEERING}", "features": [feature]}))
    return path


def unsteered(text: str) -> bool:
    return legible(text, keep="\n\t") == text


def test_nothing_of_a_file_steers_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = steering_file(tmp_path)
    empty = tmp_path / f"e{STEERING}.gpkg"
    empty.touch()
    for more in ([], ["--json"]):
        assert _run(["inspect", *more, str(tmp_path)]) == 4
        out, err = capsys.readouterr()
        assert unsteered(out) and unsteered(err)
    assert json.loads(out)[1]["layers"][0]["fields"][0]["name"] == f"a{STEERING}", "JSON says the same as ever"
    assert _run(["inspect", str(path.with_name(f"missing{STEERING}"))]) == 3
    assert unsteered("".join(capsys.readouterr()))


@pytest.mark.parametrize("ending", [".html", ".json", ".xlsx"])
def test_reports_show_what_is_not_seen(tmp_path: Path, ending: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    steering_file(folder)
    with contextlib.suppress(OSError):
        shutil.copy(put(tmp_path / "b.geojson"), os.fsencode(folder) + b"/\xff\xfe\xb1.geojson")
    out = tmp_path / f"report{ending}"
    intake_report.write_inspection(inspection.inspect([folder], asked=Asked(), limits=QUICK).as_list(), out)
    if ending == ".xlsx":
        cells = [c for s in openpyxl.load_workbook(out) for row in s.iter_rows(values_only=True) for c in row if isinstance(c, str)]  # fmt: skip
        assert all(map(unsteered, cells)) and any("\\u001b" in c for c in cells)
    else:
        assert (
            unsteered(out.read_text()) and "<script>alert" not in out.read_text().replace("\\", "")
        ) or ending == ".json"


@pytest.mark.parametrize("name", ["a\nb", "a'b\"c", "-x", "--help", "x" * 240, "a!b", "a?b", "a;b", "file:x", "WFS:x", "zip:a", "%s%n", " a ", "河道 成果", "$(id)", "a#b", "a&b", "~", "a\\b"])  # fmt: skip
@pytest.mark.parametrize("ending", [".geojson", ".gpkg", ".shp", ".tif", ".csv"])
def test_names_are_nothing_but_names(tmp_path: Path, name: str, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """GDAL takes some names for addresses of something else: of another file, above all."""
    monkeypatch.chdir(tmp_path)
    made, path = tmp_path / "made" / f"plain{ending}", Path(f"{name}{ending}")
    made.parent.mkdir()
    if ending == ".tif":
        tiff_of_one(made)
    elif ending == ".csv":
        made.write_text("id,经度,纬度\n1,106.5,29.5\n")
    else:
        put(made, points(1))
    for part in made.parent.iterdir():
        part.rename(path.with_suffix(part.suffix))
    [file] = told(path)
    assert file["error"] is None and file["layers"][0]["count"] == 1, file["error"]


def tiff_of_one(path: Path) -> None:
    place = rasterio.transform.from_origin(106, 30, 0.1, 0.1)
    with rasterio.open(path, "w", driver="GTiff", width=4, height=4, count=1, dtype="uint8", crs=4490, transform=place) as out:  # fmt: skip
        out.write(np.arange(16, dtype="uint8").reshape(1, 4, 4))


def test_names_that_are_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (b"\xff\xfe\xb1.geojson", b"\xba\xd3.csv"):
        shutil.copy(put(tmp_path / "b.geojson"), os.fsencode(tmp_path) + b"/" + name)
    (tmp_path / "b.geojson").unlink()
    assert _run(["inspect", "--json", str(tmp_path)]) in (0, 4)
    found = json.loads(capsys.readouterr().out)
    assert len(found) == 2 and found[0]["file"].isprintable() is False


# ---- what is no file ------------------------------------------------------------------------------------------------


def test_folders_that_loop_and_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "self.gpkg").symlink_to(tmp_path / "self.gpkg")
    (tmp_path / "zero.geojson").symlink_to("/dev/zero")
    (tmp_path / "empty.kml").touch()
    os.mkfifo(tmp_path / "pipe.csv")
    put(tmp_path / "good.gpkg")
    files = {
        Path(f["file"]).name: f["error"] for f in told(tmp_path, Path("/dev/zero"), Path("y" * 5000), Path("a\0b"))
    }
    assert files.pop("good.gpkg") is None
    assert len(files) >= 7 and all(files.values()), files


def bad_disk(folder: Path) -> None:
    """Thirty files nobody can read, and five good ones."""
    for n in range(10):
        (folder / f"empty{n}.shp").touch()
        (folder / f"noise{n}.gpkg").write_bytes(bytes(range(256)) * n + b"SQLite format 3\0"[n:])
        (folder / f"cut{n}.geojson").write_text('{"type":"FeatureCollection","features":[' + "[" * n)
    for n, ending in enumerate((".gpkg", ".geojson", ".fgb", ".csv", ".kml")):
        path = folder / f"good{n}{ending}"
        if ending == ".csv":
            path.write_text("点号,经度,纬度\n1,106.5,29.5\n")
        else:
            put(path)


def test_a_disk_of_bad_files_with_five_good_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad_disk(tmp_path)
    assert _run(["inspect", "--json", str(tmp_path)]) == 4
    files = json.loads(capsys.readouterr().out)
    good = {Path(f["file"]).name[:4] for f in files if f["error"] is None and f["layers"][0]["count"]}
    assert len(files) == 35 and good == {"good"}
    assert sum(f["error"] is None for f in files) == 5


# ---- what the user types --------------------------------------------------------------------------------------------

NONSENSE = ["EPSG:99999", "+proj=pipeline +step +proj=axisswap +order=2,1", "+init=epsg:4490", "http://127.0.0.1:9/4490",
            "x" * 10_000, "EPSG:-1", "EPSG:4490; DROP TABLE river", "\x1b[31m", "\0", "/etc/passwd", "@/etc/passwd", "", "中文", "EPSG:4979"]  # fmt: skip


@pytest.mark.parametrize("option", ["--crs", "--encoding", "--layer", "--datum"])
@pytest.mark.parametrize("value", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_for_an_option_is_one_sentence(
    tmp_path: Path, option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = put(tmp_path / "a.shp")
    code = _run(["inspect", str(path), option, value])
    out, err = capsys.readouterr()
    assert code in (0, 2, 3), (code, out, err)
    assert "Traceback" not in out + err and unsteered(out + err)
    assert option == "--datum" or len(out + err) < 8000, "what was typed is not said back without end"
    if option in ("--encoding", "--layer", "--datum") and value:
        assert code != 0, "nobody has a layer, encoding or datum of that name"


# ---- limits ---------------------------------------------------------------------------------------------------------


def test_every_limit_is_a_setting_and_stands_in_the_table() -> None:
    table = (Path(__file__).resolve().parents[2] / "docs" / "limits.md").read_text(encoding="utf-8")
    for name, default in vars(Limits()).items():
        assert f"| `RIVERGIS_MAX_{name.upper()}` |" in table and f"| {default}" in table, name
        assert vars(Limits.of(load({f"RIVERGIS_MAX_{name.upper()}": "7"}).max_limits))[name] == 7


@pytest.mark.parametrize("value", ["abc", "-1", "0", "1.5", "²", "1e9", "9" * 30, "７"])
def test_a_limit_that_is_no_number_is_said(value: str) -> None:
    with pytest.raises(UsageError, match="RIVERGIS_MAX_SECONDS"):
        Limits.of(load({"RIVERGIS_MAX_SECONDS": value}).max_limits)


def test_limits_reach_inspect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = put(tmp_path / "a.gpkg")
    monkeypatch.setenv("RIVERGIS_MAX_FIELDS", "1")
    assert _run(["inspect", str(put(path, points(b=[1, 2, 3])))]) == 3
    assert "more than 1" in capsys.readouterr().out
    monkeypatch.setenv("RIVERGIS_MAX_FEILDS", "1")
    assert _run(["inspect", str(path)]) == 2
    assert "no limit 'feilds'" in capsys.readouterr().err


def test_a_file_that_breaks_its_reader_is_refused_at_the_import_too(tmp_path: Path) -> None:
    """An import reads in the same guarded process: a file too large for it is one sentence, not the end."""
    path = put(tmp_path / "a.geojson")
    with path.open("ab") as out:
        out.write(b" " * (96 << 20))
    with pytest.raises(InputError, match="of memory"):
        vector.open_layers(path, Asked(), limits=Limits(memory_bytes=32 << 20))


SLOW = {
    "features in one line": ("a.geojson", '{"type":"Feature",' * 40_000),
    "features in one line, closed": ("b.geojson", '{"type":"Feature"}' * 40_000 + "\n{"),
    "comments of a drawing": ("a.dxf", "999\n\n\n\n" * 50_000),
    "letters": ("a.igc", "A" * 700_000),
    "comments": ("a.kml", "<!-- " * 150_000),
    "instructions": ("b.kml", "<?x " * 150_000),
    "brackets in texts": ("c.geojson", '{"features":"' + '\\"[' * 200_000),
}


@pytest.mark.parametrize("slow", SLOW)
def test_no_pattern_runs_for_ever(tmp_path: Path, slow: str) -> None:
    """Recognising is not guarded: a text made for it must not make it spin."""
    name, text = SLOW[slow]
    (tmp_path / name).write_text(text)
    refusal(tmp_path / name, Limits(seconds=20))
    assert "within 20 seconds" not in refusal(tmp_path / name, Limits(seconds=20))


# ---- found by mutation ----------------------------------------------------------------------------------------------


def test_a_schema_that_is_no_text(tmp_path: Path) -> None:
    path = put(tmp_path / "a.gpkg")
    with contextlib.closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA writable_schema = ON")
        base.execute("UPDATE sqlite_master SET sql = CAST(X'435245415445205441424C4520FFFE' AS TEXT) WHERE name = 'a'")
        base.commit()
    assert readable(path).startswith("a.gpkg cannot be")


@pytest.mark.parametrize("ending", [".asc", ".tif"])
def test_a_system_that_is_not_in_utf8(tmp_path: Path, ending: str) -> None:
    """A grid whose .prj came from a Chinese program is still a grid; what it says of its system is judged."""
    path = tmp_path / f"a{ending}"
    if ending == ".tif":
        tiff_of_one(path)
        path.write_bytes(path.read_bytes().replace(b"China Geodetic", b"China \xff\xfe\xfdodetic"))
        assert told(path)[0]["error"] is None or "cannot be read as an image" in refusal(path)
        return
    path.write_text("ncols 2\nnrows 2\nxllcorner 500000\nyllcorner 3260000\ncellsize 10\n1 2\n3 4\n")
    path.with_suffix(".prj").write_bytes('PROJCS["地方独立坐标系",GEOGCS["北京54"'.encode("gbk"))
    [file] = told(path)
    assert file["error"] is None and file["layers"][0]["crs"]["verdict"] in ("suspected", "refused")


def test_the_command_has_no_drivers_that_point_elsewhere() -> None:
    script = (
        "from rivergis.cli import main\n"
        "try:\n    main(['--version'])\nexcept SystemExit:\n    pass\n"
        "import pyogrio, rasterio\n"
        "with rasterio.Env() as env:\n    print({*pyogrio.list_drivers(), *env.drivers()})\n"
    )
    env = {k: v for k, v in os.environ.items() if k != "GDAL_SKIP"}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert "'GPKG'" in done.stdout and "'GTiff'" in done.stdout and done.stderr == ""
    assert not re.search("'(OGR_VRT|VRT|GDALG|HTTP|WFS|WMS|GPSBabel)'", done.stdout)
