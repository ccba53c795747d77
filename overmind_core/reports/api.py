"""`report`: what a mission, or a person, has found beside the task."""

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
from overmind_core.kernel.request import handles
from overmind_core.missions.callers import mission_of
from overmind_core.missions.lookup import UNKNOWN, UNKNOWN_SUBJECT
from overmind_core.reports import requests
from overmind_core.reports.service import PERSON, Source

if TYPE_CHECKING:
    from overmind_core.kernel.request import Caller, Stream
    from overmind_core.missions.registry import Registry
    from overmind_core.reports.answer_types import ReportAnswer, Reported
    from overmind_core.reports.doer import Doers
    from overmind_core.reports.service import Reports
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home


class ReportApi:
    """The request about reports."""

    def __init__(self, *, home: Home, clock: Clock, registry: Registry, reports: Reports, doers: Doers) -> None:
        self._home = home
        self._clock = clock
        self._registry = registry
        self._reports = reports
        self._doers = doers

    @handles(requests.Report)
    async def report(self, request: requests.Report, caller: Caller) -> Stream[Reported, ReportAnswer]:
        """Take in a report. With `wait` an item follows once a person has answered its question."""
        reports = self._reports
        source = self._source(caller, reports)
        wanted = self._checked(request, source)
        at_hand = None
        if source.mission is None and request.cwd is not None:
            at_hand = self._doers.of_queue(request.cwd, request.env)
        waits = request.wait and wanted.kind is ReportKind.QUESTION
        answer = await reports.report(source, wanted, block=request.block, waits=waits, at_hand=at_hand)
        yield answer
        if waits and answer["question"] is not None:
            yield await reports.answered(answer["question"], source)

    def _source(self, caller: Caller, reports: Reports) -> Source:
        inside = mission_of(caller, self._registry, self._home.root)
        if inside == UNKNOWN:
            raise OvermindError("forbidden", f"{UNKNOWN_SUBJECT} may not report.")
        mission = None if inside is None else self._registry.get(inside)
        return Source(PERSON, PERSON, None, None) if mission is None else reports.source_of(mission)

    def _checked(self, request: requests.Report, source: Source) -> Report:
        """The report, checked.

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
            told = f"The text has {len(request.text):,} characters; the limit is {LONGEST_TEXT:,}."
            raise OvermindError("too_large", told)
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
            self._clock.wall(),
            title=" ".join((request.title or "").split()),
            evidence=tuple(request.evidence),
            because=request.because or "",
            request=request.request,
        )
