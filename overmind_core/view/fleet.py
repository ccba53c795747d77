"""The fleet: missions, questions, events, load and costs, as the supervisor told them so far. Pure.

Other hives may tell theirs, too: these stand beside those of this home, which is the hive "", by keys of their own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from overmind_core.domain import engine_questions
from overmind_core.domain.hives import SWARM
from overmind_core.domain.missions.status_marks import BAD_ENDS, QUEUED, TRIED_AGAIN, StatusMark
from overmind_core.view import last_word
from overmind_core.view import missions as missions_rows
from overmind_core.view.cells import Row, safe
from overmind_core.view.hive_keys import HIVE, LOCAL, SILENT_SINCE, hive_of, key_of, keyed, parted
from overmind_core.view.inbox import HOLDER, blocked, is_turn, may_need, needs
from overmind_core.view.numbers import Cost
from overmind_core.view.summary import EngineLoad, Load, Sample

EVENTS_KEPT = 2000
HISTORY = 240
"""Samples of one mission's load."""
THERE = "there"
"""In a question of the swarm its number at its hive; None where the swarm itself asks."""
STEP_SECONDS = 5.0
"""Between two of them, as the supervisor takes them; the newest one is that of the last look."""
SHORTEST_ID = 3
"""Characters of the beginning of an id that name a mission, as on the command line."""
LOADED = "history"
"""The load of the last minutes, in a row of the first look."""
_WIDE = ("cpu_percent", "memory_bytes", "output_bytes_per_second", "next_restart_at", "now")


class Way(NamedTuple):
    """The way to a hive of the swarm that leads not through the swarm.

    Attributes:
        hive: The hive as keys have it; "" is this home.
        is_open: Whether it answers.
    """

    hive: str
    is_open: bool


def missions_of(events: Iterable[Mapping[str, Any]]) -> set[str]:
    """The ids of the missions whose rows these events may have changed; those that were removed are not among them.

    What the engine asks about need not be a mission. An attempt of a plan's agent, and the check of a quest, stand
    otherwise when the next attempt begins.
    """
    events = tuple(events)
    found = {str(one["mission"]) for one in events if one.get("mission") and _is_of_mission(one)}
    found |= {str(one["tried"]) for one in events if one.get("tried")}
    return found - {str(one["mission"]) for one in events if one["type"] == "removed"}


def _is_of_mission(event: Mapping[str, Any]) -> bool:
    about = event.get("about")
    return about is None or about.get("kind") == "mission"


def joined(asked: Iterable[Sequence[Row]], in_swarm: Sequence[Row], ways: Mapping[str, Way]) -> list[Row]:
    """All that waits for a person, each question once, to be answered the shortest way.

    A question of a hive that answers is answered there. One of a silent hive is answered through the swarm, and still
    stands at its mission where that is known. Only the swarm itself asks about posts that are lost.

    Args:
        asked: What each hive asks.
        in_swarm: What the swarm knows.
        ways: Name of a hive in the swarm → the shorter way to it.
    """
    found = {(hive_of(one), one["question"]): one for each in asked for one in each}
    for one in in_swarm:
        way = ways.get(str(one.get("hive"))) if one.get(THERE) is not None else None
        known = {**keyed(one, SWARM), HOLDER: one.get("hive")}
        if way is None:
            found[SWARM, one["question"]] = known
        elif not way.is_open:
            twin = found.get((way.hive, one[THERE]))
            if twin is None:
                found[SWARM, one["question"]] = known
            else:
                found[way.hive, one[THERE]] = {**twin, "question": one["question"], HIVE: SWARM}
    return list(found.values())


class _Attention(NamedTuple):
    """Ids of those that need a person, and of those that something is asked of; how many others failed, unseen."""

    asking: frozenset[str]
    asked: frozenset[str]
    failed: int


