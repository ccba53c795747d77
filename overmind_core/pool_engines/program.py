"""Running the programs of an engine: argument lists only, no time without a limit, what they say as one sentence."""

from __future__ import annotations

import os
import re
import select
from collections.abc import Mapping, Sequence
from typing import IO, Literal, NamedTuple

from overmind_core.domain.text.cells import display_safe
from overmind_core.system.child_process import ChildProcess
from overmind_core.system.unnamed_file import unnamed_file

SECONDS = 30.0
"""How long one program of an engine may take: a controller that is busy answers late."""
LONGEST = 32 * 1024 * 1024
"""Bytes of an answer that are read at most: a list of some hundred thousand jobs."""

_ERROR = re.compile(r"\berror\b|Error: ", re.IGNORECASE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
State = Literal["pending", "running", "ended"]


class EngineSilent(Exception):
    """An engine isn't installed or doesn't answer; the message is a sentence, with what to do."""


class SeenInstance(NamedTuple):
    """An instance as its engine knows it."""

    name: str
    engine_id: str
    """What the engine calls it: the number of a job, the name of a pod."""
    state: State


class Answer(NamedTuple):
    """How a program ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def reason(self) -> str:
        """What it said against it, in one line for people."""
        for text in (self.err, self.out):
            lines = [line.strip() for line in _COLOUR.sub("", text).splitlines()]
            words = [line for line in lines if any(one.isalnum() for one in line)]
            if words:
                errors = [line for line in words if _ERROR.search(line)]
                return display_safe((errors or words)[-1].rstrip("."))
        return f"it ended with exit status {self.code}"


def run(
    argv: Sequence[str], given: str = "", *, seconds: float = SECONDS, variables: Mapping[str, str] | None = None
) -> Answer:
    """Run a program of an engine to its end.

    Args:
        argv: Its words.
        given: What it reads.
        seconds: How long it may take; then it is killed with what it started.
        variables: Its environment; None: as `environment` leaves ours.

    Raises:
        EngineSilent: it isn't there, can't be started, or takes too long.
    """
    # Files and no pipes: a machine that the program starts, and that goes on, would hold a pipe open.
    with unnamed_file() as reads, unnamed_file() as out, unnamed_file() as err:
        reads.write(given.encode())
        reads.seek(0)
        try:
            process = ChildProcess(
                argv,
                environment=environment(os.environ) if variables is None else variables,
                files=(reads.fileno(), out.fileno(), err.fileno()),
            )
        except FileNotFoundError:
            raise EngineSilent(
                f"There is no {argv[0]} here. Install it, or take its pool out of config.toml."
            ) from None
        except OSError as error:
            raise EngineSilent(f"{argv[0]} can't be started: {error.strerror}.") from None
        try:
            _await_end(process, seconds)
            code = process.poll()
            if code is None:
                said = f"{argv[0]} has not answered for {seconds:.0f} s. Try it by hand: {_by_hand(argv)}"
                raise EngineSilent(said)
        finally:
            process.kill()
        return Answer(code, _read(out), _read(err))


def asked(argv: Sequence[str], given: str = "", *, seconds: float = SECONDS) -> str:
    """Return what a program of an engine writes.

    Raises:
        EngineSilent: as `run`, or it failed.
    """
    answer = run(argv, given, seconds=seconds)
    if answer.code != 0:
        raise failed(argv, answer)
    return answer.out


def failed(argv: Sequence[str], answer: Answer) -> EngineSilent:
    """Return the error about a program that failed."""
    return EngineSilent(f"{argv[0]}: {answer.reason}. Try it by hand: {_by_hand(argv)}")


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of an engine's program: nothing that speaks of this home, a mission or its secrets."""
    return {name: value for name, value in environ.items() if not name.startswith("OVERMIND_")}


def _by_hand(argv: Sequence[str]) -> str:
    """Return the first words of a command, as far as they say which one it is."""
    return display_safe(" ".join(argv[:3]))


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(LONGEST).decode(errors="replace")


def _await_end(process: ChildProcess, seconds: float) -> None:
    """Wait until it has ended, at most so long: told by the system where it can, as `wait` looks again and again."""
    if not hasattr(os, "pidfd_open"):
        process.wait(seconds)
        return
    ended = os.pidfd_open(process.pid)
    try:
        waiting = select.poll()  # a supervisor has more descriptors than `select` takes
        waiting.register(ended, select.POLLIN)
        waiting.poll(seconds * 1000)
    finally:
        os.close(ended)
