"""The units of systemd and the scripts beside them: sound, in step with the exit codes, and nothing they name is missing."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from rivergis import errors, settings

ROOT = Path(__file__).resolve().parents[1]
TIMER = ROOT / "scripts" / "timer"
UNITS = sorted([*TIMER.glob("*.service"), *TIMER.glob("*.timer")])


def said(unit: str, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", (TIMER / unit).read_text(encoding="utf-8"), re.M)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_units_are_what_systemd_understands(tmp_path: Path) -> None:
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        # the program and the user are those of an installation
        text = re.sub(r"/opt/rivergis/\.venv/bin/rivergis", "/bin/true", text).replace(
            "/opt/rivergis/scripts", str(TIMER.parent)
        )
        (tmp_path / unit.name).write_text(text.replace("=night_service", "=root"), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(map(str, tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_unit_and_script_that_is_named_is_there() -> None:
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        for name in re.findall(r"(rivergis-[\w-]+\.(?:service|timer))", text):
            assert (TIMER / name).exists(), f"{unit.name} names {name}"
        for script in re.findall(r"/opt/rivergis/(scripts/\S+)", text):
            assert (ROOT / script).stat().st_mode & 0o111, f"{unit.name} runs {script}"
    assert "/opt/rivergis/scripts/timer/night-cron" in (TIMER / "rivergis.cron").read_text(encoding="utf-8")


def test_the_night_runs_by_the_calendar_of_beijing_and_is_made_up_for() -> None:
    assert said("rivergis-nightly.timer", "OnCalendar") == ["*-*-* 03:30:00 Asia/Shanghai"]
    assert said("rivergis-nightly.timer", "Persistent") == ["true"]
    [command] = said("rivergis-nightly.service", "ExecStart")
    assert command.endswith("rivergis nightly run")


def test_what_is_tried_again_follows_the_exit_codes() -> None:
    assert said("rivergis-nightly.service", "SuccessExitStatus") == [str(errors.PartlyDone.exit_code)]
    hopeless = {c.exit_code for c in (errors.UsageError, errors.InputError, errors.NotPermitted)}
    assert {int(c) for c in said("rivergis-nightly.service", "RestartPreventExitStatus")[0].split()} == hopeless


def test_settings_of_the_night_are_settings() -> None:
    text = (TIMER / "night.env").read_text(encoding="utf-8")
    env = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", text, re.M))
    read = (ROOT / "src/rivergis/settings.py").read_text(encoding="utf-8")
    assert all(f'"{name}"' in read for name in env if name.startswith("RIVERGIS_")), env
    assert settings.load(env).actor == "night"


@pytest.mark.parametrize(
    ("codes", "ends", "tries"),
    [([0], 0, 1), ([6, 0], 0, 2), ([4], 4, 1), ([70, 70, 70], 70, 3), ([7], 7, 1), ([137, 4], 4, 2)],
)
def test_cron_tries_again_where_that_may_help(tmp_path: Path, codes: list[int], ends: int, tries: int) -> None:
    """With a program that ends with one code after the other."""
    program, log = tmp_path / "program", tmp_path / "log"
    program.write_text(
        f'#!/bin/sh\necho "$*" >> {log}\nn=$(wc -l < {log})\nset -- {" ".join(map(str, codes))}\nshift $((n - 1))\nexit $1\n'
    )
    program.chmod(0o755)
    env = {
        "PATH": "/usr/bin:/bin",
        "RIVERGIS_BIN": str(program),
        "RIVERGIS_NIGHT_PAUSE_S": "0",
        "RIVERGIS_NIGHT_TRIES": "3",
    }
    done = subprocess.run([TIMER / "night-cron", "--date", "2026-05-20"], env=env | {"RIVERGIS_NIGHT_ENV": "/nowhere"}, check=False, capture_output=True)  # fmt: skip
    assert done.returncode == ends
    assert log.read_text().splitlines() == ["nightly run --date 2026-05-20"] * tries


def test_every_exit_code_has_a_row_in_the_manual() -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.RivergisError)]
    for code in {c.exit_code for c in classes}:
        assert re.search(rf"^\| {code} \|", page, re.M), code
    for script in TIMER.iterdir():
        if script.suffix in (".env", ".cron", "") and script.name not in ("night-failed",):
            assert script.name in page, script.name


def machine(folder: Path, **programs: str) -> dict[str, str]:
    """An environment in which some programs of the system are stand-ins; ``$*`` of each goes into a file of its name."""
    for name, body in programs.items():
        (folder / name).write_text(f'#!/bin/sh\necho "$*" >> {folder}/{name}.log\n{body}\n')
        (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin", "TZ": "Asia/Shanghai"}


def systemctl(code: int, ended: str, state: str = "inactive") -> str:
    return f'case $4 in ExecMainStatus) echo {code};; ExecMainExitTimestamp) echo "{ended}";; ActiveState) echo {state};; *) echo exit-code;; esac'.replace("$4", "$(echo \"$*\" | sed 's/.*-p \\([A-Za-z]*\\).*/\\1/')")  # fmt: skip


@pytest.mark.parametrize(
    ("code", "ended", "state", "level", "word"),
    [
        (0, "1 hour ago", "inactive", 0, "OK"),
        (4, "1 hour ago", "inactive", 1, "WARNING"),
        (5, "1 hour ago", "failed", 1, "WARNING"),
        (6, "1 hour ago", "failed", 2, "CRITICAL"),
        (70, "1 hour ago", "failed", 2, "CRITICAL"),
        (0, "30 hours ago", "inactive", 2, "昨夜未运行"),
        (0, "", "inactive", 3, "UNKNOWN"),
        (0, "30 hours ago", "activating", 0, "running"),
    ],
)
def test_monitoring_is_told_how_the_night_ended(
    tmp_path: Path, code: int, ended: str, state: str, level: int, word: str
) -> None:
    env = machine(tmp_path, systemctl=systemctl(code, ended, state))
    done = subprocess.run([TIMER / "check-night"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == level and word in done.stdout and done.stdout.count("\n") == 1, done


def test_a_night_that_failed_is_told_without_names(tmp_path: Path) -> None:
    env = machine(
        tmp_path, systemctl=systemctl(6, "now", "failed"), logger="", journalctl="echo the last line", sendmail=f"cat > {tmp_path}/mail"
    )  # fmt: skip
    run = [TIMER / "night-failed", "rivergis-nightly.service"]
    assert subprocess.run(run, env=env, check=False).returncode == 0
    assert "exit code 6" in (tmp_path / "logger.log").read_text() and not (tmp_path / "mail").exists()
    subprocess.run(run, env=env | {"RIVERGIS_NOTICE_MAIL_TO": "duty@example.cn"}, check=True)
    mail = (tmp_path / "mail").read_text(encoding="utf-8")
    assert mail.startswith("To: duty@example.cn\n") and mail.rstrip().endswith("the last line")
