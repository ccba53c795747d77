"""The logs of missions as they grow, printed until all of them have ended; for `logs -f` and `run --wait`.

The daemon only reports that something happened; the bytes are read from the files, from where the last look ended. So a
daemon that is replaced meanwhile costs neither a byte nor a second copy of one.

A line that has stood for a second without its newline, such as a question, is printed as far as it goes, and continued
when more of it comes.
"""

from __future__ import annotations

import re
import sys

from overmind_core.cli.context import exit_status
from overmind_core.cli.output import coloured, write_out
from overmind_core.client.stream import HEARTBEAT, follow
from overmind_core.domain.text.cells import display_safe, pad, width
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError, while_waiting
from overmind_core.logs.line import RESET
from overmind_core.logs.transcript import BOTH, LogSelection, Transcript

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
    _Place = tuple[str, int]
    """A mission, and a stream of it."""


IDLE_SECONDS = 1.0


class LogFollower:
    """Follows the logs of missions over one stream of the daemon.

    Args:
        ids: the missions; None = all.
        selection: what of their logs.
        begin: shows what is there at the beginning.
        show: is called with a mission whenever something may have come, and shows that.
        look: is called with each mission each second, and shows the lines that stand unfinished.
    """

    def __init__(
        self, ids: Sequence[str] | None, selection: LogSelection, *, begin: Begin, show: Show, look: Show
    ) -> None:
        self.transcripts: dict[str, Transcript] = {}
        self._ids = None if ids is None else list(ids)
        self._selection = selection
        self._begin = begin
        self._show = show
        self._look = look
        self._seq = 0
        self._begun = False

    def follow(
        self, client: Client, *, deadline: float | None = None, idle: Callable[[], object] | None = None
    ) -> None:
        """Show everything until all missions have ended, or until `deadline` (seconds on the monotonic clock).

        `idle`: called each second.

        Raises:
            OvermindError: the daemon said no, or was lost for ten seconds.
        """
        try:
            for kind, content in follow(client, self._request, deadline=deadline, beat=IDLE_SECONDS):
                if kind == HEARTBEAT:
                    for transcript in self.transcripts.values():
                        self._look(transcript)
                    if idle is not None:
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
    printer: LinePrinter,
    *,
    colour: bool,
    since: float | None = None,
    idle: Callable[[], object] | None = None,
) -> Transcript:
    """Print each line of a mission's log, with its annotations, until the mission has ended.

    `since`: only what was written from then on, in seconds since the epoch; `idle`: called each second.

    Returns:
        The transcript, whose `status` and `exit_code` are then final.

    Raises:
        OvermindError: the daemon said no, or was lost for ten seconds.
    """

    def begin(transcripts: list[Transcript]) -> None:
        for transcript in transcripts:
            printer.show(transcript.id, transcript.begin(follow=not transcript.ended))

    def show(transcript: Transcript) -> None:
        printer.show(transcript.id, transcript.new_lines())

    selection = LogSelection(since=since, colour=colour, renderers=line_renderer)
    follower = LogFollower([mission], selection, begin=begin, show=show, look=printer.look)
    try:
        follower.follow(client, idle=idle)
    finally:
        printer.end_line()
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
        self._standing: dict[_Place, str] = {}
        """Lines that were unfinished at the last look."""
        self._printed: dict[_Place, str] = {}
        """Beginnings of lines that are not finished, as far as they are printed."""
        self._open: _Place | None = None
        """The owner of the line in whose middle the output ends."""
        self.has_shown = False
        """True once a line was printed."""

    def name(self, transcripts: Sequence[Transcript], to_come: Iterable[str] = ()) -> None:
        """From now on, begin each line with its mission's name; there is room for names `to_come`."""
        names = {transcript.id: display_safe(transcript.name) for transcript in transcripts}
        cells = max(map(width, (*names.values(), *map(display_safe, to_come))), default=0)
        for number, (mission, name) in enumerate(names.items()):
            prefix = f"{pad(name, cells)} |"
            colour = _COLOURS[number % len(_COLOURS)]
            self._prefixes[mission] = f"\x1b[{colour}m{prefix}\x1b[0m " if self._colour else f"{prefix} "

    def matching(self, lines: Iterable[Line]) -> Iterable[Line]:
        """The lines that hold the pattern, colours aside."""
        return lines if self._pattern is None else (line for line in lines if self._matches(line[2]))

    def show(self, mission: str, lines: Iterable[Line]) -> None:
        """Print the lines of a mission, and let them be seen at once."""
        self.write(mission, lines)
        write_out("")

    def write(self, mission: str, lines: Iterable[Line]) -> None:
        """Print the lines of a mission."""
        batch: list[str] = []
        for line in lines:
            piece = self._finished(mission, line)
            if piece is None:
                continue
            batch.append(piece)
            self.has_shown = True
            if len(batch) >= _BATCH:
                write_out("".join(batch), flush=False)
                batch.clear()
        if batch:
            write_out("".join(batch), flush=False)

    def look(self, transcript: Transcript) -> None:
        """Print what has stood since the last look of lines that have no newline yet."""
        found = {(transcript.id, line[1]): line for line in transcript.unfinished_lines}
        for place in ((transcript.id, stream) for stream in BOTH):
            before = self._standing.pop(place, None)
            if place not in found:
                continue
            wall, stream, text = found[place]
            if before is not None and _continuation(before, text) is not None:
                self._write_unfinished(place, (wall, stream, before))
            self._standing[place] = text

    def end_line(self) -> None:
        """Have the output end with a whole line."""
        write_out(self._newline())

    def make_room(self) -> None:
        """Have what goes to stderr begin a line on the terminal."""
        if sys.stdout.isatty():
            self.end_line()

    def _write_unfinished(self, place: _Place, line: Line) -> None:
        text, printed = line[2], self._printed.get(place)
        if printed is None:
            is_wanted = bool(_SGR.sub("", text).strip()) and self._matches(text)
            rest = text if is_wanted else None
        else:
            rest = _continuation(printed, text)  # what was written over is shown as it stands at its end
        if not rest:
            return
        write_out(rest if self._open == place else f"{self._newline()}{self._head(place[0], line)}{rest}")
        self._open, self._printed[place] = place, text
        self.has_shown = True

    def _finished(self, mission: str, line: Line) -> str | None:
        """The text to print for a whole line; None: it does not match, or stands there already."""
        place = mission, line[1]
        self._standing.pop(place, None)
        printed = self._printed.pop(place, None)
        rest = line[2] if printed is None else _continuation(printed, line[2])
        if printed is not None and rest is not None and self._open == place:
            self._open = None
            return f"{rest}\n"
        if (printed and rest == "") or (printed is None and not self._matches(line[2])):
            return None
        return f"{self._newline()}{self._head(mission, line)}{line[2] if rest is None else rest}\n"

    def _newline(self) -> str:
        """The end of the line in whose middle the output stands; "" where it stands behind a whole one."""
        is_open, self._open = self._open is not None, None
        return "\n" if is_open else ""

    def _head(self, mission: str, line: Line) -> str:
        time = f"{format_time(line[0])} " if self._timestamps else ""
        return f"{self._prefixes.get(mission, '')}{time}"

    def _matches(self, text: str) -> bool:
        return self._pattern is None or self._pattern.search(_SGR.sub("", text)) is not None


