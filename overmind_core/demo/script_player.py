"""Plays the steps of a script: what they do to files and processes is real, what they show is up to the stage.

`python -m overmind_core.demo.script_player SCRIPT` plays as a plain command, which prints. On a stage that shows what
an agent does, each of `write output read commit call report tool ask` is one use of a tool, and nothing else is.
"""

from __future__ import annotations

import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, Protocol

from overmind_core.demo import script
from overmind_core.demo.script import LISTEN, InvalidScript, Step
from overmind_core.demo.stage import QuestionReply, Stage

IN, OUT = "OVERMIND_IN", "OVERMIND_OUTPUT_DIR"
LOOK = 0.02
"""Seconds after which is looked again whether a file is there, and whether a program is to be stopped."""
PAUSE = 1.0
"""Seconds between two times of a step that is played until something succeeds."""
UNUSABLE = 2
"""Exit code of a script that can't be played."""
_WHO = "-c user.name=agent -c user.email=agent@localhost"
_CHUNK = 65536


class ScriptStage(Stage, Protocol):
    """What a script needs of its stage beyond a conversation."""

    def spend(self, dollars: float) -> None:
        """The model has cost so much more."""

    def limited(self, seconds: float) -> NoReturn:
        """The model does not answer for so long; ends the turn."""

    def failed(self, status: int) -> NoReturn:
        """The model's server says this HTTP status; ends the turn."""


class StepFailed(Exception):
    """A step can't be played; the text is why."""


