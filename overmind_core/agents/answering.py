"""Answering what agents ask: which answers a question takes, once, and the rule that `always` makes of one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from overmind_core.agents.questions import too_late
from overmind_core.agents.store import QUESTION_OPEN
from overmind_core.domain.actor import PERSON
from overmind_core.domain.agents import conversation_events
from overmind_core.domain.agents.agent import BY_KEYS, AgentMode, AgentNeed
from overmind_core.domain.agents.agent_events import Behaviour
from overmind_core.domain.agents.choices import InvalidChoice, choices_of, chosen, example, offered, typed, typed_text
from overmind_core.domain.agents.permission import rules_for
from overmind_core.domain.missions.reasons import A_PERSON
from overmind_core.errors import OvermindError
from overmind_core.kernel.actor import actor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.agents.service import Agents
    from overmind_core.agents.session import Session
    from overmind_core.agents.store import QuestionRow
    from overmind_core.agents.submission import Submission
    from overmind_core.domain.agents.agent_events import Asked, Decision
    from overmind_core.domain.agents.choices import Choice
    from overmind_core.kernel.journal import Journal
    from overmind_core.system.machine import Clock

_ALLOWED = frozenset({AgentNeed.PERMISSION, AgentNeed.PLAN})
"""Needs that a person allows or denies."""


def answerer() -> str:
    """Return who answers what is answered now: a person, by the name of the client where there is one."""
    who = actor() or PERSON
    return A_PERSON if who == PERSON else who


class Answering:
    """The way of a person's answer to its session."""

    def __init__(self, agents: Agents, submission: Submission, journal: Journal, clock: Clock) -> None:
        self._agents = agents
        self._submission = submission
        self._journal = journal
        self._clock = clock

    def answer(self, question: QuestionRow, decision: Decision, *, is_named: bool = True) -> None:
        """Answer a question of an agent that is open, in the name of a person.

        What they write beside it, and its program can't read there, is the next message of its session.

        `is_named`: whether they have said that they allow or deny it, and not merely answered.

        Raises:
            OvermindError: `not_found`, it is not asked any more; `invalid`, it takes no such answer.
        """
        session = None if question.mission is None else self._agents.of(question.mission)
        if question.state != QUESTION_OPEN or session is None or question.id not in session.questions:
            raise too_late(question, self._clock.wall())
        asked = session.questions[question.id]
        decision = _in_words(asked, decision)
        _check(question.id, asked, session, decision, is_named=is_named)
        decision = _chosen(question.id, asked, decision)
        if decision.behaviour is Behaviour.ALWAYS:
            self._store_rule(session, asked)
        with self._journal.together():
            session.apply(conversation_events.Answered(question.id, decision, answerer()))
            if decision.message and _is_unread(asked, session, decision):
                self._submission.queue(session, decision.message, request=f"answer:{question.id}")

    def _store_rule(self, session: Session, asked: Asked) -> None:
        """Answer the same question by itself from now on."""
        new = [rule for rule in rules_of(asked) if rule not in session.agent.allow]
        if new:
            self._agents.redefine(session.id, replace(session.agent, allow=(*session.agent.allow, *new)))


def is_attach_only(asked: Asked, session: Session) -> bool:
    """Whether neither the stream nor a hook takes our answer."""
    return asked.need in BY_KEYS or (session.state.mode is AgentMode.INTERACTIVE and not session.provider.speaks_json)


def _is_unread(asked: Asked, session: Session, decision: Decision) -> bool:
    """Return whether words beside an answer have no place in it: no program reads them beside what is allowed."""
    is_refused = decision.behaviour is Behaviour.DENY
    return asked.need in _ALLOWED and not (is_refused and (session.provider.reads_reasons or session.is_served))


def rules_of(asked: Asked) -> tuple[str, ...]:
    """The rules that answer the same by themselves; none where none can."""
    return rules_for(asked.tool, asked.subject) if asked.need is AgentNeed.PERMISSION else ()


def options_of(asked: Asked) -> list[str]:
    """The options that it offers, as an answer takes them."""
    return offered(choices_of(asked.subject))


def _check(number: int, asked: Asked, session: Session, decision: Decision, *, is_named: bool) -> None:
    if is_attach_only(asked, session):
        name = session.mission.definition.name if session.mission is not None else session.id
        raise OvermindError("invalid", f"This can only be answered in its terminal: overmind attach {name}")
    says_nothing = decision.behaviour is Behaviour.ALWAYS or not (decision.options or decision.message)
    if asked.need is not AgentNeed.QUESTION and not is_named:
        ways = "allow, deny or always" if asked.need is AgentNeed.PERMISSION else "allow or deny"
        raise OvermindError(
            "invalid", f"This is no question with options. Answer it with {ways}: overmind answer {number} allow"
        )
    if asked.need is AgentNeed.QUESTION and decision.behaviour is not Behaviour.DENY and says_nothing:
        choices = choices_of(asked.subject)
        option = "the number of an option" if len(choices) == 1 else "the number of an option for each question"
        way = f"{option}, {typed(choices)}, or a text" if options_of(asked) else "a text"
        raise OvermindError("invalid", f"This is a question. Answer it with {way}: {_line(number, choices)}")
    if decision.behaviour is Behaviour.ALWAYS and asked.need is not AgentNeed.PERMISSION:
        raise OvermindError("invalid", "`always` is for permissions. Use allow or deny.")
    if decision.message and _is_unread(asked, session, decision) and session.state.mode is AgentMode.ONE_SHOT:
        way = f"Answer it without: overmind answer {number} {decision.behaviour}"
        raise OvermindError("invalid", f"{session.provider.name} reads no words beside this answer. {way}")


def _in_words(asked: Asked, decision: Decision) -> Decision:
    """The decision with the text that was typed, where nothing has options and that looked like their numbers."""
    is_one = len(choices_of(asked.subject)) <= 1
    if asked.need is not AgentNeed.QUESTION or decision.message or options_of(asked) or not is_one:
        return decision
    text = typed_text(decision.options)
    return decision._replace(message=text, options=()) if text else decision


def _line(number: int, choices: Sequence[Choice]) -> str:
    """A line that answers a question as it stands, or with a text in place of TEXT."""
    return f"overmind answer {number} {example(choices) if any(one.labels for one in choices) else 'TEXT'}"


def _chosen(number: int, asked: Asked, decision: Decision) -> Decision:
    """The decision with the labels of each question; those of a denial are nobody's.

    Raises:
        OvermindError: `invalid`, a question has no answer, or an option is none of its.
    """
    choices = choices_of(asked.subject)
    if decision.behaviour is not Behaviour.ALLOW or not (choices or decision.options):
        return decision
    try:
        return decision._replace(chosen=chosen(choices, decision.options, decision.message))
    except InvalidChoice as error:
        raise OvermindError("invalid", f"{error} For example: {_line(number, choices)}") from None
