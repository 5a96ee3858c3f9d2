"""Every reader under mutation: whatever bytes change, looking at the file ends in a sound report or in one sentence.

``RIVERGIS_FUZZ_SECONDS=600 pytest tests/intake/test_fuzz.py`` runs that long with new mutants instead of the same few.
"""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import struct
import time
import traceback
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import docx
import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import rasterio
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from rivergis.errors import InputError, RivergisError
from rivergis.intake import inspection
from rivergis.intake.delivery import Asked
from rivergis.intake.guard import guarded
from rivergis.intake.limits import Limits
from tests.intake import test_track_formats as tracks

FUZZ_S = float(os.environ.get("RIVERGIS_FUZZ_SECONDS") or 0)
BOUNDED = Limits(seconds=60, memory_bytes=2 << 30)
COUNT = 4
Parts = dict[str, bytes]
"""A delivery: name of a file -> its bytes, the one to look at first."""

# ---- one small sound file of every format ---------------------------------------------------------------------------


def _frame() -> gpd.GeoDataFrame:
    ring = [(106.5, 29.5), (106.6, 29.5), (106.6, 29.6), (106.5, 29.6)]
    areas = [shapely.Polygon([(x + i / 10, y) for x, y in ring]) for i in range(COUNT)]
    return gpd.GeoDataFrame({"名称": ["甲", "乙", "丙丁", ""], "n": [1, -2, 3, 4], "v": [0.5, 1e9, -1, 0]}, geometry=areas, crs=4490)  # fmt: skip


def _vector(folder: Path, ending: str) -> Parts:
    frame = _frame()
    if ending == ".parquet":
        frame.to_parquet(folder / "a.parquet")
    elif ending == ".dxf":
        frame.geometry.to_frame().to_file(folder / "a.dxf", engine="pyogrio")
    else:
        how = {".shp": {"encoding": "GBK"}, ".kml": {"driver": "KML"}}.get(ending, {})
        frame.to_file(folder / f"a{ending}", engine="pyogrio", **how)
    order = sorted(folder.iterdir(), key=lambda p: p.suffix != ending)
    return {p.name: p.read_bytes() for p in order}


def _zipped(folder: Path, inside: str) -> Parts:
    """A KMZ of a KML, a ZIP of a FileGDB or Shapefile."""
    how = {".gdb": {"driver": "OpenFileGDB"}, ".kml": {"driver": "KML"}}.get(inside, {})
    _frame().to_file(folder / f"doc{inside}", engine="pyogrio", **how)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(path, path.relative_to(folder))
    return {"a.kmz" if inside == ".kml" else "a.zip": out.getvalue()}


ROWS: list[list[Any]] = [["点号", "X", "Y", "备注"], *(["J" + str(i), 3266000.5 + i, 450000.25 + i, "界桩"] for i in range(COUNT))]  # fmt: skip


def _csv(folder: Path) -> Parts:
    return {"a.csv": "\n".join(",".join(map(str, r)) for r in ROWS).encode("gbk")}


def _xlsx(folder: Path) -> Parts:
    book = openpyxl.Workbook()
    for row in ROWS:
        book.active.append(row)
    book.save(folder / "a.xlsx")
    return {"a.xlsx": (folder / "a.xlsx").read_bytes()}


def biff8(rows: list[list[Any]]) -> bytes:
    """The records of an old workbook with one sheet."""

    def record(kind: int, body: bytes) -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    def begin(kind: int) -> bytes:
        return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0, 1997, 0, 0))

    cells = b""
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            place = struct.pack("<HHH", r, c, 0)
            if isinstance(value, str):
                cells += record(0x0204, place + struct.pack("<HB", len(value), 0) + value.encode("ascii"))
            else:
                cells += record(0x0203, place + struct.pack("<d", value))
    sheet = begin(0x0010) + cells + record(0x000A, b"")
    at = len(begin(5)) + 4 + 8 + 4 + 4
    return begin(5) + record(0x0085, struct.pack("<IBBBB", at, 0, 0, 4, 0) + b"Data") + record(0x000A, b"") + sheet


