"""Documents that cannot lie: generated pages are up to date, links lead somewhere, nothing names this or that machine."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "scripts" / "make-docs"


def pages() -> dict[str, object]:
    spec = importlib.util.spec_from_loader("make_docs", SourceFileLoader("make_docs", str(SCRIPT)))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return dict(module.PAGES)


@pytest.mark.parametrize("name", ["layers.md", "cli.md"])
def test_generated_pages_are_up_to_date(name: str) -> None:
    make = pages()[name]
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == make(), "run scripts/make-docs"  # type: ignore[operator]


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)", (ROOT / page).read_text(encoding="utf-8")):
        assert (ROOT / target).exists(), f"{page} links to {target}"


def test_commands_in_the_readme_exist() -> None:
    from rivergis.cli import NOUNS

    for noun in re.findall(r"^rivergis ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.M):
        assert noun in NOUNS


def test_no_word_that_judges_a_person_stands_in_pages_or_catalogue() -> None:
    for path in [
        *(ROOT / "gis" / "pages").glob("*.html"),
        ROOT / "gis" / "text" / "catalogue.yaml",
        *(ROOT / "src").rglob("*.html"),
    ]:
        for word in ("违法", "作弊", "造假", "虚假巡河", "cheat", "illegal", "violation"):
            assert word not in path.read_text(encoding="utf-8"), f"{path.name}: {word}"


def test_lock_file_names_no_registry() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "http" not in re.sub(r"httpx?[a-z]*==|httpcore==", "", text)
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout
    assert "uv.lock" not in tracked and "pylock.toml" not in tracked
