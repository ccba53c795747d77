"""What an agent's conversation has done: delivered to its program, answered, saved, told, ended.

Everything with the commit of the step that it follows from, or after that.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from overmind_core.domain import talkfacts as talk
from overmind_core.domain.agent import Mode
from overmind_core.domain.facts import EndAsked
from overmind_core.domain.mission import Cause
from overmind_core.domain.questions import one_line
from overmind_core.store.costs import Cost
from overmind_core.store.messages import DELIVERED, QUEUED
from overmind_core.store.questions import ANSWERED, WITHDRAWN
from overmind_core.supervisor.agents import saved

if TYPE_CHECKING:
    from overmind_core.domain.agentfacts import Decision, Result
    from overmind_core.domain.mission import Mission
    from overmind_core.domain.talkfacts import Effect
    from overmind_core.supervisor.agents.desk import Desk
    from overmind_core.supervisor.agents.session import Session


class Hands:
    """Those of all agents."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._core = desk.core

    def carry_out(self, session: Session, effect: Effect) -> None:  # noqa: C901 - one case per effect
        """Do what follows from a step, with this turn's commit or after it."""
        match effect:
            case talk.Deliver(message):
                self._deliver(session, message)
            case talk.MessageMoved():
                self._message_moved(session, effect)
            case talk.Reply(number, decision):
                self._reply(session, number, decision)
            case talk.AskOpened(number):
                asked = session.questions[number]
                session.note("asked", question=number, need=asked.need.value, tool=asked.tool, summary=asked.summary)
            case talk.AskClosed():
                self._ask_closed(session, effect)
            case talk.Interrupt():
                self._interrupt(session)
            case talk.CloseInput():
                session.close_input()
            case talk.Leave():
                self._desk.typist.leave(session)
            case talk.EndRun(cause, grace, reason, text):
                session.end(EndAsked(cause, grace, text, reason))
            case talk.Spent(usd, result):
                self._spent(session, usd, result)
            case talk.Notify(why):
                session.note("notification", why=why, now=session.c.activity.now)
            case talk.Told(type_, text, data):
                session.note(type_, text, **dict(data))

    def _deliver(self, session: Session, message: int) -> None:
        if session.c.mode is Mode.INTERACTIVE:
            self._desk.typist.type(session, message)
            return
        # Of its own for each run: a program that resumes drops a message whose answer had begun when it died.
        uuid = uuid5(UUID(session.c.session), f"{message}.{session.c.run}")
        session.send(session.provider.message(session.text_of(message), str(uuid)))

    def _message_moved(self, session: Session, effect: talk.MessageMoved) -> None:
        self._desk.mailbox.moved(session, effect)
        if effect.state == DELIVERED:
            text = session.forget(effect.message)
            session.note("message_delivered", f"[human] {text}", message=effect.message)
            if not session.c.activity.now:  # nothing was said yet: it does what it was told
                session.put(replace(session.c, activity=replace(session.c.activity, now=one_line(text))))
        elif effect.state != QUEUED:
            session.forget(effect.message)
            session.note(f"message_{effect.state}", message=effect.message, error=effect.error)

    def _reply(self, session: Session, number: int, decision: Decision) -> None:
        asked = session.questions.pop(number, None)
        if asked is None:
            return
        if self._desk.hooks.reply(number, asked, decision):
            return
        if session.c.mode is Mode.INTERACTIVE:
            self._desk.hooks.keep(asked, decision)
            self._desk.typist.answer(session, asked, decision)
        else:
            session.send(session.provider.answer(asked, decision))

    def _ask_closed(self, session: Session, effect: talk.AskClosed) -> None:
        number, decision, by = effect
        state = WITHDRAWN if by is None else ANSWERED
        text = None if decision is None else saved.encode(decision)
        at = self._core.clock.wall()
        self._core.ledger.save(lambda: self._core.state.questions.close(number, state, at, by, text))
        asked = session.questions.get(number) if by is not None else session.questions.pop(number, None)
        if by is None:
            self._desk.hooks.drop(number)
        behaviour = None if decision is None else decision.behaviour.value
        summary = None if asked is None else asked.summary
        session.note("answered", question=number, by=by, behaviour=behaviour, summary=summary)

    def _interrupt(self, session: Session) -> None:
        if session.c.mode is Mode.HEADLESS:
            session.send(session.provider.interrupt(f"interrupt-{session.c.seq + 1}"))
        elif session.c.mode is Mode.INTERACTIVE:
            self._desk.typist.interrupt(session)

    def _spent(self, session: Session, usd: float, result: Result) -> None:
        mission = session.mission
        if mission is None:
            return
        definition = mission.definition
        used = result.usage
        cost = Cost(
            at=self._core.clock.wall(),
            mission=session.id,
            name=definition.name,
            labels=json.dumps(definition.labels),
            usd=usd,
            input=used.input + used.cache_read + used.cache_write,
            output=used.output,
            turns=result.turns,
        )
        self._core.ledger.save(lambda: self._core.state.costs.insert(cost))
        self._check_turns(session, mission)
        self._desk.spent(mission, usd)

    def _check_turns(self, session: Session, mission: Mission) -> None:
        most, turns = session.agent.max_turns, session.c.turns
        if most and turns >= most and session.c.mode is not Mode.ONE_SHOT:
            text = f"--- stopped: {turns} of {most} turns are used ---"
            session.end(EndAsked(Cause.LIMIT, mission.definition.grace, text, "max_turns"))
