"""The output of a headless run: the lines of its missions on stdout, and the last of them in memory for the reports."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections import deque
from contextlib import suppress

from overmind_core.cli.follow_logs import LinePrinter
from overmind_core.errors import OvermindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from overmind_core.logs.display import Line
    from overmind_core.logs.transcript import Transcript

KEPT = 64 * 1024
"""Characters of each mission's output that reports show."""
COLOUR_SERVICES = (
    "GITHUB_ACTIONS",
    "GITEA_ACTIONS",
    "GITLAB_CI",
    "CIRCLECI",
    "BUILDKITE",
    "TRAVIS",
    "DRONE",
    "APPVEYOR",
)
"""Set by services whose log viewers show colours. Source: each one's documentation of its variables."""
_BEGAN = re.compile(r" (?:started|preparing) \(([0-9a-f]{8})")
"""A plan's line about an agent, as `plans.log_lines` words it."""
_SGR = re.compile(r"\x1b\[[0-9;:]*m")
_NO = frozenset({"", "0", "false"})


class KeptOutput:
    """The last lines of an output, at most `KEPT` characters of them."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self._size = 0
        self.dropped = 0
        """Characters that are not kept."""

    def add(self, line: str) -> None:
        """Keep a line and let go of the oldest."""
        self._lines.append(line)
        self._size += len(line) + 1
        while self._size > KEPT:
            first = self._lines.popleft()
            self._size -= len(first) + 1
            self.dropped += len(first) + 1
            if not self._lines:  # a line that is longer than all we keep
                self.dropped -= KEPT
                self._lines.append(first[1 - KEPT :])
                self._size = KEPT

    @property
    def text(self) -> str:
        """What is kept, without colours."""
        return _SGR.sub("", "\n".join(self._lines))


class OutputLost(Exception):
    """The output is lost: stdout takes no more.

    Attributes:
        nobody: its reader is gone; else the disk is full, or something like it.
    """

    def __init__(self, error: OSError) -> None:
        self.reader_gone = error.errno in {errno.EPIPE, errno.EIO}
        super().__init__(
            "the output has no reader" if self.reader_gone else f"Standard output can't be written: {error.strerror}"
        )


class OutputScreen:
    """Shows the lines of missions; as soon as there are several, each line begins with a name.

    Args:
        colour: the missions' colours, and some for the names.
        names: of missions to come, so begin with names, and have room for these.
    """

    def __init__(self, *, colour: bool, names: Sequence[str] = ()) -> None:
        self.colour = colour
        self._names = names
        self.tails: dict[str, KeptOutput] = {}
        self._printer = LinePrinter(colour=colour)
        self._transcripts: list[Transcript] = []
        self._silent = False
        self._plans: list[Transcript] = []
        self._begun: set[str] = set()
        """Missions of which a plan has said that they began."""
        self._held: dict[str, list[Line]] = {}
        """By mission, what is shown once its plan has said that."""
        self.announce: Callable[[str], None] = lambda _: None
        """Called with the name of the first mission before its first line."""

    def enter(self, transcript: Transcript) -> None:
        """Another mission begins.

        Raises:
            OutputLost: nobody takes what is said about the first.
        """
        if not self._transcripts:
            self._write_out(lambda: self.announce(transcript.name))
        self._transcripts.append(transcript)
        if transcript.is_plan:
            self._plans.append(transcript)
        self.tails[transcript.id] = KeptOutput()
        if self._names or len(self._transcripts) > 1:
            self._printer.name(self._transcripts, self._names)

    def show(self, transcript: Transcript, lines: Iterable[Line]) -> None:
        """Print the lines of a mission; those of a plan's agent follow the line that says that it began.

        Raises:
            OutputLost: nobody takes them.
        """
        if self._is_early(transcript):
            self._held.setdefault(transcript.id, []).extend(lines)
        elif transcript in self._plans:
            found = list(lines)
            self._print(transcript.id, found)
            self._begun.update(match[1] for line in found for match in _BEGAN.finditer(line[2]))
            self._release([one for one in self._held if one in self._begun or transcript.ended])
        else:
            self._print(transcript.id, lines)

    def look(self, transcript: Transcript) -> None:
        """Print what has stood for a second of a mission's lines that are not finished.

        Raises:
            OutputLost: nobody takes it.
        """
        if not self._silent and not self._is_early(transcript):
            self._write_out(lambda: self._printer.look(transcript))

    def end_line(self) -> None:
        """Have the output end with a whole line, where anybody takes that."""
        with suppress(OSError, OvermindError):
            self._printer.end_line()

    def finish(self) -> None:
        """Print what was held back to the last.

        Raises:
            OutputLost: nobody takes it.
        """
        self._release(list(self._held))

    def _is_early(self, transcript: Transcript) -> bool:
        """Whether it is an agent of a plan that has not said yet that it began."""
        return transcript.id not in self._begun and any(
            transcript.name.startswith(f"{plan.name}/") and not plan.ended for plan in self._plans
        )

    def _release(self, missions: Iterable[str]) -> None:
        for mission in missions:
            self._print(mission, self._held.pop(mission))

    def _print(self, mission: str, lines: Iterable[Line]) -> None:
        kept = _kept(lines, self.tails[mission])
        if self._silent:
            deque(kept, maxlen=0)
        else:
            self._write_out(lambda: self._printer.show(mission, kept))

    def silence(self) -> None:
        """Print no more: nobody takes it."""
        self._silent = True

    def _write_out(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            raise OutputLost(error) from error


class DivertedStdout:
    """Standard output kept for the answer: until `restore`, whatever is printed goes to standard error."""

    def __init__(self) -> None:
        sys.stdout.flush()
        self._answers_to = os.dup(sys.stdout.fileno())
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def restore(self) -> None:
        """Have what is printed from now on go to standard output."""
        sys.stdout.flush()
        os.dup2(self._answers_to, sys.stdout.fileno())
        os.close(self._answers_to)


def wants_colour(environ: Mapping[str, str], *, terminal: bool) -> bool:
    """Whether colours are welcome on stdout. Source: no-color.org, force-color.org."""
    if environ.get("NO_COLOR"):
        return False
    if "FORCE_COLOR" in environ:
        return environ["FORCE_COLOR"] not in _NO
    if terminal:
        return environ.get("TERM") != "dumb"
    return any(environ.get(name, "") not in _NO for name in COLOUR_SERVICES)


def _kept(lines: Iterable[Line], tail: KeptOutput) -> Iterator[Line]:
    for line in lines:
        tail.add(line[2])
        yield line
