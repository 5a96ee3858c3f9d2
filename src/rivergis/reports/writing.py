"""A report is on the disk whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rivergis.errors import EnvironmentFault


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A file to write to that becomes ``path`` when all went well; ``EnvironmentFault`` where the place refuses it."""
    part = path.with_name(path.name + ".part")
    try:
        yield part
        part.replace(path)
    except OSError as error:
        raise EnvironmentFault(f"{path} cannot be written ({error.strerror}): choose another place.") from error
    finally:
        part.unlink(missing_ok=True)