class Player:
    """Plays the steps one after the other; one that was interrupted is over."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        self._next = 0

    @property
    def waits(self) -> bool:
        """Whether there is more to play."""
        return self._next < len(self._steps)

    @property
    def has_begun(self) -> bool:
        """Whether anything was played."""
        return self._next > 0

    def play(self, stage: ScriptStage) -> None:
        """Play until the turn is over.

        Raises:
            StepFailed: a step can't be played.
            TurnInterrupted: a person has ended the turn.
        """
        while self.waits:
            step = self._steps[self._next]
            self._next += 1
            if step.name == LISTEN:
                return
            try:
                if _is_due(step):
                    _play(stage, step)
            except (OSError, ValueError) as error:
                raise StepFailed(f"{step.name}: {error}") from None


def _play(stage: ScriptStage, step: Step) -> None:
    """Play it once, or so often unless what ends it succeeds before."""
    if "unless" not in step.options:
        PLAY[step.name](stage, step)
        return
    for _ in range(step.options["times"]):
        if _finished(stage, _words(step.options["unless"]))[1] == 0:
            return
        PLAY[step.name](stage, step)
        stage.wait(PAUSE)


def _is_due(step: Step) -> bool:
    """Whether it was not played once, as far as that matters; from now on it was."""
    mark = step.options.get("once")
    if mark is None:
        return True
    if os.path.exists(expanded(mark)):
        return False
    touch(expanded(mark))
    return True


# what an agent says and does


def _say(stage: ScriptStage, step: Step) -> None:
    stage.say(step.subject)


def _write(stage: ScriptStage, step: Step) -> None:
    _put(stage, step, expanded(step.subject), append=bool(step.options.get("append")))


def _output(stage: ScriptStage, step: Step) -> None:
    where = os.environ.get(OUT)
    if not where:
        raise StepFailed(f"output: {OUT} is not set")
    _put(stage, step, os.path.join(where, step.subject))


def _put(stage: ScriptStage, step: Step, path: str, *, append: bool = False) -> None:
    content = _content(step.options)
    call = stage.call("Write", {"file_path": path, "content": content.decode("utf-8", "replace")})
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "ab" if append else "wb") as file:
            file.write(content)
    except OSError as error:
        stage.returned(call, f"{path}: {error.strerror}", failed=True)
    else:
        stage.returned(call, f"{len(content)} bytes")


def _content(options: Mapping[str, Any]) -> bytes:
    if "from" in options:
        with open(options["from"], "rb") as file:
            content = file.read()
    elif "data" in options:
        import json  # noqa: PLC0415 - a script in TOML has none of it otherwise

        content = json.dumps(options["data"], ensure_ascii=False, indent=2).encode() + b"\n"
    else:
        content = str(options.get("text", "")).encode()
    return content[: len(content) // 2] if options.get("cut") else content


def _read(stage: ScriptStage, step: Step) -> None:
    path = os.path.join(os.environ.get(IN) or os.getcwd(), os.path.expandvars(step.subject))
    path = path if os.path.lexists(path) else expanded(step.subject)
    call = stage.call("Read", {"file_path": path})
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError as error:
        stage.returned(call, f"{step.subject}: {error.strerror}", failed=True)
    else:
        stage.returned(call, text)


def _commit(stage: ScriptStage, step: Step) -> None:
    line = f"git add -A && git {_WHO} commit -q -m {shlex.quote(step.subject)}"
    _run(stage, ["/bin/sh", "-c", line], line)


def _call(stage: ScriptStage, step: Step) -> None:
    _run(stage, _words(step.subject), step.subject if isinstance(step.subject, str) else shlex.join(step.subject))


def _report(stage: ScriptStage, step: Step) -> None:
    options = step.options
    words = ["overmind", "report", step.subject, str(options.get("text", ""))]
    for name in ("title", "because"):
        words += [f"--{name}", str(options[name])] if name in options else []
    for place in options.get("evidence", ()):
        words += ["--evidence", str(place)]
    words += [f"--{name}" for name in ("block", "wait") if options.get(name)]
    _run(stage, _words(words), shlex.join(words))


def _run(stage: ScriptStage, words: Sequence[str], shown: str) -> None:
    call = stage.call("Bash", {"command": shown})
    output, code = _finished(stage, words)
    stage.returned(call, f"{output}exit {code}", failed=code != 0)


def _finished(stage: ScriptStage, words: Sequence[str]) -> tuple[str, int]:
    """What a program printed until nobody could print any more, with a newline at its end; and its exit code."""
    running = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, process_group=0
    )
    assert running.stdout is not None
    printed = b""
    with running.stdout as pipe:
        try:
            while data := _next_data(stage, pipe.fileno()):
                printed += data
            code = running.wait()
        except BaseException:  # a person has ended the turn, or the program
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            raise
    text = printed.decode("utf-8", "replace")
    return (text if not text or text.endswith("\n") else f"{text}\n"), code


def _next_data(stage: ScriptStage, pipe: int) -> bytes:
    """What comes next; empty: nothing will."""
    while not select.select([pipe], [], [], LOOK)[0]:
        stage.wait(0)
    return os.read(pipe, _CHUNK)


def _tool(stage: ScriptStage, step: Step) -> None:
    call = stage.call(step.subject, _input(step.options))
    error = step.options.get("error")
    stage.returned(call, str(_result(step) if error is None else error), failed=error is not None)


def _ask(stage: ScriptStage, step: Step) -> None:
    subject = _input(step.options)
    call = stage.call(step.subject, subject)
    reply = stage.ask(call, step.subject, subject)
    result = (reply.chosen or _result(step)) if reply.allowed else (reply.said or "denied")
    stage.returned(call, result, failed=not reply.allowed)


def _input(options: Mapping[str, Any]) -> dict[str, Any]:
    """What a tool is about, under the names that the tools of Claude Code have for it."""
    subject = {}
    if "file" in options:
        subject["file_path"] = os.path.join(os.getcwd(), options["file"])
    if "command" in options:
        subject["command"] = options["command"]
    return {**subject, **options.get("input", {})}


def _result(step: Step) -> str:
    return str(step.options.get("result", "done"))


# what it costs, and how long it takes


def _cost(stage: ScriptStage, step: Step) -> None:
    stage.spend(float(step.subject))


def _limit(stage: ScriptStage, step: Step) -> None:
    stage.limited(float(step.subject))


def _api_error(stage: ScriptStage, step: Step) -> None:
    stage.failed(step.subject)


def _sleep(stage: ScriptStage, step: Step) -> None:
    stage.wait(float(step.subject))


def _spin(stage: ScriptStage, step: Step) -> None:
    end = time.monotonic() + float(step.subject)
    while time.monotonic() < end:
        again = time.monotonic() + LOOK
        while time.monotonic() < again:
            pass
        stage.wait(0)


def _until(stage: ScriptStage, step: Step) -> None:
    path = expanded(step.subject)
    while not os.path.exists(path):
        stage.wait(LOOK)


def _touch(stage: ScriptStage, step: Step) -> None:
    del stage
    touch(expanded(step.subject))


# its processes


def _ignore(stage: ScriptStage, step: Step) -> None:
    del stage
    number = _signal_of(step.subject)
    try:
        signal.signal(number, signal.SIG_IGN)
    except ValueError:  # only the main thread may; the C library asks nobody
        import ctypes  # noqa: PLC0415 - few scripts need it

        ctypes.CDLL(None).signal(int(number), int(signal.SIG_IGN))


def _child(stage: ScriptStage, step: Step) -> None:
    quiet = subprocess.DEVNULL
    session = bool(step.options.get("session"))
    child = subprocess.Popen(_words(step.subject), stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=session)
    stage.say(f"child {child.pid}")


def _exit(stage: ScriptStage, step: Step) -> None:
    del stage
    sys.stdout.flush()
    os._exit(step.subject)


def _signal(stage: ScriptStage, step: Step) -> None:
    del stage
    sys.stdout.flush()
    os.kill(os.getpid(), _signal_of(step.subject))


def _signal_of(name: str) -> signal.Signals:
    try:
        return signal.Signals[f"SIG{name.removeprefix('SIG')}"]
    except KeyError:
        raise StepFailed(f"{name} is no signal") from None


def _words(command: str | Sequence[str]) -> list[str]:
    """A line for the shell, or the words of a program; ours is found also where no PATH names it."""
    if isinstance(command, str):
        return ["/bin/sh", "-c", command]
    program, *others = command
    if program == "overmind" and shutil.which(program) is None:
        return [sys.executable, "-P", "-m", "overmind_core.cli", *others]
    return [program, *others]


def expanded(path: str) -> str:
    """The path with the environment's variables in it; a relative one is of the working folder."""
    return os.path.join(os.getcwd(), os.path.expandvars(path))


