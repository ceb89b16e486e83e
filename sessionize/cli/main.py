"""The way out: runs the application in a worker, turns what goes wrong into a line on stderr and an exit code.

Polars holds the thread it is called from until a query ends, and puts its own handler in the place of Python's for
Ctrl-C. So the signals are blocked in every thread, the work runs in one of its own, and the main thread waits for
whichever comes first: a signal, or the end of the work.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import threading
import traceback
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Final

from sessionize.cli.config_files import places
from sessionize.cli.late import Late
from sessionize.errors import ChecksFailed, SessionizeError, StdoutError
from sessionize.machine import LITTLE, WITHOUT_AVX512, available, processor
from sessionize.patterns import pattern
from sessionize.unforeseen import as_ours
from sessionize.zones import any_zone

UNFORESEEN: Final = 70
DONE: Final = signal.SIGUSR1
"""What the worker sends when it has ended."""
ABANDONED: Final = threading.Event()
"""Set when a signal ends the run."""
WAITED_FOR: Final = (signal.SIGINT, signal.SIGTERM, DONE)
ARENAS: Final = max(1, (os.cpu_count() or 1) // 2)
"""Heaps that threads share: what one has let go of is there for the other."""
POLARS_ALLOCATOR: Final = f"dirty_decay_ms:10000,oversize_threshold:0,lg_extent_max_active_fit:12,narenas:{ARENAS}"
"""Keep what was let go of a while for what comes next, however large: the system hands memory out anew, and takes it back
at the end, at a price. Kept for ever, it would break ``--memory-limit``."""
NUMPY_ALLOCATOR: Final = {-3: 1 << 25, -1: 1 << 28, -8: ARENAS}
"""The same for the C library's: M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_ARENA_MAX."""
SPARING_POLARS: Final = "dirty_decay_ms:200,muzzy_decay_ms:0,narenas:1"
SPARING_NUMPY: Final = {-3: 1 << 20, -1: 1 << 20, -8: 1}
"""Where memory is short: what was let go of is given back soon, which takes a third more time."""
SAYS_LIMIT: Final = pattern(r"(?m)^\s*[\"']?memory[-_]limit")
GARBAGE_AFTER: Final = 1_000_000
"""Objects made before Python looks for garbage in cycles: loading makes many and none of it is garbage."""
FRAMES: Final = 1 << 15
"""Words that the worker's first call asks for its values. Python maps memory for calls by 16 kB, and gives it back, each
time that one crosses the end of it: over a thousand times in a small run. Half of what holds so many words is left."""
TURN: Final = 0.0005
"""Seconds that a thread runs Python alone while others wait for their turn: those that read are done with it soon."""


def main() -> None:
    """Run the command line and exit."""
    # A closed pipe (`| head`) ends the run silently, as it does any other tool.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    _fill_closed_streams()
    Late.stand_for("importlib.metadata")  # Polars imports it, for what no command does
    gc.set_threshold(GARBAGE_AFTER)
    sys.setswitchinterval(TURN)
    _set_allocators()
    if processor().sorts_faster_without_avx512:
        os.environ.setdefault("NPY_DISABLE_CPU_FEATURES", WITHOUT_AVX512)  # read when NumPy is loaded
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy's linear algebra, unused here: its threads would spin
    signal.pthread_sigmask(signal.SIG_BLOCK, WAITED_FOR)
    codes: list[int] = []
    threading.Thread(target=_work, args=(codes,), daemon=True).start()
    number = signal.sigwait(WAITED_FOR)
    if codes:
        _exit(codes[0])
    _abandon(128 + number)


def _set_allocators() -> None:
    polars, numpy = _allocators()
    os.environ.setdefault("_RJEM_MALLOC_CONF", polars)  # read when Polars is loaded
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # the C library's, as NumPy's is
    with suppress(OSError, AttributeError):  # another C library than GNU's
        mallopt = ctypes.CDLL(None).mallopt
        for option, value in numpy.items():
            mallopt(option, value)


def _allocators() -> tuple[str, dict[int, int]]:
    """How Polars' allocator is set, and the C library's."""
    if available() < LITTLE or _is_limited():
        return SPARING_POLARS, SPARING_NUMPY
    return POLARS_ALLOCATOR, NUMPY_ALLOCATOR


def _is_limited() -> bool:
    """Whether a memory limit is typed, or stands in a configuration file: it is looked for before anything is loaded."""
    if any(each.startswith("--memory-limit") for each in sys.argv):
        return True
    typed = [*pairwise(sys.argv), *(each.partition("=")[::2] for each in sys.argv)]
    files = [Path(value) for option, value in typed if option == "--config"]
    with suppress(OSError):  # this folder may be gone
        files = files or [*places()]
    return any(SAYS_LIMIT.search(_content(path)) for path in files)


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else ""  # a pipe can be read but once
    except (OSError, UnicodeDecodeError):
        return ""  # whoever needs the file says so


