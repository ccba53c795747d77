"""Sequences that call the person: a bell, a notification where the terminal shows one, its title, a report."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable

from overmind_core.view.cells import Row, clipped, safe
from overmind_core.view.header_line import needing

LONGEST = 200
"""Cells of a notification."""
BELL = "\x07"
_ESCAPE = "\x1b"
KEEP_TITLE, TITLE_BACK = "\x1b[22;2t", "\x1b[23;2t"
"""Source: XTerm Control Sequences, XTWINOPS; terminals that don't know them have no title of their own to lose."""
WORDS = {"blocked": "needs you", "your_turn": "your turn"}
"""Why a notification was raised, in words."""


def sentence(event: Row) -> str:
    """What a notification says: one line without control characters."""
    why = WORDS.get(str(event.get("why")), "needs you")
    about = safe(event.get("now"))
    return clipped(f"overmind: {safe(event.get('name'))} · {why}" + (f" · {about}" if about else ""), LONGEST)


def ring(text: str, *, tmux: bool) -> str:
    """The bytes for the terminal: BEL, and OSC 9, which tmux has to be told to hand on.

    Source: OSC 9 as iTerm2 defined it; tmux(1), allow-passthrough.
    """
    notification = f"{_ESCAPE}]9;{text}{BELL}"
    if tmux:
        notification = f"{_ESCAPE}Ptmux;{notification.replace(_ESCAPE, _ESCAPE * 2)}{_ESCAPE}\\"
    return BELL + notification


def title(blocked: int, turns: int, *, ascii_only: bool) -> str:
    """The title of the terminal's window: `overmind !2 ❯5`."""
    counts = (("!", blocked), ("_" if ascii_only else "❯", turns))
    return " ".join(["overmind", *_counted(counts)])


def report(blocked: int, *, works: bool) -> str:
    """The bytes that report the state of all missions as one to the terminal outside: who runs it may show that.

    Source: "Program Status Protocol", revision 0.4.
    """
    state = "blocked:kind=question" if blocked else "working" if works else "idle"
    said = f":msg={b64encode(needing(blocked).encode()).decode()}" if blocked else ""
    return f"{_ESCAPE}]7501;state={state}:app=overmind:id=overmind{said}{BELL}"


REPORT_OVER = f"{_ESCAPE}]7501;state=clear:app=overmind:id=overmind{BELL}"
"""Nothing of that holds any more."""


def tab_title(blocked: int, turns: int) -> str:
    """The title of a page in a browser, where only its beginning is seen: `!2 ❯5 overmind`."""
    return " ".join([*_counted((("!", blocked), ("❯", turns))), "overmind"])


def _counted(counts: Iterable[tuple[str, int]]) -> list[str]:
    return [f"{mark}{count}" for mark, count in counts if count]


def titled(text: str) -> str:
    """The bytes that set the title; `text` holds no control characters. Source: XTerm Control Sequences, OSC 2."""
    return f"{_ESCAPE}]2;{text}{BELL}"