class Fleet:
    """Missions by id, in the order of their start, and all that is known of them."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self._names_hives = False
        """Whether config.toml names other hives."""
        self._is_in_swarm = False
        """Whether there is a swarm, which has hives, too."""
        self.samples: dict[str, deque[Sample]] = {}
        self.events: deque[Row] = deque(maxlen=EVENTS_KEPT)
        """The newest of this home, oldest first."""
        self._events_of: dict[str, deque[Row]] = {}
        """The same of each other hive."""
        self.lost = ""
        """Why no supervisor answers; "" while one does."""
        self.lost_since: float | None = None
        """Since when none does, in seconds since the epoch; None while one does, or none has yet."""
        self._way_back = ""
        self.awaits_supervisor = True
        """Whether it is not known yet if one answers: this program may become it."""
        self._asked: dict[str, Sequence[Row]] = {}
        """Hive → what waits for a person there."""
        self._questions: Sequence[Row] = ()
        """The same of all, each question once."""
        self._asked_in_swarm: Sequence[Row] = ()
        """What waits for a person in the swarm."""
        self._ways: Mapping[str, Way] = {}
        """Name of a hive in the swarm → the shorter way to it."""
        self.asked_about: frozenset[str] = frozenset()
        """Ids of what the engine asks about: missions, and what has none."""
        self._paid: dict[str, Cost] = {}
        """Hive → US dollars since midnight."""
        self.engine = EngineLoad()
        """How full the queue is, and how missions go together."""
        self.health: dict[str, Row] = {}
        """Signs of life of missions, by id, as the view of health has them."""
        self.proposed = 0
        """How many notes wait for a person to accept them."""
        self._sampled_at: dict[str, float] = {}
        """When the newest of the samples was begun."""
        self._ended_here: dict[str, int | None] = {}
        """Missions that were stopped or killed from here → which run of theirs."""
        self.loaded = False
        self.load = Load(0.0, 0.0)
        self._counted: tuple[Mapping[StatusMark, int], int] | None = None
        self._attention: tuple[object, _Attention] | None = None
        """As of which rows and questions, and whom they are about."""
        self.changes = 0
        """How often rows have come, gone or changed."""

    def apply(
        self, rows: Sequence[Row], removed: Collection[str], *, everything: bool, at: float = 0.0, hive: str = ""
    ) -> None:
        """Take over what came `at` that time, in seconds.

        Ids are those of its `hive`; `everything`: that one has no others.
        """
        self._counted = None
        self.changes += 1
        if hive:
            rows, removed = [keyed(row, hive) for row in rows], [key_of(hive, one) for one in removed]
        elif self.has_hives:
            rows = [{**row, HIVE: LOCAL} for row in rows]
        if everything:
            stay = {one: row for one, row in self.rows.items() if hive_of(row) != hive}
            self.rows = {row["id"]: self._merged(row) for row in rows} | stay
            self.loaded = self.loaded or not hive
            self.samples = {one: samples for one, samples in self.samples.items() if one in self.rows}
        for one in removed:
            self.rows.pop(one, None)
            self.samples.pop(one, None)
            self._sampled_at.pop(one, None)
        for row in rows if not everything else ():
            self.rows[row["id"]] = self._merged(row)
        self._measure(rows, at)
        self._apply_plans()

    def _apply_plans(self) -> None:
        """A plan's row shows what its agents do."""
        plans: dict[str, list[Row]] = {
            one: [] for one, row in self.rows.items() if row.get("type") == missions_rows.PLAN
        }
        if not plans:
            return
        for row in self.rows.values():
            if row["parent"] in plans:
                plans[row["parent"]].append(row)
        for one, agents in plans.items():
            if text := plan_now(self.rows[one], agents):
                self.rows[one] = {**self.rows[one], "now": text}

    @property
    def questions(self) -> Sequence[Row]:
        """What waits for a person, as `inbox` has it."""
        return self._questions

    @questions.setter
    def questions(self, found: Sequence[Row]) -> None:
        self.ask(found)

    def ask(self, found: Sequence[Row], *, hive: str = "") -> None:
        """These wait for a person in a hive, and no others do there."""
        self._asked[hive] = [keyed(one, hive) for one in found] if hive else found
        self._join_questions()
        self.changes += bool(hive)

    def ask_in_swarm(self, found: Sequence[Row], ways: Mapping[str, Way]) -> None:
        """These wait for a person in the swarm; `ways`: those of its hives that are reached without it, too."""
        if (found, ways) != (self._asked_in_swarm, self._ways):
            self._asked_in_swarm, self._ways = found, ways
            self._join_questions()
            self.changes += 1

    def _join_questions(self) -> None:
        asked = list(self._asked.values())
        if self._asked_in_swarm:
            self._questions = joined(asked, self._asked_in_swarm, self._ways)
        else:
            self._questions = asked[0] if len(asked) == 1 else [one for each in asked for one in each]
        self.asked_about = frozenset(one["id"] for one in self._questions if engine_questions.is_of_engine(one))
        self._counted = None

    @property
    def today(self) -> float:
        """US dollars since midnight, in all hives."""
        return self.paid.usd or 0.0

    @today.setter
    def today(self, paid: float) -> None:
        self._paid[""] = Cost(paid)

    @property
    def paid(self) -> Cost:
        """The same, with what is known of it."""
        return Cost.sum_of(one for one in self._paid.values() if one != Cost())

    def pay(self, hive: str, today: Cost) -> None:
        """A hive's agents have cost so much since midnight."""
        self._paid[hive] = today

    def hear(self, hive: str, events: Iterable[Row]) -> list[Row]:
        """Keep the events of another hive; these, as they are known here."""
        found = [keyed(event, hive) for event in events]
        self._events_of.setdefault(hive, deque(maxlen=EVENTS_KEPT)).extend(found)
        return found

    def events_about(self, key: str) -> Iterable[Row]:
        """The newest events of the hive of a mission, or of what else this is the key of; oldest first."""
        return self._events_of.get(parted(key, self._events_of)[0], self.events)

    @property
    def has_hives(self) -> bool:
        """Whether there are other hives: then the rows of this home name theirs, too."""
        return self._names_hives or self._is_in_swarm

    def name_hives(self, *, has_hives: bool) -> None:
        """There are other hives by config.toml, or none any more: rows of this home name theirs, or don't."""
        before, self._names_hives = self.has_hives, has_hives
        self._name_own(before)

    def join_swarm(self, *, is_in_swarm: bool) -> None:
        """There is a swarm, or none any more: the same."""
        before, self._is_in_swarm = self.has_hives, is_in_swarm
        self._name_own(before)
        if not is_in_swarm:
            self.ask_in_swarm((), {})

    def _name_own(self, before: bool) -> None:  # noqa: FBT001 - private
        has_hives = self.has_hives
        if has_hives is before:
            return
        self.changes += 1
        for one, row in self.rows.items():
            if not hive_of(row):
                known = {key: value for key, value in row.items() if key != HIVE}
                self.rows[one] = {**known, HIVE: LOCAL} if has_hives else known

    def lose(self, why: str, way_back: str, at: float) -> None:
        """No supervisor answers, at that time (seconds since the epoch); `way_back`: what helps."""
        self.lost, self._way_back = f"{why} · {way_back}", way_back
        if self.lost_since is None and self.loaded:
            self.lost_since = at
            self.silence("", at)
            self.before, self.load = self.load, Load.of(self.rows.values())

    def find(self) -> None:
        """One answers."""
        self.lost, self.lost_since = "", None
        self.silence("", None)

    def refusal(self, now: float) -> str:
        """Why no supervisor does anything, a sentence; "" while one answers."""
        since = self.lost_since
        return "" if since is None else f"{last_word.no_daemon(since, now)} · {self._way_back}"

    def silence(self, hive: str, since: float | None) -> None:
        """A hive doesn't answer since then, in seconds since the epoch; None: it does. "" is this home.

        What it told last holds: also ends whose rows didn't come any more.
        """
        self._counted = None
        self.changes += 1
        if since is not None:
            of_hive = [row for row in self.rows.values() if hive_of(row) == hive]
            self.rows |= last_word.ended(of_hive, self._events_of.get(hive, ()) if hive else self.events)
        if not hive:
            own = {one: row for one, row in self.rows.items() if not hive_of(row)}
            self.rows |= {one: last_word.unheard(row, since) for one, row in own.items()}
            return
        for one, row in self.rows.items():
            if hive_of(row) != hive or row.get(SILENT_SINCE) == since:
                continue
            known = {key: value for key, value in row.items() if key != SILENT_SINCE}
            self.rows[one] = known if since is None else {**known, SILENT_SINCE: since}

    def drop_hive(self, hive: str) -> None:
        """There is no such hive any more."""
        self._counted = None
        self.changes += 1
        self.rows = {one: row for one, row in self.rows.items() if hive_of(row) != hive}
        self.samples = {one: samples for one, samples in self.samples.items() if one in self.rows}
        self._events_of.pop(hive, None)
        self._paid.pop(hive, None)
        if self._asked.pop(hive, None) is not None:
            self.ask(self._asked.get("", ()))

    @property
    def counts(self) -> Mapping[StatusMark, int]:
        """How many missions show each mark; what the engine asks waits, too."""
        return self._count()[0]

    @property
    def asking(self) -> frozenset[str]:
        """Ids of all that needs a person: the rows of the first group of the list."""
        return self._attend().asking

    @property
    def asked(self) -> frozenset[str]:
        """Ids of those among them of which something is asked; the others have ended, or have to be written to."""
        return self._attend().asked

    @property
    def failed(self) -> int:
        """How many of the others ended not well and were not seen."""
        return self._attend().failed

    def _attend(self) -> _Attention:
        known = (self.changes, self._questions)
        if self._attention is None or self._attention[0] != known:
            asked = {one["id"] for one in self._questions}
            some = [row for row in self.rows.values() if row["id"] in asked or may_need(row)]
            found = needs(some, self._questions, 0.0)
            ids = frozenset(need.row["id"] for need in found)
            failed = unseen_failures(row for one, row in self.rows.items() if one not in ids)
            self._attention = (
                known,
                _Attention(ids, frozenset(need.row["id"] for need in found if need.asked is not None), failed),
            )
        return self._attention[1]

    @property
    def tokens(self) -> int:
        """What those agents have used that name no price."""
        return self._count()[1]

    def _count(self) -> tuple[Mapping[StatusMark, int], int]:
        """Counted once for all that ask, until something changes."""
        if self._counted is None:
            unpriced = (row for row in self.rows.values() if row.get("tokens") and not row.get("cost_usd"))
            self._counted = (
                missions_rows.counts(self.rows.values(), self.questions),
                sum(sum(row["tokens"].values()) for row in unpriced),
            )
        return self._counted

    def saw(self, mission: str) -> None:
        """Somebody has looked at it: nothing of it is news."""
        row = self.rows.get(mission)
        if row is not None:
            self.rows[mission] = {**row, "unseen": False}
            self.changes += 1

    def ends_here(self, missions: Iterable[str]) -> None:
        """This program's person has them end: that is no news, whenever it comes."""
        self._ended_here |= {one: row.get("run") for one in missions if (row := self.rows.get(one)) is not None}

    def ends_not(self, missions: Iterable[str]) -> None:
        """They were not ended after all."""
        for one in missions:
            self._ended_here.pop(one, None)

    @property
    def is_empty(self) -> bool:
        """Whether the list of missions has nothing: no mission, and no question about anything else."""
        return not self.rows and not self._questions

    def of(self, mission: str | None) -> Row | None:
        """A mission's row."""
        return None if mission is None else self.rows.get(mission)

    def behind(self, one: str | None) -> Row | None:
        """The mission of a row of the list: its own; of a gate the one that made what is asked about."""
        asked = () if one is None or one in self.rows else [each for each in self._questions if each["id"] == one]
        made = [engine_questions.heading(each).id for each in asked if not hive_of(each)]
        return self.of(one) or next(filter(None, map(self.of, made)), None)

    def named(self, word: str) -> Row | None:
        """The mission with this id, name, or beginning of an id; a live one first, as on the command line."""
        if word in self.rows:
            return self.rows[word]
        by_name = [row for row in self.rows.values() if row["name"] == word]
        live = [row for row in by_name if missions_rows.is_live(row)]
        begun = [row for row in self.rows.values() if len(word) >= SHORTEST_ID and row["id"].startswith(word)]
        return next(reversed(live or by_name or begun), None)

    @property
    def oldest_event(self) -> int | None:
        """The number of the oldest event that is kept; None while there is none."""
        return self.events[0]["seq"] if self.events else None

    @property
    def newest_event(self) -> int:
        """The number of the newest event; 0 while there is none."""
        return self.events[-1]["seq"] if self.events else 0

    def state_word(self, row: Row, now: float) -> str:
        """The word that lists show for the state of a mission where its row alone doesn't say it; "" for any other.

        The engine asks about it, it is tried again at a moment to come, or it gives no sign of life. `now`: in
        seconds since the epoch.
        """
        if row["id"] in self.asked_about:
            return missions_rows.ASKS
        if tried := missions_rows.retry_word(row, now):
            return tried
        level = (self.health.get(row["id"]) or {}).get("level")
        if level not in missions_rows.LEVELS:
            return ""
        silent = missions_rows.silence(missions_rows.mark(row), missions_rows.guess(row), level)
        return "" if silent is None else silent.word

    def history(self, mission: str | None) -> Sequence[Sample]:
        """A mission's load, the newest last."""
        return tuple(self.samples.get(mission or "", ()))

    @property
    def plan_sizes(self) -> dict[str, int]:
        """Plan → how many agents it has, begun or not."""
        return {one: sum(row["counts"].values()) for one, row in self.rows.items() if row.get("counts")}

    @property
    def home_rows(self) -> Collection[Row]:
        """The missions of this home."""
        everybody = self.rows.values()
        return [row for row in everybody if not hive_of(row)] if self.has_hives else everybody

    @property
    def live(self) -> int:
        """How many of this home are not finished."""
        return self.live_in("")

    def live_in(self, hive: str) -> int:
        """How many missions of a hive are not finished."""
        return sum(missions_rows.is_live(row) for row in self.rows.values() if hive_of(row) == hive)

    def _merged(self, row: Row) -> Row:
        """A narrow row keeps what a wide one said before; of what was ended here nothing is news."""
        merged = self._widened(row)
        if row["id"] not in self._ended_here or missions_rows.is_live(row) or row["status"] == "crashed":
            return merged
        if row.get("run") != self._ended_here[row["id"]]:
            del self._ended_here[row["id"]]
            return merged
        return {**merged, "unseen": False}

    def _widened(self, row: Row) -> Row:
        known = self.rows.get(row["id"])
        if known is None or "now" in row:
            return {key: value for key, value in row.items() if key != LOADED} if LOADED in row else row
        return {**{key: known[key] for key in _WIDE if key in known}, **row}

    def _measure(self, rows: Sequence[Row], at: float) -> None:
        measured = [row for row in rows if row.get("cpu_percent") is not None]
        for row in measured:
            sample = Sample(
                row["cpu_percent"], float(row["memory_bytes"] or 0), float(row.get("output_bytes_per_second") or 0)
            )
            samples = self.samples.setdefault(row["id"], deque(maxlen=HISTORY))
            if LOADED in row:
                samples.clear()
                samples.extend(_past(row[LOADED]))
                self._sampled_at.pop(row["id"], None)
            if samples and at < self._sampled_at.get(row["id"], float("-inf")) + STEP_SECONDS:
                samples[-1] = sample
            else:
                samples.append(sample)
                self._sampled_at[row["id"]] = at
        if measured or not self.live:
            self.load = Load.of(self.rows.values())


