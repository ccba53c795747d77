"""Budgets of specs, and of the queue in a day: what is spent is counted with each paid turn, in its commit.

At 80 % of a limit a warning is recorded, once. No attempt begins if what is spent, what runs and the attempt itself
would exceed the limit; then a person is asked, once for each limit. At 120 % the agents are ended. The sum, the warning
and the question are saved together, so the next daemon repeats none of them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.actor import ENGINE
from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.agents.agent_events import Behaviour
from overmind_core.domain.agents.events import CostWarning
from overmind_core.domain.engine_questions import EngineNeed
from overmind_core.domain.events import THE_QUEUE, About, AboutKind
from overmind_core.domain.missions.facts import EndAsked
from overmind_core.domain.missions.mission import Cause, Kind
from overmind_core.domain.quests import why
from overmind_core.domain.quests.life import HAVE_SLOT, state_of
from overmind_core.domain.replacing import replace
from overmind_core.domain.text.decimals import dollars
from overmind_core.domain.watching import budget
from overmind_core.domain.watching.budget import BudgetMarks, Spending
from overmind_core.kernel.codec import Codec
from overmind_core.missions.lookup import line
from overmind_core.quests import store

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from datetime import tzinfo

    from overmind_core.agents.engine_questions import EngineQuestion, EngineQuestions
    from overmind_core.agents.store import CostTable
    from overmind_core.domain.admission import Wait
    from overmind_core.domain.agents.agent_events import Decision
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.domain.quests.quest import Quest
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.database import MetaTable
    from overmind_core.kernel.event_log import EventLog
    from overmind_core.kernel.journal import Journal
    from overmind_core.missions.registry import Registry
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.quests.store import QuestTable
    from overmind_core.system.machine import Clock

REASON = "max_cost"
_KEY = "budget:"
"""Prefix of the store's key; the id of the spec or of the queue follows."""
_KEPT = 1000
"""How many quests' attempt costs are kept before those of ended quests are dropped."""
_LONGEST_PAUSE = 3600.0
"""Seconds until the clock is read again: it may be set, and the machine may sleep."""


@dataclass(frozen=True, slots=True)
class Account:
    """The stored state of one budget."""

    usd: float | None = None
    """None: no cost is known."""
    warned: float = 0.0
    asked: float = 0.0
    """The limit for which the warning was recorded, and the one for which a person was asked."""
    since: float = 0.0
    """Of a day: when it began, in seconds since the epoch."""
    limit: float = 0.0
    """Of a day: the limit that a person has set in the place of `configured`; 0: none."""
    configured: float = 0.0

    @property
    def spent(self) -> Spending:
        """The spending, as `domain/watching/budget` takes it."""
        return Spending(self.usd, 0)


_ACCOUNT = Codec(Account)


class LimitedSpec(NamedTuple):
    """The parts of a spec that its budget needs."""

    id: str
    slug: str
    limit: float
    """US dollars; 0: none."""
    is_over: bool = False
    """It is archived, or has landed."""


class _Scope(NamedTuple):
    """One budget."""

    about: About
    limit: float
    whose: str
    """For people: `spec login`, `today`."""


