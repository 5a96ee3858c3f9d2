"""Every defect a build can tell has words in both languages."""

from __future__ import annotations

import ast
from pathlib import Path

from rivergis import words

RIVER = Path(__file__).resolve().parents[2] / "src" / "rivergis" / "river"


def told() -> set[str]:
    """Codes that stand in the source as first argument of a defect."""
    found = set()
    for path in RIVER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("NetworkDefect", "tell"):
                found |= {
                    a.value
                    for a in node.args
                    if isinstance(a, ast.Constant)
                    and isinstance(a.value, str)
                    and "_" in a.value
                    and " " not in a.value
                }
    return found


def test_every_defect_has_words() -> None:
    codes = told()
    assert len(codes) > 15
    missing = [c for c in sorted(codes) if f"network_defect.{c}" not in words.catalogue()]
    assert missing == []
