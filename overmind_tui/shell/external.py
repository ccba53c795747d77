"""External programs that have the whole terminal for a while: a pager, an editor, a shell.

Our loop goes on meanwhile, so that missions that only this program supervises are looked after; it just draws nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import termios
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.system.run_mark import clear_own_mark_of
from overmind_core.view.question_block import short_path

if TYPE_CHECKING:
    from types import FrameType

    from textual.app import App
    from textual.driver import Driver

    from overmind_tui.shell.shell import Shell


_OUT = 1
"""The descriptor to which the program writes, too."""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.005, 0.05
"""Seconds between two looks at whether a program has ended."""
GRACE_SECONDS = 1.0
"""Seconds that a program gets to end once its terminal is gone."""
NOT_STARTED = 127
"""As shells have it: there is no such program."""
UNTIL_READ = '"$@" || { code=$?; printf "\\n[press enter to go back] "; read -r line; exit $code; }'
"""The error is on the terminal that the screen is about to cover."""
_KEYS = (signal.SIGINT, signal.SIGQUIT)
"""What the terminal sends to everybody in front when keys are pressed; they are meant for the other program."""


def run(
    shell: Shell,
    argv: Sequence[str],
    *,
    cwd: str,
    then: Callable[[int], None],
    environ: Mapping[str, str] | None = None,
    lead: str = "",
) -> None:
    """Give the terminal to a program until it ends, then call `then` with its exit status.

    One that comes while another one has the terminal waits for its end.

    Args:
        shell: Who has the terminal now.
        argv: The program and its arguments.
        cwd: Where it runs.
        then: Hears of its end, once we have the terminal again; 128 + number for a signal.
        environ: Its environment; that of `shell` when not given.
        lead: A line before its output.
    """
    shell.typed.close()
    environment = dict(shell.world.environ if environ is None else environ)
    shell.app.run_worker(_run(shell, _Started(argv, cwd, environment, lead), then), exit_on_error=False)


def run_shell(shell: Shell, argv: Sequence[str], cwd: str, name: str, environ: Mapping[str, str] | None = None) -> None:
    """Give the terminal to a shell in the folder of a mission, whose `name` is said, and how one comes back."""
    folder = short_path(cwd, shell.world.environ.get("HOME", ""))
    lead = f"shell in {folder} of {name}: exit returns to overmind"
    run(shell, argv, cwd=cwd, then=lambda _: shell.flash(f"back from {folder}", "quiet"), environ=environ, lead=lead)


class _Started(NamedTuple):
    """A program, where it runs and with what, and the line before its output."""

    argv: Sequence[str]
    cwd: str
    environ: dict[str, str]
    lead: str


async def _run(shell: Shell, program: _Started, then: Callable[[int], None]) -> None:
    try:
        async with shell.typed.elsewhere:
            shell.typed.close()
            code = await _alone(shell, program)
    finally:
        shell.typed.open()
    then(code)


async def _alone(shell: Shell, program: _Started) -> int:
    """Its exit status."""
    argv, cwd, environ, lead = program
    driver = shell.app._driver  # noqa: SLF001 - Textual's own `suspend` would stop the loop
    try:
        if shell.app.is_headless or driver is None:
            return await _status(argv, cwd, environ, subprocess.DEVNULL)
        if driver.can_suspend:
            with _away(shell.app, driver):
                if lead:
                    os.write(_OUT, f"{lead}\n".encode("utf-8", "replace"))
                return await _status(argv, cwd, environ, None)
        shell.flash(f"{argv[0]} needs a terminal, and this program has none", "bad")
    except OSError as error:
        shell.flash(f"{error.filename or argv[0]}: {error.strerror}", "bad")
    return NOT_STARTED


async def _status(argv: Sequence[str], cwd: str, environ: dict[str, str], stream: int | None) -> int:
    """Run it; whatever ends us first also ends it, as a terminal that is closed would.

    Looked at now and then: asyncio's own way leaves a transport open when the loop ends before the program does.
    """
    process = subprocess.Popen(  # noqa: ASYNC220 - a fork of milliseconds
        argv, cwd=cwd, env=environ, stdin=stream, stdout=stream, stderr=stream
    )
    clear_own_mark_of(process.pid)  # we may be the supervisor: this one is the person's
    pause = SHORTEST_PAUSE
    try:
        while (code := process.poll()) is None:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)
    except asyncio.CancelledError:
        _hang_up(process.pid)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
        raise
    return 128 - code if code < 0 else code


def _hang_up(root: int) -> None:
    """Tell a program and all that it started that their terminal is gone."""
    from overmind_core.system.process_table import new_process_table  # noqa: PLC0415 - only on a hurried way out

    found = new_process_table().scan()
    for process in found.processes.values():
        if process.pid == root or found.descends(process.pid, root):
            new_process_table().send(process, signal.SIGHUP)


@contextlib.contextmanager
def _away(app: App[Any], driver: Driver) -> Iterator[None]:
    """Nothing is read from the terminal and nothing is drawn."""
    before = {number: signal.signal(number, _ignore) for number in _KEYS}
    app.app_focus = False
    driver.suspend_application_mode()
    try:
        with driver.no_automatic_restart(), app.batch_update():
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if app.is_running:
            _take_front()
            drop_typed(driver.fileno)  # type: ignore[attr-defined] # as every driver that can suspend has it
            driver.resume_application_mode()
            app.app_focus = True
            repaint(app)


def repaint(app: App[Any]) -> None:
    """Draw all of it: others have drawn on the terminal meanwhile."""
    app.refresh(layout=True)
    app.screen.refresh(layout=True)


def drop_typed(terminal: int) -> None:
    """Forget what was typed there and nobody has read: it was for the other program, and is no key of ours."""
    with contextlib.suppress(OSError, termios.error):
        termios.tcflush(terminal, termios.TCIFLUSH)


def _ignore(number: int, frame: FrameType | None) -> None:
    """A handler, for what is set to be ignored would be ignored by the other program too."""


def _take_front() -> None:
    """Be in front of the terminal again, though a killed shell did not give that back."""
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        with contextlib.suppress(OSError):
            os.tcsetpgrp(0, os.getpgrp())
    finally:
        signal.signal(signal.SIGTTOU, before)


NO_PAGERS = frozenset({"cat", "/bin/cat", "/usr/bin/cat"})
"""What programs without a person use; nobody could read what they print."""


def page(shell: Shell, text: str, name: str) -> None:
    """Show a text in $PAGER, and come back once that is left; `name` stands in the file's name."""
    import tempfile  # noqa: PLC0415 - not for the first frame

    handle, path = tempfile.mkstemp(prefix=f"overmind-{name}-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
        file.write(text + "\n")
    argv = _pager(shell.world.environ)
    if argv is None:
        os.unlink(path)
        shell.flash("no pager found: set PAGER or install less", "bad")
        return
    run(shell, [*argv, path], cwd="/", then=lambda _code: os.unlink(path))


def _pager(environ: Mapping[str, str]) -> list[str] | None:
    try:
        words = shlex.split(environ.get("PAGER", ""))
    except ValueError:
        words = []
    if words and words[0] not in NO_PAGERS:
        return words
    found = next((path for name in ("less", "more") if (path := shutil.which(name, path=environ.get("PATH")))), None)
    return None if found is None else [found]
