"""The page of a mission's changes: its files, the diff of each, comments on its lines, and the way to land it.

The supervisor is asked; of what it can't tell, git itself is, in a thread: nothing that the folder's configuration
names is run, no lock is taken, and neither time nor size is without a limit.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.geometry import Size

from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.errors import OvermindError
from overmind_core.log_pages import pattern
from overmind_core.system.marked_program import start_own
from overmind_core.view import diff, numbers
from overmind_core.view import landing as lines
from overmind_core.view.actions import Context
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.diff import DiffFiles, DiffText, Spot
from overmind_core.view.hive_keys import hive_of
from overmind_core.view.screen_shape import TINY
from overmind_tui.pages.text import BORDERS, TextPage
from overmind_tui.render.layout import NARROW
from overmind_tui.widgets.canvas import Edge, Pane
from overmind_tui.widgets.lines import CursorTextView

if TYPE_CHECKING:
    from overmind_tui.inbox.messages import MessageActions
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.shell import Shell


SECONDS = 10.0
"""How long one git may take."""
MOST = 2_000_000
"""Bytes of a diff that are read."""
COMMITS = 20
_GIT = ("git", "-c", "core.pager=cat", "-c", "core.fsmonitor=false", "-c", "core.quotepath=false",
        "-c", "core.hooksPath=/dev/null", "-c", "credential.helper=", "--no-optional-locks",
        "--literal-pathspecs")  # fmt: skip
_DIFF = ("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--find-renames", "--submodule=short")


class GitFailed(Exception):
    """Git can't say anything of the folder; the sentence says why."""


class Changes(NamedTuple):
    """Raw answers of git.

    Attributes:
        branch: What is checked out; "" when it has no name.
        commits: Hash and subject of those that were made since a time, the newest first.
        status: `status --porcelain=v1 -z`.
        diff: Of all that is tracked, against the last commit.
        cut: Why the diff is not whole; "" when it is.
    """

    branch: str
    commits: tuple[str, ...]
    status: str
    diff: str
    cut: str


def git_changes(folder: str, environ: Mapping[str, str], *, since: str | None) -> Changes:
    """What changed below a folder.

    Args:
        folder: Where.
        environ: In which git is looked for.
        since: RFC 3339; commits made after that are listed, too.

    Raises:
        NoGit: there is no folder, no git, no repository, or no answer.
    """
    ask = _Git(folder, environ)
    ask("rev-parse", "--is-inside-work-tree")
    branch = ask("branch", "--show-current").strip()
    has_commits = ask.succeeds("rev-parse", "--verify", "--quiet", "HEAD")
    commits = ask("log", "--no-color", "--format=%h %s", f"--max-count={COMMITS}", f"--since={since}", "--", ".") \
        if has_commits and since else ""  # fmt: skip
    status = ask("status", "--porcelain=v1", "-z", "--untracked-files=normal", "--", ".")
    against = "HEAD" if has_commits else ask("hash-object", "-t", "tree", os.devnull).strip()
    diff, cut = ask.limited(*_DIFF, against, "--", ".")
    return Changes(branch, tuple(commits.splitlines()), status, diff, cut)


