"""`inbox`, `answer`, `hook`: what agents ask of people, who answers, and what their programs report."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from overmind_core.agents.store import ASKED, QUESTION_OPEN
from overmind_core.domain.agents import conversation_events as talk
from overmind_core.domain.agents.agent import ActivitySource, AgentMode, AgentNeed
from overmind_core.domain.agents.agent_events import Asked, Behaviour, Decision
from overmind_core.domain.agents.permission import rule_for
from overmind_core.errors import OvermindError
from overmind_core.missions import answers
from overmind_core.missions.lookup import find

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from overmind_core.agents.permission_hooks import PermissionWaiters
    from overmind_core.agents.questions import Questions
    from overmind_core.agents.service import Agents
    from overmind_core.agents.session import Session
    from overmind_core.agents.store import QuestionRow
    from overmind_core.agents.terminal_driver import TerminalDriver
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.phase import Phase
    from overmind_core.missions.callers import Caller
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.requests import Answer, Hook, Nothing
    from overmind_core.providers.base import InteractiveProvider


class QuestionApi:
    """The requests about questions."""

    def __init__(
        self,
        *,
        agents: Agents,
        questions: Questions,
        waiters: PermissionWaiters,
        driver: TerminalDriver,
        registry: Registry,
        journal: Journal,
        phase: Phase,
    ) -> None:
        self._agents = agents
        self._questions = questions
        self._waiters = waiters
        self._driver = driver
        self._registry = registry
        self._journal = journal
        self._phase = phase

    async def inbox(self, request: Nothing, caller: Caller) -> list[dict[str, Any]]:
        """What waits for a person, oldest first."""
        del request, caller
        found = [(question, self._agents.of(question.mission)) for question in self._questions.open()]
        return [self._described(question, session) for question, session in found if session is not None]

    async def answer(self, request: Answer, caller: Caller) -> dict[str, Any]:
        """Answer one question, once."""
        del caller
        question = self._question(request)
        session = self._agents.of(question.mission)
        if question.state != QUESTION_OPEN or session is None or question.id not in session.questions:
            raise OvermindError("not_found", _too_late(question))
        asked = session.questions[question.id]
        behaviour = Behaviour(request.behaviour)
        _check(asked, session, behaviour, request)
        if behaviour is Behaviour.ALWAYS:
            self._store_rule(session, asked)
        decision = Decision(behaviour, request.message, tuple(request.options))
        session.apply(talk.Answered(question.id, decision, "a person"))
        await self._journal.saved()
        mission = self._registry.get(question.mission)
        brief = {} if mission is None else answers.brief(mission)
        return {"question": question.id, **brief, "behaviour": behaviour.value, "by": "a person"}

    async def hook(self, request: Hook, caller: Caller) -> AsyncIterator[Any]:
        """Take in what a hook tells; of a question the answer follows, once somebody has given it."""
        del caller
        import hmac  # noqa: PLC0415 - it loads OpenSSL, 4 MB that a supervisor without agents never needs

        session = self._agents.of(request.mission)
        if session is None or not hmac.compare_digest(session.state.token, request.token):
            raise OvermindError("forbidden", "This hook belongs to no run.")
        if session.state.mode is not AgentMode.INTERACTIVE:
            yield {}
            return
        program: InteractiveProvider = session.provider  # type: ignore[assignment] # only those with that mode run interactively
        number, waiter = 0, None
        for fact in program.hook(request.payload):
            if isinstance(fact, Asked):
                number, waiter = self._wait_for(session, fact)
            else:
                session.receive(fact, ActivitySource.HOOK)
        yield {}
        if waiter is None:
            return
        try:
            decided = await waiter
        finally:
            unanswered = waiter.cancelled() or not waiter.done()
            if self._waiters.forget(number, waiter) and unanswered and not self._phase.closing:
                self._driver.on_waiter_gone(session, number)
        if decided is not None:
            yield program.hook_answer(*decided) or {}

    def _wait_for(self, session: Session, asked: Asked) -> tuple[int, Any]:
        """The question's number and a future of its answer; of a new one the waiter is there before a rule answers."""
        kept = self._waiters.come_back(asked.request)
        if kept is not None:
            return 0, kept
        number = _known(session, asked)
        if number is not None:
            return number, self._waiters.wait(number)
        number = self._questions.upcoming
        waiter = self._waiters.wait(number)
        session.receive(asked, ActivitySource.HOOK)
        return number, waiter

    def _question(self, request: Answer) -> QuestionRow:
        if request.question is not None:
            found = self._questions.get(request.question)
            if found is None:
                raise OvermindError("not_found", f"There is no question {request.question}. See: overmind inbox")
            return found
        if request.id is None:
            raise OvermindError("invalid", "Say which question: its number, or its mission. See: overmind inbox")
        mission = find(self._registry, request.id, live_first=True)
        waiting = self._questions.open(mission.id)
        if not waiting:
            name = mission.definition.name
            raise OvermindError("not_found", f"Mission {mission.id} ({name}) asks nothing. See: overmind inbox")
        return waiting[0]

    def _store_rule(self, session: Session, asked: Asked) -> None:
        """Answer the same question by itself from now on."""
        rule = _rule(asked)
        if rule is not None and rule not in session.agent.allow:
            self._agents.redefine(session.id, replace(session.agent, allow=(*session.agent.allow, rule)))

    def _described(self, question: QuestionRow, session: Session) -> dict[str, Any]:
        asked = ASKED.decode(question.asked)
        mission = self._registry.get(question.mission)
        brief = {"id": question.mission, "name": question.mission} if mission is None else answers.brief(mission)
        return {
            "question": question.id,
            **brief,
            "need": asked.need.value,
            "tool": asked.tool,
            "summary": asked.summary,
            "subject": dict(asked.subject),
            "rule": _rule(asked),
            "options": _options(asked.subject),
            "asked_at": answers.time(question.asked_at),
            "attach_only": _is_attach_only(asked, session),
        }


