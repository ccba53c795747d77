"""The logs of missions as they grow, printed until all of them have ended; for `logs -f` and `run --wait`.

The daemon only reports that something happened; the bytes are read from the files, from where the last look ended. So a
daemon that is replaced meanwhile costs neither a byte nor a second copy of one.
"""

from __future__ import annotations

import re

from overmind_core.cli.context import exit_status
from overmind_core.cli.output import coloured, write_out
from overmind_core.client.stream import HEARTBEAT, follow
from overmind_core.domain.text.cells import display_safe, pad, width
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError, while_waiting
from overmind_core.logs.transcript import LogSelection, Transcript

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from overmind_core.cli.context import Context
    from overmind_core.client.client import Client
    from overmind_core.logs.display import Line, LineRenderer

    Json = dict[str, Any]
    Begin = Callable[[list[Transcript]], None]
    Show = Callable[[Transcript], None]


IDLE_SECONDS = 1.0


class LogFollower:
    """Follows the logs of missions over one stream of the daemon.

    Args:
        ids: the missions; None = all.
        selection: what of their logs.
        begin: shows what is there at the beginning.
        show: is called with a mission whenever something may have come, and shows that.
    """

    def __init__(self, ids: Sequence[str] | None, selection: LogSelection, *, begin: Begin, show: Show) -> None:
        self.transcripts: dict[str, Transcript] = {}
        self._ids = None if ids is None else list(ids)
        self._selection = selection
        self._begin = begin
        self._show = show
        self._seq = 0
        self._begun = False

    def follow(
        self, client: Client, *, deadline: float | None = None, idle: Callable[[], object] | None = None
    ) -> None:
        """Show everything until all missions have ended, or until `deadline` (seconds on the monotonic clock).

        `idle`: called each second in which nothing comes.

        Raises:
            OvermindError: the daemon said no, or was lost for ten seconds.
        """
        try:
            beat = None if idle is None else IDLE_SECONDS
            for kind, content in follow(client, self._request, deadline=deadline, beat=beat):
                if kind == HEARTBEAT and idle is not None:
                    idle()
                if kind == "ok":
                    self._describe(content)
                elif kind == "item":
                    self._apply(content)
        except OvermindError as error:
            if error.code != "timeout" or deadline is None:
                raise

    def _request(self) -> tuple[str, Json]:
        return "logs", {"ids": self._ids, "follow": True, "seq": self._seq}

    def _describe(self, answer: Json) -> None:
        """Take over what there is; after a loss of the daemon once more."""
        for mission in answer["missions"]:
            known = self.transcripts.get(mission["id"])
            if known is None:
                self.transcripts[mission["id"]] = Transcript(mission, self._selection)
            else:
                known.update(mission)
        if self._ids is not None:
            self._ids = list(self.transcripts)  # a name may belong to another mission by the next time
        self._seq = answer["seq"]
        if not self._begun:
            self._begun = True
            self._begin(list(self.transcripts.values()))
        else:
            for transcript in self.transcripts.values():
                self._show(transcript)

    def _apply(self, item: Json) -> None:
        transcript = self.transcripts.get(item["mission"])
        if transcript is None:
            return
        self._seq = max(self._seq, item.get("seq", 0))
        transcript.apply(item)
        self._show(transcript)


def follow_output(
    client: Client,
    mission: str,
    write: Callable[[str], None],
    *,
    colour: bool,
    since: float | None = None,
    idle: Callable[[], object] | None = None,
) -> Transcript:
    """Hand each line of a mission's log, with its annotations, to `write` (stdout) until the mission has ended.

    `since`: only what was written from then on, in seconds since the epoch; `idle`: called each second in which
    nothing comes.

    Returns:
        The transcript, whose `status` and `exit_code` are then final.

    Raises:
        OvermindError: the daemon said no, or was lost for ten seconds.
    """

    def begin(transcripts: list[Transcript]) -> None:
        for transcript in transcripts:
            for _, _, text in transcript.begin(follow=not transcript.ended):
                write(text)
        write_out("")

    def show(transcript: Transcript) -> None:
        for _, _, text in transcript.new_lines():
            write(text)
        write_out("")

    selection = LogSelection(since=since, colour=colour, renderers=line_renderer)
    follower = LogFollower([mission], selection, begin=begin, show=show)
    follower.follow(client, idle=idle)
    return next(iter(follower.transcripts.values()))


_COLOURS = ("36", "33", "32", "35", "34", "31")
"""SGR numbers (ECMA-48) that tell names apart."""
_SGR = re.compile(r"\x1b\[[0-9;:]*m")
_BATCH = 512
"""Lines written at once."""


class LinePrinter:
    """Prints lines of logs to stdout: those that match, with time and name before them.

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
        self.has_shown = False
        """True once a line was printed."""

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
        write_out("")

    def write(self, mission: str, lines: Iterable[Line]) -> None:
        """Print the lines of a mission."""
        batch: list[str] = []
        prefix = self._prefixes.get(mission, "")
        for wall, _, text in self.matching(lines):
            time = f"{format_time(wall)} " if self._timestamps else ""
            batch.append(f"{prefix}{time}{text}\n")
            self.has_shown = True
            if len(batch) >= _BATCH:
                write_out("".join(batch), flush=False)
                batch.clear()
        if batch:
            write_out("".join(batch), flush=False)


def follow_until_end(context: Context, mission: str, *, since: float | None = None) -> int:
    """Print the mission's output until it has ended; return the exit status that stands for its end.

    `since`: only what was written from then on, in seconds since the epoch.
    """
    from overmind_core.cli.waiting import WaitTeller

    is_shown = False

    def write(line: str) -> None:
        nonlocal is_shown
        is_shown = True
        context.print(line)

    teller = WaitTeller(context, lambda: [mission], of_quests=False, keep_waiting=True, shows_output=lambda: is_shown)
    colour, idle = coloured(context.environ), teller.is_hopeless
    try:
        transcript = follow_output(context.client(), mission, write, colour=colour, since=since, idle=idle)
    except OvermindError as error:
        raise while_waiting(error, [mission]) from None
    return exit_status(transcript.status, transcript.exit_code, transcript.reason)


def line_renderer(name: str) -> LineRenderer | None:
    """Return the renderer of lines of that format, such as an agent's; None: they are shown as they are."""
    from overmind_core.providers import registry

    return registry.renderer(name)