def touch(path: str) -> None:
    """Have a file be there."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "ab"):
        pass


PLAY: Mapping[str, Callable[[ScriptStage, Step], None]] = {
    "say": _say,
    "write": _write,
    "output": _output,
    "read": _read,
    "commit": _commit,
    "call": _call,
    "report": _report,
    "tool": _tool,
    "ask": _ask,
    "cost": _cost,
    "limit": _limit,
    "api_error": _api_error,
    "sleep": _sleep,
    "spin": _spin,
    "until": _until,
    "touch": _touch,
    "ignore": _ignore,
    "child": _child,
    "exit": _exit,
    "signal": _signal,
}
"""Every step but `LISTEN`, which the player knows itself."""


class PrintedStage:
    """A stage whose audience reads a log: nobody is asked, a limit ends the program."""

    def say(self, text: str) -> None:
        """Print a line."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def call(self, tool: str, subject: Mapping[str, Any]) -> str:
        """Print what it is about."""
        about = next(iter(subject.values()), "")
        self.say(f"{tool}: {about}" if about else tool)
        return ""

    def returned(self, call: str, text: str, *, failed: bool = False) -> None:
        """Print what came back."""
        del call
        self.say(f"error: {text}" if failed else text.removesuffix("\n"))

    def ask(self, call: str, tool: str, subject: Mapping[str, Any]) -> QuestionReply:
        """Print that it would ask; a command has nobody whom it could ask, and goes on."""
        del call, subject
        self.say(f"may I use {tool}?")
        return QuestionReply(allowed=True)

    def wait(self, seconds: float) -> None:
        """Sleep."""
        if seconds:
            time.sleep(seconds)

    def spend(self, dollars: float) -> None:
        """Print it: what a command costs is not known."""
        self.say(f"cost ${dollars:g}")

    def limited(self, seconds: float) -> NoReturn:
        """Print it, and end."""
        self.say(f"limited for {seconds:g} s")
        sys.exit(1)

    def failed(self, status: int) -> NoReturn:
        """Print it, and end."""
        self.say(f"API error {status}")
        sys.exit(1)


def main(argv: Sequence[str]) -> None:
    """Play a script to its end, and end the process."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        player = Player(script.part(argv[0], os.environ))
        stage = PrintedStage()
        player.play(stage)
        while player.waits:
            if not (read := sys.stdin.readline()):
                break
            stage.say(f"heard: {read.rstrip()}")
            player.play(stage)
    except (OSError, InvalidScript, StepFailed) as error:
        sys.stdout.flush()
        sys.stderr.write(f"{error}\n")
        sys.exit(UNUSABLE)


if __name__ == "__main__":
    main(sys.argv[1:])
