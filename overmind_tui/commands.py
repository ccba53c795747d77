"""What is typed after a colon: views are shown, verbs run as the command line would run them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.errors import OvermindError
from overmind_tui import messages, registry
from overmind_tui.actions import VERBS, Context, Danger, Verb
from overmind_tui.screens.dialog import Answer, Dialog
from overmind_tui.screens.text import TextPage
from overmind_tui.view import command, texts
from overmind_tui.view import filter as filtering
from overmind_tui.view.cells import Row, safe

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp

PROGRAM = (sys.executable, "-P", "-m", "overmind_core.cli")
LIMIT = 600.0
"""Seconds that a verb may take."""
_WITH_LISTS = ("--all", "--lost", "--help", "-h")
"""With one of these the verb needs no ids."""


class Commands:
    """The line behind `:`."""

    def __init__(self, app: OvermindApp) -> None:
        self._app = app
        self._views = {word: view.name for view in registry.VIEWS.values() for word in (view.name, *view.aliases)}

    def ghost(self, text: str) -> str:
        """What completes a text."""
        return command.ghost(text, [*registry.VIEWS, *VERBS, "quit"])

    def run(self, text: str) -> None:
        """Do what the line means; an unknown one changes nothing."""
        found = command.parsed(text, views=self._views, verbs=VERBS, leave=registry.LEAVE)
        match found:
            case command.Show(view, wanted):
                self.show(view, wanted)
            case command.Do(verb, words):
                self._verb(VERBS[verb], list(words))
            case command.Leave():
                self._app.ask_leave()
            case command.Unknown(reason):
                self._app.flash(f"{safe(reason)} · ctrl-a lists all commands", "bad")

    def show(self, name: str, wanted: str | None = None) -> None:
        """Go to a view."""
        app, main = self._app, self._app.main
        if name in {"missions", "logs"}:
            app.to_root()
            if wanted is not None:
                self._filter(wanted)
            main.zoomed = name == "logs"
            main.to_panel(log=name == "logs")
        elif name == "describe":
            rows = app.deeds.targets(main)
            if rows:
                self.describe(rows[0])
            else:
                app.flash("no mission is selected", "slow")
        elif name == "events":
            self._events()
        elif name == "help":
            self.help(main.context)
        else:
            app.open(TextPage("aliases", "commands", lambda: texts.aliases(read_only=app.read_only)))

    def help(self, context: Context) -> None:
        """The keys of a context."""
        app, title = self._app, registry.VIEWS["help"].summary
        app.open(TextPage("help", title, lambda: texts.help_lines(context, read_only=app.read_only)))

    def describe(self, row: Row) -> None:
        """Everything known about a mission."""
        app = self._app

        def told(answers: Sequence[Any | OvermindError]) -> None:
            (answer,) = answers
            if isinstance(answer, OvermindError):
                app.flash(answer.message, "bad")
            else:
                lines = texts.describe(answer)
                app.open(TextPage("describe", str(answer["name"]), lambda: lines))

        app.request("info", [{"id": row["id"]}], told)

    def _filter(self, wanted: str) -> None:
        try:
            self._app.main.filter = filtering.parsed(wanted)
        except filtering.BrokenFilter as broken:
            self._app.flash(f"/{safe(wanted)}: {broken}", "bad")
        self._app.main.rearrange(asked=True)

    def _events(self) -> None:
        view, app = registry.VIEWS["events"], self._app

        def lines() -> texts.Lines:
            return texts.events(app.events) or texts.plain(f"  {view.empty}")

        app.open(TextPage("events", "events since this program began", lines, at_end=True))

    # verbs

    def _verb(self, verb: Verb, words: list[str]) -> None:
        app = self._app
        if not app.allowed(verb.danger):
            app.flash(f"read-only: {verb.name} is off", "slow")
            return
        names = [safe(word) for word in words if not word.startswith("-")]
        if verb.takes_missions and _needs_ids(verb, words):
            rows = app.deeds.targets(app.main)
            if not rows:
                app.flash(f"{verb.name}: no mission is selected", "slow")
                return
            names = [safe(row["name"]) for row in rows]
            words = [row["id"] for row in rows] + words
        if verb.danger is Danger.ENDS_WORK and not {"--help", "-h"} & set(words):
            if verb.name == "shutdown":
                names = [f"{app.fleet.live} live missions"]
            line = " ".join([verb.name, *names])
            answers = [
                Answer(("y",), verb.name, lambda: self._spawn(verb, words), "bad"),
                Answer(("n",), "cancel", lambda: None),
            ]
            app.open(Dialog(f"{verb.name}?", [line], answers, first=1))
        else:
            self._spawn(verb, words)

    def _spawn(self, verb: Verb, words: Sequence[str]) -> None:
        app = self._app
        argv = [*PROGRAM, verb.name, *(["-y"] if verb.agrees and _may_ask(verb, words) else []), *words]
        environ = {**app.environ, "OVERMIND_HOME": app.home.root}
        app.flash(f"{verb.name} …", "quiet")

        def work() -> None:
            import subprocess  # noqa: PLC0415 - not for the first frame

            try:
                done = subprocess.run(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    cwd=app.folder if os.path.isdir(app.folder) else "/",
                    env=environ,
                    timeout=LIMIT,
                    check=False,
                    start_new_session=True,
                )
                text, code = done.stdout.decode(errors="replace"), done.returncode
            except (OSError, subprocess.TimeoutExpired) as error:
                text, code = str(error), signal.SIGTERM
            app.post_message(messages.Done(lambda: self._told(verb, text, code)))

        app.run_worker(work, thread=True, group="verbs", exit_on_error=False)

    def _told(self, verb: Verb, text: str, code: int) -> None:
        """One line is a flash; more are a text to read."""
        lines = text.strip().splitlines()
        if len(lines) > 1 or (lines and lines[0].startswith("{")):
            shown = texts.plain(text)
            self._app.open(TextPage(verb.name, f"overmind {verb.name}", lambda: shown))
        said = lines[0] if len(lines) == 1 else verb.name
        self._app.flash(safe(said) if lines else f"{verb.name}: done", "bad" if code else "good")


def _needs_ids(verb: Verb, words: Sequence[str]) -> bool:
    """Whether no mission was named. A signal's name is a word too, and stands last."""
    plain = [word for word in words if not word.startswith("-")]
    return len(plain) <= (verb.name == "signal") and not set(words) & set(_WITH_LISTS)


def _may_ask(verb: Verb, words: Sequence[str]) -> bool:
    return not {"-y", "--yes", "--help", "-h"} & set(words) and verb.name != ""