def _xls(folder: Path) -> Parts:
    """A stream of records in a compound file: a sector of allocation, one of directory, and the stream."""
    rows = [["No", "X", "Y"], *([i, 3266000.5 + i, 450000.25 + i] for i in range(COUNT))]
    stream = biff8(rows).ljust(4096, b"\0")
    chain = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, 10), 0xFFFFFFFE]
    head = struct.pack("<8s16sHHHHH6xIIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, 0)  # fmt: skip
    table = struct.pack("<128I", *chain, *[0xFFFFFFFF] * (128 - len(chain)))

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = (name + "\0").encode("utf-16-le")
        return struct.pack("<64sHBBIII36xIQ", text, len(text), kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child, start, size)

    directory = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry("Workbook", 2, 0xFFFFFFFF, 2, len(stream)) + bytes(256)
    return {"a.xls": (head + b"\xff" * 432)[:508].ljust(512, b"\xff") + table + directory + stream}


def _docx(folder: Path) -> Parts:
    document = docx.Document()
    document.add_paragraph("坐标系:2000国家大地坐标系,中央子午线105")
    table = document.add_table(0, len(ROWS[0]))
    for row in ROWS:
        for cell, value in zip(table.add_row().cells, row, strict=True):
            cell.text = str(value)
    document.save(str(folder / "a.docx"))
    return {"a.docx": (folder / "a.docx").read_bytes()}


def _html(folder: Path) -> Parts:
    body = "".join("<tr>" + "".join(f"<td>{v}</td>" for v in r) + "</tr>" for r in ROWS)
    return {"a.html": f"<html><meta charset=utf-8><table>{body}</table></html>".encode()}


def _raster(folder: Path, ending: str) -> Parts:
    driver = {".tif": "GTiff", ".img": "HFA", ".asc": "AAIGrid"}[ending]
    place = rasterio.transform.from_origin(106.5, 29.6, 0.001, 0.001)
    cells = np.arange(256, dtype="int16").reshape(1, 16, 16)
    how = {"width": 16, "height": 16, "count": 1, "dtype": "int16", "crs": 4490, "transform": place}
    with rasterio.open(folder / f"a{ending}", "w", driver=driver, **how) as out:
        out.write(cells)
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir(), key=lambda p: p.suffix != ending)}


def _height(folder: Path) -> Parts:
    return {"N29E106.hgt": np.full((1201, 1201), 260, ">i2").tobytes()}


def _picture(folder: Path, ending: str) -> Parts:
    picture = Image.fromarray(np.arange(48 * 48 * 3, dtype="uint8").reshape(48, 48, 3))
    exif = Image.Exif()
    exif[0x0132] = "2026:05:20 09:00:00"
    exif.get_ifd(0x8825).update({1: "N", 2: (29.0, 30.0, 15.5), 3: "E", 4: (106.0, 30.0, 15.5), 6: 230.5})
    picture.save(folder / f"a{ending}", exif=exif)
    return {f"a{ending}": (folder / f"a{ending}").read_bytes()}


SEEDS: dict[str, Callable[[Path], Parts]] = {
    **{e: (lambda f, e=e: _vector(f, e)) for e in (".shp", ".gpkg", ".geojson", ".geojsonl", ".fgb", ".parquet", ".kml", ".gml", ".tab", ".mif", ".dxf")},
    **{f"{e} zipped": (lambda f, e=e: _zipped(f, e)) for e in (".kml", ".gdb", ".shp")},
    ".csv": _csv, ".xlsx": _xlsx, ".xls": _xls, ".docx": _docx, ".html": _html,
    **{f".{n}": (lambda _, n=n: {f"a.{n}": getattr(tracks, n)(COUNT)}) for n in ("gpx", "tcx", "nmea", "igc", "fit")},
    "track.kml": lambda _: {"a.kml": tracks.kml(COUNT)},
    "track.csv": lambda _: {"a.csv": tracks.csv(COUNT)},
    "track.json": lambda _: {"a.json": tracks.app_json(COUNT)},
    **{e: (lambda f, e=e: _raster(f, e)) for e in (".tif", ".img", ".asc")},
    ".hgt": _height,
    **{e: (lambda f, e=e: _picture(f, e)) for e in (".jpg", ".png")},
}  # fmt: skip