def _fill_closed_streams() -> None:
    """Put something in the place of a standard stream that was closed (`>&-`): writing to it is an error.

    Else the first file that is opened would take its number, and what is printed would lie in that file.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDONLY), mode))


def _work(codes: list[int]) -> None:
    code = UNFORESEEN
    try:
        code = _run(sys.argv[1:])
    finally:  # whatever happens, the main thread must not wait for ever
        codes.append(code)
        os.kill(os.getpid(), DONE)


_work.__code__ = _work.__code__.replace(co_stacksize=FRAMES)


def _abandon(code: int) -> None:
    """Leave after a signal: nothing half-written stays. What stdout still holds is not waited for."""
    ABANDONED.set()
    try:
        _undo("sessionize.output.publish", "abandon_all")
        _undo("sessionize.cli.run_files", "ended", code)
        _undo("sessionize.cli.view", "leave_terminal")
        _undo("sessionize.scratch", "remove")
    finally:
        os._exit(code)


def _exit(code: int) -> None:
    """Leave at once: freeing what a large run holds, object by object, takes longer than many a run."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        _undo("sessionize.scratch", "remove")
        os._exit(code)


def _undo(module: str, function: str, *values: int) -> None:
    """Call what a module has to undo, if it has been loaded to the end: the worker may be at it."""
    found = getattr(sys.modules.get(module), function, None)
    if found is not None:
        with suppress(Exception):
            found(*values)


def _run(arguments: list[str]) -> int:
    try:
        from sessionize.cli.app import application, as_meant

        arguments = as_meant(arguments)
        with any_zone():
            code = application(arguments)(arguments, prog_name="sessionize", standalone_mode=False)
        sys.stdout.flush()
    except SystemExit as done:  # how Typer ends what the shell asks on TAB
        return done.code if isinstance(done.code, int) else 0
    except BaseException as error:  # noqa: BLE001 - the one place; Polars' PanicException is no Exception
        # After a signal, what the work says of files that were taken from it is no news.
        return UNFORESEEN if ABANDONED.is_set() else _report(error, arguments)
    return code if isinstance(code, int) else 0


def _report(error: BaseException, arguments: list[str]) -> int:
    """Print the error as a user reads it; return its exit code."""
    if "--debug" in arguments:
        with suppress(OSError):
            _print_traceback(error)
    if type(error).__name__ == "NoSuchOption":
        from sessionize.cli.meant import no_such_option

        error = no_such_option(error, arguments)
    if isinstance(error, SessionizeError):
        _print_error(error, arguments)
        return error.exit_code
    usage = getattr(error, "format_message", None)
    if usage is not None:  # Typer's own: what was typed is wrong, or nothing was, which asks for help
        _print_usage(type(error).__name__, usage(), arguments)
        return int(getattr(error, "exit_code", 2))
    found = as_ours(error)
    _print(found.message, found.hint)
    return found.exit_code


def _print_usage(kind: str, message: str, arguments: list[str]) -> None:
    if kind == "MissingParameter" and "INPUT" in message:
        command = arguments[0]
        _print("INPUT is missing", f"sessionize {command} INPUT...; sessionize {command} -h tells the options")
    else:
        _print(message, None, label="" if kind == "NoArgsIsHelpError" else "error: ")


def _print_traceback(error: BaseException) -> None:
    from sessionize.cli.view import plain

    for line in "".join(traceback.format_exception(error)).splitlines():
        print(plain(line), file=sys.stderr)


def _print_error(error: SessionizeError, arguments: list[str]) -> None:
    """Print an error of ours: for people, or as JSON where that was asked for."""
    monitor = sys.modules.get("sessionize.cli.monitor")
    if monitor is not None and monitor.BY_LINES:
        with suppress(OSError):
            monitor.failed(error.message, error.hint, error.exit_code)
        monitor.BY_LINES.clear()
    else:
        _print(error.message, error.hint)
    to_stdout = any(pair in (("-o", "-"), ("--output", "-")) for pair in pairwise(arguments))
    # A failed check comes behind the JSON that was asked for; with -o - stdout is for metrics.
    if "--json" in arguments and not to_stdout and not isinstance(error, ChecksFailed | StdoutError):
        from sessionize.cli.monitor import as_object

        with suppress(OSError):
            print(as_object(error), flush=True)


def _print(message: str, hint: str | None, *, label: str = "error: ") -> None:
    from sessionize.cli.view import plain, wrapped

    with suppress(OSError):  # a stderr that takes nothing: the exit code still tells
        print(f"{label}{wrapped(plain(message), len(label)) if label else message}", file=sys.stderr)
        if hint:
            print(f"  hint: {wrapped(plain(hint), 8)}", file=sys.stderr)
