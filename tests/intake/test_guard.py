"""The guard: whatever one file does to the process that looks at it, the caller gets a result or one sentence."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.errors import CrsRefused, InputError, RivergisError
from rivergis.intake.guard import guarded, guarded_each
from rivergis.intake.limits import Limits

QUICK = Limits(seconds=2, memory_bytes=512 << 20)


def give(value: Any) -> Any:
    return value


def refuse() -> None:
    raise CrsRefused("a.shp is in a local grid.", crs="local", row=7)


def stumble() -> None:
    raise KeyError("no such\nfield")


def leave() -> None:
    sys.exit(3)


def crash() -> None:
    ctypes.string_at(0)


def abort() -> None:
    os.abort()


def spin() -> None:
    while True:
        pass


def sleep() -> None:
    time.sleep(3600)


def deaf() -> None:
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    time.sleep(3600)


def eat() -> int:
    return int(np.ones(1 << 28).sum())


def vanish() -> None:
    os._exit(0)


def chatter() -> str:
    os.write(1, b"noise")
    os.write(2, b"noise")
    sys.stderr.write("noise")
    return "result"


def litter() -> str:
    handle, name = tempfile.mkstemp()
    os.close(handle)
    return name


def litter_and_die(note: str) -> None:
    Path(note).write_text(litter())
    os.abort()


def note_and_sleep(note: str) -> None:
    Path(note).write_text(str(os.getpid()))
    time.sleep(3600)


def compute() -> float:
    import rasterio

    with rasterio.MemoryFile() as memory, memory.open(driver="GTiff", width=9, height=9, count=1, dtype="uint8") as out:
        out.write(np.ones((1, 9, 9), "uint8"))
    return float(np.linalg.norm(np.eye(300) @ np.ones(300)))


DEEDS: dict[str, Callable[..., Any]] = {
    "give": give, "refuse": refuse, "stumble": stumble, "crash": crash, "abort": abort, "vanish": vanish, "eat": eat, "spin": spin,
    "sleep": sleep, "chatter": chatter,
}  # fmt: skip


def act(deed: str, number: int) -> Any:
    return give(number) if deed == "give" else DEEDS[deed]()


def in_main(call: Callable[[], Any]) -> Any:
    return call()


def in_thread(call: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


@pytest.fixture(params=[in_main, in_thread], ids=["main thread", "other thread"])
def run(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """A guarded call from the main thread or, as a web server makes it, from another; no child and no file may stay."""
    before = children()
    yield lambda function, *args, limits=QUICK: request.param(
        lambda: guarded(function, *args, limits=limits, name="a.tif")
    )
    assert children() <= before, "a child stayed behind"


def children() -> set[int]:
    """Processes whose parent is this one, but for the server that makes children for processes with threads, and
    Python's own tracker: both live as long as the caller."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            status = (folder / "status").read_text()
            if f"\nPPid:\t{os.getpid()}\n" in status and b"multiprocessing" not in (folder / "cmdline").read_bytes():
                found.add(int(folder.name))
    return found


@settings(max_examples=10, deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.text() | st.binary(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_what_is_returned_arrives(value: object) -> None:
    assert guarded(give, value, limits=QUICK, name="a.tif") == value


def test_large_results_arrive(run: Callable[..., Any]) -> None:
    big = np.arange(5_000_000)
    assert (run(give, big) == big).all()


def test_what_the_house_raises_arrives_unchanged(run: Callable[..., Any]) -> None:
    with pytest.raises(CrsRefused) as caught:
        run(refuse)
    assert caught.value.as_dict() == CrsRefused("a.shp is in a local grid.", crs="local", row=7).as_dict()


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (stumble, "KeyError"),
        (leave, "SystemExit"),
        (crash, "SIGSEGV"),
        (abort, "SIGABRT"),
        (vanish, "broke on it"),
        (spin, "within 2 seconds"),
        (sleep, "within 2 seconds"),
        (deaf, "within 2 seconds"),
        (eat, "more than 0.5 GB"),
    ],
)
def test_whatever_goes_wrong_is_one_sentence(
    run: Callable[..., Any], function: Callable[..., Any], sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        run(function)
    assert caught.value.exit_code == 3 and "\n" not in caught.value.sentence
    assert caught.value.sentence.startswith("a.tif ")
    assert capfd.readouterr() == ("", "")


def test_memory_is_counted_beyond_what_is_mapped_already(run: Callable[..., Any]) -> None:
    mapped = np.zeros(1 << 28)  # 2 GiB of the caller are not the file's doing
    assert run(compute, limits=Limits(seconds=20, memory_bytes=1 << 30)) == pytest.approx(300**0.5)
    assert mapped[0] == 0


def test_noise_of_libraries_is_not_printed(run: Callable[..., Any], capfd: pytest.CaptureFixture[str]) -> None:
    assert run(chatter) == "result"
    assert capfd.readouterr() == ("", "")


def test_temporary_files_are_gone(run: Callable[..., Any], tmp_path: Path) -> None:
    assert not Path(run(litter)).exists()
    with pytest.raises(InputError):
        run(litter_and_die, str(tmp_path / "note"))
    left = Path((tmp_path / "note").read_text())
    assert not left.exists() and not left.parent.exists()


def test_a_relative_name_means_the_same_in_the_child(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.txt").write_text("x")
    assert run(os.path.exists, "here.txt") is True


def test_many_threads_at_once() -> None:
    def one(number: int) -> Any:
        try:
            return guarded(give if number % 3 else crash, *([number] if number % 3 else []), limits=QUICK, name="a.tif")
        except InputError:
            return None

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(12))) == [n if n % 3 else None for n in range(12)]
    assert threading.active_count() < 20


