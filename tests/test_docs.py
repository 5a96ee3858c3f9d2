"""Documents that cannot lie: generated pages are up to date, links lead somewhere, nothing names this or that machine."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
from importlib.machinery import SourceFileLoader
from pathlib import Path

import click
import pytest

from rivergis import cli, words
from rivergis.encroachment import files, overlay
from rivergis.reports import morning_reading

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "scripts" / "make-docs"


def pages() -> dict[str, object]:
    spec = importlib.util.spec_from_loader("make_docs", SourceFileLoader("make_docs", str(SCRIPT)))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return dict(module.PAGES)


@pytest.mark.parametrize("name", ["layers.md", "cli.md", "defects.md"])
def test_generated_pages_are_up_to_date(name: str) -> None:
    make = pages()[name]
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == make(), "run scripts/make-docs"  # type: ignore[operator]


TOLD = sorted(
    str(p.relative_to(ROOT)) for name in ("patrol", "encroachment") for p in (ROOT / "docs").glob(f"{name}*.md")
)
DECISIONS = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs/decisions").glob("*.md"))


def said_of_files() -> set[str]:
    """Every code that a reader, the detective or an import gives, where it stands as a word in the call that says it."""
    place = {"defect": 0, "Defect": 0, "note": 0, "_note": 0, "skip": 0, "aside": 1, "SetAside": 1}
    found = set()
    for file in [*(ROOT / "src/rivergis").glob("intake/*.py"), *(ROOT / "src/rivergis").glob("jobs/*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            args = node.args[place[name] :] if name in place else []
            if args and isinstance(args[0], ast.Constant) and isinstance(args[0].value, str):
                found.add(args[0].value)
    return found


def test_every_defect_that_is_said_has_words() -> None:
    codes = said_of_files()
    assert len(codes) > 80
    assert {c for c in codes if f"defect.{c}" not in words.catalogue()} == set()


def test_advice_is_given_to_defects_only() -> None:
    known = {k.partition(".")[2] for k in words.catalogue() if k.startswith("defect.")}
    assert {k.partition(".")[2] for k in words.catalogue() if k.startswith("advice.")} <= known


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/intake.md",
        "docs/operations.md",
        "docs/glossary.md",
        *TOLD,
        *DECISIONS,
    ],
)
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)", (ROOT / page).read_text(encoding="utf-8")):
        assert ((ROOT / page).parent / target).exists(), f"{page} links to {target}"


@pytest.mark.parametrize("page", ["README.md", "docs/intake.md", "docs/operations.md", *TOLD])
def test_commands_and_options_in_the_pages_exist(page: str) -> None:
    root = click.Context(cli.rivergis, info_name="rivergis")
    for line in re.findall(r"^rivergis (.+)$", (ROOT / page).read_text(encoding="utf-8"), re.M):
        said = line.partition("  #")[0].split()
        assert said[0] in cli.NOUNS, line
        command = cli.rivergis.get_command(root, said[0])
        for word in said[1:]:
            command = command.commands[word] if isinstance(command, click.Group) else command
        assert command is not None
        known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
        assert {w for w in said if w.startswith("--")} <= known, line


def codes_of(page: str, heading: str) -> set[str]:
    """What stands first in the rows of the table below a heading of a page."""
    below = (ROOT / page).read_text(encoding="utf-8").partition(f"\n## {heading}")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `(\w+)` \|", below, re.M))


def test_every_reason_and_diagnostic_of_a_check_is_explained() -> None:
    assert codes_of("docs/encroachment.md", "Reasons") == {*overlay.REASONS, files.PLACE_OPEN, "allowed_use"}
    said = {k.partition(".")[2] for k in words.catalogue() if k.startswith("check.")}
    assert codes_of("docs/encroachment.md", "Diagnostics") == said


def test_every_figure_of_the_morning_is_defined() -> None:
    assert codes_of("docs/encroachment_night.md", "5 ") == {code for _, code, _, _ in morning_reading.FIGURES}


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
    assert "://" not in text and "--index-url" not in text
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout
    assert "uv.lock" not in tracked and "pylock.toml" not in tracked
