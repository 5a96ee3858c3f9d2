"""Evidence over HTTP: pictures without what the camera wrote, the original for who works on leads, and nothing but evidence."""

from __future__ import annotations

import hashlib
import io
import uuid
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import text

from rivergis.encroachment import store as finding_store
from rivergis.intake import exif
from tests.intake.test_photo import gps, picture
from tests.web.conftest import MAKER, Service


def attached(service: Service, path: Path, kind: str = "photo") -> str:
    """A file as evidence of the lead; its id."""
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    kept = service.store / "evidence" / f"{sha256}{path.suffix}"
    kept.write_bytes(path.read_bytes())
    with service.db.write(MAKER) as conn:
        finding_store.add_evidence(
            conn, uuid.UUID(service.finding), kind, file_sha256=sha256, file_path=f"evidence/{kept.name}",
            taken_on=None, caption="现场", position_grade="measured",
        )  # fmt: skip
        return str(
            conn.execute(text("SELECT id FROM data.evidence WHERE file_sha256 = :h"), {"h": sha256}).scalar_one()
        )


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp"])
def test_a_photo_is_shown_without_place_time_and_maker(service: Service, tmp_path: Path, ending: str) -> None:
    path = picture(tmp_path / f"{ending}.{ending}", gps(106.005, 29.4003))
    evidence = attached(service, path)
    for role in ("viewer", "inspector"):
        answer = service.get(f"/evidence/{evidence}", role)
        assert answer.status_code == 200 and answer.headers["content-disposition"] == "inline"
        assert exif.read(Image.open(io.BytesIO(answer.content))) == exif.Said()
    refused = service.get(f"/evidence/{evidence}?original=true", "viewer")
    assert refused.status_code == 403 and refused.json()["error"] == "not_permitted"
    whole = service.get(f"/evidence/{evidence}?original=true", "inspector")
    assert whole.content == path.read_bytes() and whole.headers["content-disposition"].startswith("attachment")
    with service.db.read() as conn:
        seen = conn.execute(
            text("SELECT actor FROM sys.audit WHERE action = 'view' AND target = :t"),
            {"t": f"evidence:{evidence}:original"},
        ).scalars()
        assert list(seen) == ["the-inspector"]


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [("a.pdf", b"%PDF-1.7 x", 200), ("a.svg", b"<svg onload='alert(1)'/>", 200), ("b.jpg", b"<html>", 404)],
)
def test_what_is_no_picture_is_saved_and_never_run(
    service: Service, tmp_path: Path, name: str, content: bytes, status: int
) -> None:
    path = tmp_path / name
    path.write_bytes(content + name.encode())
    answer = service.get(f"/evidence/{attached(service, path, 'document')}")
    assert answer.status_code == status
    if status == 200:
        assert answer.headers["content-disposition"].startswith("attachment") and answer.content == path.read_bytes()
    else:
        assert "b.jpg" not in answer.text, "the name of a file in the store is nobody's business"
