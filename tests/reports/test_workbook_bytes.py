"""A workbook written twice is the same file, whatever other libraries do to the process meanwhile."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from openpyxl import Workbook
from openpyxl.xml.constants import DCTERMS_NS, DCTERMS_PREFIX
from openpyxl.xml.functions import register_namespace

from rivergis.reports import workbook

MOMENT = datetime(2036, 1, 1, 8, 0, tzinfo=UTC)


def written(path: Path) -> bytes:
    book = Workbook()
    book.active["A1"] = "云溪河"
    workbook.write_fixed(book, path, MOMENT)
    return path.read_bytes()


def test_the_moment_of_saving_is_found_under_any_prefix(tmp_path: Path) -> None:
    # OWSLib calls this namespace dct for the whole process
    register_namespace("dct", DCTERMS_NS)
    try:
        first = written(tmp_path / "a.xlsx")
        time.sleep(1.1)
        assert written(tmp_path / "b.xlsx") == first
    finally:
        register_namespace(DCTERMS_PREFIX, DCTERMS_NS)
