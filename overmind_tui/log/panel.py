"""The log panel of the missions screen: whose log it shows, which of its lines, and what its keys do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent import RAW
from overmind_core.log_pages.index import LogScope, WantedLine
from overmind_core.log_pages.paged_log import PagedLog
from overmind_core.log_pages.reader import Reader
from overmind_core.logs.display import Line
from overmind_core.view import log_lines
from overmind_core.view import missions as missions_rows
from overmind_core.view.cells import Row, safe
from overmind_core.view.inbox import STANDS_FOR_NONE
from overmind_tui.log.line_finder import LineFinder
from overmind_tui.log.search import LogSearch
from overmind_tui.shell import clipboard
from overmind_tui.shell.messages import LogCounted, LogFailed, LogGrew, LogIndexed, LogRead, LogShown

if TYPE_CHECKING:
    from overmind_tui.log.follow import LogFollower
    from overmind_tui.missions.main_screen import MainScreen
    from overmind_tui.pages.page import Handler

Came = LogShown | LogGrew | LogIndexed | LogRead | LogCounted | LogFailed
MINUTE = 60.0
RANGES = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60}
"""Part of a log that the settings may ask for → minutes."""
WAYS = '"a b" keeps words together · tab shows all lines, n N go through'
"""In the bar, while a search is typed."""


class LogPanel:
    """The log panel: what it shows, and what its keys do.

    Attributes:
        look: What is looked at.
        runs: The number of the newest run that is shown, and of the newest that there is.
        span: How the part of the log that is shown is called; "" is all.
        unread: The missions whose newest lines came here since the supervisor was told that they were seen.
    """

    def __init__(self, screen: MainScreen, feed: LogFollower) -> None:
        self._screen = screen
        self._feed = feed
        self.look = LogScope()
        self.runs = (0, 0)
        self.span = ""
        self.unread: set[str] = set()
        self._reader: Reader | None = None
        self._known_runs: dict[str, int] = {}
        """Mission → its newest run as its row had it when its log was asked for."""
        self._asks_head = False
        self.search = LogSearch(screen, feed)
        self.finder = LineFinder(screen)
        self.defaults = (False, True)
        """Whether the configuration wants times, and long lines wrapped."""
        self.handlers: dict[str, Handler] = {
            "log-tail": self.do_log_tail,
            "log-head": self.do_log_head,
            **{f"range-{span}": partial(self._since, span) for span in RANGES},
            "previous": self.do_previous,
            "ruler": self.do_ruler,
            "clear-view": self.do_clear_view,
            "copy": self.do_copy,
            "save": self.do_save,
            "pager": self.do_pager,
            "replay": self.do_replay,
            "log-filter": self.do_log_filter,
            "next-match": partial(self.search.step, 1),
            "previous-match": partial(self.search.step, -1),
        }

    # what is looked at

    def look_at(self, mission: str | None) -> None:
        """Another mission under the cursor, another log, as the settings want it to begin."""
        shell = self._screen.shell
        look, wanted = self._scope(mission), shell.settings.log_range
        if wanted in RANGES:
            self._open(look._replace(since=shell.now() - RANGES[wanted] * MINUTE), f"the last {wanted}")
        else:
            self._open(look)
            self._asks_head = wanted == "head"

    def look_at_line(self, line: WantedLine | None) -> None:
        """All of the log that is shown, at a line of it; None: as it is."""
        if line is not None:
            self._open(LogScope(self.look.missions))
            self._feed.follow_again()  # also where all is shown already: its lines come once more
            self.finder.seek(line)

    def _scope(self, mission: str | None) -> LogScope:
        """All of a mission's log; of nothing where the cursor is on what has none."""
        known = self._screen.shell.fleet.behind(mission)
        return LogScope(() if known is None else (known["id"],))

    def look_at_all(self, rows: Sequence[Row]) -> None:
        """The logs of these together."""
        self._open(LogScope(tuple(row["id"] for row in rows)))

    def _open(self, look: LogScope, span: str = "") -> None:
        view = self._screen.log_view
        if look.missions != self.look.missions:
            self.search.forget()
            self.runs = (0, 0)
        self.look, self.span, self._reader, self._asks_head = look, span, None, False
        self.finder.seek(None)
        view.read_pages = self._feed.want
        reason = "" if look.missions else self.nothing()
        view.start(look.alone, "" if reason == log_lines.NOBODY else reason)  # the title says that
        if not look.missions:
            view.show(PagedLog())  # none is on its way
        view.is_agent = self._is_of_agent(look)
        self._known_runs = self._newest_runs()
        self._feed.show(look)

    def nothing(self) -> str:
        """Why there is no log: the cursor is on no mission, but may be on what the engine asks about."""
        entry = self._screen.table.current
        if entry is None or not entry.row.get(STANDS_FOR_NONE):
            return log_lines.NOBODY
        return log_lines.missing(safe(entry.name))

    def settings_changed(self) -> None:
        """Show the log as the configuration says, where that says something else than before."""
        settings = self._screen.shell.settings
        if (settings.log_time, settings.log_wrap) != self.defaults:
            self.defaults = settings.log_time, settings.log_wrap
            self._screen.log_view.show_as(times=settings.log_time, wrap=settings.log_wrap)

    def scrolled(self) -> None:
        """Leave who reads back undisturbed by what comes."""
        self._feed.hold(back=not self._screen.log_view.following)
        self.rows_changed()

    def rows_changed(self) -> None:
        """Follow on where a mission that had ended was started again, unless somebody reads back."""
        self._follow_question()
        if self._reader is None or self.look.run is not None or not self._screen.log_view.following:
            return
        runs = self._newest_runs()
        if self._reader.is_outdated(runs, self._known_runs):
            self._reader, self._known_runs = None, runs
            self._feed.follow_again()

    def _follow_question(self) -> None:
        """Where what is no mission is asked about anew, by another gate perhaps, the log is that of who made it."""
        fleet, at = self._screen.shell.fleet, self._screen.following.mission
        is_other = at in fleet.asked_about and at not in fleet.rows and self.look.missions != self._scope(at).missions
        if is_other and len(self.look.missions) <= 1:
            self.look_at(at)

    def _newest_runs(self) -> dict[str, int]:
        rows = self._screen.shell.fleet.rows
        return {one: int(rows[one].get("run") or 0) for one in self.look.missions if one in rows}

    def _is_of_agent(self, look: LogScope) -> bool:
        """Whether it is what an agent says, which is prose."""
        row = self._screen.shell.fleet.rows.get(look.alone or "")
        return row is not None and row.get("provider") not in {None, "", RAW}

    def came(self, message: Came) -> None:
        """Something of the log that is looked at."""
        view = self._screen.log_view
        if isinstance(message, LogShown):
            if message.look == self.look:
                self._shown(message)
        elif isinstance(message, LogFailed):
            if message.look == self.look:
                view.start(self.look.alone, message.reason)
        elif message.reader is self._reader:
            self._more(message)
        self.search.check()
        self.finder.go_on()
        self._screen.retitle()

    def _shown(self, message: LogShown) -> None:
        view = self._screen.log_view
        self._came(message.lines)
        self.runs = message.runs
        view.empty = message.reason or log_lines.nothing_since(
            self.span, message.last_written, self._screen.shell.now(), self._screen.shell.zone
        )
        if message.reader is not None and message.reader is self._reader:
            view.show_tail(message.lines, message.partial, message.before)
            return
        self._reader = message.reader
        view.show(PagedLog(message.lines, message.partial, message.before))
        if self.search.text:
            self.search.apply()
        if self._asks_head:
            self._asks_head = False
            self.do_log_head()

    def _more(self, message: LogGrew | LogIndexed | LogRead | LogCounted) -> None:
        view = self._screen.log_view
        match message:
            case LogGrew():
                self.runs = message.runs
                self._came(message.lines)
                view.add(message.lines, message.partial)
            case LogIndexed():
                view.paged_log.found(message.pages, whole=message.whole)
                view.changed()
            case LogRead():
                view.paged_log.lose(message.lost)
                if view.paged_log.read(message.page, message.lines, message.pattern):
                    view.changed(message.page)
                    self.search.go_on()
            case LogCounted():
                self.search.counted(message)

    def _came(self, lines: Sequence[Line]) -> None:
        if lines and self.look.alone is not None:
            self.unread.add(self.look.alone)

    # which part of it

    def do_log_tail(self) -> None:
        """All of it, at the newest line."""
        if self.look.since is not None or self.look.run is not None:
            self._open(self.look._replace(since=None, run=None))
        else:
            self._press("last")

    def do_log_head(self) -> None:
        """All of it, at the oldest line."""
        if self.look.since is not None:
            self._open(self.look._replace(since=None))
            self._asks_head = True
        else:
            self._press("first")

    def _since(self, span: str) -> None:
        self._open(self.look._replace(since=self._screen.shell.now() - RANGES[span] * MINUTE), f"the last {span}")

    def do_clear_view(self) -> None:
        """Show only what comes from now on."""
        self._open(self.look._replace(since=self._screen.shell.now()), "cleared")

    def do_previous(self) -> None:
        """The run before the one that is shown."""
        newest = self.runs[0] or next(iter(self._newest_runs().values()), 0)  # its log may be on its way
        shown = newest if self.look.run is None else self.look.run
        if len(self.look.missions) > 1:
            self._screen.shell.flash("show the log of one mission to go to its previous run", "slow")
        elif shown <= 1:
            self._screen.shell.flash("no previous run", "slow")
        else:
            self._open(self.look._replace(run=shown - 1, since=None))

    def do_ruler(self) -> None:
        """Draw a line below what is there now."""
        self._feed.draw_ruler(self._screen.shell.now())

    # what is done with it

    def do_copy(self) -> None:
        """Copy what is shown, up to the last line in sight; of a long log its end."""
        text, whole = self._screen.log_view.copied()
        count = text.count("\n") + bool(text)
        what = f"{count:,} line{'s' * (count != 1)}"
        clipboard.copy(self._screen.shell, text, what if whole else f"only the last {what}, ctrl-s saves all")

    def do_save(self) -> None:
        """Save all lines that are shown, or would be, however far the log goes back."""
        from overmind_tui.log import save  # noqa: PLC0415 - not for the first frame

        shell, view, pattern = self._screen.shell, self._screen.log_view, self.search.wanted
        if not self.look.missions:
            shell.flash("no mission is selected: no log to save", "slow")
            return
        look, zone, times = self.look, shell.zone, view.times

        def read() -> Iterator[str]:
            lines = save.lines(shell.located(look.missions), look, pattern, zone=zone)
            return (log_lines.whole_text(line, zone, times=times) for line in lines)

        row = shell.fleet.of(look.missions[0])
        name = "logs" if len(look.missions) > 1 or row is None else f"log-{row['name']}"
        clipboard.save_lines(shell, read, name)

    def do_pager(self) -> None:
        """All of it in $PAGER."""
        from overmind_tui.log import save  # noqa: PLC0415 - not for the first frame

        if self.look.missions:
            save.show(self._screen.shell, self.look)

    def do_replay(self) -> None:
        """Replay the run: from the last line in sight where somebody reads back, else from its beginning."""
        from overmind_tui.log.replay import replay  # noqa: PLC0415 - not for the first frame

        view, missions = self._screen.log_view, self.look.missions
        row = self._screen.shell.fleet.of(missions[0]) if len(missions) == 1 else None
        if len(missions) > 1:
            self._screen.shell.flash("show the log of one mission to replay its run", "slow")
        elif row is None or view.paged_log.empty:
            self._screen.shell.flash("replay: there is no output yet", "slow")
        else:
            line = None if view.following else view.last_in_sight
            replay(self._screen.shell, row, run=self.look.run, at=None if line is None else line[0])

    def do_log_filter(self) -> None:
        """Type what lines must match."""
        self._screen.open_bar("/", self.search.text, WAYS)

    def type(self, text: str) -> bool:
        """Show what matches so far; False keeps the last good lines, for the text is broken."""
        return self.search.type(text)

    def turn_prompt(self) -> bool:
        """Tab in the prompt: lines that don't match stay, or they don't."""
        return self.search.turn()

    def close_one(self) -> bool:
        """Close one thing; whether there was any."""
        if self.search.close():
            return True
        mission = self._screen.table.cursor_id
        plain = self._scope(mission)
        if self.look != plain and (self.look.since is not None or self.look.run is not None):
            self._open(self.look._replace(since=None, run=None))
            return True
        if self.look != plain:
            self.look_at(mission)
        return False

    def _press(self, action: str) -> None:
        self._screen.log_view.press(action)

    # what the border says

    def title(self) -> str:
        """The title of the log: names, and which part."""
        fleet = self._screen.shell.fleet
        names = [missions_rows.called(row, fleet.rows) for row in map(fleet.of, self.look.missions) if row]
        return log_lines.title(names, self.look.run, self.runs, self.span)
