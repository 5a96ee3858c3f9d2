"""What a raster's files say before a cell is read: which kind it is, whether it can be whole, and where it claims to lie.

GDAL opens much that it should not (a grid of text that ends early is filled up with zeros, a VRT points at other files) and
leaves out what lies beside the file (a .prj of a TIFF, a world file in capitals). What is told here is told by the files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import rasterio
from pyproj import CRS
from pyproj.exceptions import CRSError

from rivergis.errors import InputError
from rivergis.intake.delivery import Declared, Defect, defect
from rivergis.intake.limits import Limits


@dataclass(frozen=True)
class Kind:
    """A kind of raster: its name, its endings, how it begins, and the only GDAL driver that may open it."""

    name: str
    endings: tuple[str, ...]
    begins: tuple[bytes, ...]
    driver: str
    world: tuple[str, ...] = (".wld",)
    """Endings of its world files."""


_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
KINDS = (
    Kind("GeoTIFF", (".tif", ".tiff", ".gtiff"), _TIFF, "GTiff", (".tfw", ".tifw", ".tiffw", ".wld")),
    Kind("ERDAS image", (".img",), (b"EHFA_HEADER_TAG",), "HFA"),
    Kind("JPEG", (".jpg", ".jpeg"), (b"\xff\xd8\xff",), "JPEG", (".jgw", ".jpgw", ".jpegw", ".wld")),
    Kind("PNG", (".png",), (b"\x89PNG\r\n\x1a\n",), "PNG", (".pgw", ".pngw", ".wld")),
    Kind("JPEG 2000", (".jp2", ".j2k"), (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"), "JP2OpenJPEG", (".j2w", ".wld")),
    Kind("ASCII grid", (".asc", ".agr"), (), "AAIGrid"),
    Kind("SRTM height", (".hgt",), (), "SRTMHGT"),
    Kind("raw grid with .hdr", (".bil", ".bip", ".bsq", ".dat", ".img", ".raw"), (), "ENVI"),
)

_ASC_KEYS = rb"(?:ncols|nrows|xll(?:corner|center)|yll(?:corner|center)|cellsize|dx|dy|nodata_value|nodata)"
_ASC = re.compile(rb"\s*" + _ASC_KEYS + rb"\s", re.IGNORECASE)
_GRASS = re.compile(rb"\s*(?:north|south|east|west|rows|cols)\s*:", re.IGNORECASE)
_HGT_NAME = re.compile(r"([NS])(\d{2})([EW])(\d{3})", re.IGNORECASE)
_HGT_BYTES = {2 * 1201 * 1201: '3"', 2 * 3601 * 3601: '1"', 2 * 1801 * 3601: '2"/1"'}
_EVIDENT_BYTES = 64 << 20
"""Below this a claim harms nobody, whatever the file's own size."""
_MOST_PACKED = 5000
"""No packing of real pictures reaches this; an empty tile of a sparse file does not count as bytes."""


def kind_of(path: Path, head: bytes) -> Kind:
    """The kind of a raster by how it begins, else by its ending; ``InputError`` for what is none or must not be opened."""
    ending = path.suffix.lower()
    if ending == ".vrt" or re.match(rb"\s*(?:<\?xml[^>]*>\s*)?<VRTDataset", head):
        raise InputError(
            f"{path.name} is a GDAL virtual raster: it only points at other files; hand in those files, or one GeoTIFF made of them.",
            file=str(path),
        )
    begun = next((k for k in KINDS if k.begins and head.startswith(k.begins)), None)
    if begun is not None:
        return begun
    named = next((k for k in KINDS if ending in k.endings and not k.begins), None)
    if named is None:
        what = next((k.name for k in KINDS if ending in k.endings), "raster that is known here")
        raise InputError(
            f"{path.name} does not begin like a {what}: it is damaged or of another kind; ask for it again as GeoTIFF.",
            file=str(path),
        )
    _named_only(path, head, named)
    return replace(named, driver=_variant(path, head, named))


def _variant(path: Path, head: bytes, kind: Kind) -> str:
    """Of two kinds under one ending the one that its heading, or the .hdr beside it, is written in."""
    if _GRASS.match(head):
        return "GRASSASCIIGrid"
    if kind.driver == "ENVI":
        beside_it = header_file(path)
        return "ENVI" if beside_it and beside_it.read_bytes()[:64].lstrip().startswith(b"ENVI") else "EHdr"
    return kind.driver


