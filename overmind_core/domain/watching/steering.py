"""Steering: what the guardian does about an agent with low alignment, how often, and whether that has helped. Pure.

It escalates: a message; an interrupt with a message; freezing, with a question to a person; the end of the attempt. An
agent that takes no messages gets the last two only. `follow` decides after each sample; its caller acts, and then calls
`sent`, `denied` or `withdrawn` with the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from overmind_core.domain.replacing import replace
from overmind_core.domain.settings import GuardianSettings
from overmind_core.domain.watching.guardian import LOW, Sample, Term

HELD = 4
"""Samples in a row after which a term alone is a reason to steer."""
JUDGED_AFTER = 2
"""Samples after a steer, until it is known what came of it."""
CHANGED = 0.1
"""Of alignment: less is no change."""
DENIED_SECONDS = 3600.0
"""How long an agent is left alone after a person has said so."""
_ROUNDING = 1e-9


class Rung(StrEnum):
    """What is done about it, from the mildest on."""

    MESSAGE = "message"
    INTERRUPT = "interrupt"
    """The turn is ended, and a message sent."""
    FREEZE = "freeze"
    """Its processes are frozen, and a person is asked."""
    END = "end"
    """The attempt ends, with the class `steered`; what would have been said is the feedback of the next one."""


class Outcome(StrEnum):
    """What came of a steer."""

    HELPED = "helped"
    UNCHANGED = "unchanged"
    WORSE = "worse"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What can be done with a mission."""

    takes_messages: bool
    """Its agent reads messages while it runs."""
    is_queued: bool
    """It is an attempt of a quest of the queue, which can end and begin again."""

    @property
    def escalation(self) -> tuple[Rung, ...]:
        """The action of the first time, the second time, and so on; after that the last one again."""
        mild = (Rung.MESSAGE, Rung.INTERRUPT) if self.takes_messages else ()
        return (*mild, Rung.FREEZE, Rung.END) if self.is_queued else (*mild, Rung.FREEZE)


def on_approval(rung: Rung, capabilities: Capabilities) -> Rung | None:
    """The action once a person has allowed it: a message, or the end of the attempt; None: nothing is possible."""
    if rung is Rung.END and capabilities.is_queued:
        return Rung.END
    if capabilities.takes_messages:
        return Rung.MESSAGE if rung is Rung.MESSAGE else Rung.INTERRUPT
    return Rung.END if capabilities.is_queued else None


@dataclass(frozen=True, slots=True)
class PendingJudgement:
    """A steer of which nobody knows yet what comes of it."""

    rung: Rung
    score: float
    """When it was sent."""
    samples: int = 0
    """Since then."""
    by_another: bool = False
    """Another daemon sent it, or it ended the run before: until the alignment is known, a sample says nothing."""


@dataclass(frozen=True, slots=True)
class SteeringState:
    """How a mission was steered so far. Times in seconds since the epoch."""

    steers: int = 0
    """Sent, in all attempts."""
    last_at: float | None = None
    """When one was sent or asked about."""
    quiet_until: float = 0.0
    """A person wants it left alone."""
    asking: bool = False
    """A person is asked, and has not answered."""
    asked_last: bool = False
    """A person was asked after the most that is allowed without one."""
    held: tuple[tuple[str, int], ...] = ()
    """Terms that hold → samples in a row."""
    pending: PendingJudgement | None = None
    sampled_at: float | None = None


class Steer(NamedTuple):
    """Do something about it now, or ask first."""

    rung: Rung
    terms: tuple[Term, ...]
    """Why."""
    text: str
    ask: bool
    """Whether a person decides."""


class Judged(NamedTuple):
    """What came of the newest steer."""

    rung: Rung
    outcome: Outcome


def is_due(state: SteeringState, settings: GuardianSettings, now: float) -> bool:
    """Whether it may be sampled again; a clock that was set back makes it due."""
    last = state.sampled_at
    return last is None or now - last >= settings.every or now < last


