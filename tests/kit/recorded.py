"""What a daemon answered, written down so that two recordings of the same script are equal byte for byte."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from overmind_core.version import VERSION
from tests.kit.overmind import REPOSITORY, Overmind
from tests.kit.processes import MARKER
from tests.kit.raw_socket import RawSocket

Json = dict[str, Any]

TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
UUID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
DIGEST = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32}|[0-9a-f]{16})\b")
MISSION = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{8}(?![0-9A-Za-z])")
SECONDS = re.compile(r"\b\d+(?:\.\d s\b|s(?= ago\b))")
PID = re.compile(r"(?<=ended in the background: )\d+")
MANY = re.compile(r"x{100,}")
BY_HAND = ("due_local", "last_local")
"""Keys of moments at which the script does something by hand."""
MINUTE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC")
"""A moment whose seconds are left out, as they are nought."""
DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")
NUMBERS = re.compile(
    r"""
    # sizes and shares of what the machine has
    .*_bytes | bytes | cpu_percent | .*_per_second | processes | out | err | offset | size
    # times and durations
    | at | as_of | seconds | since | (?!backoff_|timeout_).*_ms | uptime_seconds | silent_seconds
    | duration_seconds | lasted_seconds
    # what is kept once there is time for it
    | episodes
    # numbers that somebody hands out
    | .*pid | seq