def _named_only(path: Path, head: bytes, kind: Kind) -> None:
    """Kinds without a signature: what must be so before GDAL may look."""
    if kind.name == "ASCII grid" and not (_ASC.match(head.removeprefix(b"\xef\xbb\xbf")) or _GRASS.match(head)):
        raise InputError(
            f"{path.name} is no ASCII grid: its first line is not ncols or nrows with a number; if it holds points, hand it in as .csv.",
            file=str(path),
        )
    if kind.name == "ASCII grid" and head.startswith(b"\xef\xbb\xbf"):
        raise InputError(
            f"{path.name} begins with a byte order mark, which no ASCII grid may have: save it as plain text without BOM (ANSI).",
            file=str(path),
        )
    if kind.name == "SRTM height":
        _height_tile(path)
    if kind.driver == "ENVI" and not header_file(path):
        raise InputError(
            f"{path.name} is a bare grid of numbers: the .hdr file that tells its size and place is missing; ask for it.",
            file=str(path),
        )


def _height_tile(path: Path) -> None:
    """An SRTM tile tells its place by its name and its size by its bytes; nothing else in it does."""
    size = path.stat().st_size
    if size not in _HGT_BYTES:
        known = ", ".join(f"{n:,} ({step})" for n, step in _HGT_BYTES.items())
        raise InputError(
            f"{path.name} has {size:,} bytes; a whole SRTM tile has {known}: it is cut off or of another kind, ask for it again.",
            file=str(path),
        )
    found = _HGT_NAME.match(path.name)
    if not found or int(found[2]) > 90 or int(found[4]) > 180:
        raise InputError(
            f"{path.name} does not tell its place: an SRTM tile is named after its south-west corner, as in N29E105.hgt; give it its name back.",
            file=str(path),
        )


def header_file(path: Path) -> Path | None:
    return beside(path, (".hdr",)) or next((p for p in [path.with_name(path.name + ".hdr")] if p.is_file()), None)


def beside(path: Path, endings: tuple[str, ...]) -> Path | None:
    """A file of the same name with one of these endings, in capitals or not."""
    wanted = {path.stem.lower() + e for e in endings}
    try:
        near = sorted(p for p in path.parent.iterdir() if p.name.lower() in wanted)
    except OSError:
        return None
    return next((p for p in near if p.is_file() and p.stem == path.stem), None)


def refuse_claims(path: Path, image: rasterio.DatasetReader, limits: Limits) -> None:
    """``InputError`` where the header claims far more cells than the file can hold."""
    size = max(path.stat().st_size, 1)
    claimed = image.width * image.height * sum(np.dtype(_plain(t)).itemsize for t in image.dtypes)
    if size > limits.file_bytes:
        raise InputError(
            f"{path.name} is larger than {limits.file_bytes >> 30} GB, the limit for one file.", file=str(path)
        )
    if claimed > _EVIDENT_BYTES and claimed > size * _MOST_PACKED:
        raise InputError(
            f"{path.name} claims {image.width} x {image.height} cells ({claimed / 2**30:,.1f} GB) and is {size:,} bytes: "
            "it is damaged or hostile; ask for it again.",
            file=str(path),
        )
    for height, width in image.block_shapes:
        if height * width * 8 > limits.memory_bytes // 4:
            raise InputError(
                f"{path.name} is packed in one piece of {width} x {height} cells, too large to unpack: ask for a tiled GeoTIFF (COG).",
                file=str(path),
            )


def _plain(dtype: str) -> str:
    return {"complex_int16": "int32"}.get(dtype, dtype)


def grid_text(path: Path, cells: int) -> list[Defect]:
    """Cells of an ASCII grid counted against ``cells``; GDAL silently fills up a short one and words with zeros."""
    found, strange, first = 0, 0, None
    allowed, space = _byte_tables()
    inside, offset = False, 0
    with path.open("rb") as handle:
        offset = _skip_heading(handle)
        while chunk := handle.read(1 << 24):
            data = np.frombuffer(chunk, np.uint8)
            blank = space[data]
            starts = ~blank & np.concatenate([[not inside], blank[:-1]])
            found += int(starts.sum())
            odd = np.flatnonzero(~allowed[data])
            strange += len(odd)
            if len(odd) and first is None:
                first = offset + int(odd[0])
            inside, offset = not bool(blank[-1]), offset + len(chunk)
    return _grid_defects(path, cells, found, strange, first)


def _byte_tables() -> tuple[np.ndarray, np.ndarray]:
    space, allowed = np.zeros(256, bool), np.zeros(256, bool)
    space[list(b" \t\r\n\v\f")] = True
    allowed[list(b"0123456789+-.,eE \t\r\n\v\f\x1anaNiIfF*")] = True
    return allowed, space