def _known(session: Session, asked: Asked) -> int | None:
    """The number of the same question, asked again because our answer was lost."""
    if not asked.request:
        return None
    return next((number for number, one in session.questions.items() if one.request == asked.request), None)


def _too_late(question: QuestionRow) -> str:
    if question.by is None:
        return f"Question {question.id} is not asked any more: it was withdrawn, or answered in its own program."
    return f"Question {question.id} was answered already, by {question.by}."


def _check(asked: Asked, session: Session, behaviour: Behaviour, request: Answer) -> None:
    if _is_attach_only(asked, session):
        name = session.mission.definition.name if session.mission is not None else session.id
        raise OvermindError("invalid", f"Only its own keys answer this. Use: overmind attach {name}")
    if behaviour is Behaviour.ALWAYS and asked.need is not AgentNeed.PERMISSION:
        raise OvermindError("invalid", "`always` is for permissions. Use allow or deny.")
    if asked.need is AgentNeed.QUESTION and behaviour is Behaviour.ALLOW and not (request.options or request.message):
        raise OvermindError("invalid", "It is a question: answer it with --option LABEL or --message TEXT.")
    labels = [label for one in _asked(asked.subject) for label in _labels(one)]
    for option in request.options:
        if option not in labels:
            known = ", ".join(labels) or "it has none"
            raise OvermindError(
                "invalid", f"{option!r} is no option of it: {known}. In your own words: --message {shlex.quote(option)}"
            )


def _is_attach_only(asked: Asked, session: Session) -> bool:
    """Whether neither the stream nor a hook takes our answer."""
    return asked.need is AgentNeed.SETUP or (
        session.state.mode is AgentMode.INTERACTIVE and not session.provider.speaks_json
    )


def _rule(asked: Asked) -> str | None:
    return rule_for(asked.tool, asked.subject) if asked.need is AgentNeed.PERMISSION else None


def _options(subject: Mapping[str, Any]) -> list[str]:
    """The labels that the first question offers."""
    return next((_labels(one) for one in _asked(subject)), [])


def _asked(subject: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The questions that are asked at once."""
    questions = subject.get("questions")
    return [one for one in questions if isinstance(one, dict)] if isinstance(questions, list) else []


def _labels(question: Mapping[str, Any]) -> list[str]:
    options = question.get("options")
    return [str(one.get("label", "")) for one in options if isinstance(one, dict)] if isinstance(options, list) else []
