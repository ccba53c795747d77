"""A fork of what has imported them already turns into one of our programs, in place of a new interpreter.

A call of the fork server becomes the command, daemon or keeper that was asked for. Where that executes one of ours,
or has one started, this goes on without an interpreter's start as well:

- what executes `python -m` of ours goes on as that module;
- a daemon's keeper is a fork of the daemon, and a web server in the background one of the command;
- the stand-in for `claude` that a keeper starts is a fork of the keeper;
- a command of ours that the stand-in runs, as a hook or as the tool Bash, is a fork of the stand-in.

What descends from a keeper never becomes a daemon: in its memory, SQLite holds the first daemon's database open.
In /proc all look as if they had been executed, so that the product and the tests find them. Whoever starts one waits
until it looks so, as it would for an execution. What a mission's shell starts has its real start.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import runpy
import shlex
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NoReturn

from tests.kit import claude
from tests.kit.standin import main

ROOM = 16384
"""Bytes for the words, and as many for the variables, that /proc shows of a fork; what is longer is cut off there."""
REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WORLD = {"LC_ALL": "C.UTF-8", "PYTHONPATH": REPOSITORY}
"""What the server's interpreter has read."""
_READ_BY_INTERPRETER = ("LANG", "LC_", "PYTHON", "COVERAGE_")
"""Beginnings of the names of variables that the interpreter reads when it starts."""
INTERPRETER = (sys.executable, "-P", "-m")
"""How each of ours is executed, before its module and words."""
KEEPER = (*INTERPRETER, "overmind_core.keeper")
_COMMAND = (*INTERPRETER, "overmind_core.cli")
WEB = "overmind_web"
_WEB_SERVER = (*INTERPRETER, WEB)
_STARTED = (KEEPER, _WEB_SERVER)
"""What one of ours starts as a process of its own."""
_PRELOADED = {"overmind_core.cli", "overmind_core.daemon", "overmind_core.keeper", WEB}
"""What goes on in the process that executes it; the full-screen program has its real start."""
_SHELLS = {("/bin/sh", "-c"), ("/bin/bash", "-c")}
"""What the stand-in runs commands with; of a single command without expansions it becomes that command."""
_SWITCH_SECONDS = sys.getswitchinterval()
_STANDARD = 3
"""Standard files."""
_REAL_EXECVE = os.execve
_REAL_SPAWN = os.posix_spawn
_REAL_FORK_EXEC = subprocess._fork_exec  # type: ignore[attr-defined] # what all of `subprocess` comes down to


def become(
    module: str, words: Sequence[str], env: Mapping[str, str], ready: Callable[[], object] = lambda: None
) -> NoReturn:
    """Be `python -m <module> <words>`; files, folder and mask of this process are as it wants them.

    Args:
        module: The program.
        words: Arguments.
        env: Environment.
        ready: Called as soon as it looks like that program.
    """
    is_keeper = module == KEEPER[-1]
    descends = is_keeper or os.posix_spawn is _spawn
    # What this process does from now on is the product's.
    os.execve = _REAL_EXECVE if descends else _execute  # type: ignore[assignment]
    os.posix_spawn = _spawn if is_keeper else _REAL_SPAWN
    subprocess._fork_exec = _REAL_FORK_EXEC if is_keeper else _fork_started  # type: ignore[attr-defined]
    _run((*INTERPRETER, module, *words), env, lambda: _run_module(module, words), ready)


def is_usual(env: Mapping[str, str]) -> bool:
    """Whether a new interpreter would read of these variables what this one has read."""
    return {name: value for name, value in env.items() if name.startswith(_READ_BY_INTERPRETER)} == WORLD


