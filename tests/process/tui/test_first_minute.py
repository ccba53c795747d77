"""A stranger's first minute with the demonstration: seven questions, answered with nothing but what is drawn."""

from __future__ import annotations

import re
import time

import pytest

from overmind_core.view.question_sight import LEAST_SECONDS
from tests.kit import claude
from tests.kit.attached import Attached
from tests.kit.overmind import PROGRAM

BYTES = {"enter": b"\r", "esc": b"\x1b"}
"""What the keys send that are no characters."""
TASK = "Look at the prices of the shop."


class Stranger:
    """A person who knows no key: each one stands on the screen, before the words that say what it does.

    Attributes:
        pressed: The keys so far.
    """

    def __init__(self, terminal: Attached) -> None:
        self._terminal = terminal
        self.pressed: list[str] = []

    def lines(self) -> list[str]:
        """The lines of the screen."""
        return self._terminal.text().splitlines()

    def sees(self, *patterns: str) -> list[str]:
        """Wait until all of them stand there at once; return what each found."""
        found: list[re.Match[str] | None] = []

        def look() -> bool:
            shown = self._terminal.text()
            found[:] = [re.search(one, shown, re.MULTILINE) for one in patterns]
            return all(found)

        self._terminal.until(look, f"{patterns}")
        return [one[0] for one in found if one]

    def press(self, key: str, words: str) -> None:
        """Press a key that stands on the screen before these words."""
        self.sees(rf"(?<!\S){re.escape(key)} +{re.escape(words)}")
        self.pressed.append(key)
        self._terminal.type(BYTES.get(key, key.encode()))

    def write(self, text: str) -> None:
        """Type text, where there is a cursor for it."""
        self.sees(r"^ [›/] ?.*▏|^ /")
        self._terminal.type(text.encode())
        self.sees(re.escape(text))

    def reads(self) -> None:
        """Take the time that a question takes to be read."""
        read_at = time.monotonic() + 2 * LEAST_SECONDS
        self._terminal.until(lambda: time.monotonic() > read_at, "it was read")

    def below(self, heading: str) -> list[str]:
        """The rows of a group of the list."""
        lines = self.lines()
        first = next(at for at, line in enumerate(lines) if re.match(heading, line)) + 1
        return lines[first : lines.index("", first)]


@pytest.mark.usefixtures("alone")
def test_all_that_a_stranger_asks_in_the_first_minute_is_answered_on_the_screen(om, tmp_path):
    claude.settle(claude.at_hand(om, tmp_path), om.home)
    with Attached(om, "demo", program=PROGRAM, size=(120, 40)) as terminal:
        stranger = Stranger(terminal)
        who_waits_and_for_what(stranger)
        allows_it(om, stranger)
        which_failed_and_which_run(om, stranger)
        is_told_what_a_mark_means(stranger)
        own = starts_one(om, stranger)
        leaves(stranger)
        assert terminal.end() == 0
    with Attached(om, "tui", program=PROGRAM, size=(120, 40)) as terminal:
        Stranger(terminal).sees(rf"^.{{4}}{own} +(working|your turn)", r"demo-service +(working|quiet)")


def who_waits_and_for_what(stranger):
    """Named in the first three lines that are not blank, and what it wants below, before any key was pressed."""
    needs = r"\b(1 needs|\d need) you"  # the demonstration's others may ask for something meanwhile
    stranger.sees("May it change prices.py", r"^ +\d+ - .*cents // 100", r"^ +\d+ \+ .*cents / 100", needs)
    head, heading, row = list(filter(None, stranger.lines()))[:3]
    assert re.search(needs, head)
    assert heading.startswith(" needs you ")
    assert re.match(r". ! demo-agent +asks ", row)
    assert stranger.pressed == []


def allows_it(om, stranger):
    """Two keys, both of which stand on the screen."""
    (asked,) = om.api("inbox")
    stranger.press("y", "answer")
    stranger.reads()
    stranger.press("y", "allow once")
    stranger.sees("demo-agent: allowed")
    assert stranger.pressed == ["y", "y"]
    assert asked["question"] not in {one["question"] for one in om.api("inbox")}


def which_failed_and_which_run(om, stranger):
    """The word is in the row; all others of its group run."""
    stranger.sees(r"↻ demo-worker +retry \d+s? .* failed \(75\)")
    rows = stranger.below(r" \d+ running")
    running = {line[4:].split()[0] for line in rows if " working " in line}
    assert running >= {"demo-service", "demo-shell"}
    alive = {one["name"] for one in om.ps() if one["status"] in {"running", "restarting"}}
    assert {line[4:].split()[0] for line in rows} <= alive


def is_told_what_a_mark_means(stranger):
    """One key shows the words of all marks at once."""
    before = len(stranger.pressed)
    stranger.press("?", "keys")
    stranger.sees("↻ tries again")
    assert len(stranger.pressed) == before + 1
    stranger.press("esc", "back")
    stranger.sees(r"tab panel  \? keys$")  # a key right behind esc would be one with alt


def starts_one(om, stranger):
    """A key, a sentence, a key; the cursor goes to its row. Returns its name."""
    known = {one["name"] for one in om.ps()}
    stranger.press("n", "new mission")
    stranger.sees("› claude in ")
    stranger.write(TASK)
    stranger.press("enter", "starts it")
    (row,) = stranger.sees(r"^▌...(?!demo-)[a-z]+-[a-z]+ +(working|your turn|starting)")
    (own,) = {one["name"] for one in om.ps()} - known
    assert row[4:].startswith(f"{own} ")
    return own


def leaves(stranger):
    """The way out is found where all keys are."""
    stranger.press("?", "keys")
    stranger.press("/", "find")
    stranger.write("quit")
    stranger.press("enter", "keeps it")
    stranger.sees("^ / quit   ")
    stranger.press("enter", "does the row")
