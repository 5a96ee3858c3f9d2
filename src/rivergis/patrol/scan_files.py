"""Scans of paper logs: kept for good under their hash, whatever they were called."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path

from rivergis.errors import EnvironmentFault, InputError
from rivergis.patrol.typed import Scan

# what a scanner or telephone makes, by the first bytes
_KINDS = {
    b"%PDF-": ".pdf",
    b"\x89PNG\r\n": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"II*\x00": ".tif",
    b"MM\x00*": ".tif",
}
FOLDER = "scans"


def keep(content: bytes, name: str, store_dir: Path) -> Scan:
    """Keep a scan (扫描件) in the store; the same content again changes nothing.

    PDF, PNG, JPEG and TIFF by content, whatever the name says; ``InputError`` for anything else.
    """
    ending = next((e for begin, e in _KINDS.items() if content.startswith(begin)), None)
    if ending is None:
        raise InputError(
            f"{name} is no scan: a PDF, PNG, JPEG or TIFF file is needed.", problem="no_scan", said=name, file=name
        )
    scan = Scan(hashlib.sha256(content).hexdigest(), "")
    scan = Scan(scan.sha256, f"{FOLDER}/{scan.sha256}{ending}")
    target = store_dir / scan.path
    if not target.is_file():
        _write(content, target, name)
    return scan


def kept(sha256: str, store_dir: Path) -> Scan | None:
    """The scan of that hash, if the store has it."""
    if len(sha256) != 64 or not sha256.isalnum():
        return None
    found = next((e for e in set(_KINDS.values()) if (store_dir / FOLDER / f"{sha256}{e}").is_file()), None)
    return None if found is None else Scan(sha256, f"{FOLDER}/{sha256}{found}")


def _write(content: bytes, target: Path, name: str) -> None:
    part = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise EnvironmentFault(
            f"{name} cannot be kept in {target.parent} ({error.strerror}): free some space or check the folder's owner."
        ) from error
