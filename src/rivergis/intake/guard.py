"""Looking at one file in a process of its own, so that what crashes, hangs or eats memory is a sentence and not an end.

GDAL and its many drivers are C and C++: a hostile or broken file can abort the process, spin for ever or ask for more memory
than there is. Nothing that Python raises helps against that; limits of the operating system do.
"""

from __future__ import annotations

import faulthandler
import gc
import io
import multiprocessing
import os
import pickle
import resource
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import forkserver, popen_forkserver, reduction, util
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess, set_spawning_popen
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any, TypeVar

from rivergis.errors import EnvironmentFault, InputError, RivergisError
from rivergis.intake.limits import Limits

T = TypeVar("T")

_TIME_UP = {signal.SIGXCPU, signal.SIGALRM}
_GRACE_S = 2.0
"""How much longer the caller waits than the process has: its own alarm comes first and says what happened."""


def guarded(function: Callable[..., T], *args: Any, limits: Limits, name: str) -> T:
    """The result of ``function(*args)``, run in a child process with bounded time and memory; ``name`` is the file's.

    ``function`` must be one of a module, its arguments and result must pickle. Temporary files it makes are gone
    afterwards, what libraries print is swallowed. A ``RivergisError`` arrives as it was raised; everything else that goes
    wrong (crash, time, memory, an exception nobody foresaw) is an ``InputError``. Interrupting the caller ends the child.
    """
    [answer] = guarded_each(function, [args], limits=limits, names=[name])
    if isinstance(answer, RivergisError):
        raise answer
    return answer


def guarded_each(
    function: Callable[..., T], tasks: Sequence[tuple[Any, ...]], *, limits: Limits, names: Sequence[str]
) -> list[T | RivergisError]:
    """``guarded`` for many small files, which share a child: the result of each task, or its error, in their order.

    Each task has the time of one file. Whoever ends the child is alone to blame: the others go on in the next one, and what
    broke in a child that had read others before is tried again in a fresh one.
    """
    done: list[T | RivergisError] = []
    while len(done) < len(tasks):
        done += _some(function, tasks[len(done) :], limits, names[len(done) :])
    return done


def _some(
    function: Callable[..., T], tasks: Sequence[tuple[Any, ...]], limits: Limits, names: Sequence[str]
) -> list[T | RivergisError]:
    """Answers to the first tasks, one at least, as far as one child gets."""
    with tempfile.TemporaryDirectory(prefix="rivergis-") as scratch:
        here, there = multiprocessing.Pipe(duplex=False)
        child = _process(function)(target=_work, args=(there, function, tasks, limits, scratch, _here()), daemon=True)
        try:
            child.start()
        except OSError as error:
            raise EnvironmentFault(f"No process could be started to look at {names[0]}: {error.strerror}.") from error
        there.close()
        try:
            answers, unforeseen = _answers(here, len(tasks), limits)
        finally:
            exit_code = _end(child)
            here.close()
    if len(answers) == len(tasks):
        return answers
    name = names[len(answers)]
    if unforeseen is None and (not answers or -exit_code in _TIME_UP):
        return [*answers, InputError(_broken(exit_code, limits, name), file=name)]
    return answers or [_unforeseen(unforeseen, limits, name)]


def _answers(here: Connection, count: int, limits: Limits) -> tuple[list[Any], Any]:
    """What the child sent, up to what nobody foresaw: after that it is not relied on."""
    answers: list[Any] = []
    while len(answers) < count:
        done, value = _answer(here, limits.seconds + _GRACE_S)
        if done is None:
            break
        if not done and not isinstance(value, RivergisError):
            return answers, value
        answers.append(value)
    return answers, None


def _here() -> Path | None:
    """Where the caller is; a child of the fork server is where that server was started, and relative names mean nothing there."""
    with suppress(OSError):
        return Path.cwd()
    return None


def _process(function: Callable[..., Any]) -> Any:
    """How children come about: a fork where the process has one thread; another thread's lock would stay shut for ever."""
    if threading.active_count() == 1:
        return multiprocessing.get_context("fork").Process
    # asked before the server starts it makes every later child cheap; afterwards it changes nothing
    forkserver.set_forkserver_preload([function.__module__])
    return _Served


class _Served(ForkServerProcess):
    """A child of the fork server, a process of one thread that has the libraries loaded."""

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # the name is the library's
        return _ServedWithoutMain(process_obj)