class QueueBudgets:
    """The budgets of specs and of the queue. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        quests: QuestRegistry,
        registry: Registry,
        journal: Journal,
        events: EventLog,
        clock: Clock,
        settings: Settings,
        questions: EngineQuestions,
        meta_table: MetaTable,
        quest_table: QuestTable,
        cost_table: CostTable,
        estimated: Callable[[Quest], float | None],
        specs: Callable[[], Iterable[LimitedSpec]],
        spec: Callable[[str], LimitedSpec | None],
        raise_spec: Callable[[str, float], object],
        zone: Callable[[], tzinfo],
    ) -> None:
        """`estimated`: US dollars of an attempt of a quest. `spec`: by id. `raise_spec`: sets a spec's limit."""
        self._quests = quests
        self._registry = registry
        self._journal = journal
        self._events = events
        self._clock = clock
        self._settings = settings
        self._questions = questions
        self._meta_table = meta_table
        self._quest_table = quest_table
        self._cost_table = cost_table
        self._estimated = estimated
        self._specs = specs
        self._spec = spec
        self._raise_spec = raise_spec
        self._zone = zone
        self._accounts: dict[str, Account] = {}
        """Id of a spec, or of the queue → its account."""
        self._of_attempts: dict[str, tuple[int, float]] = {}
        """Quest → the number of its newest attempt, and what that has cost so far."""
        self._postponed: dict[str, None] = {}
        """Quests that only a budget keeps from starting, in the order in which their turn came."""
        self._timer: asyncio.TimerHandle | None = None
        self._day = 0.0, 0.0
        """The beginning and the end of this day, in seconds since the epoch."""
        self._reconsider: Callable[[Iterable[str]], None] = _nothing
        self._cancel: Callable[[Quest], None] = _nothing
        self._running: Callable[[], Iterable[Quest]] = tuple

    def bind(
        self,
        *,
        reconsider: Callable[[Iterable[str]], None],
        cancel: Callable[[Quest], None],
        running: Callable[[], Iterable[Quest]],
    ) -> None:
        """Connect the budgets with the questions and with the queue.

        Args:
            reconsider: Looks again at what holds these quests back.
            cancel: Ends a quest.
            running: Returns the quests that have a slot.
        """
        self._reconsider, self._cancel, self._running = reconsider, cancel, running
        self._questions.on(EngineNeed.BUDGET, self._on_answer)
        self._questions.guard(EngineNeed.BUDGET, self._before_answer)

    def load(self) -> None:
        """Add up the cost of running attempts; called after the quests were loaded."""
        running = [one for one in self._quests.live.values() if _has_slot(one)]
        if not running or not self._limited():
            return
        since = min(_began(one) for one in running)
        for cost in self._cost_table.since(since):
            quest = self._quest_of(cost.mission)
            if quest is not None and cost.priced and _has_slot(quest) and cost.at >= _began(quest):
                self._add_to_attempt(quest, cost.usd)

    def resume(self) -> None:
        """Apply all limits: what is over its limit does not run on under this daemon."""
        self._look_at_day()
        for about_id in list(self._questions.asked_about()):
            self._settle_question(about_id)
        for scope in self._limited():
            self._follow(scope)
        if self._needs_midnight():
            self._wait_for_midnight()

    def _settle_question(self, about_id: str) -> None:
        """Withdraw a question about a limit that was changed in the configuration since."""
        for question in self._questions.open_for(about_id):
            if question.need == EngineNeed.BUDGET:
                scope = self._scope(question.about)
                if scope is None or self._account(about_id).asked != scope.limit:
                    self._questions.withdraw(about_id, EngineNeed.BUDGET)

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()

    # what is spent

    def on_spent(self, mission: Mission, usd: float | None) -> None:
        """Count the cost of a turn, in the commit that records it; None: unknown."""
        quest = self._quest_of(mission.id)
        if quest is None or quest.queue is None or usd is None:
            return
        self._add_to_attempt(quest, usd)
        self._look_at_day()
        for about_id in (quest.queue.spec, THE_QUEUE.id):  # the day without a limit, too: it may get one
            if about_id is not None:
                account = self._account(about_id)
                self._save(about_id, replace(account, usd=(account.usd or 0.0) + usd))
        for scope in self._scopes(quest):
            self._follow(scope, paid=mission)

    def spent(self, spec_id: str) -> float | None:
        """US dollars that a spec has cost so far, with all that its quests have started; None: no cost is known."""
        return self._account(spec_id).usd

    def _quest_of(self, mission_id: str) -> Quest | None:
        """The quest of the queue in whose tree a mission is."""
        for one in line(self._registry, mission_id):
            quest = self._quests.live.get(one.id)
            if quest is None and (row := self._quest_table.get(one.id)) is not None:
                quest = store.quest(row)
            if quest is not None and quest.queue is not None:
                return quest
        return None

    def _add_to_attempt(self, quest: Quest, usd: float) -> None:
        if len(self._of_attempts) > _KEPT:
            having = {one.id for one in self._running()}
            self._of_attempts = {one: cost for one, cost in self._of_attempts.items() if one in having}
        attempt, before = self._of_attempts.get(quest.id, (0, 0.0))
        newest = quest.attempts
        self._of_attempts[quest.id] = (newest, usd + (before if attempt == newest else 0.0))

    def _follow(self, scope: _Scope, paid: Mission | None = None) -> None:
        """Warn, ask, or end the agents, as the spending requires; `paid`: the mission whose turn has just ended."""
        account = self._account(scope.about.id)
        marks, step = budget.follow(BudgetMarks(account.warned, account.asked), account.spent, scope.limit)
        used = f"{account.spent.text} of {dollars(scope.limit)} of {scope.whose}"
        with self._journal.together():
            if step.warn or step.ask:
                self._save(scope.about.id, replace(account, warned=marks.warned, asked=marks.asked))
            if step.warn:
                self._events.record(
                    CostWarning(
                        mission=scope.about.id,
                        name=scope.about.name,
                        cost_usd=account.spent.known,
                        about=scope.about,
                        by=ENGINE,
                        why=f"{used} spent",
                    )
                )
            if step.ask:
                self._ask(scope, f"{used} are spent")
        if step.stop:
            done = paid is not None and paid.definition.kind is Kind.TASK and not paid.definition.interactive
            but = paid.id if paid is not None and done else None
            self._end_agents(scope, f"--- stopped: {used} spent ---", but=but)

    def _end_agents(self, scope: _Scope, text: str, *, but: str | None) -> None:
        """End the agents of a budget except one. Plain programs cost nothing; a task on pipes ends with its turn."""
        for mission in list(self._registry.live.values()):
            if mission.definition.provider == RAW or mission.id == but:
                continue
            if self._is_in(scope, self._quest_of(mission.id)):
                ended = EndAsked(Cause.LIMIT, mission.definition.grace, text, REASON)
                self._registry.apply_if_legal(mission, ended, urgent=True)

    # who may begin

    def hold(self, quest: Quest) -> Wait | None:
        """Why a budget holds a quest back; None: none does."""
        for scope in self._scopes(quest):
            refused = self._refused(scope, quest)
            if refused is not None:
                return why.over_budget(refused.text, self._commands(scope, quest), whose=scope.about.name)
        return None

    def admits(self, quest: Quest) -> bool:
        """Whether the budgets allow a quest whose turn has come; if only a person can change that, one is asked."""
        scopes = list(self._scopes(quest))
        if scopes:
            self._look_at_day()
        for scope in scopes:
            refused = self._refused(scope, quest)
            if refused is None:
                continue
            self._postponed[quest.id] = None
            account = self._account(scope.about.id)
            if refused.ask and account.asked != scope.limit:
                with self._journal.together():
                    self._save(scope.about.id, replace(account, asked=scope.limit))
                    self._ask(scope, refused.text)
            if scope.about == THE_QUEUE:
                self._wait_for_midnight()
            return False
        return True

    def postponed(self) -> Collection[str]:
        """Return, and forget, the quests that were refused: a slot is free, so they may be tried again."""
        found, self._postponed = self._postponed, {}
        return found

    def _refused(self, scope: _Scope, quest: Quest) -> budget.Refused | None:
        running = self._beside(scope, quest)
        return budget.lease(scope.whose, self._account(scope.about.id).spent, running, self._left(quest), scope.limit)

    def _beside(self, scope: _Scope, quest: Quest | None) -> list[float | None]:
        """What each attempt of a budget that runs, but not this quest's, is estimated to cost beyond what it has."""
        others = (one for one in self._running() if quest is None or one.id != quest.id)
        return [self._left(one) for one in others if self._is_in(scope, one)]

    def _raised(self, scope: _Scope, quest: Quest | None, text: str = "") -> float:
        """The limit of a budget with which this quest may begin, once a person has allowed more."""
        own = None if quest is None else self._left(quest)
        expected = budget.spending([*self._beside(scope, quest), own]).known
        return budget.raised(scope.limit, text, spent=self._account(scope.about.id).spent.known, expected=expected)

    def _next(self, scope: _Scope) -> Quest | None:
        """The first quest that only this budget keeps from starting."""
        waiting = (self._quests.live.get(one) for one in self._postponed)
        return next((one for one in waiting if one is not None and self._is_in(scope, one)), None)

    def _left(self, quest: Quest) -> float | None:
        """The estimated rest of the cost of a quest's attempt; None: unknown."""
        estimated = self._estimated(quest)
        if estimated is None:
            return None
        attempt, so_far = self._of_attempts.get(quest.id, (0, 0.0))
        own = so_far if _has_slot(quest) and attempt == quest.attempts else 0.0
        return max(0.0, estimated - own)

    def _commands(self, scope: _Scope, quest: Quest) -> tuple[str, ...]:
        """The commands with which a person lets a quest of a budget go on."""
        for question in self._questions.open_for(scope.about.id):
            if question.need == EngineNeed.BUDGET:
                return (f"overmind answer {question.number} allow",)
        limit = f"{self._raised(scope, quest):.10g}"
        if scope.about == THE_QUEUE:
            return (f"overmind queue --max-cost-per-day {limit} --today",)
        return (f"overmind spec run {scope.about.name} --max-cost {limit}",)

    # what people decide

    def _ask(self, scope: _Scope, text: str) -> None:
        account = self._account(scope.about.id)
        running = [one.name for one in self._running() if self._is_in(scope, one)]
        lines = [f"Running when this was asked: {', '.join(running)}."] if running else ["Nothing of it runs."]
        subject = {"lines": lines, "spent_usd": account.usd, "max_cost_usd": scope.limit, "running": running}
        self._questions.ask(EngineNeed.BUDGET, scope.about, summary=text, subject=subject)
        if scope.about == THE_QUEUE:
            self._wait_for_midnight()

    async def _before_answer(self, question: EngineQuestion, decision: Decision) -> None:
        """Withdraw a question about a day that is over: a machine that slept learns of midnight late."""
        del question, decision
        self._look_at_day()

    def _on_answer(self, question: EngineQuestion, decision: Decision) -> None:
        """Act on a person's answer: raise the limit, or end what runs and hold the rest."""
        scope = self._scope(question.about)
        if scope is None:  # the limit was removed meanwhile
            return
        if decision.behaviour is Behaviour.ALLOW:
            self._raise(scope, self._raised(scope, self._next(scope), decision.message or ""))
            return
        for quest in [one for one in self._running() if self._is_in(scope, one)]:
            self._cancel(quest)

    def _raise(self, scope: _Scope, limit: float) -> None:
        if scope.about.kind == AboutKind.SPEC:
            self._raise_spec(scope.about.id, limit)  # `on_limit` follows
            return
        account = self._account(scope.about.id)
        self._save(scope.about.id, replace(account, limit=limit, configured=self._settings.queue.max_cost_per_day))
        self._follow(scope._replace(limit=limit))
        self._reconsider(self.postponed())

    def limit_today(self, limit: float) -> None:
        """Let the queue cost so much until midnight, in US dollars, whatever is configured."""
        today = self._account(THE_QUEUE.id)
        if today.usd is None:
            self._save(THE_QUEUE.id, replace(today, usd=self._cost_since(today.since)))
        self._questions.withdraw(THE_QUEUE.id, EngineNeed.BUDGET)
        self._raise(_Scope(THE_QUEUE, limit, "today"), limit)

    def _cost_since(self, begin: float) -> float | None:
        """US dollars that quests of the queue have cost since then, removed missions aside; None: no cost is known."""
        priced = (cost for cost in self._cost_table.since(begin) if cost.priced)
        known = [cost.usd for cost in priced if self._quest_of(cost.mission) is not None]
        return sum(known) if known else None

    def on_limit(self, spec_id: str) -> None:
        """Withdraw the question about a spec whose limit has changed, or that will cost nothing more."""
        self._questions.withdraw(spec_id, EngineNeed.BUDGET)
        spec = self._spec(spec_id)
        if spec is not None and spec.limit and not spec.is_over:
            self._follow(self._spec_scope(spec))
        self._reconsider(self.postponed())

    # budgets

    def _limited(self) -> list[_Scope]:
        """All budgets that have a limit."""
        specs = (self._spec_scope(one) for one in self._specs() if one.limit and not one.is_over)
        day = self._day_scope()
        return [*specs, *([] if day is None else [day])]

    def _scopes(self, quest: Quest) -> Iterator[_Scope]:
        """The budgets that a quest counts for."""
        if quest.queue is None:
            return
        spec = None if quest.queue.spec is None else self._spec(quest.queue.spec)
        if spec is not None and spec.limit:
            yield self._spec_scope(spec)
        day = self._day_scope()
        if day is not None:
            yield day

    def _scope(self, about: About) -> _Scope | None:
        """The budget that a question is about."""
        if about.kind != AboutKind.SPEC:
            return self._day_scope()
        spec = self._spec(about.id)
        return None if spec is None or not spec.limit else self._spec_scope(spec)

    def _spec_scope(self, spec: LimitedSpec) -> _Scope:
        return _Scope(About(AboutKind.SPEC, spec.id, spec.slug), spec.limit, f"spec {spec.slug}")

    def _day_scope(self) -> _Scope | None:
        configured = self._settings.queue.max_cost_per_day
        account = self._account(THE_QUEUE.id)
        limit = account.limit if account.limit and account.configured == configured else configured
        return _Scope(THE_QUEUE, limit, "today") if limit else None

    def _is_in(self, scope: _Scope, quest: Quest | None) -> bool:
        if quest is None or quest.queue is None:
            return False
        return scope.about == THE_QUEUE or quest.queue.spec == scope.about.id

    def _account(self, about_id: str) -> Account:
        if about_id not in self._accounts:
            saved = self._meta_table.get(f"{_KEY}{about_id}")
            self._accounts[about_id] = Account() if saved is None else _ACCOUNT.decode(saved)
        found = self._accounts[about_id]
        if about_id == THE_QUEUE.id and found.since != (begin := self._midnights()[0]):
            return Account(since=begin)
        return found

    def _save(self, about_id: str, account: Account) -> None:
        self._accounts[about_id] = account
        text = _ACCOUNT.encode(account)
        self._journal.save(lambda: self._meta_table.save(f"{_KEY}{about_id}", text), urgent=True)

    # days

    def _look_at_day(self) -> None:
        """Begin a new account at midnight."""
        today = self._account(THE_QUEUE.id)
        kept = self._accounts[THE_QUEUE.id]
        if kept.since == today.since or not (kept.limit or self._settings.queue.max_cost_per_day):
            return
        with self._journal.together():
            self._save(THE_QUEUE.id, replace(today, usd=self._cost_since(today.since)))
            self._questions.withdraw(THE_QUEUE.id, EngineNeed.BUDGET)
        self._reconsider(self.postponed())

    def _midnights(self) -> tuple[float, float]:
        """When this day began, and when it ends, in seconds since the epoch."""
        now = self._clock.wall()
        if not self._day[0] <= now < self._day[1]:
            zone = self._zone()
            self._day = budget.day_begin(now, zone), budget.next_midnight(now, zone)
        return self._day

    def _needs_midnight(self) -> bool:
        """True where the end of this day changes anything: quests wait for it, or a question is about the day."""
        asked = self._questions.open_for(THE_QUEUE.id)
        return bool(self._postponed) or any(one.need == EngineNeed.BUDGET for one in asked)

    def _wait_for_midnight(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        left = self._midnights()[1] - self._clock.wall()
        self._timer = asyncio.get_running_loop().call_later(min(max(left, 1.0), _LONGEST_PAUSE), self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self._look_at_day()
        if self._needs_midnight():
            self._wait_for_midnight()


def _has_slot(quest: Quest) -> bool:
    return quest.queue is not None and state_of(quest) in HAVE_SLOT


def _began(quest: Quest) -> float:
    assert quest.queue is not None
    return quest.queue.tries[-1].started_at


def _nothing(_: object) -> None:
    return