def _past(loaded: Mapping[str, Sequence[float]]) -> list[Sample]:
    """The samples that the supervisor has kept."""
    figures = (loaded["cpu_percent"], loaded["memory_bytes"], loaded["output_bytes_per_second"])
    return [Sample(*map(float, one)) for one in zip(*figures, strict=True)]


def unseen_failures(found: Iterable[Row]) -> int:
    """Missions that ended not well and were not seen; one that was lost and needs a person is counted with those."""
    return sum(bool(row.get("unseen")) and not row.get("lost") and _ended_badly(row) for row in found)


def _ended_badly(row: Row) -> bool:
    return not missions_rows.is_live(row) and missions_rows.mark(row) in BAD_ENDS


def wanted(row: Row, asked_about: Collection[str] = ()) -> bool:
    """Whether it needs attention: it needs a person, or has failed and nobody has looked at that.

    `asked_about`: ids of what the engine asks about.
    """
    if row["id"] in asked_about or row.get("lost") or blocked(row) or is_turn(row):
        return True
    return bool(row.get("unseen")) and missions_rows.mark(row) in BAD_ENDS


def plan_now(row: Row, agents: Sequence[Row]) -> str:
    """The doing of a plan, by the agents that have missions: those that run, or the one that made it fail, and why."""
    names = {agent["id"]: missions_rows.short_name(agent, row) or safe(agent["name"]) for agent in agents}
    if missions_rows.is_live(row):
        running = [names[agent["id"]] for agent in agents if missions_rows.is_live(agent)]
        return f"runs {', '.join(running)}" if running else ""
    failed = next(
        (one for one in agents if missions_rows.mark(one) in BAD_ENDS and _is_over(one) and _ended_in(row, one)), None
    )
    if row["status"] != "crashed" or failed is None:
        return ""
    why = missions_rows.now_cell(failed).text or (
        f"exit {failed['exit_code']}" if failed["exit_code"] is not None else ""
    )
    return f"{names[failed['id']]} failed{': ' * bool(why)}{why}"


def _ended_in(plan: Row, agent: Row) -> bool:
    """True if an agent's mission ended in the newest run of its plan, and not in one before."""
    return (agent.get("ended_at") or "") >= (plan.get("run_started_at") or "")


def _is_over(agent: Row) -> bool:
    """True if nothing follows the end of an agent's mission: no other attempt waits, or has followed."""
    return missions_rows.mark(agent) not in {QUEUED, TRIED_AGAIN}
