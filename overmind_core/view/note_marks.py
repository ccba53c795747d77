"""The marks of notes: how each stands, in a sign and a word."""

from __future__ import annotations

from overmind_core.domain.missions.status_marks import StatusMark

PROPOSED = StatusMark("◇", "?", "proposed", "off")
LIVE = StatusMark("•", "*", "live", "good")
PINNED = StatusMark("◆", "^", "pinned", "accent")
CONFLICT = StatusMark("⇄", "%", "conflict", "bad")
GONE = StatusMark("–", "-", "forgotten", "off")
MARKS: tuple[StatusMark, ...] = (PROPOSED, LIVE, PINNED, CONFLICT, GONE)
"""In the order of the help."""
