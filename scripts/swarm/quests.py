"""The twelve quests: who needs whom, whose work lands on main, and who waits until a home has been killed."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

LEASE = 10
"""Seconds after which a quest moves on from a hive that is silent."""


class Quest(NamedTuple):
    """One of them.

    Attributes:
        name: Its title and its name.
        work: A line of shell.
        needs: Names of those that must be done before.
        lands: It changes main.
        waits: It goes on only once the gate is open.
        more: Options.
    """

    name: str
    work: str
    needs: tuple[str, ...] = ()
    lands: bool = True
    waits: bool = False
    more: tuple[str, ...] = ()

    def words(self) -> list[str]:
        """The options with which it is posted."""
        needs = [word for name in self.needs for word in ("--needs", name)]
        into = ["--into", "main"] if self.lands else []
        moves = ["--on", "any", "--on-lost", "move", "--lease", f"{LEASE}s"]
        return [self.name, "--name", self.name, *moves, *needs, *into, *self.more]

    def command(self, journal: Path, gate: Path) -> str:
        """Its whole command: it writes down its process and when it begins and ends."""
        wait = f"while [ ! -e '{gate}' ]; do sleep .1; done; " if self.waits else ""
        note = f"echo \"%s {self.name} $$\" >> '{journal}'"
        return f"{note % 'begin'}; {wait}{self.work} && {note % 'end'}"


QUESTS = (
    Quest(
        "plan", 'echo cart prices taxes > "$OVERMIND_OUTPUT_DIR/plan.md"', lands=False, more=("--outputs", "plan.md")
    ),
    *(
        Quest(name, f'sleep 1; grep -o {name} "$OVERMIND_IN/needs/plan/plan.md" > {name}.md', needs=("plan",))
        for name in ("cart", "prices", "taxes")
    ),
    Quest(
        "checkout",
        "cat cart.md prices.md > checkout.md",
        needs=("cart", "prices"),
        more=("--verify", "test -s cart.md && test -s prices.md"),
    ),
    Quest("notes", "ls *.md > notes.txt", needs=("checkout", "taxes")),
    *(Quest(name, f"echo {name} > {name}.txt", waits=True) for name in ("index", "search")),
    *(Quest(f"count-{number}", f"sleep {number}", lands=False) for number in range(1, 5)),
)
