"""How much a file may ask of the machine: limits against hostile and broken files, all of them settings.

A delivery of a county stays far below each; what goes beyond is refused with a sentence that names the limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from rivergis.errors import UsageError

_LONGEST_S = 1_000_000


@dataclass(frozen=True)
class Limits:
    """Upper bounds for one file; ``RIVERGIS_MAX_<FIELD>`` sets each."""

    file_bytes: int = 16 << 30
    text_bytes: int = 512 << 20
    """Files that must be held in memory as text or XML: CSV, GPX, KML, GML, GeoJSON, HTML."""
    unpacked_bytes: int = 4 << 30
    """What an archive may claim to unpack to, all members together."""
    ratio: int = 200
    """Unpacked over packed size of a member above 10 MB; a zip bomb is thousands."""
    members: int = 10_000
    json_depth: int = 200
    vertices: int = 5_000_000
    """Of one feature."""
    fields: int = 2_000
    cell_chars: int = 1_000_000
    pixels: int = 400_000_000
    """Of one photo; rasters are read in windows and know no such bound."""
    seconds: int = 600
    """Processor time for looking at one file; a reader that hangs is stopped."""
    memory_bytes: int = 8 << 30
    """Address space of the process that looks at one file."""

    @classmethod
    def of(cls, settings: Mapping[str, int]) -> Limits:
        """The defaults with what a deployment sets; ``UsageError`` for a limit there is none of."""
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(settings) - known)
        if unknown:
            raise UsageError(f"There is no limit {unknown[0]!r}; the limits are {', '.join(sorted(known))}.")
        if settings.get("seconds", 0) > _LONGEST_S:
            raise UsageError(f"RIVERGIS_MAX_SECONDS is more than {_LONGEST_S:,}: no file takes so long.")
        return cls(**settings)


DEFAULT = Limits()
