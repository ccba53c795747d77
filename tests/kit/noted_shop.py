"""The command line in a repository of a team, as somebody types it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from overmind_core.agents.briefing import TOO_SLOW
from tests.kit.repositories import AUTHOR, Repository
from tests.kit.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.kit.overmind import Finished, Overmind

TOKEN = f"ghp_{'a1B2' * 9}"


class Shop:
    """A repository, and the commands that are given in it."""

    def __init__(self, om: Overmind, code: Repository) -> None:
        self.om = om
        self.code = code
        self.folder = code.folder

    @classmethod
    def make(cls, om: Overmind, folder: Path) -> Shop:
        """Such a repository below a folder of the test's own; its remote holds a token, as people's do."""
        om.environment |= AUTHOR
        found = Repository(str(folder / "shop"))
        found.commit("first", {"api/limits.py": "LIMIT = 1\n"})
        found.git("remote", "add", "origin", f"https://{TOKEN}@example.org/team-{folder.name}/Shop.git")
        return cls(om, found)

    def __call__(self, *words: str, **how: Any) -> Finished:
        """Run a command to its end."""
        return self.om(*words, **{"cwd": self.folder} | how)

    def ok(self, *words: str, **how: Any) -> str:
        """Run a command that must succeed; what it prints."""
        return self.om.ok(*words, **{"cwd": self.folder} | how)

    def json(self, *words: str, **how: Any) -> Any:
        """The same of a command with `--json`."""
        return self.om.json(*words, "--json", **{"cwd": self.folder} | how)

    def refused(self, *words: str, **how: Any) -> str:
        """Run a command that must fail with an error; its sentence."""
        return self.om.refused(*words, **{"cwd": self.folder} | how)

    def write(self, *words: str, **how: Any) -> str:
        """Write a note; its id."""
        return self.ok("remember", *words, **how).split()[1].rstrip(":")

    def found(self, *words: str, **how: Any) -> list[str]:
        """The ids that a command lists."""
        return [one["id"] for one in self.json(*words, **how)]

    def inside(self, command: str, *options: str) -> tuple[str, str]:
        """Run a command in a mission; its id, once it has ended, and its output."""
        mission = self.om.finished(command, "--cwd", self.folder, *options)["id"]
        return mission, self.om.logs(mission)

    def used(self, question: str) -> dict[str, Any]:
        """What a new command is given whose text is this question, as `memory used` tells it."""
        asked = {"command": ["true", question], "notes": "auto", "cwd": self.folder, "env": self.om.environment}

        def run() -> str:
            mission = str(self.om.api("run", umask=0o022, **asked)["id"])
            self.om.wait_status(mission, "stopped")
            return mission

        return dict(self.om.json("memory", "used", in_time(self.om, run), "--json"))


def in_time(om: Overmind, run: Callable[[], str]) -> str:
    """Run a mission, again where its notes came too late on a busy machine; its id."""

    def ran() -> str | None:
        mission = run()
        return None if TOO_SLOW in om.logs(mission) else mission

    return eventually(ran, what="its notes are found in time") or ""
