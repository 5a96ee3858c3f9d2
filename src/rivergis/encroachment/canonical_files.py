"""The canonical record as a file: the same ledger gives the same bytes, wherever, whenever and however it was worked out."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sqlalchemy import Connection

from rivergis.encroachment import canonical_store
from rivergis.errors import EnvironmentFault


@dataclass(frozen=True)
class Canonical:
    """What was written: hash over all bytes, and how many lines there are of each record."""

    sha256: str
    records: dict[str, int]
    out: str | None


def lines(conn: Connection) -> Iterator[tuple[str, bytes]]:
    """Each row with the name of its record, as one line of JSON whose keys are sorted."""
    for name, row in canonical_store.records(conn):
        body = json.dumps(
            {"record": name, **row}, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str
        )
        yield name, body.encode() + b"\n"


def write(conn: Connection, out: Path | None) -> Canonical:
    """Whether two ledgers say the same (台账是否一致): write JSON lines to ``out``, or only hash them.

    The file is written whole or not at all; raises ``EnvironmentFault`` where the place refuses it.
    """
    digest, counts = hashlib.sha256(), Counter(dict.fromkeys(canonical_store.RECORDS, 0))
    with _written(out) as handle:
        for name, line in lines(conn):
            digest.update(line)
            counts[name] += 1
            if handle is not None:
                handle.write(line)
    return Canonical(digest.hexdigest(), dict(counts), None if out is None else str(out))


@contextmanager
def _written(out: Path | None) -> Iterator[IO[bytes] | None]:
    """What becomes the file when all went well; nothing where none is wanted."""
    if out is None:
        yield None
        return
    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("wb") as handle:
            yield handle
        part.replace(out)
    except OSError as error:
        said = error.strerror or str(error)
        raise EnvironmentFault(f"{out} cannot be written ({said}): free some space or choose another place.") from error
    finally:
        if part.parent.is_dir():
            part.unlink(missing_ok=True)
