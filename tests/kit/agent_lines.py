"""An agent's program without a terminal, as a supervisor meets it: lines of JSON out, lines or one prompt in."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

LIMIT = 30.0
"""Seconds that any wait may take."""

Line = dict[str, Any]


class AgentLines:
    """One process, and what it has printed.

    Args:
        argv: Its command line.
        environment: Its whole environment.
        cwd: Where it runs.

    Attributes:
        lines: What it printed so far; a line that is no JSON object stands as {"plain": bytes}.
    """

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], cwd: str) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            argv, env=environment, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr
        )
        self._pending = b""
        self.lines: list[Line] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._stderr):
            if pipe:
                pipe.close()

    @property
    def pid(self) -> int:
        """Of the program."""
        return self._process.pid

    # in

    def send(self, line: Line) -> None:
        """Send one line."""
        self.send_bytes(json.dumps(line).encode() + b"\n")

    def send_bytes(self, data: bytes) -> None:
        """Send exactly `data`."""
        if not self._process.stdin:
            raise RuntimeError("there is no pipe to the program")
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def say(self, text: str, uuid: str = "") -> None:
        """Send a person's message."""
        message = {"role": "user", "content": [{"type": "text", "text": text}]}
        self.send({"type": "user", "message": message} | ({"uuid": uuid} if uuid else {}))

    def control(self, request_id: str, subtype: str, **fields: Any) -> None:
        """Send a control request."""
        self.send({"type": "control_request", "request_id": request_id, "request": {"subtype": subtype, **fields}})

    def answer(self, question: Line, **response: Any) -> None:
        """Answer a question, such as `behavior="allow", updatedInput={…}`."""
        told = {"subtype": "success", "request_id": question["request_id"], "response": response}
        self.send({"type": "control_response", "response": told})

    def close(self) -> None:
        """End its input."""
        if self._process.stdin:
            self._process.stdin.close()
            self._process.stdin = None

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    # out

    def until(self, wanted: Callable[[Line], bool], *, count: int = 1) -> Line:
        """Read until `count` lines so far are wanted, and return the last of those."""
        deadline = time.monotonic() + LIMIT
        while len(found := [line for line in self.lines if wanted(line)]) < count:
            assert time.monotonic() < deadline, f"did not come: {self.lines}"
            assert self._read(deadline), f"ended without it: {self.lines} {self.stderr()}"
        return found[count - 1]

    def until_type(self, kind: str, subtype: str = "", *, count: int = 1) -> Line:
        """Read until the `count`th line of a type, and return it."""
        return self.until(lambda line: is_a(line, kind, subtype), count=count)

    def result(self, count: int = 1) -> Line:
        """Read until the `count`th result, and return it."""
        return self.until_type("result", count=count)

    def question(self, count: int = 1) -> Line:
        """Read until the `count`th question, and return it."""
        return self.until_type("control_request", count=count)

    def end(self) -> int:
        """End its input, read to the end and return the exit status; negative: a signal."""
        self.close()
        deadline = time.monotonic() + LIMIT
        while self._read(deadline):
            pass
        return self._process.wait(LIMIT)

    def stderr(self) -> str:
        """What it has complained about so far."""
        self._stderr.seek(0)
        return self._stderr.read().decode(errors="replace")

    def of_type(self, kind: str, subtype: str = "") -> list[Line]:
        """Return the lines so far of one type."""
        return [line for line in self.lines if is_a(line, kind, subtype)]

    def kinds(self) -> list[str]:
        """Return `type` or `type/subtype` of each line so far; the subtypes of results are left out."""
        return [kind(line) for line in self.lines]

    def _read(self, deadline: float) -> bool:
        if not self._process.stdout:
            raise RuntimeError("there is no pipe from the program")
        fd = self._process.stdout.fileno()
        ready = select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0]
        data = os.read(fd, 1 << 16) if ready else b""
        *whole, self._pending = (self._pending + data).split(b"\n")
        self.lines += [_parsed(line) for line in whole]
        return bool(data)


def is_a(line: Line, wanted: str, subtype: str = "") -> bool:
    """Whether a line is of this type."""
    return line.get("type") == wanted and (not subtype or line.get("subtype") == subtype)


def kind(line: Line) -> str:
    """Return `type` or `type/subtype`."""
    subtype = line.get("subtype") if line.get("type") == "system" else None
    return f"{line.get('type', 'plain')}/{subtype}" if subtype else str(line.get("type", "plain"))


def _parsed(line: bytes) -> Line:
    try:
        found = json.loads(line)
    except ValueError:
        return {"plain": line}
    return found if isinstance(found, dict) else {"plain": line}
