"""ZIP archives: what they hold, under names people gave, unpacked only as far as the limits allow.

Windows writes the names in GBK without saying so; bombs lie about sizes; names lead out of the folder. Members are
unpacked under names of our own making, never under theirs.
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rivergis.errors import EnvironmentFault, InputError
from rivergis.intake import text
from rivergis.intake.limits import DEFAULT, Limits

_BLOCK = 1 << 20
# members smaller than this may compress as well as they like
_SMALL_BYTES = 10 << 20
_UTF8_FLAG, _ENCRYPTED_FLAG = 0x800, 0x1
_UNICODE_PATH = 0x7075
FAULTS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    OSError,
    ValueError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    MemoryError,
)


@dataclass(frozen=True)
class Member:
    """A file in an archive under its readable name (folders parted by /)."""

    name: str
    info: zipfile.ZipInfo

    @property
    def base(self) -> str:
        return PurePosixPath(self.name).name


def members(path: Path, limits: Limits = DEFAULT) -> list[Member]:
    """The files in a ZIP archive, without folders and what macOS adds.

    ``InputError`` if it is damaged, protected by a password, claims more than the limits, or holds names that lead
    out of it or links.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except FAULTS as error:
        raise InputError(
            f"{path.name} cannot be opened as a ZIP archive: it is damaged or not whole; ask for it again.",
            file=str(path),
        ) from error
    if len(entries) > limits.members or sum(e.file_size for e in entries) > limits.unpacked_bytes:
        raise InputError(
            f"{path.name} unpacks to more than {_size(limits.unpacked_bytes)} or {limits.members} files: unpack what you need of it.",
            file=str(path),
        )
    named = [Member(n, e) for n, e in zip(_names(entries), entries, strict=True)]
    for member in named:
        _check(path, member, limits)
    return [m for m in named if not m.name.endswith("/") and not m.name.startswith("__MACOSX/") and m.base[:2] != "._"]


def _check(path: Path, member: Member, limits: Limits) -> None:
    parts = PurePosixPath(member.name).parts
    if member.name.startswith("/") or ".." in parts or (parts and parts[0].endswith(":")) or "\0" in member.name:
        raise InputError(
            f"{path.name} holds a file whose name leads out of the archive ({member.name[:60]!r}): it is refused.",
            file=str(path),
        )
    if stat.S_ISLNK(member.info.external_attr >> 16):
        raise InputError(
            f"{path.name} holds a link ({member.name[:60]!r}) instead of a file: it is refused.", file=str(path)
        )
    if member.info.flag_bits & _ENCRYPTED_FLAG:
        raise InputError(f"{path.name} is protected by a password: unpack it first.", file=str(path))
    if member.info.file_size > max(_SMALL_BYTES, limits.ratio * member.info.compress_size):
        raise InputError(
            f"{path.name} holds {member.name[:60]!r}, which unpacks to more than {limits.ratio} times its packed size, as bombs do: it is refused.",
            file=str(path),
        )


def _names(entries: list[zipfile.ZipInfo]) -> list[str]:
    """Names as they were typed: where no encoding is told, the bytes of all names together decide."""
    raw = [None if e.flag_bits & _UTF8_FLAG else e.orig_filename.encode("cp437", "replace") for e in entries]
    untold = [r for r in raw if r is not None and not r.isascii()]
    found = text.decode_evidence(untold)
    return [
        (_unicode_path(e) or (e.filename if r is None else found.read(r))).replace("\\", "/")
        for e, r in zip(entries, raw, strict=True)
    ]


def _unicode_path(entry: zipfile.ZipInfo) -> str | None:
    """The name some packers add in UTF-8 beside the old one."""
    extra, at = entry.extra, 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == _UNICODE_PATH and size > 5:
            return extra[at + 9 : at + 4 + size].decode("utf-8", "ignore") or None
        at += 4 + size
    return None


def read(path: Path, member: Member, at_most: int) -> bytes:
    """The first bytes of a member; ``InputError`` if it cannot be unpacked."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member.info) as source:
            return source.read(at_most)
    except FAULTS as error:
        raise _damaged(path, member) from error


def unpack(path: Path, wanted: list[tuple[Member, Path]], limits: Limits = DEFAULT) -> None:
    """Unpack members to the given paths. What an archive claims is not believed: bytes are counted.

    ``InputError`` if a member is damaged or larger than claimed; ``EnvironmentFault`` if the disk is full.
    """
    left = limits.unpacked_bytes
    try:
        with zipfile.ZipFile(path) as archive:
            for member, target in wanted:
                left -= _unpack_one(archive, path, member, target, left)
    except zipfile.BadZipFile as error:
        raise InputError(f"{path.name} changed while it was read: try again.", file=str(path)) from error


def _unpack_one(archive: zipfile.ZipFile, path: Path, member: Member, target: Path, left: int) -> int:
    size = 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        sink = target.open("wb")
    except OSError as error:
        raise EnvironmentFault(f"{path.name} cannot be unpacked ({error.strerror}): free some space.") from error
    with sink:
        try:
            with archive.open(member.info) as source:
                while block := source.read(_BLOCK):
                    size += len(block)
                    if size > left:
                        raise InputError(f"{path.name} unpacks to more than it claims: it is refused.", file=str(path))
                    sink.write(block)
        except FAULTS as error:
            raise _damaged(path, member) from error
    return size


def _damaged(path: Path, member: Member) -> InputError:
    return InputError(
        f"{path.name}: {member.name} in it cannot be unpacked, it is damaged; ask for the archive again.",
        file=str(path),
    )


def _size(size_bytes: int) -> str:
    return f"{size_bytes >> 30} GB" if size_bytes >= 1 << 30 else f"{size_bytes >> 20} MB"
