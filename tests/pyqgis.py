"""Debian's QGIS for tests that drive it: they run where ``scripts/test --clients`` asks for them, since it needs 1 GB of packages."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

PYTHON = "/usr/bin/python3"  # the one that Debian's python3-qgis belongs to


def why_not() -> str | None:
    """Why tests with QGIS do not run here; None where they do."""
    if os.environ.get("RIVERGIS_TEST_QGIS") != "1":
        return "tests with QGIS run with scripts/test --clients"
    there = (
        Path(PYTHON).exists()
        and subprocess.run([PYTHON, "-c", "import qgis.core"], capture_output=True).returncode == 0
    )
    return None if there else f"{PYTHON} has no PyQGIS: scripts/test --clients installs python3-qgis"