def _continuation(printed: str, text: str) -> str | None:
    """The rest to print of a line that now reads `text`; None: what is printed of it was written over."""
    end = printed.removesuffix(RESET)
    if text.startswith(end):
        rest = text[len(end) :]
        if end == printed:
            return rest
        style = _SGR.findall(end)[-1]  # it was closed behind what is printed
        return rest.removeprefix(RESET) if rest.startswith("\x1b[") else style + rest
    plain, before = _SGR.sub("", text).rstrip(), _SGR.sub("", printed).rstrip()
    return "" if plain in {"", before} else None


def follow_until_end(context: Context, mission: str, *, since: float | None = None) -> int:
    """Print the mission's output until it has ended; return the exit status that stands for its end.

    `since`: only what was written from then on, in seconds since the epoch.
    """
    from overmind_core.cli.waiting import WaitTeller

    printer = LinePrinter()
    context.before_note = printer.make_room
    teller = WaitTeller(
        context, lambda: [mission], of_quests=False, keep_waiting=True, shows_output=lambda: printer.has_shown
    )
    colour, idle = coloured(context.environ), teller.is_hopeless
    try:
        transcript = follow_output(context.client(), mission, printer, colour=colour, since=since, idle=idle)
    except OvermindError as error:
        raise while_waiting(error, [mission]) from None
    return exit_status(transcript.status, transcript.exit_code, transcript.reason)


def line_renderer(name: str) -> LineRenderer | None:
    """Return the renderer of lines of that format, such as an agent's; None: they are shown as they are."""
    from overmind_core.providers import registry

    return registry.renderer(name)
