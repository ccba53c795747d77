"""Quests of the queue in one home: added through the socket, held and let go by files, and told of by their events."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from tests.kit.overmind import Overmind
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import Seen, eventually

OVER = ("completed", "failed", "cancelled")
PATIENCE = 30.0
"""Seconds."""


class Queued:
    """The queue of a home, whose daemon it starts.

    Args:
        om: The command line.
        settings: The text of config.toml.
        cwd: Where quests work; the home by default.
    """

    def __init__(self, om: Overmind, settings: str = "", *, cwd: str = "") -> None:
        self.om = om
        self.cwd = cwd or om.home
        if settings:
            with open(om.path("config.toml"), "w", encoding="utf-8") as file:
                file.write(settings)
        om.ok("start")

    # adding

    def add(self, title: str, command: str | list[str] = "true", **how: Any) -> str:
        """Add a quest; return its id. Its name is its title in small letters."""
        (made,) = self.add_all([{"title": title, "command": command, **how}])
        return made

    def add_all(self, quests: list[dict[str, Any]], **how: Any) -> list[str]:
        """Add several in one request; return their ids."""
        added = self.om.api("quest_add", quests=quests, cwd=self.cwd, env=self.om.environment, **how)
        return [one["id"] for one in added["quests"]]

    def refused(self, quests: list[dict[str, Any]], **how: Any) -> dict[str, Any]:
        """Have the addition of several refused; return the answer."""
        with RawSocket.connect(self.om.home) as api:
            answer = api.request("quest_add", quests=quests, cwd=self.cwd, env=self.om.environment, **how)
        assert "error" in answer, answer
        return dict(answer)

    # holding

    def held(self, name: str, then: str = "true") -> str:
        """A command that says that it has come, and waits until it may go on."""
        at, go = self.om.path(f"{name}.at"), self.om.path(f"{name}.go")
        return f"echo x >> {at}; until [ -e {go} ]; do sleep 0.02; done; {then}"

    def go(self, *names: str) -> None:
        """Let these go on."""
        for name in names:
            with open(self.om.path(f"{name}.go"), "w", encoding="utf-8"):
                pass

    def has_come(self, name: str, times: int = 1) -> bool:
        """Whether the command of this name has begun so often."""
        try:
            return os.path.getsize(self.om.path(f"{name}.at")) >= 2 * times
        except FileNotFoundError:
            return False

    def await_at(self, name: str, times: int = 1) -> None:
        """Wait until it has."""
        eventually(lambda: self.has_come(name, times), timeout=PATIENCE, what=f"{name} has come {times} times")

    # looking

    def info(self, quest: str) -> dict[str, Any]:
        """Everything known of a quest."""
        return dict(self.om.api("quest", id=quest))

    def why(self, quest: str) -> dict[str, Any]:
        """Why it waits."""
        return dict(self.om.api("quest_why", id=quest))

    def ended(self, quest: str) -> dict[str, Any]:
        """What a quest is like once it has ended, over any death of the daemon."""
        return self.until(quest, lambda info: info if info["status"] in OVER else None, what="over")

    def until(self, quest: str, look: Callable[[dict[str, Any]], Seen | None], *, what: str = "") -> Seen:
        """Return the first true answer of `look` to what is known of the quest, over any death of the daemon."""
        last: dict[str, Any] = {}

        def see() -> Seen | None:
            try:
                last.update(self.info(quest))
            except (OSError, EOFError):
                return None
            return look(last)

        try:
            found = eventually(see, timeout=PATIENCE)
        except AssertionError:
            raise AssertionError(f"{quest} is not {what}: {last}") from None
        assert found is not None
        return found

    def is_in(self, quest: str, *statuses: str) -> dict[str, Any]:
        """Wait until its status, or its phase, is one of these; return what is known then."""
        return self.until(
            quest, lambda info: info if {info["status"], info["phase"]} & {*statuses} else None, what=str(statuses)
        )

    def statuses(self) -> dict[str, str]:
        """Every quest's status by its name."""
        return {row["name"]: row["status"] for row in self.om.api("quests")}

    def names(self, *statuses: str) -> list[str]:
        """Names of those with one of these statuses, oldest first."""
        return [row["name"] for row in self.om.api("quests", status=list(statuses))]

    # events and questions

    def events(self, quest: str | None = None) -> list[dict[str, Any]]:
        """What has happened to a quest, or to all."""
        return self.om.events("quest", mission=quest)

    def leases(self, quest: str | None = None) -> list[str]:
        """Names of the quests in the order in which their attempts began."""
        return [event["name"] for event in self.events(quest) if event.get("phase") == "work"]

    def most_at_once(self) -> int:
        """How many had a slot at the same time, at most."""
        having: set[str] = set()
        most = 0
        for event in self.events():
            if event["status"] == "running" and event.get("phase") != "landing":
                having.add(event["mission"])
            else:
                having.discard(event["mission"])
            most = max(most, len(having))
        return most

    def asked(self, need: str, quest: str | None = None) -> dict[str, Any]:
        """Wait until the engine asks this about a quest; return the question."""

        def look() -> dict[str, Any] | None:
            found = [
                one for one in self.om.api("inbox") if one["need"] == need and quest in {None, one["id"], one["name"]}
            ]
            return found[0] if found else None

        return eventually(look, timeout=PATIENCE, what=f"{need} is asked") or {}

    def answer(self, question: dict[str, Any], behaviour: str, message: str | None = None) -> dict[str, Any]:
        """Answer it."""
        return dict(self.om.api("answer", question=question["question"], behaviour=behaviour, message=message))
