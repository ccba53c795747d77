"""Actions that end missions and start them again: stop, kill, restart, remove. Also copying their ids.

What ends work asks first. Several rows are one request for each, and one flash for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.errors import OvermindError
from overmind_core.view import groups
from overmind_core.view import missions as missions_rows
from overmind_core.view.cells import Row, safe
from overmind_tui.pages.dialog import Answer, Dialog
from overmind_tui.shell import clipboard

if TYPE_CHECKING:
    from overmind_tui.shell.shell import Shell


Answers = Sequence[Any | OvermindError]
NAMED = 3
"""Refusals that the flash names."""


ENDING = frozenset({"stop", "kill"})
"""Requests that end missions."""
OUR_NEWS = ENDING | {"restart"}
"""Requests whose outcome is no news to who has asked for it."""


class Request(NamedTuple):
    """A request to the supervisor, and the words for what it does.

    Attributes:
        command: The request.
        word: What is said while it goes on.
        done: What is said once it went well.
        plural: What several rows are called.
        tail: What is said of a single one besides.
    """

    command: str
    word: str
    done: str
    plural: str
    tail: str = ""


def _nothing_more(_row: Row) -> Mapping[str, Any]:
    return {}


def each(
    shell: Shell, doing: Request, rows: Sequence[Row], more: Callable[[Row], Mapping[str, Any]] = _nothing_more
) -> None:
    """Ask for it, and say what became of it; `more`: of a row the arguments beside its id."""
    names = {row["id"]: safe(row["name"]) for row in rows}
    first = next(iter(names.values()))
    shell.flash(f"{doing.word} {first if len(rows) == 1 else f'{len(rows)} {doing.plural}'} …", "quiet")

    ours = list(names) if doing.command in ENDING else []
    shell.fleet.ends_here(ours)

    def on_result(answers: Answers) -> None:
        done = [one for one, answer in zip(names, answers, strict=True) if not isinstance(answer, OvermindError)]
        shell.fleet.ends_not(set(ours).difference(done))
        if doing.command in OUR_NEWS and done:
            shell.request("seen", [{"id": one} for one in done], lambda _answers: None)
        failed = [(name, one) for name, one in zip(names.values(), answers, strict=True)
                  if isinstance(one, OvermindError)]  # fmt: skip
        text = _outcome_text(doing, list(names.values()), failed)
        notes = dict.fromkeys(one["note"] for one in answers if isinstance(one, dict) and one.get("note"))
        shell.flash(" · ".join((text, *map(safe, notes))), "bad" if failed else "slow" if notes else "good")

    shell.request(doing.command, [{"id": row["id"], **more(row)} for row in rows], on_result)


def _outcome_text(doing: Request, names: Sequence[str], failed: Sequence[tuple[str, OvermindError]]) -> str:
    if len(names) == 1:
        return f"{names[0]}: {failed[0][1].message}" if failed else f"{doing.done} {names[0]}{doing.tail}"
    refused = ", ".join(f"{name}: {error.code}" for name, error in failed[:NAMED])
    return " · ".join(filter(None, (f"{doing.done} {len(names) - len(failed)} of {len(names)}", refused)))


class EndActions:
    """Actions that end work, or start it again."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.handlers: dict[str, Callable[[list[Row]], object]] = {
            "stop": self.stop,
            "kill": self.kill,
            "restart": self.restart,
            "remove": self.remove,
        }
        self.conditions: dict[str, Callable[[list[Row]], bool]] = {
            "remove": lambda rows: not groups.why_kept(rows, shell.fleet.of),
        }
        """Action → whether it does anything to these rows."""

    def stop(self, rows: list[Row]) -> None:
        """Have them end as they want to."""
        self._ask("stop", rows, lambda: self._each("stop", rows, "stopped"))

    def kill(self, rows: list[Row]) -> None:
        """End them at once."""
        leaf = len(rows) == 1 and not any(
            row["parent"] == rows[0]["id"] and missions_rows.is_live(row) for row in self._shell.fleet.rows.values()
        )
        if leaf and not self._shell.settings.confirm_kill:
            self._killed(rows)
        else:
            self._ask("kill", rows, lambda: self._killed(rows))

    def _killed(self, rows: list[Row]) -> None:
        kept = ", conversation kept" if rows[0].get("activity") is not None else ""
        self._each("kill", rows, "killed", tail=f" · r restarts it{kept}")

    def restart(self, rows: list[Row]) -> None:
        """End them, if they run, and start them again."""
        if any(missions_rows.is_live(row) for row in rows):
            self._ask("restart", rows, lambda: self._each("restart", rows, "restarted"))
        else:
            self._each("restart", rows, "restarted")

    def remove(self, rows: list[Row]) -> None:
        """Forget finished ones, with their logs."""
        if why := groups.why_kept(rows, self._shell.fleet.of):
            self._shell.flash(why, "slow")
            return
        self._ask("remove", rows, lambda: self._each("rm", rows, "removed"))

    def _ask(self, word: str, rows: list[Row], then: Callable[[], None]) -> None:
        """What would end, how long it ran, and what hangs on it."""
        fleet, now = self._shell.fleet, self._shell.now()

        def lines() -> list[str]:
            known = [fleet.of(row["id"]) or row for row in rows]
            if word == "remove":
                return [*missions_rows.at_stake(known, (), now), "", missions_rows.removed_with(known)]
            return missions_rows.at_stake(known, fleet.rows.values(), now)

        title = f"{word} {len(rows)} missions?" if len(rows) > 1 else f"{word} {safe(rows[0]['name'])}?"
        answers = [Answer(("y",), word, then, "bad"), Answer(("n",), "cancel", lambda: None)]
        self._shell.open(Dialog(title, lines(), answers, first=1, renewed=lines))

    def _each(self, command: str, rows: list[Row], done: str, *, tail: str = "") -> None:
        more = self._shell.world.session() if command == "restart" else {}
        each(self._shell, Request(command, command, done, "missions", tail), rows, lambda _row: more)


class CopyActions:
    """Copies ids; nothing of a mission changes."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.handlers: dict[str, Callable[[list[Row]], object]] = {
            "copy": self.copy,
        }

    def copy(self, rows: list[Row]) -> None:
        """Their ids, each on a line of its own."""
        what = f"{rows[0]['id']} ({safe(rows[0]['name'])})" if len(rows) == 1 else f"{len(rows)} ids"
        clipboard.copy(self._shell, "\n".join(row["id"] for row in rows), what)