class _ServedWithoutMain(popen_forkserver.Popen):
    """Started without the caller's main module: a script that is no module would run a second time in every child."""

    def _launch(self, process_obj: Any) -> None:
        packed = io.BytesIO()
        set_spawning_popen(self)
        try:
            reduction.dump({"sys_path": sys.path}, packed)
            reduction.dump(process_obj, packed)
        finally:
            set_spawning_popen(None)
        self.sentinel, errand = forkserver.connect_to_new_process(self._fds)  # type: ignore[attr-defined]
        self.finalizer = util.Finalize(self, os.close, (self.sentinel,))
        with os.fdopen(errand, "wb") as out:
            out.write(packed.getbuffer())
        self.pid = forkserver.read_signed(self.sentinel)


def _answer(here: Connection, wait_s: float) -> tuple[bool | None, Any]:
    """What the child sent: (True, result), (False, what was raised), or (None, None) when it ended without a word."""
    with suppress(EOFError, OSError):
        if here.poll(wait_s):
            return here.recv()
    return None, None


def _end(child: Any) -> int:
    """Make sure that the child is gone and waited for; its exit code, negative for a signal."""
    child.join(1.0)
    while child.exitcode is None:
        child.kill()
        child.join(0.2)
    code = int(child.exitcode)
    child.close()
    return code


def _broken(exit_code: int, limits: Limits, name: str) -> str:
    number = -exit_code
    if number in _TIME_UP:
        return f"{name} could not be read within {limits.seconds} seconds: it is damaged, hostile or too large; ask for it in parts."
    if number == signal.SIGKILL:
        return f"{name} could not be read within {limits.seconds} seconds or the memory there is: it is damaged, hostile or too large; ask for it in parts."
    what = signal.Signals(number).name if number in set(signal.Signals) else f"code {exit_code}"
    return f"{name} cannot be read: the library that reads such files broke on it ({what}). It is damaged or hostile; ask for it again."


def _unforeseen(value: Any, limits: Limits, name: str) -> InputError:
    kind, said, trace = value
    if kind == "MemoryError":
        sentence = f"{name} asks for more than {limits.memory_bytes / 2**30:.3g} GB of memory: it is damaged, hostile or too large."
    else:
        sentence = f"{name} cannot be read ({kind}: {' '.join(said.split())[:120]}): it is damaged or of another kind; ask for it again."
    return InputError(sentence, file=name, trace=trace)


def _work(
    there: Connection,
    function: Callable[..., Any],
    tasks: Sequence[tuple[Any, ...]],
    limits: Limits,
    scratch: str,
    where: Path | None,
) -> None:
    """The child: quiet, bounded, one answer for each task. Whatever is raised is answered, so that it cannot end in a traceback."""
    gc.freeze()  # what the caller holds stays where it is, so that nothing of it is copied
    _quiet()
    if where is not None:
        os.chdir(where)
    os.environ["TMPDIR"] = os.environ["CPL_TMPDIR"] = tempfile.tempdir = scratch
    _bound(limits)
    for args in tasks:
        _start_clocks(limits.seconds)
        foreseen, answer = _tried(function, args)
        signal.alarm(0)
        there.send_bytes(answer)
        if not foreseen:
            break
    there.close()


def _tried(function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[bool, Any]:
    """Whether what happened was foreseen, and the answer as it is sent."""
    try:
        return True, ForkingPickler.dumps((True, function(*args)), pickle.HIGHEST_PROTOCOL)
    except RivergisError as error:
        return True, ForkingPickler.dumps((False, error))
    except BaseException as error:
        return False, ForkingPickler.dumps((False, (type(error).__name__, str(error), traceback.format_exc())))


def _quiet() -> None:
    """C libraries write to the descriptors themselves; a fault's dump would go to the caller's terminal."""
    faulthandler.disable()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    sys.stdout = sys.stderr = os.fdopen(nowhere, "w")  # they may lead elsewhere than to the descriptors


def _bound(limits: Limits) -> None:
    """Memory beyond what the process had mapped when it started, and signals that end it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller, who gets it too, ends this process
    for number in (*_TIME_UP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _lower(resource.RLIMIT_AS, mapped + limits.memory_bytes)
    _lower(resource.RLIMIT_CORE, 0)


def _start_clocks(seconds: int) -> None:
    """Time by the clock and processor time from now on."""
    signal.alarm(seconds)
    _lower(resource.RLIMIT_CPU, int(time.process_time()) + seconds)


def _hard(which: int) -> int:
    return resource.getrlimit(which)[1]


def _lower(which: int, wanted: int) -> None:
    hard = _hard(which)
    resource.setrlimit(which, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