def follow(
    state: SteeringState, sample: Sample, capabilities: Capabilities, settings: GuardianSettings
) -> tuple[SteeringState, Judged | None, Steer | None]:
    """What follows from a sample: the state after it, the judgement of an earlier steer, and the next one."""
    before = dict(state.held)
    held = tuple((term.term, before.get(term.term, 0) + 1) for term in sample.holding)
    state = replace(state, held=held, sampled_at=sample.at)
    state, judged = _judge(state, sample)
    terms = _reasons(sample, dict(held))
    if settings.steer == "auto" and not capabilities.takes_messages and {term.term for term in terms} == {"silence"}:
        return state, judged, None  # freezing what is silent helps nobody: it ends once it is hung
    if not terms or not _may(state, settings, sample.at):
        return state, judged, None
    if state.steers >= settings.most:
        if settings.steer != "auto" or state.asked_last:
            return state, judged, None
        state = replace(state, asked_last=True)
        ask = True
    else:
        ask = settings.steer == "ask"
    rung = capabilities.escalation[min(state.steers, len(capabilities.escalation) - 1)]
    state = replace(state, asking=ask or rung is Rung.FREEZE, last_at=sample.at)
    return state, judged, Steer(rung, terms, sample.advice or message(terms), ask)


def sent(state: SteeringState, rung: Rung, score: float, now: float) -> SteeringState:
    """A steer was carried out; `score`: of the sample that it follows, or of the newest one."""
    return replace(
        state,
        steers=state.steers + 1,
        last_at=now,
        asking=rung is Rung.FREEZE,
        pending=PendingJudgement(rung, score),
    )


def denied(state: SteeringState, now: float) -> SteeringState:
    """A person says that it is fine as it is."""
    return replace(state, asking=False, quiet_until=now + DENIED_SECONDS)


def withdrawn(state: SteeringState) -> SteeringState:
    """The question was answered elsewhere, or has lost its cause."""
    return replace(state, asking=False)


def _may(state: SteeringState, settings: GuardianSettings, now: float) -> bool:
    """Whether it may be steered at all now, whatever the reason."""
    if settings.steer == "off" or state.asking or now < state.quiet_until:
        return False
    return state.last_at is None or now - state.last_at >= settings.pause


def _reasons(sample: Sample, held: Mapping[str, int]) -> tuple[Term, ...]:
    """The terms for which it should be steered: all that hold while alignment is low, else those that stay."""
    if sample.alignment is not None and sample.alignment < LOW - _ROUNDING:
        return sample.holding
    return tuple(term for term in sample.holding if term.term == "silence" or held[term.term] >= HELD)


def _judge(state: SteeringState, sample: Sample) -> tuple[SteeringState, Judged | None]:
    pending = state.pending
    if pending is None or (pending.by_another and sample.alignment is None):
        return state, None
    if pending.samples + 1 < JUDGED_AFTER:
        return replace(state, pending=replace(pending, samples=pending.samples + 1)), None
    change = sample.score - pending.score
    outcome = Outcome.UNCHANGED
    if abs(change) >= CHANGED - _ROUNDING:
        outcome = Outcome.HELPED if change > 0 else Outcome.WORSE
    return replace(state, pending=None), Judged(pending.rung, outcome)


_SAYS: Mapping[str, str] = MappingProxyType(
    {
        "loop": "You are repeating yourself. Say in one sentence what you have learnt from it, then try another way.",
        "drift": "You have changed files that are not part of your task. Put them back as they were; if they have to"
        ' change, say so with: overmind report missing "which file, and why"',
        "thrash": "You edit one file again and again, and what failed still fails. Stop editing, read the whole error,"
        " and find its cause first.",
        "overrun": "You need far more time or money than similar work. Finish the smallest complete part, then stop.",
        "review": "A reviewer says that you do not do what you were asked to. Read your task again, and say in one"
        " sentence what of it is left.",
        "silence": "You have been silent for long. If you wait for something, say what it is; else go on.",
    }
)
"""Term → what its agent is told."""


def message(terms: tuple[Term, ...]) -> str:
    """What an agent is told: a paragraph for each term, with what shows it as a quotation."""
    return "\n\n".join(f"{_SAYS[term.term]}\n> {term.evidence}" for term in terms if term.term in _SAYS)