""",
    re.VERBOSE,
)
"""Names of numbers that are another one each time, or not known yet."""
COUNTED: Mapping[str, Any] = {"isolation": None, "changed_lines": {"added": "<number>", "removed": "<number>"}}
"""Of a mission with a worktree: what is counted beside everything else, at a time that nobody waits for."""


class Recorded:
    """One daemon, everything it was asked, and what it said.

    Args:
        om: The command line, whose daemon is there.
        ports: First and last port that missions of the script may get.
    """

    def __init__(self, om: Overmind, ports: tuple[int, int]) -> None:
        self.om = om
        self.succeeded: set[str] = set()
        self.refused_once: set[str] = set()
        self._ports = ports
        self._sections: dict[str, list[Json]] = {}
        self._lines: list[Json] = []
        self._names: dict[str, str] = {}
        self._volatile: dict[str, str] = {}

    # the script

    def section(self, name: str) -> None:
        """Whatever follows belongs to this group."""
        self._lines = self._sections.setdefault(name, [])

    def ok(self, cmd: str, /, **args: Any) -> Any:
        """Ask for what must succeed; return the answer."""
        said = self._ask(cmd, args)
        assert "ok" in said, f"{cmd} {args}: {said}"
        self.succeeded.add(cmd)
        return said["ok"]

    def refused(self, cmd: str, /, **args: Any) -> None:
        """Ask for what must be refused."""
        said = self._ask(cmd, args)
        assert "error" in said, f"{cmd} {args}: {said}"
        self.refused_once.add(cmd)

    def stream(
        self,
        cmd: str,
        /,
        *,
        until: Callable[[Json], object] | None = None,
        then: Mapping[int, Callable[[], object]] | None = None,
        only: Callable[[Json], object] | None = None,
        **args: Any,
    ) -> list[Json]:
        """Ask for a stream that must begin; return its frames, as far as they are recorded.

        Args:
            cmd: Which stream.
            until: Whether this frame is the last one that is read; None = the stream ends by itself.
            then: After so many recorded frames, what to do; their number counts from 1.
            only: Whether a frame is recorded; None = all.
            args: Arguments of the request.
        """
        frames: list[Json] = []
        with RawSocket.connect(self.om.home, timeout=30) as connection:
            connection.send(cmd, **args)
            for frame in connection.lines():
                if only is None or only(frame):
                    frames.append(frame)
                    (then or {}).get(len(frames), int)()
                if "end" in frame or "error" in frame or (until is not None and until(frame)):
                    break
        assert "ok" in frames[0], f"{cmd} {args}: {frames}"
        self.succeeded.add(cmd)
        self.put(cmd, args, {"frames": frames})
        return frames

    def name(self, thing: str, name: str) -> None:
        """Call an id so in what is written down."""
        self._names[thing] = name

    def same(self, text: str, placeholder: str) -> None:
        """Write `placeholder` wherever `text` stands."""
        self._volatile[text] = placeholder

    def _ask(self, cmd: str, args: Mapping[str, Any]) -> Json:
        with RawSocket.connect(self.om.home, timeout=30) as connection:
            said = dict(connection.request(cmd, **args))
        self.put(cmd, args, said)
        return said

    def put(self, cmd: str, args: Mapping[str, Any], said: Json) -> None:
        """Write down a request and what came of it; the environment, which is the same each time, is left out."""
        args = {name: value for name, value in args.items() if name != "env"}
        self._lines.append({"cmd": cmd, "args": dict(args), **said})

    def lines(self) -> Iterator[Json]:
        """Everything that was asked and answered, as it was."""
        for lines in self._sections.values():
            yield from lines

    # what is written down

    def written(self) -> dict[str, str]:
        """Group → its golden: one JSON array, an element for each request."""
        return {name: pretty(self.plain(lines)) for name, lines in self._sections.items()}

    def plain(self, value: Any, key: str = "") -> Any:
        """The value without what differs from one run of the script to the next."""
        if NUMBERS.fullmatch(key) and (value is None or isinstance(value, int | float)) and not isinstance(value, bool):
            return "<number>"
        if isinstance(value, dict):
            own = COUNTED if COUNTED.keys() <= value.keys() and (value["isolation"] or {}).get("worktree") else {}
            return {self._text(name): own.get(name) or self.plain(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [self.plain(one, key) for one in value]
        if isinstance(value, str):
            return "<time> UTC" if key in BY_HAND and MINUTE.fullmatch(value) else self._text(value)
        if isinstance(value, int) and not isinstance(value, bool) and self._ports[0] <= value <= self._ports[1]:
            return "<port>"
        return value

    def _text(self, text: str) -> str:
        for known in sorted(self._volatile, key=len, reverse=True):
            text = text.replace(known, self._volatile[known])
        text = UUID.sub("<uuid>", TIME.sub("<time>", PID.sub("<pid>", MANY.sub("<many x>", text))))
        text = SECONDS.sub("<seconds> s", DATE.sub("<date>", DIGEST.sub("<digest>", text)))
        text = MISSION.sub(lambda found: f"<id {self._names[found[0]]}>" if found[0] in self._names else "<id>", text)
        return re.sub(r"\b\d{5}\b", self._port, text)

    def _port(self, found: re.Match[str]) -> str:
        return "<port>" if self._ports[0] <= int(found[0]) <= self._ports[1] else found[0]


def pretty(value: Any) -> str:
    """JSON that a person can compare: what fits stands on one line."""
    return _lines(value, "") + "\n"


def _lines(value: Any, indent: str) -> str:
    short = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(short) <= 110 or not isinstance(value, dict | list) or not value:
        return short
    deeper = indent + " "
    if isinstance(value, list):
        return "[\n" + ",\n".join(deeper + _lines(one, deeper) for one in value) + f"\n{indent}]"
    rows = (f"{deeper}{json.dumps(name, ensure_ascii=False)}: {_lines(one, deeper)}" for name, one in value.items())
    return "{\n" + ",\n".join(rows) + f"\n{indent}}}"


def volatile_of(om: Overmind) -> dict[str, str]:
    """What is called otherwise on each machine → how it is written."""
    return {
        om.home: "<home>",
        om.environment["HOME"]: "<person>",
        REPOSITORY: "<repository>",
        sys.executable: "<python>",
        om.environment[MARKER]: "<marker>",
        os.environ["PATH"]: "<path>",
        VERSION: "<version>",
    }
