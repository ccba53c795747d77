"""The logs of missions as they grow, until all of them have ended; for `logs -f` and `run --wait`.

The daemon only says that something happened; the bytes are read from the files, from where the last look ended. So a
daemon that is replaced meanwhile costs neither a byte nor a second copy of one.
"""

from __future__ import annotations

import sys

from overmind_core.cli.rendering import renderer
from overmind_core.client.stream import follow
from overmind_core.errors import OvermindError
from overmind_core.logs.selection import Selection
from overmind_core.logs.transcript import Transcript

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from overmind_core.client.calls import Client

    Json = dict[str, Any]
    Begin = Callable[[list[Transcript]], None]
    Show = Callable[[Transcript], None]


class Following:
    """One look at missions that goes on.

    Args:
        ids: the missions; None = all.
        selection: what of their logs.
        begin: shows what is there when the look begins.
        show: is called with a mission whenever something may have come, and shows that.
    """

    def __init__(self, ids: Sequence[str] | None, selection: Selection, *, begin: Begin, show: Show) -> None:
        self.transcripts: dict[str, Transcript] = {}
        self._ids = None if ids is None else list(ids)
        self._selection = selection
        self._begin = begin
        self._show = show
        self._seq = 0
        self._begun = False

    def until_the_end(self, client: Client, *, deadline: float | None = None) -> None:
        """Show everything until all missions have ended, or until `deadline` (seconds on the monotonic clock).

        Raises:
            OvermindError: the daemon said no, or was lost for ten seconds.
        """
        try:
            for kind, content in follow(client, self._request, deadline=deadline):
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
    client: Client, mission: str, write: Callable[[str], None], *, colour: bool, since: float | None = None
) -> Transcript:
    """Hand each line of a mission's log, with its annotations, to `write` (stdout) until the mission has ended.

    `since`: only what was written from then on, in seconds since the epoch.

    Returns:
        The transcript, whose `status` and `exit_code` are then final.

    Raises:
        OvermindError: the daemon said no, or was lost for ten seconds.
    """

    def begin(transcripts: list[Transcript]) -> None:
        for transcript in transcripts:
            for _, _, text in transcript.begin(follow=not transcript.ended):
                write(text)
        sys.stdout.flush()

    def show(transcript: Transcript) -> None:
        for _, _, text in transcript.grown():
            write(text)
        sys.stdout.flush()

    selection = Selection(since=since, colour=colour, renderers=renderer)
    following = Following([mission], selection, begin=begin, show=show)
    following.until_the_end(client)
    return next(iter(following.transcripts.values()))