def _skip_heading(handle: object) -> int:
    """Move to the first line that is not a key and a value; the offset there."""
    offset = 0
    while line := handle.readline(1 << 16):  # type: ignore[attr-defined]
        if line.strip() and not (_ASC.match(line) or re.match(rb"\s*[a-z]+\s*:", line, re.IGNORECASE)):
            handle.seek(offset)  # type: ignore[attr-defined]
            return offset
        offset += len(line)
    return offset


def _grid_defects(path: Path, cells: int, found: int, strange: int, first: int | None) -> list[Defect]:
    out = []
    if strange:
        message = f"{path.name} holds characters that belong to no number, the first at byte {first}; they would be read as 0."
        out.append(
            defect(
                "cells_not_numeric", "error", message, "Ask for the grid again.", count=strange, place=f"byte {first}"
            )
        )
    if found < cells:
        message = f"{path.name} announces {cells:,} cells and holds {found:,}: it is cut off; the missing ones would be read as 0."
        out.append(defect("raster_cut_off", "error", message, "Ask for the grid again.", count=cells - found))
    elif found > cells:
        message = f"{path.name} announces {cells:,} cells and holds {found:,} numbers: its heading is not its own."
        out.append(defect("raster_size_wrong", "error", message, "Ask for the grid again.", count=found - cells))
    return out


def ending_missing(path: Path, driver: str) -> list[Defect]:
    """JPEG and PNG end with a mark of their own; GDAL fills up what is missing with grey."""
    marks = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}
    if driver not in marks:
        return []
    with path.open("rb") as handle:
        handle.seek(max(path.stat().st_size - (1 << 16), 0))
        if marks[driver] in handle.read():
            return []
    message = f"{path.name} is cut off: the mark at its end is missing."
    return [defect("raster_cut_off", "error", message, "Ask for the file again.")]


def world_file(path: Path, kind: Kind) -> tuple[rasterio.Affine | None, list[Defect]]:
    """The grid a world file gives (its numbers are of the first cell's middle), and what is wrong with the file."""
    found = beside(path, kind.world)
    if found is None:
        return None, []
    text = found.read_bytes()[:4096].decode("ascii", "replace").replace(",", ".").split()
    try:
        a, d, b, e, x, y = (float(t) for t in text[:6])
        if len(text) < 6 or not np.isfinite([a, b, d, e, x, y]).all() or a * e == b * d:
            raise ValueError
    except ValueError:
        message = f"{found.name} is no world file: it needs six numbers, one a line, that make a grid."
        return None, [
            defect("world_file_unreadable", "warning", message, "Ask for the picture with its world file again.")
        ]
    return rasterio.Affine(a, b, x - (a + b) / 2, d, e, y - (d + e) / 2), []


def declared(path: Path, image: rasterio.DatasetReader) -> Declared:
    """The coordinate system as the file, or the .prj beside it, gives it; raw text where nobody can parse it."""
    beside_it = beside(path, (".prj", ".qpj"))
    text = beside_it.read_bytes()[:65536].decode("utf-8", "replace").strip("\ufeff \r\n\0") if beside_it else ""
    if image.crs:
        from_prj = bool(text) and image.driver in {"AAIGrid", "EHdr", "GRASSASCIIGrid"}
        return Declared(image.crs.to_wkt(), "prj" if from_prj else "file")
    return Declared(_same(text), "prj") if text else Declared()


def _same(text: str) -> str:
    """A .prj's text as standard WKT where it can be parsed, else as it is."""
    try:
        return CRS.from_user_input(text).to_wkt()
    except CRSError:
        return text


def cog(image: rasterio.DatasetReader) -> tuple[bool, str]:
    """Whether a TIFF is a valid cloud-optimised one (COG), and if not, why: tiles, overviews inside, order in the file."""
    large = max(image.width, image.height) > 512
    if any(side % 16 for side in image.block_shapes[0]) or (large and image.block_shapes[0][1] == image.width):
        return False, "not tiled"
    levels = len(image.overviews(1))
    if large and not levels:
        return False, "no overviews"
    if any(p.name.lower().endswith(".ovr") for p in map(Path, image.files)):
        return False, "overviews in a file of their own"
    starts = [_offset(image, "IFD_OFFSET", n) for n in (None, *range(levels))]
    if None in starts or starts != sorted(starts, key=lambda s: s or 0):
        return False, "headers are not in order"
    data = [_offset(image, "BLOCK_OFFSET_0_0", n) for n in (None, *range(levels))]
    known = [d for d in data if d]
    if known != sorted(known, reverse=True) or (known and min(known) < max(s or 0 for s in starts)):
        return False, "data are not in order"
    return True, ""


def _offset(image: rasterio.DatasetReader, what: str, level: int | None) -> int | None:
    found = image.get_tag_item(what, "TIFF", bidx=1, ovr=level)
    return int(found) if found else None