@cache
def seed(kind: str, folder: Path) -> Parts:
    made = folder / kind.replace(" ", "-").replace(".", "_")
    made.mkdir()
    return SEEDS[kind](made)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("seeds")


# ---- mutation -------------------------------------------------------------------------------------------------------

WORDS = [0, 1, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7FFFFFF0, 1 << 20]
TEXTS = [b"", b"\0", b"<", b"]]>", b"&a;", b'"', b"{", b"[" * 50, b"1e308", b"-1e999", b"NaN", b"\xff", b"\r\n", b",", b"99999999999999999999", b"\x1b[31m", "𠮷".encode()]  # fmt: skip
OPERATIONS = ("flip", "word", "double", "cut", "end", "text", "again", "swap")
Change = tuple[str, float, float, int]
"""What to do, where (a part of the whole), with what (a second place or value), how many bytes."""

CHANGE = st.tuples(st.sampled_from(OPERATIONS), st.floats(0, 1), st.floats(0, 1), st.integers(1, 40))
MUTANT = st.tuples(st.floats(0, 1), st.lists(CHANGE, min_size=1, max_size=4))


def changed(raw: bytes, change: Change) -> bytes:
    """Bytes with one change: a bit, a length field, a number, a piece lost, put in, repeated or exchanged."""
    what, where, other, size = change
    at, second = int(where * max(len(raw) - 1, 0)), int(other * max(len(raw) - 1, 0))
    if what == "flip":
        return raw[:at] + bytes([raw[at] ^ (1 << size % 8)]) + raw[at + 1 :] if raw else raw
    if what == "word":
        value, width = WORDS[int(other * (len(WORDS) - 1))], (2, 4, 8)[size % 3]
        order = "little" if size % 2 else "big"
        put = (value & ((1 << 8 * width) - 1)).to_bytes(width, order)  # type: ignore[arg-type]  # one of the two words
        return raw[:at] + put + raw[at + width :]
    if what == "double":
        put = struct.pack("<d" if size % 2 else ">d", (np.nan, np.inf, 1e308, -1e308, 5e-324, 0.0)[size % 6])
        return raw[: at // 4 * 4] + put + raw[at // 4 * 4 + 8 :]
    if what == "cut":
        return raw[:at] + raw[at + size :]
    if what == "end":
        return raw[:at]
    if what == "text":
        return raw[:at] + TEXTS[int(other * (len(TEXTS) - 1))] + raw[at + size % 3 :]
    if what == "again":
        return raw[: at + size] + raw[at:]
    low, high = sorted((at, second))
    return raw[:low] + raw[high : high + 4] + raw[low + 4 : high] + raw[low : low + 4] + raw[high + 4 :]


def mutant(parts: Parts, which: float, changes: list[Change]) -> Parts:
    """A delivery with one of its files changed."""
    name = list(parts)[min(int(which * len(parts)), len(parts) - 1)]
    raw = parts[name]
    for change in changes:
        raw = changed(raw, change)
    return {**parts, name: raw}


# ---- the property ---------------------------------------------------------------------------------------------------


def look(folder: Path, parts: Parts) -> tuple[str, str]:
    """How looking at a delivery ended: a report as JSON, the sentence, or what nobody foresaw."""
    for name, raw in parts.items():
        (folder / name).write_bytes(raw)
    try:
        report = inspection.look(folder / next(iter(parts)), Asked(), None, BOUNDED).as_dict()
        return "report", json.dumps(report, allow_nan=False)
    except RivergisError as error:
        return "refused", error.sentence
    except BaseException:
        return "fault", traceback.format_exc()


def look_at_all(folder: Path, deliveries: list[Parts]) -> list[tuple[str, str]]:
    out = []
    for n, parts in enumerate(deliveries):
        (folder / str(n)).mkdir()
        out.append(look(folder / str(n), parts))
    return out


def outcomes(folder: Path, deliveries: list[Parts]) -> list[tuple[str, str]]:
    """All in one guarded process; where a library broke on one of them, each in its own, as the door does it."""
    try:
        return guarded(look_at_all, folder, deliveries, limits=BOUNDED, name="all")
    except InputError:
        pass
    out = []
    for n, parts in enumerate(deliveries):
        (folder / f"single{n}").mkdir()
        try:
            out.append(guarded(look, folder / f"single{n}", parts, limits=BOUNDED, name=next(iter(parts))))
        except InputError as error:
            out.append(("refused", error.sentence))
    return out


def check(kind: str, outcome: tuple[str, str]) -> None:
    how, said = outcome
    assert how != "fault", f"{kind}: {said}"
    if how == "refused":
        assert "\n" not in said and said.endswith((".", ")")) and len(said) < 1000, said
        assert "within 60 seconds" not in said and "asks for more than" not in said, f"{kind}: {said}"
        return
    for layer in json.loads(said)["layers"]:
        assert 0 <= layer["count"] <= 3 * COUNT + 10, f"{kind}: {layer['count']} features made of {COUNT}"
        assert layer["extent_4490"] is None or np.isfinite(layer["extent_4490"]).all()
        assert all(d["severity"] in ("info", "warning", "error") and d["message"] for d in layer["defects"])


@pytest.mark.parametrize("kind", SEEDS)
def test_the_sound_file_is_read(kind: str, seeds: Path, tmp_path: Path) -> None:
    how, said = look(tmp_path, seed(kind, seeds))
    assert how == "report" and json.loads(said)["layers"], said


@pytest.mark.parametrize("kind", SEEDS)
@settings(max_examples=6, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutants=st.lists(MUTANT, min_size=10, max_size=10))
def test_mutants_end_in_a_report_or_a_sentence(
    kind: str, seeds: Path, tmp_path_factory: pytest.TempPathFactory, mutants: list[Any]
) -> None:
    parts = seed(kind, seeds)
    for outcome in outcomes(tmp_path_factory.mktemp("m"), [mutant(parts, *m) for m in mutants]):
        check(kind, outcome)


KNOWN: list[tuple[str, Any]] = [
    (".fgb", (0.0, [("swap", 0.058273952890121494, 0.8241117183258783, 35)])),  # a text of negative length
]


@pytest.mark.parametrize(("kind", "known"), KNOWN)
def test_what_was_found_before(kind: str, known: Any, seeds: Path, tmp_path: Path) -> None:
    [outcome] = outcomes(tmp_path, [mutant(seed(kind, seeds), *known)])
    check(kind, outcome)


def drawn(chance: random.Random) -> tuple[float, list[Change]]:
    changes = [(chance.choice(OPERATIONS), chance.random(), chance.random(), chance.randint(1, 40)) for _ in range(chance.randint(1, 4))]  # fmt: skip
    return chance.random() ** 2, changes


@pytest.mark.skipif(not FUZZ_S, reason="set RIVERGIS_FUZZ_SECONDS to look for new faults")
def test_new_mutants_for_as_long_as_asked(seeds: Path, tmp_path: Path) -> None:
    until, n, faults = time.monotonic() + FUZZ_S, 0, []
    while time.monotonic() < until:
        for kind in SEEDS:
            n += 1
            chance = random.Random(f"{os.getpid()} {kind} {n}")
            deliveries = [mutant(seed(kind, seeds), *drawn(chance)) for _ in range(30)]
            folder = tmp_path / str(n)
            folder.mkdir()
            before = len(faults)
            for i, outcome in enumerate(outcomes(folder, deliveries)):
                try:
                    check(kind, outcome)
                except AssertionError as error:
                    faults.append(f"{kind}, file {folder}/{i}: {error}")
            if len(faults) == before:
                shutil.rmtree(folder)
    assert not faults, f"{len(faults)} faults in {n * 30} mutants\n" + "\n\n".join(faults)
