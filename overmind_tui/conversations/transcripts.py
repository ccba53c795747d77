"""The page of lines that a search has found in the transcripts of all missions."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from overmind_core.log_pages.index import WantedLine
from overmind_core.log_pages.word_query import BrokenQuery, WordQuery, parsed
from overmind_core.view import numbers, registry, transcripts
from overmind_core.view.cells import Row, safe
from overmind_tui.command_line.parse import Show
from overmind_tui.conversations.read_page import ReadPage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.view.actions import Context
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.shell import Shell

MOST = 50
"""Lines, as the command line has it."""
_VALUED = frozenset({"--since", "--provider", "--limit"})


def open_hits(shell: Shell, words: Sequence[str]) -> None:
    """Search for these words of a command line; without any, say what to type."""
    plain = _plain(words)
    try:
        query = parsed(plain) if plain else None
    except BrokenQuery as error:
        shell.flash(f"transcripts: {safe(error)}", "bad")
        return
    if query is None:
        shell.flash("transcripts: type what to look for: :transcripts redis 'rate limit' -cluster", "slow")
    else:
        shell.open(HitsPage(words, query))


def _plain(words: Sequence[str]) -> list[str]:
    """The words that are no options, and no options' values."""
    is_value = [at > 0 and words[at - 1] in _VALUED for at in range(len(words))]
    return [word for word, value in zip(words, is_value, strict=True) if not (value or word.startswith("--"))]


class HitsPage(ReadPage):
    """A row for each line, the newest first.

    Args:
        words: Of the command line.
        query: What they look for.
    """

    def __init__(self, words: Sequence[str], query: WordQuery) -> None:
        super().__init__(registry.HITS, Show(registry.HITS.name))
        self._words = words
        self._query = query
        self._has_more = False

    @property
    def words(self) -> Sequence[str]:
        """The command line that finds them: one more than is shown tells whether there are more."""
        return ["search", "--transcripts", "--json", "--limit", str(MOST + 1), *self._words]

    def take(self, rows: list[Row]) -> None:
        """Show them with the person's clock."""
        self._has_more = len(rows) == MOST + 1
        shown = rows[:MOST] if self._has_more else rows
        super().take(transcripts.dated(shown, self.shell.zone, self.shell.now(), self._query.place_in))

    def looked_in(self, row: Row) -> str:
        """The cells of a line."""
        return transcripts.looked_in(row)

    @property
    def narrowed(self) -> str:
        """Why there are no others."""
        return ", the newest" if self._has_more else ""

    def subtitle(self) -> str:
        """The words by which they are found."""
        return f"with {safe(shlex.join(self._words))}"

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also the log around a line."""
        return super().handlers(context) | {"open-hit": self.do_open_hit, "describe-row": self.do_open_row}

    def do_open_hit(self) -> None:
        """The log of its mission at this line; esc leads back here."""
        current = self.table.current
        if current is None:
            self.shell.flash("log: no line is selected here", "slow")
            return
        row = current.row
        name = safe(row["name"] or row["mission"])
        line = WantedLine(numbers.moment(row["at"]) or 0.0, row["line"])
        self.shell.main.show_log(row["mission"], f"{name} has been removed: d shows all of the line", line)