def _execute(path: str, argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Like `os.execve`; a module of ours takes over this process as it is."""
    if tuple(argv[: len(INTERPRETER)]) != INTERPRETER or argv[len(INTERPRETER)] not in _PRELOADED:
        _REAL_EXECVE(path, list(argv), env)
    for fd in map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError):
            if not os.get_inheritable(fd):
                os.close(fd)
    gc.freeze()  # what held a file closes nothing any more
    module, *words = argv[len(INTERPRETER) :]
    become(module, words, env)


# what is started


def _fork_started(argv: Sequence[Any], *how: Any) -> int:
    """Like what `subprocess` starts all with; ours goes on as a child of the process that would execute it."""
    is_ours = tuple(argv[: len(KEEPER)]) in _STARTED
    return _fork_command(argv, how) if is_ours else int(_REAL_FORK_EXEC(argv, *how))


def _fork_ours(argv: Sequence[Any], *how: Any) -> int:
    """The same for the stand-in: of what it has a shell run, a single command of ours goes on as its child."""
    words = _single(argv[-1]) if tuple(argv[:-1]) in _SHELLS else ()
    if words[: len(_COMMAND)] == _COMMAND and is_usual(_variables(how[4])):
        return _fork_command(words, how)
    return int(_REAL_FORK_EXEC(argv, *how))


def _single(text: str) -> tuple[str, ...]:
    """The words of a command line that leaves nothing to the shell; none of any other."""
    try:
        words = shlex.split(text)
    except ValueError:  # a quote is open: the shell says so
        return ()
    return tuple(words) if shlex.join(words) == text else ()


def _fork_command(argv: Sequence[Any], how: Sequence[Any]) -> int:
    """Fork for one of ours; `how`: what `subprocess` says of files, folder, variables and session."""
    _, _, kept, cwd, env, in_, _, _, out, _, err, _, report, _, session = how[:15]

    def be() -> None:
        if session:
            os.setsid()
        os.chdir(cwd)
        for target, fd in enumerate((in_, out, err)):
            os.dup2(fd, target)
        _close_files({report, *kept})
        module, *words = map(os.fsdecode, argv[len(INTERPRETER) :])
        become(module, words, _variables(env), lambda: os.close(report))

    return _fork(be)


def _spawn(path: Any, argv: Sequence[Any], env: Mapping[Any, Any], **how: Any) -> int:
    """What a keeper starts all with; the stand-in goes on as its child, and looks executed when this returns."""
    words = [os.fsdecode(word) for word in argv]
    variables = {os.fsdecode(name): os.fsdecode(value) for name, value in env.items()}
    if not claude.is_stand_in(os.fsdecode(path)) or not _has_room(words, variables):
        return _REAL_SPAWN(path, list(argv), env, **how)
    is_ready, report = os.pipe()

    def ready() -> None:
        os.close(report)

    def be() -> None:
        os.setsid()
        for number in how["setsigdef"]:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, how["setsigmask"])
        for action in how["file_actions"]:
            _act(*action)
        _close_files({report})
        _become_stand_in(words[1:], variables, ready)

    try:
        pid = _fork(be)
    finally:
        os.close(report)
        os.read(is_ready, 1)
        os.close(is_ready)
    return pid


def _act(kind: int, *what: Any) -> None:
    """One thing that `posix_spawn` does to a file of the child's."""
    if kind == os.POSIX_SPAWN_OPEN:
        target, path, flags, mode = what
        fd = os.open(path, flags, mode)
        if fd != target:
            os.dup2(fd, target)
            os.close(fd)
    else:
        assert kind == os.POSIX_SPAWN_DUP2, kind
        os.dup2(*what)


def _fork(be: Callable[[], object]) -> int:
    """Fork for what ends its process; return its pid."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # no other thread holds what the child will need
        pid = os.fork()
    if pid:
        return pid
    try:
        signal.set_wakeup_fd(-1)
        for number in signal.valid_signals():
            if callable(signal.getsignal(number)):
                signal.signal(number, signal.SIG_DFL)
        sys.setswitchinterval(_SWITCH_SECONDS)
        be()
    except BaseException:  # noqa: BLE001 - it must not go on as its parent
        traceback.print_exc()
    finally:
        os._exit(1)


def _close_files(kept: Collection[int]) -> None:
    """Close all but the standard files and these."""
    for fd in {int(name) for name in os.listdir("/proc/self/fd")} - {*range(_STANDARD), *kept}:
        with contextlib.suppress(OSError):
            os.close(fd)
    gc.freeze()  # what held a file closes nothing any more


def _become_stand_in(words: Sequence[str], env: Mapping[str, str], ready: Callable[[], object]) -> NoReturn:
    """Be what the program does that `claude.install` writes."""
    subprocess._fork_exec = _fork_ours  # type: ignore[attr-defined]

    def run() -> None:
        sys.argv = [claude.LAUNCHER, *words]
        gc.enable()
        main.main()

    _run((*claude.INTERPRETER, claude.LAUNCHER, *words), env, run, ready)


def _has_room(words: Sequence[str], env: Mapping[str, str]) -> bool:
    """Whether /proc can show all of it."""
    variables = [f"{name}={value}" for name, value in env.items()]
    return all(sum(len(os.fsencode(text)) + 1 for text in texts) < ROOM // 2 for texts in (words, variables))


# being it


def _run(
    argv: Sequence[str], env: Mapping[str, str], run: Callable[[], object], ready: Callable[[], object]
) -> NoReturn:
    """Begin as the interpreter begins `argv`, and then do what that does, which ends the process."""
    try:
        environ = dict(env)
        os.environ.clear()
        os.environ.update(environ)
        time.tzset()
        _show(argv, [f"{name}={value}" for name, value in environ.items()])
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        files = (sys.stdin, sys.stdout, sys.stderr)
        sys.stdin, sys.stdout, sys.stderr = map(_opened_anew, files, "rww", range(_STANDARD))
        ready()
        run()
    except SystemExit as ended:
        _end(ended)
    except BaseException:  # noqa: BLE001 - what would end an interpreter
        traceback.print_exc()
    os._exit(1)  # the others end the process by themselves


def _end(ended: SystemExit) -> NoReturn:
    """End as the interpreter does: when all threads have that keep it."""
    threading._shutdown()  # type: ignore[attr-defined] # what else keeps it would be missed
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(ended.code if isinstance(ended.code, int) else bool(ended.code))


def _run_module(module: str, words: Sequence[str]) -> None:
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _show(*shown: Sequence[str]) -> None:
    """Write words and variables over those with which this process was started, where /proc reads them."""
    with open("/proc/self/stat", "rb") as file:
        places = [int(field) for field in file.read().rpartition(b")")[2].split()[45:49]]
    for texts, start, end in zip(shown, places[::2], places[1::2], strict=True):
        data = b"".join(os.fsencode(text) + b"\0" for text in texts)[: end - start - 1]
        ctypes.memmove(start, data.ljust(end - start, b"\0"), end - start)


def _opened_anew(like: Any, mode: str, fd: int) -> Any:
    """A standard file as the interpreter makes it: what is no terminal is buffered, but for stderr."""
    whole_lines = mode == "w" and (fd == _STANDARD - 1 or os.isatty(fd))
    return open(fd, mode, 1 if whole_lines else -1, like.encoding, like.errors, closefd=False)


def _variables(env: Sequence[bytes]) -> dict[str, str]:
    return dict(os.fsdecode(one).split("=", 1) for one in env)
