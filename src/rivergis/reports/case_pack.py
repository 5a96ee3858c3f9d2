"""资料整理 evidence pack of a case: documents, photos, a map of each date, events and verdicts in one ZIP or folder, with a list of
content hashes by which anybody can check later that nothing was changed. Register id E15.

``SHA256SUMS`` is the list that ``sha256sum -c`` reads; its own hash is the seal of the pack, which the database keeps.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import geopandas as gpd
from sqlalchemy import Connection

from rivergis import __version__, words
from rivergis.boundary import store as boundary_store
from rivergis.encroachment import campaign_store, case_store, list_store, pack_store, store
from rivergis.errors import EnvironmentFault, InputError, UsageError, legible
from rivergis.maps import patrol_svg
from rivergis.reports import case_rows, morning
from rivergis.reports.case_scope import Scope
from rivergis.reports.patrol_paper import SHANGHAI
from rivergis.reports.writing import whole
from rivergis.river import store as river_store

SUMS, MANIFEST, FORMAT = "SHA256SUMS", "manifest.json", "rivergis evidence pack 1"
FOLDERS = {"photo": "photos", "document": "documents", "chip_before": "images", "chip_after": "images"}
MOST_BYTES = 4 << 30
_BLOCK = 1 << 20
_AROUND_M = 60.0


@dataclass(frozen=True)
class Piece:
    """One file of a pack: its content, or the file in the store it is copied from."""

    name: str
    what: str
    content: bytes | None = None
    source: Path | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Pack:
    """A pack as it was written. ``seal``: hash of the list of hashes; ``missing``: files that the store has no more."""

    case: str
    number: str | None
    files: int
    bytes: int
    seal: str
    path: str
    missing: Sequence[str] = ()


@dataclass(frozen=True)
class Verified:
    """What a check of a pack found; without ``faults`` it is as it was written."""

    path: str
    files: int
    seal: str
    faults: Sequence[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return not self.faults


def pieces(
    conn: Connection, asked: Scope, finding: str, store_dir: Path
) -> tuple[dict[str, Any], list[Piece], list[str]]:
    """The case, the files of its pack in their order, and what the store has no more; ``NotFound`` for a case that there is not."""
    finding_id = case_store.find(conn, finding)
    found = list_store.cases(conn, asked.on, asked.known_at)
    rows = case_rows.records(found[found["id"].astype(str) == str(finding_id)])
    if not rows:
        raise UsageError(f"The case {str(finding_id)[:8]} was not known on {asked.on}: give a later --on.")
    case = rows[0]
    events = case_store.events(conn, finding_id, asked.known_at)
    decisions = case_rows.records(campaign_store.decisions(conn, asked.known_at, finding_id))
    verdicts = _known(store.record_of(conn, str(finding_id))["verdicts"], asked)
    data = {
        "case": case,
        "events": events,
        "decisions": decisions,
        "reports": _known(case_store.reports(conn, finding_id), asked),
        "sightings": pack_store.sightings(conn, finding_id, asked.on, asked.known_at),
        "verdicts": [v for v in verdicts if v["night"] <= asked.on],
        "evidence": _known(case_store.evidence(conn, finding_id), asked),
    }
    files, missing = _kept(data, store_dir)
    maps = list(_maps(conn, asked, finding_id, case["class_code"]))
    page = Piece("case.html", "page", _page(asked, data, files, maps).encode())
    told = [Piece(f"data/{k}.json", "data", _json(v)) for k, v in data.items()]
    return case, [page, *told, *maps, *files], missing


def _known(rows: list[dict[str, Any]], asked: Scope) -> list[dict[str, Any]]:
    return [r for r in rows if r["recorded_at"] <= asked.known_at]


def _json(value: Any) -> bytes:
    return legible(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=str), keep="\n").encode()


def _kept(data: Mapping[str, Any], store_dir: Path) -> tuple[list[Piece], list[str]]:
    """Files of the store that belong to the case: evidence, what was attached to moves, and documents of authorities."""
    wanted = [(e["file_sha256"], e["file_path"], e["kind"], FOLDERS[e["kind"]]) for e in data["evidence"]]
    wanted += [(d["document_sha256"], d["document_path"], "decision", "decisions") for d in data["decisions"]]
    wanted += [
        (e["attachment_sha256"], None, "attachment", "documents") for e in data["events"] if e["attachment_sha256"]
    ]
    out: dict[str, Piece] = {}
    missing: list[str] = []
    for sha256, path, what, folder in wanted:
        file = store_dir / path if path else next((store_dir / "evidence").glob(f"{sha256}*"), None)
        if sha256 in out:
            continue
        if file is None or not file.is_file():
            missing.append(f"{what} {sha256}")
            continue
        out[sha256] = Piece(f"{folder}/{len(out) + 1:03d}_{sha256[:12]}{file.suffix}", what, None, file, sha256)
    return list(out.values()), missing


def _maps(conn: Connection, asked: Scope, finding_id: Any, class_code: str | None) -> Iterator[Piece]:
    """A drawing for each night that saw the footprint differently, and all footprints as data (EPSG:4490)."""
    prints = pack_store.footprints(conn, finding_id, asked.on, asked.known_at)
    if prints.empty:
        return
    near = _near(conn, asked, prints)
    for night, own in prints.groupby("night"):
        shape = own.assign(cls=class_code or "")
        svg = patrol_svg.draw({**near, "finding": shape}, ())
        yield Piece(f"maps/{night}.svg", "map", svg.encode())
    told = prints.assign(night=prints["night"].astype(str))
    yield Piece("maps/footprints.geojson", "data", told.to_json(drop_id=True).encode())


def _near(conn: Connection, asked: Scope, prints: gpd.GeoDataFrame) -> dict[str, gpd.GeoDataFrame]:
    """Boundary lines, areas, water and reaches round the case."""
    from rivergis import crs

    metric = crs.to_metric(prints)
    ground = crs.to_storage(
        gpd.GeoDataFrame(geometry=[metric.union_all().buffer(_AROUND_M).envelope], crs=metric.crs)
    ).geometry.iloc[0]
    layers = {
        "water_area": river_store.water_areas(conn, asked.on, asked.known_at),
        "boundary_area": boundary_store.areas(conn, asked.on, asked.known_at),
        "reach": river_store.reaches(conn, asked.on, asked.known_at),
        "boundary_line": boundary_store.lines(conn, asked.on, asked.known_at),
    }
    # the ground itself is drawn, too: the picture is of it, whatever else is known there
    out = {"admin_unit": gpd.GeoDataFrame(geometry=[ground], crs=crs.STORAGE)}
    for name, frame in layers.items():
        own = frame[frame.geometry.notna() & frame.intersects(ground)]
        if len(own):
            out[name] = gpd.GeoDataFrame(geometry=own.geometry.intersection(ground).values, crs=frame.crs)
    return out


def _page(asked: Scope, data: Mapping[str, Any], files: Sequence[Piece], maps: Sequence[Piece]) -> str:
    """The case as one page beside its files: what it is, its life, what authorities did, maps and pictures."""
    drawings = [(PurePosixPath(m.name).stem, (m.content or b"").decode()) for m in maps if m.name.endswith(".svg")]
    return morning.environment().get_template("case_pack.html").render(
        case=data["case"], number=case_rows.number(data["case"]), place=case_rows.place(data["case"]),
        class_name=case_rows.class_name(data["case"]["class_code"]), state=case_rows.state_name(data["case"]["state"]),
        events=data["events"], decisions=data["decisions"], sightings=data["sightings"], verdicts=data["verdicts"],
        files=files, maps=drawings, asked=asked, local=_local, sums=SUMS,
    )  # fmt: skip


def _local(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


def write(asked: Scope, case: Mapping[str, Any], content: Sequence[Piece], missing: Sequence[str], out: Path) -> Pack:
    """Write a pack as a .zip or a new folder, whole or not at all; the same pieces give the same bytes.

    ``InputError`` for a file of the store that is no longer what its record says; ``EnvironmentFault`` where the place refuses it.
    """
    if out.suffix.lower() != ".zip" and out.suffix:
        raise UsageError(f"{out.name}: a pack is a .zip, or a folder (a name without an ending).")
    if out.exists() and out.suffix.lower() != ".zip":
        raise UsageError(f"{out} is there already: give a new name.")
    hashes = {p.name: _hash(p) for p in content}
    sizes = {p.name: _size(p) for p in content}
    manifest = _json({
        "format": FORMAT, "made_by": f"rivergis {__version__}", "case": str(case["id"]), "number": case["number"], "as_of": str(asked.on),
        "known_at": asked.known_at.isoformat(), "missing": list(missing), "note": words.both("patrol_report.case.pack_note"),
        "files": [{"name": p.name, "what": p.what, "sha256": hashes[p.name], "bytes": sizes[p.name]} for p in content],
    })  # fmt: skip
    sums = "".join(
        f"{h}  {n}\n" for n, h in sorted({**hashes, MANIFEST: hashlib.sha256(manifest).hexdigest()}.items())
    ).encode()
    everything = [*content, Piece(MANIFEST, "manifest", manifest), Piece(SUMS, "sums", sums)]
    if out.suffix.lower() == ".zip":
        with whole(out) as part:
            _zip(everything, part)
    else:
        _folder(everything, out)
    return Pack(
        str(case["id"]),
        case["number"],
        len(everything),
        sum(sizes.values()),
        hashlib.sha256(sums).hexdigest(),
        str(out),
        list(missing),
    )


def _size(piece: Piece) -> int:
    return piece.source.stat().st_size if piece.source is not None else len(piece.content or b"")


def _hash(piece: Piece) -> str:
    if piece.content is not None:
        return hashlib.sha256(piece.content).hexdigest()
    assert piece.source is not None
    with piece.source.open("rb") as handle:
        found = hashlib.file_digest(handle, "sha256").hexdigest()
    if found != piece.sha256:
        raise InputError(
            f"{piece.source.name} in the store is no longer what was filed (sha256 {found[:12]}, filed as {str(piece.sha256)[:12]}): bring it back from a backup.",
            file=str(piece.source),
        )
    return found


def _zip(content: Sequence[Piece], path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for p in content:
            entry = zipfile.ZipInfo(p.name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            if p.source is not None:
                with p.source.open("rb") as come, out.open(entry, "w") as go:
                    shutil.copyfileobj(come, go, _BLOCK)
            else:
                out.writestr(entry, p.content or b"")


def _folder(content: Sequence[Piece], out: Path) -> None:
    part = out.with_name(out.name + ".part")
    try:
        for p in content:
            target = part / p.name
            target.parent.mkdir(parents=True, exist_ok=True)
            if p.source is not None:
                shutil.copyfile(p.source, target)
            else:
                target.write_bytes(p.content or b"")
        part.replace(out)
    except OSError as error:
        raise EnvironmentFault(f"{out} cannot be written ({error.strerror}): choose another place.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def verify(path: Path) -> Verified:
    """Check a pack against its list of hashes: what was changed, is missing or was added, each in a sentence.

    ``InputError`` for what is no pack at all.
    """
    names, read = _reader(path)
    if SUMS not in names:
        raise InputError(f"{path.name} is no evidence pack: it has no {SUMS}.", file=str(path))
    sums = read(SUMS)
    listed = dict(_listed(sums, path))
    faults = []
    for name, filed in sorted(listed.items()):
        if name not in names:
            faults.append(f"{name} is missing.")
            continue
        try:
            found = hashlib.sha256(read(name)).hexdigest()
        except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
            faults.append(f"{name} is damaged ({error}).")
            continue
        if found != filed:
            faults.append(f"{name} was changed: its sha256 is {found[:12]}…, filed as {filed[:12]}….")
    faults += [f"{name} was added; it is not on the list." for name in sorted(names - {*listed, SUMS})]
    return Verified(str(path), len(listed) + 1, hashlib.sha256(sums).hexdigest(), faults)


def _listed(sums: bytes, path: Path) -> Iterator[tuple[str, str]]:
    for line in sums.decode("utf-8", "replace").splitlines():
        filed, _, name = line.partition("  ")
        if len(filed) != 64 or not name or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise InputError(f"{path.name}: {SUMS} has a line that is none of a pack: {line[:80]!r}.", file=str(path))
        yield name, filed


def _reader(path: Path) -> tuple[set[str], Any]:
    """Names of the files of a pack, and how to read one of them."""
    if path.is_dir():
        return {p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()}, lambda name: (
            path / name
        ).read_bytes()
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path} is no evidence pack: neither a folder nor a ZIP that can be read.", file=str(path)
        ) from error
    entries = archive.infolist()
    if sum(e.file_size for e in entries) > MOST_BYTES:
        raise InputError(
            f"{path.name} would unpack to more than {MOST_BYTES >> 30} GB: it is no evidence pack.", file=str(path)
        )
    names = [e.filename for e in entries if not e.is_dir()]
    if len(set(names)) != len(names):
        raise InputError(f"{path.name} holds two files of one name: it is no evidence pack.", file=str(path))
    return set(names), archive.read
