"""`report`: what a mission, or a person, has found beside the task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.errors import OvermindError
from overmind_core.kernel.request import handles
from overmind_core.missions.callers import mission_of
from overmind_core.missions.lookup import UNKNOWN, UNKNOWN_SUBJECT
from overmind_core.reports import requests

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.kernel.request import Caller, Stream
    from overmind_core.missions.registry import Registry
    from overmind_core.reports.answer_types import ReportAnswer, Reported
    from overmind_core.reports.assignment import Assignments
    from overmind_core.reports.service import Reports, Source
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home


class ReportApi:
    """The request about reports."""

    def __init__(
        self,
        *,
        home: Home,
        clock: Clock,
        registry: Registry,
        reports: Callable[[], Reports],
        assignments: Callable[[], Assignments],
    ) -> None:
        self._home = home
        self._clock = clock
        self._registry = registry
        self._reports = reports
        self._assignments = assignments

    @handles(requests.Report)
    async def report(self, request: requests.Report, caller: Caller) -> Stream[Reported, ReportAnswer]:
        """Accept a report. With `wait` an item follows once a person has answered its question."""
        from overmind_core.domain.replacing import replace  # noqa: PLC0415 - for those who report
        from overmind_core.domain.reports import ReportKind  # noqa: PLC0415 - same
        from overmind_core.reports.checking import checked  # noqa: PLC0415 - same

        reports = self._reports()
        source = self._source(caller, reports)
        wanted = checked(request, source, self._clock.wall())
        at_hand = None
        if source.mission is None and request.cwd is not None:
            wanted = replace(wanted, cwd=request.cwd, environment=tuple(sorted(request.env.items())))
            at_hand = self._assignments().of_queue(request.cwd, request.env)
        waits = request.wait and wanted.kind is ReportKind.QUESTION
        answer = await reports.report(source, wanted, block=request.block, waits=waits, at_hand=at_hand)
        yield answer
        if waits and answer["question"] is not None:
            yield await reports.answered(answer["question"], source)

    def _source(self, caller: Caller, reports: Reports) -> Source:
        from overmind_core.reports.service import PERSON, Source  # noqa: PLC0415 - for those who report

        inside = mission_of(caller, self._registry, self._home.root)
        if inside == UNKNOWN:
            raise OvermindError("forbidden", f"{UNKNOWN_SUBJECT} may not report.")
        mission = None if inside is None else self._registry.get(inside)
        return Source(PERSON, PERSON, None, None) if mission is None else reports.source_of(mission)
