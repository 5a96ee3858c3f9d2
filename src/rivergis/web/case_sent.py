"""What a form or a program sends of a case: words into the detail of a move, files into a folder that is gone afterwards."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from starlette.datastructures import UploadFile

from rivergis import words
from rivergis.errors import InputError

SHANGHAI = ZoneInfo("Asia/Shanghai")
MAX_FILE = 25 << 20
MAX_FILES = 12
MAX_BODY = MAX_FILES * MAX_FILE + (1 << 20)
MAX_JSON = 1 << 20
MAX_FIELDS = 80
MAX_TEXT = 4_000
UNIT_ROWS = 12
_PLAIN = ("deadline", "measure", "authority", "authority_level", "document_no", "unit", "stage", "severity", "class_code", "why_not_all")  # fmt: skip
DETAIL = frozenset({*_PLAIN, "units", "doubts_seen", "into"})
"""What a person says with a move beside its reason."""
_NAME = re.compile(r"[^\w.()\-\u4e00-\u9fff]+")


@dataclass(frozen=True)
class Sent:
    """Words by name, and files as they lie in a folder of their own."""

    words: Mapping[str, Any] = field(default_factory=dict)
    evidence: list[Path] = field(default_factory=list)
    attachment: Path | None = None

    def text(self, name: str) -> str | None:
        """A word that says something; ``InputError`` where it is no text or without end."""
        value = self.words.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or len(value) > MAX_TEXT:
            raise InputError(f"{name} must be a text of at most {MAX_TEXT} characters.")
        return value.strip() or None

    def whole(self, name: str) -> int | None:
        """A whole number; ``InputError`` where it is something else."""
        value = self.words.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,9}", str(value).strip()):
            raise InputError(f"{name} must be a whole number.")
        return int(str(value))

    def degrees(self, name: str) -> float | None:
        """A number of degrees as typed; ``InputError`` where it is none."""
        value = self.words.get(name)
        if value is None or str(value).strip() == "":
            return None
        try:
            number = float(str(value))
        except ValueError:
            number = float("nan")
        if not abs(number) <= 180:
            raise InputError(f"{name} must be degrees of longitude or latitude (CGCS2000 or WGS 84), as 106.02345.")
        return number


@asynccontextmanager
async def sent(request: Request) -> AsyncIterator[Sent]:
    """The body of a request, JSON or a form; its files are gone when the request is over.

    Raises ``InputError`` with one sentence for what cannot be read or is too large.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        yield Sent(_object(await request.body()))
        return
    limits = {"max_files": MAX_FILES, "max_fields": MAX_FIELDS, "max_part_size": 64 << 10}
    with tempfile.TemporaryDirectory(prefix="rivergis-") as folder:
        async with request.form(**limits) as form:
            said: dict[str, Any] = {k: v for k, v in form.multi_items() if isinstance(v, str)}
            files = [(k, v) for k, v in form.multi_items() if isinstance(v, UploadFile) and v.filename]
            kept = [(k, await _kept(Path(folder) / str(n), v)) for n, (k, v) in enumerate(files)]
        other = sorted({k for k, _ in kept} - {"evidence", "attachment"})
        if other:
            raise InputError(f"Files are sent as evidence or attachment, not as {other[0][:40]!r}.")
        papers = [p for k, p in kept if k == "attachment"]
        if len(papers) > 1:
            raise InputError("One attachment goes with a move: put several papers into one file.")
        yield Sent(said, [p for k, p in kept if k == "evidence"], papers[0] if papers else None)


def _object(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_JSON:
        raise InputError(f"The body is larger than {MAX_JSON >> 20} MB: files are sent as a form.")
    try:
        said = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise InputError("The body is no JSON.") from error
    if not isinstance(said, dict):
        raise InputError("The body must be a JSON object.")
    return said


async def _kept(folder: Path, file: UploadFile) -> Path:
    """An uploaded file under its own name, made harmless, in a folder of its own; whatever the sender said of its type."""
    content = await file.read(MAX_FILE + 1)
    name = (_NAME.sub("_", Path((file.filename or "").replace("\\", "/")).name).lstrip(".") or "file")[-80:]
    if len(content) > MAX_FILE:
        raise InputError(words.both("desk.too_large", name=name, most=MAX_FILE >> 20))
    if not content:
        raise InputError(words.both("desk.empty_file", name=name))
    folder.mkdir()
    (folder / name).write_bytes(content)
    return folder / name


def detail(said: Sent) -> dict[str, Any]:
    """What a move says beside its reason: the fields of the form, and ``detail`` (an object, or JSON as text) of a program."""
    out = _own_detail(said.words.get("detail"))
    out |= {name: text for name in _PLAIN if (text := said.text(name)) is not None}
    if said.words.get("doubts_seen") in ("true", True, "on", "1"):
        out["doubts_seen"] = True
    if "units" not in out and (units := unit_rows(said)):
        out["units"] = units
    elif "units" in said.words:
        out["units"] = said.words["units"]
    return out


def _own_detail(said: Any) -> dict[str, Any]:
    if said is None or said == "":
        return {}
    if isinstance(said, str):
        try:
            said = json.loads(said)
        except (ValueError, RecursionError) as error:
            raise InputError("detail is no JSON.") from error
    if not isinstance(said, dict):
        raise InputError("detail must be a JSON object.")
    strange = sorted(said.keys() - DETAIL)
    if strange:
        # what a picture tells, and what a table of before says, nobody says by hand
        raise InputError(f"detail has no field {strange[0][:40]!r}: it has {', '.join(sorted(DETAIL))}.")
    return dict(said)


def unit_rows(said: Sent) -> list[dict[str, Any]]:
    """Units of the rows of a form, those that name one; the marked row is in the lead, else the first."""
    rows = []
    for i in range(UNIT_ROWS):
        unit = said.text(f"unit-{i}")
        if unit is not None:
            own = {"person": said.text(f"person-{i}"), "deadline": said.text(f"deadline-{i}")}
            lead = str(said.words.get("lead", "")) == str(i)
            rows.append({"unit": unit, "lead": lead, **{k: v for k, v in own.items() if v}})
    if rows and not any(r["lead"] for r in rows):
        rows[0]["lead"] = True
    return rows


def moment(text: str | None) -> datetime | None:
    """A moment as a form or a program writes it; without a zone it is Beijing time. ``InputError`` where it is none."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError(f"{text[:40]!r} is no time: write it as 2026-05-20T09:30.") from error
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)
