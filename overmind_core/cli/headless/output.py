"""The output of a headless run: the lines of its missions on stdout, and the last of them in memory for the reports."""

from __future__ import annotations

import errno
import re
from collections import deque

from overmind_core.cli.follow_logs import LinePrinter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

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
            "nobody reads the output" if self.reader_gone else f"stdout can't be written: {error.strerror}"
        )


class OutputScreen:
    """Shows the lines of missions; as soon as there are several, each line begins with a name.

    Args:
        colour: the missions' colours, and some for the names.
        several: there will be several, so begin with names.
    """

    def __init__(self, *, colour: bool, several: bool = False) -> None:
        self.colour = colour
        self._several = several
        self.tails: dict[str, KeptOutput] = {}
        self._printer = LinePrinter(colour=colour)
        self._transcripts: list[Transcript] = []
        self._silent = False
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
        self.tails[transcript.id] = KeptOutput()
        if self._several or len(self._transcripts) > 1:
            self._printer.name(self._transcripts)

    def show(self, transcript: Transcript, lines: Iterable[Line]) -> None:
        """Print the lines of a mission.

        Raises:
            OutputLost: nobody takes them.
        """
        kept = _kept(lines, self.tails[transcript.id])
        if self._silent:
            deque(kept, maxlen=0)
        else:
            self._write_out(lambda: self._printer.show(transcript.id, kept))

    def silence(self) -> None:
        """Print no more: nobody takes it."""
        self._silent = True

    def _write_out(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            raise OutputLost(error) from error


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
