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

    from overmind_core.agents.session import Session
    from overmind_core.agents.store import QuestionRow
    from overmind_core.daemon.app import Supervisor
    from overmind_core.missions.callers import Caller
    from overmind_core.missions.requests import Answer, Hook, Nothing
    from overmind_core.providers.base import Interactive


async def inbox(core: Supervisor, request: Nothing, caller: Caller) -> list[dict[str, Any]]:
    """What waits for a person, oldest first."""
    del request, caller
    core.ledger.flush()
    found = [(question, core.desk.of(question.mission)) for question in core.state.questions.open()]
    return [_described(core, question, session) for question, session in found if session is not None]


async def answer(core: Supervisor, request: Answer, caller: Caller) -> dict[str, Any]:
    """Answer one question, once."""
    del caller
    question = _question(core, request)
    session = core.desk.of(question.mission)
    if question.state != QUESTION_OPEN or session is None or question.id not in session.questions:
        raise OvermindError("not_found", _too_late(question))
    asked = session.questions[question.id]
    behaviour = Behaviour(request.behaviour)
    _check(asked, session, behaviour, request)
    if behaviour is Behaviour.ALWAYS:
        _store_rule(core, session, asked)
    decision = Decision(behaviour, request.message, tuple(request.options))
    session.tell(talk.Answered(question.id, decision, "a person"))
    await core.ledger.saved()
    mission = core.book.get(question.mission)
    brief = {} if mission is None else answers.brief(mission)
    return {"question": question.id, **brief, "behaviour": behaviour.value, "by": "a person"}


async def hook(core: Supervisor, request: Hook, caller: Caller) -> AsyncIterator[Any]:
    """Take in what a hook tells; of a question the answer follows, once somebody has given it."""
    del caller
    import hmac  # noqa: PLC0415 - it loads OpenSSL, 4 MB that a supervisor without agents never needs

    session = core.desk.of(request.mission)
    if session is None or not hmac.compare_digest(session.c.token, request.token):
        raise OvermindError("forbidden", "This hook belongs to no run.")
    if session.c.mode is not AgentMode.INTERACTIVE:
        yield {}
        return
    program: Interactive = session.provider  # type: ignore[assignment] # only those with that mode run interactively
    number, waiter = 0, None
    for fact in program.hook(request.payload):
        if isinstance(fact, Asked):
            number, waiter = _wait_for(core, session, fact)
        else:
            session.hear(fact, ActivitySource.HOOK)
    yield {}
    if waiter is None:
        return
    try:
        replied = await waiter
    finally:
        unanswered = waiter.cancelled() or not waiter.done()
        if core.desk.hooks.forget(number, waiter) and unanswered and not core.phase.closing:
            core.desk.typist.dropped(session, number)
    if replied is not None:
        yield program.hook_answer(*replied) or {}


def _wait_for(core: Supervisor, session: Session, asked: Asked) -> tuple[int, Any]:
    """The question's number and a future of its answer; of a new one the waiter is there before a rule answers it."""
    kept = core.desk.hooks.come_back(asked.request)
    if kept is not None:
        return 0, kept
    number = _known(session, asked)
    if number is not None:
        return number, core.desk.hooks.wait(number)
    number = core.desk.upcoming_question
    waiter = core.desk.hooks.wait(number)
    session.hear(asked, ActivitySource.HOOK)
    return number, waiter


def _known(session: Session, asked: Asked) -> int | None:
    """The number of the same question, asked again because our answer was lost."""
    if not asked.request:
        return None
    return next((number for number, one in session.questions.items() if one.request == asked.request), None)


def _question(core: Supervisor, request: Answer) -> QuestionRow:
    core.ledger.flush()
    if request.question is not None:
        found = core.state.questions.get(request.question)
        if found is None:
            raise OvermindError("not_found", f"There is no question {request.question}. See: overmind inbox")
        return found
    if request.id is None:
        raise OvermindError("invalid", "Say which question: its number, or its mission. See: overmind inbox")
    mission = find(core.book, request.id, live_first=True)
    waiting = core.state.questions.open(mission.id)
    if not waiting:
        name = mission.definition.name
        raise OvermindError("not_found", f"Mission {mission.id} ({name}) asks nothing. See: overmind inbox")
    return waiting[0]


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
        session.c.mode is AgentMode.INTERACTIVE and not session.provider.speaks_json
    )


def _store_rule(core: Supervisor, session: Session, asked: Asked) -> None:
    """Answer the same question by itself from now on."""
    rule = _rule(asked)
    if rule is not None and rule not in session.agent.allow:
        core.desk.redefine(session.id, replace(session.agent, allow=(*session.agent.allow, rule)))


def _rule(asked: Asked) -> str | None:
    return rule_for(asked.tool, asked.subject) if asked.need is AgentNeed.PERMISSION else None


def _described(core: Supervisor, question: QuestionRow, session: Session) -> dict[str, Any]:
    asked = ASKED.decode(question.asked)
    mission = core.book.get(question.mission)
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
