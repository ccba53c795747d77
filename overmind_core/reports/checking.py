"""Validation of a report, before anything is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.reports import (
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
    if request.block and kind in {ReportKind.QUESTION, ReportKind.DEBT, ReportKind.PERF, ReportKind.IDEA}:
        raise OvermindError("invalid", f"--block is for what becomes a quest, and {kind.value} does not.")
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
