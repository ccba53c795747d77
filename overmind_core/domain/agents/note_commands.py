"""What an agent with memory does unasked: plain `overmind` commands about notes, and the tools that do the same. Pure.

The daemon decides what a mission may do with which note; here is only what needs no person to look at it. What writes
files of the person's, starts a program of theirs or changes the whole memory is not among it.
"""

from __future__ import annotations

from collections.abc import Sequence

NAME = "memory"
"""What stands in the place of a rule when it answered."""
TOOLS = frozenset(f"mcp__overmind__{name}" for name in ("remember", "recall", "search", "outcome"))
LOOKS = frozenset(["recall", "search", "notes"])
WRITES = frozenset(["remember", "helped", "hurt", "forget"])
CHANGES = frozenset(["edit", "accept", "pin", "unpin", "restore", "promote"])
"""Behind `note`: the words that change one; any other is a note to look at."""
USED = "used"
TRANSCRIPTS = "--transcripts"
"""Behind `search`: not notes, but what all missions have said is searched, as by `logs`."""


def looks(word: str, rest: Sequence[str]) -> bool:
    """Whether a command, its first word and those behind it, looks at notes and does nothing else."""
    if word == "note":
        return bool(rest) and rest[0] not in CHANGES
    if word == "memory":
        return not rest or rest[0] == USED or rest[0].startswith("-")
    return word in LOOKS


def is_unasked(word: str, rest: Sequence[str]) -> bool:
    """Whether an agent with memory runs a command without asking. `note edit` needs its text: else an editor starts."""
    if word == "search" and any(one.startswith(TRANSCRIPTS) for one in rest):
        return False
    if word == "note" and rest and rest[0] in CHANGES:
        return rest[0] != "edit" or any(one.partition("=")[0] == "--text" for one in rest)
    return word in WRITES or word == "note" or looks(word, rest)