def test_what_cannot_be_sent_back_is_said(run: Callable[..., Any]) -> None:
    with pytest.raises(RivergisError) as caught:
        run(threading.Lock)
    assert "\n" not in caught.value.sentence


def test_a_script_is_not_run_again_by_its_children(tmp_path: Path) -> None:
    """Scripts and notebooks have no guarded main; one that uses threads must not start itself over in every child."""
    (tmp_path / "script.py").write_text(
        textwrap.dedent("""
            from concurrent.futures import ThreadPoolExecutor
            from pathlib import Path
            from rivergis.intake.guard import guarded
            from rivergis.intake.limits import Limits
            with Path("runs").open("a") as runs:
                runs.write("run ")
            with ThreadPoolExecutor(2) as pool:
                call = lambda n: guarded(divmod, n, 2, limits=Limits(seconds=20), name="a.tif")
                Path("results").write_text(str(list(pool.map(call, range(4)))))
        """)
    )
    subprocess.run([sys.executable, "script.py"], cwd=tmp_path, check=True, stderr=subprocess.PIPE, timeout=60)
    assert (tmp_path / "runs").read_text() == "run "
    assert (tmp_path / "results").read_text() == "[(0, 0), (0, 1), (1, 0), (1, 1)]"


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_the_child_ends_with_the_caller(tmp_path: Path, by: signal.Signals) -> None:
    note = tmp_path / "pid"
    script = textwrap.dedent(f"""
        from rivergis.intake.guard import guarded
        from rivergis.intake.limits import Limits
        from tests.intake.test_guard import note_and_sleep
        guarded(note_and_sleep, {str(note)!r}, limits=Limits(seconds=4), name="a.tif")
    """)
    caller = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL, cwd=Path(__file__).parents[2])
    while caller.poll() is None and not (note.exists() and note.read_text()):
        time.sleep(0.05)
    child = int(note.read_text())
    caller.send_signal(by)
    caller.wait(20)
    for _ in range(200):  # a killed caller cannot end it: its own clock does
        if not alive(child):
            break
        time.sleep(0.05)
    assert not alive(child)


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def each(deeds: list[str], limits: Limits = QUICK) -> list[Any]:
    """Answers of many tasks as comparable things."""
    tasks, names = list(enumerate(deeds)), [f"{i}.tif" for i in range(len(deeds))]
    answers = guarded_each(act, [(deed, i) for i, deed in tasks], limits=limits, names=names)
    return [repr(a) if isinstance(a, RivergisError) else a for a in answers]


def alone(deed: str, number: int) -> Any:
    try:
        return guarded(act, deed, number, limits=QUICK, name=f"{number}.tif")
    except RivergisError as error:
        return repr(error)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(["give", "give", "refuse", "stumble", "crash", "vanish", "eat"]), max_size=6))
def test_each_of_many_gets_what_it_would_get_alone(deeds: list[str]) -> None:
    assert each(deeds) == [alone(deed, i) for i, deed in enumerate(deeds)]


@pytest.mark.parametrize("deed", ["spin", "sleep"])
def test_what_hangs_takes_no_others_with_it(deed: str) -> None:
    first, hung, last = each(["give", deed, "give"])
    assert (first, last) == (0, 2) and "1.tif could not be read within 2 seconds" in hung


def test_every_task_has_the_time_of_one(tmp_path: Path) -> None:
    """Four naps of a second in one process whose tasks have two."""
    naps = guarded_each(time.sleep, [(1.0,)] * 4, limits=QUICK, names=["a.tif"] * 4)
    assert naps == [None] * 4
