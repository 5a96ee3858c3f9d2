"""A folder of files that vouches for itself: written beside its place and put there whole, with the check sum of every file."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rivergis.errors import EnvironmentFault, UsageError

SUMS = "SHA256SUMS"


@contextmanager
def whole(out: Path, overwrite: bool = False) -> Iterator[Path]:
    """A folder to fill that becomes ``out`` when all went well; what stood there is replaced only if it was one of ours.

    Raises ``UsageError`` where something else is there, ``EnvironmentFault`` where the place refuses it.
    """
    out = out.absolute()
    check_free(out, overwrite)
    try:
        part = Path(tempfile.mkdtemp(prefix=f".{out.name}.part-", dir=out.parent))
        part.chmod(0o755)
    except OSError as error:
        raise EnvironmentFault(
            f"{out.parent} cannot be written to ({error.strerror}): choose another place."
        ) from error
    try:
        yield part
        if out.exists():
            shutil.rmtree(out)
        part.replace(out)
    except OSError as error:
        raise EnvironmentFault(
            f"{out} cannot be written ({error.strerror or error}): free some space or choose another place."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def check_free(out: Path, overwrite: bool) -> None:
    """Before long work: nothing of anybody else's is replaced."""
    if not out.absolute().parent.is_dir():
        raise UsageError(f"The folder {out.absolute().parent} does not exist: make it, or give another --out.")
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"{out} is a file: give the name of a folder.")
    if any(out.iterdir()) and not (overwrite and (out / SUMS).exists()):
        raise UsageError(
            f"{out} is not empty: choose another folder, or say --overwrite where it holds an earlier delivery ({SUMS} in it)."
        )


def names(folder: Path) -> list[str]:
    """Every file below a folder, by its path in it, in order."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(folder: Path) -> None:
    """Write the check sums of all files, as ``sha256sum -c SHA256SUMS`` reads them."""
    lines = [f"{sha256(folder / n)}  {n}\n" for n in names(folder) if n != SUMS]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")
