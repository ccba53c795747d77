"""Validation of a report, before anything is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.reports import (
    BECOMES_QUEST,
    LONGEST_LINE,
    LONGEST_TEXT,
    MOST_EVIDENCE,
    Report,
    ReportKind,
    is_place,
)
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from overmind_core.reports import requests
    from overmind_core.reports.service import Source


def checked(request: requests.Report, source: Source, now: float) -> Report:
    """The report that a request asks for; `now`: seconds since the epoch.

    Raises:
        OvermindError: `invalid`, `too_large`.
    """
    try:
        kind = ReportKind(request.kind)
    except ValueError:
        known = ", ".join(one.value for one in ReportKind)
        raise OvermindError("invalid", f"Unknown kind {request.kind!r}. Known: {known}.") from None
    _check_lengths(request)
    if request.block and kind not in BECOMES_QUEST:
        raise OvermindError("invalid", f"--block is for what becomes a quest, and {kind.value} does not.")
    if request.block and source.quest is None:
        message = "--block is for quests of the queue: it begins their attempt again. Report it without --block"
        raise OvermindError("invalid", message)
    return Report(
        kind,
        request.text.replace("\0", ""),
        source.id,
        source.name,
        now,
        title=" ".join((request.title or "").split()),
        evidence=tuple(request.evidence),
        because=request.because or "",
        request=request.request,
    )


def _check_lengths(request: requests.Report) -> None:
    if not request.text.strip():
        raise OvermindError("invalid", "Missing text: say what was found.")
    if len(request.text) > LONGEST_TEXT:
        message = f"The text has {len(request.text):,} characters; the limit is {LONGEST_TEXT:,}."
        raise OvermindError("too_large", message)
    for name, text in (("title", request.title), ("because", request.because)):
        if text is not None and len(text) > LONGEST_LINE:
            raise OvermindError("too_large", f"--{name} has {len(text)} characters; the limit is {LONGEST_LINE}.")
    if len(request.evidence) > MOST_EVIDENCE:
        raise OvermindError("too_large", f"A report has up to {MOST_EVIDENCE} places of evidence.")
    for place in request.evidence:
        if len(place) > LONGEST_LINE or not is_place(place):
            raise OvermindError("invalid", f"--evidence {place[:80]!r} is no place: give PATH or PATH:LINE")