class _Git:
    """Runs git in a folder."""

    def __init__(self, folder: str, environ: Mapping[str, str]) -> None:
        self._folder = folder
        kept = {name: value for name, value in environ.items() if not name.startswith("GIT_")}
        self._environ = {**kept, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}
        if not os.path.isdir(folder):
            raise GitFailed(f"the folder {folder} does not exist")

    def __call__(self, *words: str) -> str:
        """What git says, which has to be little.

        Raises:
            NoGit: it fails.
        """
        return self.limited(*words)[0]

    def succeeds(self, *words: str) -> bool:
        """Whether git ends well."""
        return not self._run(words)[2]

    def limited(self, *words: str) -> tuple[str, str]:
        """What git says, as far as it is not too much, and why there is no more of it."""
        output, cut, code, errors = self._run(words)
        if code and not cut:
            raise GitFailed(self._explained(errors.strip().partition("\n")[0] or f"git exited with code {code}"))
        return output, cut

    def _explained(self, error: str) -> str:
        return f"{self._folder} is not in a git repository" if "not a git repository" in error else error

    def _run(self, words: Sequence[str]) -> tuple[str, str, int, str]:
        """Output, why it was cut, exit status, errors."""
        try:
            if shutil.which("git", path=self._environ.get("PATH")) is None:
                raise GitFailed("git is not on PATH")
            process = start_own(
                [*_GIT, *words], cwd=self._folder, env=self._environ, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise GitFailed(str(error)) from None
        is_late = threading.Event()
        limit = threading.Timer(SECONDS, _end, [process, is_late])
        limit.start()
        with process:
            assert process.stdout is not None
            assert process.stderr is not None
            output = process.stdout.read(MOST)
            long = len(output) == MOST
            if long:
                _end(process)
            errors = process.stderr.read(MOST)
        limit.cancel()
        limit.join()
        too_late = is_late.is_set() and process.returncode == -signal.SIGKILL
        slow = f"git took more than {SECONDS:.0f} s" if too_late else ""
        cut = f"more than {MOST // 1_000_000} MB" if long else slow
        return output.decode(errors="replace"), cut, process.returncode, errors.decode(errors="replace")


def _end(process: subprocess.Popen[bytes], is_late: threading.Event | None = None) -> None:
    """End it with all that it started, which may hold its output open; `is_late`: set first, for who waits for it."""
    if is_late is not None:
        is_late.set()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


Answers = Sequence[Any | OvermindError]
SHORT = 100_000
"""Characters of a diff that is drawn at once."""


class ChangeSource:
    """Asks the supervisor for changes, and git where that can't tell.

    Args:
        row: The mission, or the row of its worktree.
        show: Gets what was found, and it as a text.
        fail: Gets why nothing was.
    """

    def __init__(self, row: Row, show: Callable[[DiffFiles, DiffText], None], fail: Callable[[str], None]) -> None:
        self._row = row
        self._show = show
        self._fail = fail

    def ask(self, shell: Shell) -> None:
        """Ask anew."""

        def on_result(answers: Answers) -> None:
            (answer,) = answers
            if not isinstance(answer, OvermindError):
                self._take(shell, diff.of_api(answer))
            elif lines.has_one(self._row) or hive_of(self._row):  # what lies here under that path is another folder
                self._fail(answer.message)
            else:
                self._ask_git(shell)

        shell.request("changes", [{"id": self._row["id"]}], on_result)

    def _take(self, shell: Shell, found: DiffFiles) -> None:
        """A long diff takes its time to be drawn; nobody waits for that."""
        if len(found.diff) < SHORT:
            self._show(found, diff.text(found))
            return

        def work() -> Callable[[], None]:
            text = diff.text(found)
            return lambda: self._show(found, text)

        shell.background(work)

    def _ask_git(self, shell: Shell) -> None:
        """Look into its folder from here."""
        folder, since = from_wire(self._row["cwd"]), self._row.get("started_at")

        def work() -> Callable[[], None]:
            try:
                answer = git_changes(folder, shell.world.environ, since=since)
            except GitFailed as error:
                output = str(error)
                return lambda: self._fail(output)
            found = diff.of_git(*answer, _shown(since, shell.zone))
            text = diff.text(found)
            return lambda: self._show(found, text)

        shell.background(work)


def _shown(since: str | None, zone: tzinfo | None) -> str:
    wall = numbers.moment(since)
    return "" if wall is None else datetime.fromtimestamp(wall, zone).strftime("%Y-%m-%d %H:%M")


WIDEST_LIST = 48
"""Cells of the list of files beside the diff, at most."""
HIGHEST_LIST = 6
"""Rows of the list above it, at most."""
EDGES = 5
"""Rows of the screen beside those of the list: header, titles, line and hints."""


class ChangesPage(TextPage):
    """The page of changes; it asks when it is opened, and again with ctrl-r.

    Args:
        row: The mission, or the row of its worktree.
        message_actions: Writes to its agent.
    """

    step_actions = ("next-file", "previous-file")

    def __init__(self, row: Row, message_actions: MessageActions) -> None:
        self._row = row
        self._message_actions = message_actions
        self._source = ChangeSource(row, self._show, self._show_failure)
        self._found: DiffFiles | None = None
        self._text = DiffText([[Cell("  loading …", "quiet")]])
        self._cells, self._rows, self._here = 0, 0, ""
        """Of the list of files, and which of them is marked."""
        self._shown: list[int] = []
        """Which lines of the text are shown."""
        super().__init__("changes", safe(row["name"]), lambda: self._text.lines)

    @property
    def context(self) -> Context:
        """Keys of its own beside those of texts."""
        return Context.CHANGES

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also what is between the files and the diff, and comments."""
        return super().handlers(context) | {
            "next-panel": self.do_next_panel,
            "previous-panel": self.do_next_panel,
            "open-file": self.do_open_file,
            "comment": self.do_comment,
        }

    def compose_body(self) -> ComposeResult:
        """The files beside the diff, or above it."""
        self.files = CursorTextView(id="files")
        self.text: CursorTextView = CursorTextView(id="text")
        with Container(id="changes") as self._room:
            self._pane = Pane(self.files.title_line, self.files)
            yield self._pane
            self._edge = Edge()
            yield self._edge
            yield Pane(self.text.title_line, self.text)

    def begin(self) -> None:
        """Ask what changed."""
        self._lay_out(self.app.size)
        super().begin()
        self._source.ask(self.shell)

    def targets(self) -> list[Row]:
        """The mission that it is about, as it is now."""
        known = self.shell.fleet.of(self._row["id"])
        return [known] if known is not None else []

    def chosen(self) -> list[Row]:
        """The same; of a mission that is no more the row of its worktree."""
        return self.targets() or [self._row]

    # asking

    def do_refresh(self) -> None:
        """Ask again."""
        self.shell.flash("refreshing …", "quiet")
        self._source.ask(self.shell)

    def _show_failure(self, why: str) -> None:
        self._found, self._text = None, DiffText([[Cell(f"  {safe(why)}", "slow")]])
        if self.is_mounted:
            self.update()

    def _show(self, found: DiffFiles, text: DiffText) -> None:
        self._found, self._text = found, text
        if self.is_mounted:
            self.update()

    # drawing

    def update(self) -> None:
        """Show it, with the comments that are not sent yet."""
        pending = self.pending
        lines = diff.marked(self._text, set(pending))
        self._shown = list(range(len(lines)))
        if self._wanted and not self._searching:
            self._shown = [
                at for at in self._shown if self._wanted.matches("".join(cell.text for cell in lines[at]))
            ]  # fmt: skip
        self.text.wanted = pattern.patterns(self._wanted.text)
        self.text.show([lines[at] for at in self._shown])
        self._set_title(len(pending))
        self._lay_out(self.app.size)
        self._list()

    def _set_title(self, pending: int) -> None:
        sign = "?" if self._searching else "/"
        wanted = f"   {sign}{self._wanted.text}" if self._wanted else ""
        found = self._found
        lands = found is not None and found.base and not found.note
        branch = f" · {safe(found.branch)} → {safe(found.base)}" if found is not None and lands else ""
        unsent = f" · {pending} comment{'s' * (pending != 1)} not sent" if pending else ""
        self.text.set_title(f"{self._title}{branch}{unsent}{wanted}", self.note)

    def _lay_out(self, size: Size) -> None:
        """The list beside the diff where there is room, else above it, else nowhere."""
        files = () if self._found is None else self._found.files
        beside = size.width >= NARROW
        self._cells = size.width - BORDERS
        self._room.set_class(beside, "beside")
        self._pane.display = bool(files) and (beside or size.height >= TINY[1])
        self._edge.display = self._pane.display and beside
        if beside:
            longest = max((len(safe(file.path)) for file in files), default=0)
            self._pane.styles.width = wide = min(longest + 16, WIDEST_LIST, size.width // 3)
            self._cells = wide - BORDERS
            self._pane.styles.height = "100%"
            self._rows = size.height - EDGES
        else:
            self._pane.styles.width = "100%"
            self._rows = min(len(files), HIGHEST_LIST, size.height // 4)
            self._pane.styles.height = self._rows + 1

    def _list(self) -> None:
        """The files, that of the cursor's line among them marked."""
        if self._found is None or not self._pane.display:
            return
        here = self._here = self.path
        cells = self._cells - (len(self._found.files) > self._rows)
        lines = [diff.listed(file, cells, chosen=file.path == here) for file in self._found.files]
        self.files.show(lines)
        at = next((at for at, file in enumerate(self._found.files) if file.path == here), None)
        if at is not None and not self.files.has_focus:
            self.files.go_to(at)
        count = len(self._found.files)
        self.files.set_title(f"{count} file{'s' * (count != 1)}")

    def on_resize(self, event: events.Resize) -> None:
        """Another place for the list."""
        super().on_resize(event)
        self._lay_out(self.app.size)
        self.call_after_refresh(self._list)

    @on(CursorTextView.Moved)
    def moved(self, message: CursorTextView.Moved) -> None:
        """Another line, another file."""
        if message.text is self.text and self.path != self._here:
            self._list()

    # where the cursor is

    @property
    def _line(self) -> int:
        """The line of the text under the cursor."""
        return self._shown[self.text.at] if self.text.at < len(self._shown) else 0

    @property
    def spot(self) -> Spot | None:
        """The place in a file under the cursor."""
        return self._text.spots.get(self._line)

    @property
    def path(self) -> str:
        """The file whose diff is under the cursor; "" above the first one."""
        begun = [path for begin, path in zip(self._text.begins, self._text.paths, strict=True) if begin <= self._line]
        return begun[-1] if begun else ""

    # keys

    def step(self, step: int) -> None:
        """To the next file, or to the one before; while something is searched for, to a match."""
        if self._wanted:
            super().step(step)
            return
        here = self.text.at
        places = [at for at in self._text.begins if (at > here if step > 0 else at < here)]
        if places:
            self.text.go_to(min(places) if step > 0 else max(places), top=True)
        elif step < 0:
            self.text.press("first")
        else:
            self.shell.flash("no next file", "quiet")

    def do_next_panel(self) -> None:
        """From the diff to the files, and back."""
        if self.files.display:
            self.set_focus(self.text if self.files.has_focus else self.files)
            self.text.refresh()
            self.files.refresh()

    def do_open_file(self) -> None:
        """From the list to the diff of the file."""
        if self.files.has_focus and self._found is not None:
            self._to_file(self._found.files[self.files.at].path)
            self.do_next_panel()

    def _to_file(self, path: str) -> None:
        begin = next((at for at, name in zip(self._text.begins, self._text.paths, strict=True) if name == path), None)
        if begin is None:
            self.shell.flash(f"{safe(path)} has no diff to show", "quiet")
        else:
            self.text.go_to(begin, top=True)

    # comments

    @property
    def pending(self) -> list[str]:
        """The places of which comments speak that are not sent."""
        return diff.places(self._message_actions.drafts.draft([self._row["id"]]))

    def do_comment(self) -> None:
        """Write to the agent about the line under the cursor."""
        targets, spot = self.targets(), self.spot
        if not targets:
            self.shell.flash(f"the mission of {safe(self._row['name'])} was removed and takes no comments", "slow")
        elif spot is None:
            self.shell.flash(
                "the cursor is not on a line of a file: move it with j k, or press n for the next file", "slow"
            )
        else:
            self.text.uncover()
            self._message_actions.comment(targets[0], spot)

    def on_screen_resume(self) -> None:
        """Comments were written, sent or thrown away."""
        if self.is_mounted and self._found is not None:
            self.update()

    # out of here

    def shown_text(self) -> str:
        """All of it, the diff as git wrote it."""
        if self._found is None:
            return self.text.shown_text()
        above = self._text.lines[: self._text.begins[0] if self._text.begins else None]
        return "\n".join("".join(cell.text for cell in line) for line in above) + "\n" + self._found.diff
