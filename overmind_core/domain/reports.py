"""Reports: what a mission finds beside its task, and what becomes of it. Pure.

A bug, a security problem or a missing part becomes a quest; a question is asked; all else is written down. The same
text, or the same kind and evidence by the same mission, is counted and not queued again. Limits of depth and number
keep agents from making work without end: what is past one is a person's to queue.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.quests.quest import Priority

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from overmind_core.domain.settings import ReportSettings

LONGEST_TEXT = 20_000
"""Characters of a report."""
LONGEST_LINE = 300
"""Characters of a title, of a reason, of a place of evidence."""
MOST_EVIDENCE = 20
MOST_OF_A_SOURCE = 200
"""Reports of one mission that are kept; more are answered, and counted nowhere."""
MOST_AT_ONCE = 20
"""Reports that one question is about, each with its title; more are asked about after its answer."""
ALIKE = 0.85
"""Share of common trigrams from which on two texts are named as twins."""
_TITLE = 80
_BLANKS = re.compile(r"\s+")
_PLACE = re.compile(r"[^\s:]+(?::\d+)?")


class ReportKind(StrEnum):
    """What a report is about."""

    BUG = "bug"
    SECURITY = "security"
    MISSING = "missing"
    QUESTION = "question"
    DEBT = "debt"
    PERF = "perf"
    IDEA = "idea"
    DECISION = "decision"


NO_AGENT = "no agent is configured for it"
"""Why a report is asked about for which there is nobody."""
BECOMES_QUEST = frozenset({ReportKind.BUG, ReportKind.SECURITY, ReportKind.MISSING})


class Outcome(StrEnum):
    """What became of a report."""

    QUEUED = "queued"
    ASKED = "asked"
    RECORDED = "recorded"


@dataclass(frozen=True, slots=True)
class Report:
    """A report as it is kept. Texts are the mission's: literal for people, quoted for agents."""

    kind: ReportKind
    text: str
    source: str
    """Id of the mission that reports; `person` for one."""
    source_name: str
    at: float
    """Seconds since the epoch."""
    title: str = ""
    evidence: tuple[str, ...] = ()
    """Places: `src/api.py:12`."""
    because: str = ""
    depth: int = 1
    """How many reports lie between it and what a person wanted, itself included."""
    count: int = 1
    """How often it was reported."""
    outcome: Outcome = Outcome.RECORDED
    quest: str | None = None
    """Id of the quest that it became."""
    question: int | None = None
    """Number of the question that it asks."""
    request: str | None = None
    """Key of the request that brought it."""
    cwd: str = ""
    """Of a person's that became no quest: where that is to work."""
    environment: tuple[tuple[str, str], ...] = ()
    """Likewise: in which environment."""
    why: str = ""
    """Why a person is asked whether it becomes a quest."""
    blocked: tuple[str, ...] = ()
    """Ids of the quests that can't go on before it is decided whether it becomes one."""


class Verdict(NamedTuple):
    """What becomes of a new report."""

    outcome: Outcome
    why: str = ""
    """Why a person is asked instead; "" when it takes its usual way."""


def title_of(kind: ReportKind, title: str, text: str) -> str:
    """The title of the quest that a report becomes: as given, else the beginning of the text."""
    line = " ".join((title or text).split())
    return (line if len(line) <= _TITLE else f"{line[: _TITLE - 1]}…") or kind.value


def same_text(text: str) -> str:
    """What two reports have in common that say the same: case and blanks are no difference."""
    return _BLANKS.sub(" ", text).strip().casefold()


def likeness(text: str, other: str) -> float:
    """The share of trigrams that two texts have in common, from 0 to 1."""
    ours, theirs = _trigrams(text), _trigrams(other)
    both = len(ours | theirs)
    return len(ours & theirs) / both if both else 1.0


def _trigrams(text: str) -> set[str]:
    plain = f"  {same_text(text)} "
    return {plain[at : at + 3] for at in range(len(plain) - 2)}


def twin_of(text: str, others: Iterable[Report]) -> Report | None:
    """The report that says nearly the same, for people to know; None when none does."""
    found = [(likeness(text, one.text), one) for one in others]
    best = max(found, key=lambda pair: pair[0], default=None)
    return best[1] if best is not None and best[0] >= ALIKE else None


def is_place(text: str) -> bool:
    """Whether a text is a place of evidence: a path, with or without a line."""
    return _PLACE.fullmatch(text) is not None


def verdict_on(
    kind: ReportKind,
    *,
    depth: int,
    queued_of_source: int,
    open_together: int,
    together: str,
    is_assignable: bool,
    limits: ReportSettings,
) -> Verdict:
    """What becomes of a new report.

    Args:
        kind: Its kind.
        depth: How many reports lie between it and what a person wanted, itself included.
        queued_of_source: Quests that reports of the same mission have become.
        open_together: Unfinished quests that reports have become in the same spec, else below the same quest.
        together: What people call that.
        is_assignable: Whether there is an agent to do it.
        limits: The settings.
    """
    if kind is ReportKind.QUESTION:
        return Verdict(Outcome.ASKED)
    if kind not in BECOMES_QUEST:
        return Verdict(Outcome.RECORDED)
    reasons = (
        (depth > limits.depth, f"it is {depth} reports away from what a person wanted"),
        (queued_of_source >= limits.per_source, f"this mission has queued {queued_of_source} quests already"),
        (open_together >= limits.per_spec, f"{open_together} reported quests of {together} are open"),
        (not is_assignable, NO_AGENT),
    )
    past = next((why for is_past, why in reasons if is_past), None)
    return Verdict(Outcome.QUEUED) if past is None else Verdict(Outcome.ASKED, past)


_RAISED = {
    Priority.CRITICAL: Priority.CRITICAL,
    Priority.HIGH: Priority.HIGH,
    Priority.MEDIUM: Priority.HIGH,
    Priority.LOW: Priority.MEDIUM,
}


def priority_of(source: Priority | None) -> Priority:
    """The priority of a quest that a report becomes: one above its source's, at most high; critical stays so."""
    return _RAISED[source or Priority.MEDIUM]


def lines_of(reports: Sequence[Report]) -> list[str]:
    """The lines of a question about these reports: of a single one all that it says, of several the titles."""
    if len(reports) > 1:
        return [f"{one.kind.value}: {title_of(one.kind, one.title, one.text)}" for one in reports]
    (report,) = reports
    said = [report.title, report.text] if report.title else [report.text]
    because = [f"Because: {report.because}"] if report.because else []
    return [f"{report.kind.value}: {said[0]}", *said[1:], *report.evidence, *because]


def closed_text(report: Report) -> str:
    """A sentence, without its end, for a report whose question is closed though it became no quest."""
    return f"It was reported before, and stays recorded: question {report.question} was denied or withdrawn"


def brief_of(report: Report) -> str:
    """The brief of the quest that a report becomes; Markdown, in the mission's words."""
    parts = [report.text.strip()]
    if report.evidence:
        parts.append("\n".join(f"- {one}" for one in report.evidence))
    if report.because:
        parts.append(f"Because: {report.because}")
    return "\n\n".join(parts)


def next_report_name(slug: str, taken: Sequence[str]) -> str:
    """The name of a spec's next reported quest: `login/R-001`, behind the highest that there is."""
    numbers = [int(name.rpartition("-")[2]) for name in taken if re.fullmatch(rf"{re.escape(slug)}/R-\d+", name)]
    return f"{slug}/R-{max(numbers, default=0) + 1:03d}"
