"""An evidence pack is what was filed, checked by anybody, and tells every byte that changed."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rivergis.db.connect import Database, now_of
from rivergis.encroachment import campaign_workflow
from rivergis.errors import InputError, UsageError
from rivergis.reports import case_pack, case_scope
from tests.encroachment import list_ground as ledger

ON = ledger.ground.FIRST.replace(month=8)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def case(module_db: Database, store: Path) -> str:
    found = ledger.build(module_db)
    ledger.closed(module_db, found["a"], store)
    document = store / "filed.pdf"
    document.write_bytes(b"%PDF-1.4 filed")
    said: dict[str, Any] = {"authority": "试验县水利局", "outcome": "filed", "decided_on": ON, "document_no": "7号"}
    campaign_workflow.decide(module_db, found["a"], ledger.INSPECTOR, document=document, store_dir=store, **said)
    return found["a"]


def packed(db: Database, case: str, store: Path, out: Path) -> case_pack.Pack:
    with db.read() as conn:
        asked = case_scope.scope(conn, ON, now_of(conn))
        row, content, missing = case_pack.pieces(conn, asked, case, store)
    return case_pack.write(asked, row, content, missing, out)


@pytest.fixture(scope="module")
def pack(module_db: Database, case: str, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pack") / "case.zip"
    packed(module_db, case, store, out)
    return out


def test_a_pack_holds_all_that_is_filed_and_says_its_hashes(
    module_db: Database, case: str, store: Path, tmp_path: Path
) -> None:
    done = packed(module_db, case, store, tmp_path / "case.zip")
    assert case_pack.verify(tmp_path / "case.zip") == case_pack.Verified(done.path, done.files, done.seal, [])
    with zipfile.ZipFile(tmp_path / "case.zip") as archive:
        names = archive.namelist()
        events = json.loads(archive.read("data/events.json"))
        page = archive.read("case.html").decode()
        sums = archive.read("SHA256SUMS")
        photo = next(n for n in names if n.startswith("photos/"))
        assert archive.read(photo) == f"after {case}".encode()
    assert [e["move"] for e in events] == ["judge_problem", "assign", "rectify", "accept", "close"]
    assert any(n.startswith("decisions/") for n in names) and "maps/2026-05-01.svg" in names and not done.missing
    assert (
        hashlib.sha256(sums).hexdigest() == done.seal
        and "<svg" in page
        and "http" not in page.replace("http://www.w3.org", "")
    )


def test_anybody_checks_it_without_us(pack: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(pack) as archive:
        archive.extractall(tmp_path)
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and case_pack.verify(tmp_path).whole


def test_a_folder_is_the_same_pack(module_db: Database, case: str, store: Path, tmp_path: Path) -> None:
    folder, archive = tmp_path / "folder", tmp_path / "case.zip"
    with module_db.read() as conn:
        asked = case_scope.scope(conn, ON, now_of(conn))
        row, content, missing = case_pack.pieces(conn, asked, case, store)
    first = case_pack.write(asked, row, content, missing, folder)
    again = [case_pack.write(asked, row, content, missing, archive), archive.read_bytes()]
    assert case_pack.write(asked, row, content, missing, archive) == again[0] and archive.read_bytes() == again[1]
    assert first.seal == case_pack.verify(archive).seal == case_pack.verify(folder).seal
    with pytest.raises(UsageError, match="is there already"):
        case_pack.write(asked, row, content, missing, folder)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_law_one_changed_byte_is_told_with_its_file(pack: Path, tmp_path: Path, data: st.DataObject) -> None:
    folder = tmp_path / "loose"
    shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(pack) as archive:
        archive.extractall(folder)
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != case_pack.SUMS and p.stat().st_size)
    file = data.draw(st.sampled_from(files))
    content = bytearray(file.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    file.write_bytes(content)
    (fault,) = case_pack.verify(folder).faults
    assert fault.startswith(f"{file.relative_to(folder).as_posix()} was changed")


def test_what_is_missing_or_added_is_told_and_a_changed_list_has_another_seal(pack: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(pack) as archive:
        archive.extractall(tmp_path)
    seal = case_pack.verify(tmp_path).seal
    (tmp_path / "case.html").unlink()
    (tmp_path / "more.txt").write_text("x")
    assert case_pack.verify(tmp_path).faults == ["case.html is missing.", "more.txt was added; it is not on the list."]
    sums = tmp_path / case_pack.SUMS
    sums.write_text("".join(line for line in sums.read_text().splitlines(keepends=True) if "case.html" not in line))
    assert case_pack.verify(tmp_path).seal != seal


def test_a_zip_that_is_cut_or_none_of_ours_is_refused_in_a_sentence(pack: Path, tmp_path: Path) -> None:
    cut, other = tmp_path / "cut.zip", tmp_path / "other.zip"
    cut.write_bytes(pack.read_bytes()[:-200])
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a.txt", "a")
    for file in (cut, other, tmp_path):
        with pytest.raises(InputError, match="no evidence pack"):
            case_pack.verify(file)


def test_a_file_of_the_store_that_is_not_what_was_filed_is_not_packed(
    module_db: Database, store: Path, tmp_path: Path, case: str
) -> None:
    own = tmp_path / "store"
    shutil.copytree(store, own)
    photo = next((own / "evidence").glob("*.jpg"))
    photo.write_bytes(b"other")
    with pytest.raises(InputError, match="no longer what was filed"):
        packed(module_db, case, own, tmp_path / "case.zip")
    assert not (tmp_path / "case.zip").exists()
    photo.unlink()
    done = packed(module_db, case, own, tmp_path / "case.zip")
    assert done.missing == [f"photo {photo.stem}"]
