"""How lines of logs are printed: which match, with which time and name before them."""

from __future__ import annotations

import re
import sys

from overmind_core.domain.cells import display_safe, pad, width
from overmind_core.domain.moment import format_time
from overmind_core.logs.transcript import Transcript

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from overmind_core.logs.display import Line

_COLOURS = ("36", "33", "32", "35", "34", "31")
"""SGR numbers (ECMA-48) that tell names apart."""
_SGR = re.compile(r"\x1b\[[0-9;:]*m")
_BATCH = 512
"""Lines written at once."""


class LinePrinter:
    """Prints lines to stdout.

    Args:
        pattern: only lines that hold it; None = all.
        timestamps: begin each line with its time.
        colour: colour the names.
    """

    def __init__(
        self, *, pattern: re.Pattern[str] | None = None, timestamps: bool = False, colour: bool = False
    ) -> None:
        self._pattern = pattern
        self._timestamps = timestamps
        self._colour = colour
        self._prefixes: dict[str, str] = {}

    def name(self, transcripts: Sequence[Transcript]) -> None:
        """From now on, begin each line with its mission's name."""
        names = {transcript.id: display_safe(transcript.name) for transcript in transcripts}
        cells = max(map(width, names.values()), default=0)
        for number, (mission, name) in enumerate(names.items()):
            prefix = f"{pad(name, cells)} |"
            colour = _COLOURS[number % len(_COLOURS)]
            self._prefixes[mission] = f"\x1b[{colour}m{prefix}\x1b[0m " if self._colour else f"{prefix} "

    def matching(self, lines: Iterable[Line]) -> Iterable[Line]:
        """The lines that hold the pattern, colours aside."""
        pattern = self._pattern
        if pattern is None:
            return lines
        return (line for line in lines if pattern.search(_SGR.sub("", line[2])))

    def show(self, mission: str, lines: Iterable[Line]) -> None:
        """Print the lines of a mission, and let them be seen at once."""
        self.write(mission, lines)
        sys.stdout.flush()

    def write(self, mission: str, lines: Iterable[Line]) -> None:
        """Print the lines of a mission."""
        batch: list[str] = []
        prefix = self._prefixes.get(mission, "")
        for wall, _, text in self.matching(lines):
            time = f"{format_time(wall)} " if self._timestamps else ""
            batch.append(f"{prefix}{time}{text}\n")
            if len(batch) >= _BATCH:
                sys.stdout.write("".join(batch))
                batch.clear()
        if batch:
            sys.stdout.write("".join(batch))
