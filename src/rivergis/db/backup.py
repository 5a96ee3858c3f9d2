"""Backup and restore: one file with the database, the kept files and a manifest with their hashes.

The rows of the schema ``cache`` are left out: those that are served are rebuilt by a restore, the others when they are needed.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text

from rivergis import __version__
from rivergis.db import served, upgrade
from rivergis.db.cluster import find_binaries
from rivergis.db.connect import Database
from rivergis.errors import EnvironmentFault, InputError, UsageError

DUMP, MANIFEST, STORE = "database.dump", "manifest.json", "store"


@dataclass(frozen=True)
class BackupMade:
    """A backup: its file, size, number of kept files, and hash of the database dump."""

    file: str
    bytes: int
    files: int
    dump_sha256: str


@dataclass(frozen=True)
class Restored:
    """A restore: the database, number of kept files, and the migrations it was brought up by."""

    database: str
    files: int
    applied: list[str]


def backup(db: Database, file: Path, store_dir: Path) -> BackupMade:
    """Write database and kept files into ``file``; a broken attempt leaves nothing under that name."""
    part = file.with_name(file.name + ".part")
    try:
        with tempfile.TemporaryDirectory(dir=file.parent if file.parent.is_dir() else None) as folder:
            dump = Path(folder) / DUMP
            _run(
                db,
                [
                    "pg_dump",
                    "--format=custom",
                    "--no-owner",
                    "--exclude-table-data=cache.*",
                    f"--file={dump}",
                ],
            )
            sha256 = _sha(dump)
            kept = (
                sorted(p for p in store_dir.rglob("*") if p.is_file() and p.suffix != ".part")
                if store_dir.is_dir()
                else []
            )
            manifest = {
                "rivergis": __version__,
                "database": db.name,
                "dump_sha256": sha256,
                "files": {str(p.relative_to(store_dir)): _sha(p) for p in kept},
            }
            (Path(folder) / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
            with tarfile.open(part, "w") as tar:
                tar.add(Path(folder) / MANIFEST, MANIFEST)
                tar.add(dump, DUMP)
                for p in kept:
                    tar.add(p, f"{STORE}/{p.relative_to(store_dir)}")
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise EnvironmentFault(
            f"The backup {file} cannot be written ({error.strerror}): check the folder and the free space."
        ) from error
    return BackupMade(str(file), file.stat().st_size, len(kept), sha256)


def restore(db: Database, file: Path, store_dir: Path) -> Restored:
    """Bring a backup into an empty database; the files are checked against their hashes before anything is written."""
    with db.engine.connect() as conn:
        if conn.execute(text("SELECT to_regclass('sys.migration')")).scalar() is not None:
            raise UsageError(f"The database {db.name} is not empty: restore into a new one with --database NAME.")
    with tempfile.TemporaryDirectory() as folder:
        manifest = _unpack(file, Path(folder))
        _run(
            db,
            [
                "pg_restore",
                "--no-owner",
                "--no-privileges",  # logins of the old server need not be there; upgrade lets planners and readers in again
                "--exit-on-error",
                "--single-transaction",
                f"--dbname={_url(db)}",
                str(Path(folder) / DUMP),
            ],
            named=True,
        )
        for name in manifest["files"]:
            target = store_dir / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / STORE / name).replace(target) if _same_device(
                Path(folder), target.parent
            ) else target.write_bytes((Path(folder) / STORE / name).read_bytes())
    applied = upgrade.upgrade(db)
    with db.engine.begin() as conn:
        conn.execute(text("SELECT app.let_planners_in(), app.let_readers_in()"))
        served.fill(conn)
    return Restored(db.name, len(manifest["files"]), applied)


def _same_device(a: Path, b: Path) -> bool:
    return a.stat().st_dev == b.stat().st_dev


def _unpack(file: Path, folder: Path) -> dict[str, Any]:
    """Unpack into a temporary folder and check every hash; ``InputError`` if the file is not a whole backup."""
    try:
        with tarfile.open(file) as tar:
            members = tar.getmembers()
            if any(not m.isfile() or m.name.startswith("/") or ".." in Path(m.name).parts for m in members):
                raise InputError(
                    f"{file} holds names that no backup has: it is refused; nothing was written.", file=str(file)
                )
            tar.extractall(folder, members)
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        wanted = {DUMP: manifest["dump_sha256"], **{f"{STORE}/{n}": h for n, h in manifest["files"].items()}}
        wrong = [n for n, h in wanted.items() if _sha(folder / n) != h]
    except (OSError, tarfile.TarError, KeyError, json.JSONDecodeError) as error:
        raise InputError(
            f"{file} is not a whole backup ({' '.join(str(error).split())[:100]}): use another copy; nothing was written.",
            file=str(file),
        ) from error
    if wrong:
        raise InputError(
            f"{file} is damaged: {wrong[0]} does not have the hash of its manifest; use another copy; nothing was written.",
            file=str(file),
        )
    return manifest


def _url(db: Database) -> str:
    return db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def _run(db: Database, command: list[str], named: bool = False) -> None:
    """Run a PostgreSQL client program against the database."""
    program = find_binaries().path(command[0])
    target = [] if named else [f"--dbname={_url(db)}"]
    done = subprocess.run(
        [program, *command[1:], *target], capture_output=True, text=True, env=os.environ | {"LC_ALL": "C.UTF-8"}
    )
    if done.returncode:
        reason = next((line for line in done.stderr.splitlines() if "error" in line.lower()), done.stderr.strip()[:200])
        raise EnvironmentFault(f"{command[0]} failed: {reason[:240]}")


def _sha(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
