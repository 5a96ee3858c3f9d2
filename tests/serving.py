"""The real service as a process of its own, on a free port of this machine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("rivergis")


@contextmanager
def serving(env: Mapping[str, str]) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """``rivergis serve`` in the environment ``env``: its address, once it answers, and its process."""
    process = subprocess.Popen(
        [PROGRAM, "serve", "--port", "0"], env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert "http://" in line, line + process.stdout.read()
        yield line.split("serving at ")[1].split()[0], process
    finally:
        process.terminate()
        process.communicate(timeout=20)
