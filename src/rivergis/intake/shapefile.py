"""Shapefiles as they come: parts missing, lengths that lie, damaged records, text in unsaid encodings.

GDAL reads the features; what it would give up on is found out before and mended in a copy: a record that does not hold
together becomes a null shape with its feature named, a missing index is made anew. The user's files are never touched.
"""

from __future__ import annotations

import shutil
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rivergis.errors import InputError
from rivergis.intake import text
from rivergis.intake.delivery import Defect, defect

_HEADER_BYTES = 100
_NULL = struct.pack("<i", 0)
# shape type -> bytes of a point, or 0 for kinds with parts and points
_POINTS = {1: 20, 11: 36, 21: 28}
_PARTED = {3, 5, 13, 15, 23, 25, 31}
_MULTI = {8, 18, 28}
# language ids of dBase -> encoding; 0x57 (ANSI) only says "that of my Windows" and counts as silence
_LANGUAGES = {
    0x01: "cp437", 0x02: "cp850", 0x03: "cp1252", 0x4D: "gb18030", 0x4F: "big5", 0x58: "cp1252", 0x59: "cp1252",
    0x78: "big5", 0x7A: "gb18030", 0x13: "cp932", 0x7B: "cp932", 0x65: "cp866", 0xC9: "cp1251", 0xC8: "cp1250", 0x64: "cp852",
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """Header of a .dbf: how many records it claims, its language id and its fields (raw name, type, width in bytes)."""

    records: int
    language: int
    header_bytes: int
    record_bytes: int
    fields: tuple[tuple[bytes, str, int], ...]


@dataclass
class Shapefile:
    """A Shapefile brought into a state GDAL reads whole: ``place`` is a .shp (or lone .dbf) in a folder of ours."""

    place: Path
    table: Table | None
    prj: str | None = None
    declared: str | None = None
    """Encoding as the .cpg or the language id says it, and ``how``."""
    how: str = ""
    damaged: frozenset[int] = frozenset()
    """Features whose record does not hold together; they have no shape."""
    defects: list[Defect] = field(default_factory=list)


def read_table(path: Path) -> Table:
    """The header of a .dbf; ``InputError`` if it is none."""
    with path.open("rb") as handle:
        raw = handle.read(32 + 32 * 2048)
    if len(raw) < 33 or raw[0] & 0x07 not in (2, 3, 5) or struct.unpack_from("<H", raw, 8)[0] < 33:
        raise InputError(f"{path.name} is no dBase table: it is damaged; ask for it again.", file=str(path))
    records, header_bytes, record_bytes = struct.unpack_from("<IHH", raw, 4)
    fields = []
    for at in range(32, min(header_bytes, len(raw)) - 31, 32):
        if raw[at] == 0x0D:
            break
        width = raw[at + 16] + (raw[at + 17] << 8 if raw[at + 11 : at + 12] == b"C" else 0)
        fields.append((raw[at : at + 11].split(b"\0")[0], chr(raw[at + 11]), width))
    return Table(records, raw[29], header_bytes, record_bytes, tuple(fields))


def parts(path: Path) -> dict[str, Path]:
    """The parts of the data set a .shp or .dbf belongs to, by ending in lower case, whatever the case of the names."""
    stem = path.stem.lower()
    found = {p.suffix.lower(): p for p in sorted(path.parent.iterdir()) if p.stem.lower() == stem and p.is_file()}
    return found | {path.suffix.lower(): path}


def prepare(path: Path, folder: Path) -> Shapefile:
    """A Shapefile (or lone .dbf) made ready in an empty ``folder``: linked where sound, mended in a copy where not.

    Defects: ``part_missing``, ``record_damaged``, ``length_wrong``. ``InputError`` if not one feature can be read.
    """
    there = parts(path)
    shown = path.name
    made = Shapefile(folder / f"layer{path.suffix.lower()}", None)
    if ".dbf" in there:
        made.table = _prepare_table(there[".dbf"], folder / "layer.dbf", made)
    else:
        made.defects.append(_missing(shown, ".dbf", "Its features have shapes but no attributes: ask for the .dbf."))
    _say_encoding(made, there.get(".cpg"))
    if path.suffix.lower() == ".dbf":
        return made
    if ".prj" in there:
        raw = _beginning(there[".prj"], 1 << 16)
        made.prj = text.find_encoding(raw).read(raw).strip("\ufeff\0 \r\n\t") or None
    _prepare_shapes(path, there.get(".shx"), folder, made)
    return made


def _beginning(path: Path, at_most: int) -> bytes:
    with path.open("rb") as handle:
        return handle.read(at_most)


def _missing(shown: str, part: str, action: str) -> Defect:
    return defect("part_missing", "warning", f"{shown} is not whole: its {part} part is missing.", action)


def _prepare_table(source: Path, target: Path, made: Shapefile) -> Table:
    table = read_table(source)
    size = source.stat().st_size
    whole = max(0, size - table.header_bytes) // max(1, table.record_bytes)
    if table.records <= whole:
        target.symlink_to(source.resolve())
        return table
    shutil.copyfile(source, target)
    with target.open("r+b") as handle:
        handle.seek(4)
        handle.write(struct.pack("<I", whole))
    said = f"{source.name} says it has {table.records} records and holds {whole}: it was cut off."
    made.defects.append(
        defect(
            "length_wrong",
            "warning",
            said,
            "What is there is read; ask for the file again.",
            count=table.records - whole,
        )
    )
    return Table(whole, table.language, table.header_bytes, table.record_bytes, table.fields)


def _say_encoding(made: Shapefile, cpg: Path | None) -> None:
    if cpg is not None:
        made.declared, made.how = _beginning(cpg, 64).decode("latin-1").strip("\ufeff\xef\xbb\xbf\0 \r\n\t"), ".cpg"
    if not made.declared and made.table is not None:
        made.declared, made.how = (
            _LANGUAGES.get(made.table.language),
            f"language id 0x{made.table.language:02X} of the .dbf",
        )


# ---- records --------------------------------------------------------------------------------------------------------


def _prepare_shapes(shp: Path, shx: Path | None, folder: Path, made: Shapefile) -> None:
    raw = np.memmap(shp, np.uint8, "r") if shp.stat().st_size else np.empty(0, np.uint8)
    if len(raw) < _HEADER_BYTES or bytes(raw[:4]) != b"\0\0\x27\x0a":
        raise InputError(
            f"{shp.name} cannot be opened as a Shapefile: it does not begin like one; ask for it again.", file=str(shp)
        )
    offsets, lengths, rebuilt = _index(shp, shx, raw, made)
    faults = _faults(raw, offsets, lengths)
    if len(faults) > 1 and shx is not None and not rebuilt:
        offsets, lengths, faults, rebuilt = _better_of(raw, offsets, lengths, faults)
    if len(faults) and len(faults) == len(offsets):
        raise InputError(
            f"{shp.name} is damaged or was cut off: not one of its {len(offsets)} features can be read; copy it again.",
            file=str(shp),
        )
    made.damaged = frozenset(faults)
    _say_damaged(shp, raw, faults, offsets, made)
    if made.table is not None and made.table.records != len(offsets):
        said = f"{shp.name} has {len(offsets)} shapes and its .dbf {made.table.records} rows: they do not belong together, or one was cut off."
        action = "Look whether attributes stand beside the right shapes; ask for the file again."
        made.defects.append(
            defect("rows_differ", "warning", said, action, count=abs(made.table.records - len(offsets)))
        )
    if not len(faults) and not rebuilt and shx is not None:
        made.place.symlink_to(shp.resolve())
        (folder / "layer.shx").symlink_to(shx.resolve())
        return
    _mend(shp, folder, raw, offsets, lengths, faults)


def _better_of(
    raw: np.ndarray, offsets: np.ndarray, lengths: np.ndarray, faults: dict[int, str]
) -> tuple[np.ndarray, np.ndarray, dict[int, str], bool]:
    """Where bytes were lost, records lie elsewhere than the index says; what can be found of them by their numbers."""
    walked = _walk(raw)
    if len(walked) == len(offsets) and len(found := _faults(raw, walked[:, 0], walked[:, 1])) < len(faults):
        return walked[:, 0], walked[:, 1], found, True
    return offsets, lengths, faults, False


def _say_damaged(shp: Path, raw: np.ndarray, faults: dict[int, str], offsets: np.ndarray, made: Shapefile) -> None:
    claims = int.from_bytes(bytes(raw[24:28]), "big") * 2
    if faults:
        first = min(faults)
        said = f"{shp.name}: {len(faults)} of {len(offsets)} features are damaged and have no shape; feature {first}: {faults[first]}."
        action = "The others are read; ask for the file again."
        made.defects.append(
            defect("record_damaged", "error", said, action, sorted(faults), place=f"byte {int(offsets[first])}")
        )
    elif claims > len(raw):
        said = f"{shp.name} says it has {claims} bytes and has {len(raw)}, but its features are whole."
        made.defects.append(
            defect("length_wrong", "warning", said, "Features may be missing at the end: ask how many there should be.")
        )


def _index(shp: Path, shx: Path | None, raw: np.ndarray, made: Shapefile) -> tuple[np.ndarray, np.ndarray, bool]:
    """Where each record begins and how long it is (bytes), and whether the index had to be made anew."""
    if shx is not None:
        entries = shx.read_bytes()[_HEADER_BYTES:]
        pairs = np.frombuffer(entries[: len(entries) // 8 * 8], ">i4").reshape(-1, 2).astype(np.int64) * 2
        if _points_at_records(raw, pairs) or _in_a_row(pairs):
            return pairs[:, 0], pairs[:, 1], False
    found = _walk(raw)
    if shx is None:
        said = f"{shp.name} comes without its .shx part; the index was made anew from its {len(found)} records."
        made.defects.append(defect("part_missing", "info", said, "Nothing is lost."))
    else:
        said = f"The .shx part does not belong to {shp.name}; the index was made anew from its {len(found)} records."
        made.defects.append(
            defect("index_wrong", "warning", said, "Attributes may stand beside the wrong shapes: look at some.")
        )
    return found[:, 0], found[:, 1], True


def _in_a_row(pairs: np.ndarray) -> bool:
    """Whether an index is sound in itself: one record after the other (its .shp may be cut off nevertheless)."""
    return bool(not len(pairs) or (pairs[0, 0] == _HEADER_BYTES and (pairs[1:, 0] == pairs[:-1].sum(axis=1) + 8).all()))


def _points_at_records(raw: np.ndarray, pairs: np.ndarray) -> bool:
    """Whether most entries of an index point at record headers of the same length (deleted ones may not)."""
    inside = (pairs[:, 0] >= _HEADER_BYTES) & (pairs[:, 0] + 8 <= len(raw))
    if not inside.any():
        return False
    lengths = _ints(raw, pairs[inside, 0] + 4, ">i4") * 2
    return bool((lengths == pairs[inside, 1]).mean() >= 0.5)


def _walk(raw: np.ndarray) -> np.ndarray:
    """Records one after the other, as far as their headers hold together; a damaged length is skipped by its number."""
    view, at = memoryview(raw.data), _HEADER_BYTES
    found: list[list[int]] = []
    in_order = True
    while at + 8 <= len(raw):
        number, words = struct.unpack_from(">ii", view, at)
        expected = len(found) + 1
        if in_order and found and number != expected:
            # bytes were lost or damaged in the record before: this one may begin earlier or later
            again = _next_record(raw, found[-1][0] + 8, expected)
            if again < len(raw):
                found[-1][1] = again - found[-1][0] - 8
                at = again
                continue
            in_order = False
        if words < 2 or at + 8 + words * 2 > len(raw):
            found.append([at, max(4, words * 2)])
            at = _next_record(raw, at + 8, expected + 1)
            continue
        found.append([at, words * 2])
        at += 8 + words * 2
    return np.array(found, np.int64).reshape(-1, 2)


def _next_record(raw: np.ndarray, start: int, number: int) -> int:
    """Where the record of a number begins after damage; the end of the file if it is not found."""
    wanted, block = struct.pack(">i", number), 1 << 24
    for at in range(start, len(raw), block):
        piece = bytes(raw[at : at + block + 12])
        hit = piece.find(wanted)
        while hit >= 0:
            words, kind = (
                struct.unpack_from(">i", piece, hit + 4)[0] if hit + 12 <= len(piece) else -1,
                piece[hit + 8 : hit + 12],
            )
            if 2 <= words <= (len(raw) - at - hit - 8) // 2 and kind in _KINDS:
                return at + hit
            hit = piece.find(wanted, hit + 1)
    return len(raw)


_KINDS = {struct.pack("<i", k) for k in (*_POINTS, *_PARTED, *_MULTI)}


def _faults(raw: np.ndarray, offsets: np.ndarray, lengths: np.ndarray) -> dict[int, str]:
    """Feature -> what does not hold together in its record. Empty records (length 0) are null shapes, not damage."""
    faults: dict[int, str] = {}
    index = np.arange(len(offsets))
    outside = (lengths > 0) & ((offsets < _HEADER_BYTES) | (offsets + 8 + lengths > len(raw)) | (lengths < 4))
    faults |= dict.fromkeys(index[outside].tolist(), "its record leads out of the file")
    index = index[~outside & (lengths > 0)]
    starts, sizes = offsets[index] + 8, lengths[index]
    kinds = _ints(raw, starts, "<i4")
    head = int.from_bytes(bytes(raw[32:36]), "little")
    wrong = ~np.isin(kinds, [0, head])
    faults |= dict.fromkeys(index[wrong].tolist(), "its shape is of another kind than the file says")
    for kind in np.unique(kinds[~wrong]):
        chosen = kinds == kind
        short = _needs(raw, starts[chosen], sizes[chosen], int(kind)) > sizes[chosen]
        faults |= dict.fromkeys(index[chosen][short].tolist(), "it claims more points than its record holds")
        if kind in _PARTED:
            whole = index[chosen][~short]
            faults |= dict.fromkeys(
                whole[_parts_wrong(raw, starts[chosen][~short])].tolist(), "its parts do not begin where its points are"
            )
    return faults


def _parts_wrong(raw: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Whether a shape's first part begins elsewhere than at its first point, or its last behind its points."""
    n_parts, n_points = _ints(raw, starts + 36, "<i4"), _ints(raw, starts + 40, "<i4")
    wrong = (n_parts == 0) & (n_points > 0)
    some = n_parts > 0
    first = _ints(raw, starts[some] + 44, "<i4")
    last = _ints(raw, starts[some] + 40 + 4 * n_parts[some], "<i4")
    wrong[some] = (first != 0) | (last < 0) | (last >= n_points[some])
    return wrong


def _needs(raw: np.ndarray, starts: np.ndarray, sizes: np.ndarray, kind: int) -> np.ndarray:
    """Bytes a record must have for the parts and points it claims."""
    if kind == 0 or kind not in {*_POINTS, *_PARTED, *_MULTI}:
        return np.full(len(starts), 4)
    if kind in _POINTS:
        # M may be left out
        return np.full(len(starts), 28 if kind == 11 else 20)
    fixed = 44 if kind in _PARTED else 40
    needs = np.full(len(starts), fixed, np.int64)
    enough = sizes >= fixed
    at = starts[enough]
    depth = 8 if kind in (13, 15, 18, 31) else 0
    if kind in _PARTED:
        n_parts, n_points = _ints(raw, at + 36, "<i4"), _ints(raw, at + 40, "<i4")
        bad = (n_parts < 0) | (n_points < 0) | (n_parts > n_points)
        counted = fixed + n_parts * (8 if kind == 31 else 4) + n_points * (16 + depth) + (16 if depth else 0)
    else:
        n_points = _ints(raw, at + 36, "<i4")
        bad = n_points < 0
        counted = fixed + n_points * (16 + depth) + (16 if depth else 0)
    needs[enough] = np.where(bad, np.iinfo(np.int64).max, counted)
    return needs


def _ints(raw: np.ndarray, at: np.ndarray, kind: str) -> np.ndarray:
    """Four-byte integers at any places, as int64."""
    picked = np.ascontiguousarray(raw[np.asarray(at, np.int64)[:, None] + np.arange(4)])
    return picked.view(kind).ravel().astype(np.int64)


def _mend(
    shp: Path, folder: Path, raw: np.ndarray, offsets: np.ndarray, lengths: np.ndarray, faults: dict[int, str]
) -> None:
    """A copy whose index points damaged features at a null shape at its end."""
    target = folder / "layer.shp"
    end = len(raw) + len(raw) % 2
    shutil.copyfile(shp, target)
    with target.open("r+b") as handle:
        handle.seek(end)
        handle.write(struct.pack(">ii", len(offsets) + 1, 2) + _NULL)
        handle.seek(24)
        handle.write(struct.pack(">i", (end + 12) // 2))
    entries = np.column_stack([offsets, lengths])
    entries[sorted(faults)] = (end, 4)
    head = bytes(raw[:24]) + struct.pack(">i", (_HEADER_BYTES + 8 * len(entries)) // 2) + bytes(raw[28:_HEADER_BYTES])
    (folder / "layer.shx").write_bytes(head + (entries // 2).astype(">i4").tobytes())
