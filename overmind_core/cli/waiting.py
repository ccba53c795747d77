"""What a command that waits says meanwhile, on stderr: whom or what it waits for, and the command that helps."""

from __future__ import annotations

import math
import time
from itertools import islice
from typing import NamedTuple

from overmind_core.cli.quests.rows import phase_word
from overmind_core.domain.engine_questions import FOR_YOU, EngineNeed, concerns, is_for_all, with_answer
from overmind_core.domain.landing import VERIFY
from overmind_core.domain.missions.reasons import attempt_of_row, held_back
from overmind_core.domain.text.cells import display_safe
from overmind_core.domain.text.moment import parse_time
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from overmind_core.cli.context import Context
    from overmind_core.client.client import Client

    Row = Mapping[str, Any]
    Wait = tuple[tuple[object, ...], str]
    """A reason why the command still waits: a key that stays as long as nothing new is to be said, and the text."""

LOOK_SECONDS = 1.0
"""Between two looks at what is waited for."""
PAUSE = 2.0
"""Between two looks where the one before told nothing new: many may wait, beside thousands of missions."""
MOST_SAID = 20
"""Quests of which it is said why they wait; of thousands, the first. As many of those that are in their way."""
SHORT = 2.0 - LOOK_SECONDS / 4
"""Seconds of a wait in which it is not said what simply goes on: the second look says it."""
PATIENCE = 10.0
"""Seconds for which nobody wonders why an agent of a plan that simply runs has not ended."""
_BLOCKED = "blocked"
_HELD = frozenset({"held", "budget", _BLOCKED})
"""Codes of why a quest is queued that a person ends."""
_SAID_OF_SPEC = _HELD | {"needs"}
"""Codes of which its stream tells, or that are those of another quest of it."""
MOST_NAMED = 3
"""Agents of a plan that are named where more wait for the same; of those that simply go on, the most with a line each.
"""
ADVICE = "advice"
"""The first of a key of what is said once, whatever comes between."""
_MANY = "many"
"""The key of what is said of many that go on."""
_LANDING = "landing"
_ENDED = frozenset({"stopped", "crashed", "killed"})
"""Statuses of a mission that has ended since the look before: its end is said when it comes."""
_RUNS = frozenset({"starting", "running"})
_NEXT = "next_restart_at"
_RESTARTING = "restarting"
_ID, _RUN = "id", "run"
_OF_RESTART = ("status", _NEXT, "reason", "exit_code", "limit_seconds", "runs")
"""What is said of a mission that waits for its restart."""
_READY = "ready"
_TO_COME = frozenset({"queued", "running", "review"})
"""Statuses of quests that have not ended."""
_ENDS = frozenset({"success", "finished", "failure"})
"""Words of `until` that an agent without an end of its own never reaches."""
_NOT_DONE = frozenset({"waiting", "starting", "running", "stopping"})
_SWARM = "swarm"
_SERVICES = "services"
_QUESTION = "question"


class WaitTeller:
    """Says why a command still waits, as soon as that changes.

    Args:
        context: Of the command.
        pending: Returns ids or names of what it waits for.
        of_quests: Those are quests; else missions, or plans.
        keep_waiting: It waits on where nothing can end without a person.
        for_answer: The missions are to answer this message, which none does while it itself waits for a person.
        of_spec: What is pending is the spec of this name.
        shows_output: Whether what it waits for is seen to go on, so that nothing is said of that; None: it is not.
    """

    def __init__(
        self,
        context: Context,
        pending: Callable[[], Sequence[str]],
        *,
        of_quests: bool,
        keep_waiting: bool,
        for_answer: int | None = None,
        of_spec: str = "",
        shows_output: Callable[[], bool] | None = None,
    ) -> None:
        self._context = context
        self._pending = pending
        self._of_quests = of_quests
        self._keep_waiting = keep_waiting
        self._for_answer = for_answer
        self._of_spec = of_spec
        self._shows_output = shows_output
        self._client: Client | None = None
        self._said: set[tuple[object, ...]] = set()
        self._restarts: dict[str, Row] = {}
        self._began = time.monotonic()
        self._next_look = 0.0

    def is_hopeless(self) -> bool:
        """Look at what is waited for and say what is new; return whether none of it can end without a person."""
        now = time.monotonic()
        if now < self._next_look:
            return False
        if self._client is None:
            self._client = self._context.client(says_late=True)
        try:
            waits, hopeless = self._look(self._client)
        except (OvermindError, ConnectionError):
            return False  # the stream of the ends says it
        news = [text for key, text in dict(waits).items() if key not in self._said]
        for text in news:
            self._context.note(display_safe(text))
        at_once = news or self._is_short(now)
        self._next_look = now + (0.0 if at_once else PAUSE - LOOK_SECONDS / 2)  # the beats come each LOOK_SECONDS
        self._said = {key for key, _ in waits} | {key for key in self._said if key[0] == ADVICE}
        return hopeless and not self._keep_waiting

    def _is_short(self, now: float) -> bool:
        """Whether it has waited for so short a time that what simply goes on is not said."""
        return now - self._began < SHORT

    @property
    def _says_progress(self) -> bool:
        is_seen = self._shows_output is not None and self._shows_output()
        return not is_seen and not self._is_short(time.monotonic())

    def _look(self, client: Client) -> tuple[list[Wait], bool]:
        if self._of_spec:
            return list(self._spec(client)), False
        return self._quests(client) if self._of_quests else self._missions(client)

    def _spec(self, client: Client) -> Iterator[Wait]:
        """Say what the stream of its progress does not say: its questions, and what is in the way of its quests.

        The question about a spent budget comes while its last agent still runs. The stream says it once none does. So
        it is said here only where another quest waits for money beside that.
        """
        questions = client.call("inbox")
        quests = client.call("quests", {"spec": self._of_spec, "status": ["queued", "running"]})
        running = [one["id"] for one in quests if one["status"] == "running"]
        if not running or len(running) == len(quests):
            questions = [one for one in questions if one["need"] != EngineNeed.BUDGET]
        asked = list(questions_about(questions, set(self._pending()), (self._of_spec,)))
        yield from asked
        held = list(self._held_missions(client, running, questions))
        yield from held
        if self._says_progress and not asked and not held:
            yield from _progress(_at_work(client, one) for one in quests if one["status"] == "running")
        if running or asked:
            return
        for one in quests[:MOST_SAID]:
            why = client.call("quest_why", {"id": one["id"]})
            if why["code"] is not None and why["code"] not in _SAID_OF_SPEC:
                yield _queued(why)
                return

    def _quests(self, client: Client) -> tuple[list[Wait], bool]:
        questions = [one for one in client.call("inbox") if not is_for_all(one)]  # why says what is in the way
        pending = self._pending()
        first = [client.call("quest_why", {"id": quest}) for quest in pending[:MOST_SAID]]
        told = [*first, *_in_the_way(client, first)]
        found = [wait for why in told for wait in _of_quest(why, questions)]
        found += self._held_missions(client, [why["id"] for why in told if why["status"] == "running"], questions)
        found += self._quest_progress(client, first, found) if self._says_progress else ()
        others = (client.call("quest_why", {"id": quest}) for quest in pending[MOST_SAID:])  # until one can go on
        return found, bool(first) and all(map(_is_blocked, first)) and all(map(_is_blocked, others))

    def _missions(self, client: Client) -> tuple[list[Wait], bool]:
        wanted = self._pending()
        family = _family(client, wanted)
        pending = [row for row in family if row["id"] in wanted]
        questions = client.call("inbox")
        found = list(self._of_family(client, family, pending, questions))
        goes_on = [_goes_on(row) for row in pending if row["type"] != "blueprint"]
        endless: list[Wait] = []
        for row in pending:
            if row["type"] == "blueprint":
                is_long = time.monotonic() - self._began >= PATIENCE
                plan = client.call("plan", {"id": row["id"]})
                found += _of_plan(plan, is_long=is_long)
                services = _of_services(plan)
                endless += services
                goes_on.append(None if services else _plan_goes_on(plan))
        if self._for_answer is not None and not found and pending:
            found += _in_line(pending[0], client.call("messages", {"id": pending[0]["id"]}), self._for_answer)
        # What it has started may wait for a person for as long as it likes: the answer does not.
        own = {(_QUESTION, one["question"]) for one in questions if concerns(one, set(wanted))}
        needs_person = any(text.startswith(FOR_YOU) and (key in own or key[0] in wanted) for key, text in found)
        if not found:
            found += [] if self._is_short(time.monotonic()) else endless
            found += _progress(filter(None, goes_on)) if self._says_progress else ()
        return found, self._for_answer is not None and needs_person

    def _quest_progress(self, client: Client, whys: Sequence[Row], said: Sequence[Wait]) -> Iterator[Wait]:
        """Say what is done for those that are waited for and go on, unless something holds one of them up."""
        going = [why for why in whys if why["status"] == "running" and not why["do"]]
        held = {key[0] for key, _ in said}
        if any(why["id"] in held for why in going) or any(text.startswith(FOR_YOU) for _, text in said):
            return
        known = (client.call("quest", {"id": why["id"]}) for why in going[: MOST_NAMED + 1])
        yield from _progress(_at_work(client, quest) for quest in known if quest["status"] == "running")

    def _of_family(
        self, client: Client, family: Sequence[Row], pending: Sequence[Row], questions: Sequence[Row]
    ) -> Iterator[Wait]:
        """Say what is asked by what is waited for, or by what that has started, and what holds it up."""
        yield from questions_about(questions, {row["id"] for row in family}, [row["name"] for row in pending])
        for one in family:
            is_asked_for = self._for_answer is None and one in pending
            wait = _held_up(self._with_next_start(client, one), is_asked_for=is_asked_for)
            if wait is not None:
                yield wait

    def of_mission(self, client: Client, mission: str) -> list[str]:
        """Say for whom or what a mission waits, and what it has started."""
        family = _family(client, [mission])
        pending = [row for row in family if row["id"] == mission]
        return [text for _, text in self._of_family(client, family, pending, client.call("inbox"))]

    def _held_missions(self, client: Client, ids: Sequence[str], questions: Sequence[Row]) -> Iterator[Wait]:
        """Say what holds up the missions of quests that run, and what these have started."""
        family = _family(client, ids) if ids else []
        yield from questions_about(questions, {row["id"] for row in family}, ())
        for row in family:
            wait = _held_up(self._with_next_start(client, row), is_asked_for=False)
            if wait is not None:
                yield wait

    def _with_next_start(self, client: Client, row: Row) -> Row:
        """The row, and when it starts again, of which a list says nothing; it is asked for once each time."""
        if row["status"] != _RESTARTING:
            return row
        found = self._restarts.get(row["id"])
        if found is None or found[_RUN] != row.get(_RUN) or _restart_key(found) not in self._said:
            now = client.call("info", {"id": row["id"]})
            found = {_RUN: row.get(_RUN), _ID: row["id"], **{key: now[key] for key in _OF_RESTART if key in now}}
            self._restarts[row["id"]] = found
        return {**row, **found}


class _GoesOn(NamedTuple):
    """What is done for one thing that is waited for."""

    id: str
    name: str
    doing: str
    """In words; said again when it changes."""


def _progress(going: Iterable[_GoesOn]) -> Iterator[Wait]:
    """What simply goes on: a line for each; of more than `MOST_NAMED` one for all, which their ends don't change."""
    found = list(islice(going, MOST_NAMED + 1))
    if len(found) > MOST_NAMED:
        yield (_MANY,), f"waits for {_listed([one.name for one in found])}"
        return
    for one in found:
        yield (one.id, one.doing), f"waits for {one.name}: {one.doing}"


def _at_work(client: Client, quest: Row) -> _GoesOn:
    """What is done for a quest that runs: `working, attempt 1 of 3`, `landing on main: verify runs`."""
    doing = phase_word(quest) or quest["status"]
    if doing == _LANDING:
        doing = f"{_LANDING} on {quest['into']}{': verify runs' if _verifies(client, quest) else ''}"
    is_said = quest["retries"] and quest["phase"] == "work"
    return _GoesOn(quest["id"], quest["name"], f"{doing}, {attempt_of_row(quest)}" if is_said else doing)


def _verifies(client: Client, quest: Row) -> bool:
    """Whether the command runs with which its merged work is verified; its mission is found by its name alone."""
    try:
        rows = client.call("ps", {"ids": [f"{quest['name']}/{VERIFY}"]})
    except OvermindError:  # it has none, or not yet
        return False
    return any(row["status"] in _RUNS for row in rows)


def _goes_on(row: Row) -> _GoesOn | None:
    """What a mission does; None of one that is about to."""
    doing = row["activity"] if row["activity"] not in {None, "unknown"} else row["status"]
    return None if doing in {"idle", "waiting", *_ENDED} else _GoesOn(row["id"], row["name"], doing)


def _plan_goes_on(plan: Row) -> _GoesOn | None:
    """The agents of a plan that run; where none does, those that wait in the swarm."""
    in_swarm = [agent["name"] for agent in _in_swarm(plan)]
    running = [agent["name"] for agent in plan["agents"] if agent["stage"] in _RUNS and agent["name"] not in in_swarm]
    names, verb = (running, "run") if running else (in_swarm, "wait")
    where = "" if running else " in the swarm"
    doing = f"{_listed(names)} {verb}{'s' if len(names) == 1 else ''}{where}"
    return _GoesOn(plan["id"], plan["name"], doing) if names else None


def _in_swarm(plan: Row) -> list[Row]:
    """Agents of a plan that are posted to the swarm, and have not begun there."""
    return [agent for agent in plan["agents"] if agent["stage"] == "starting" and agent.get("post") is not None]


def _family(client: Client, ids: Sequence[str]) -> list[Row]:
    """The missions with all that they have started, generation by generation: of a home with thousands only these."""
    found: list[Row] = []
    left = list(ids)
    while left:
        rows = client.call("ps", {"ids": left, "known": True})
        found += rows
        known = {row["id"] for row in found}
        left = [child for row in rows for child in row["children"] if child not in known]
    return found


def _in_the_way(client: Client, whys: Sequence[Row]) -> Iterator[Row]:
    """Why the quests stand as they do that these wait for, and those that these wait for in turn."""
    seen = {why["id"] for why in whys}
    most = len(seen) + MOST_SAID
    left = [one for why in whys for one in why["by"]]
    while left and len(seen) < most:
        one = left.pop(0)
        if one["id"] not in seen and one["status"] in _TO_COME:
            seen.add(one["id"])
            why = client.call("quest_why", {"id": one["id"]})
            yield why
            left += why["by"]


def _is_blocked(why: Row) -> bool:
    return bool(why["status"] == "queued" and why["code"] == _BLOCKED)


def questions_about(questions: Iterable[Row], ids: set[str], names: Sequence[str]) -> Iterator[Wait]:
    """Yield the questions about any of them, or about what is named below one, such as a check."""
    for question in questions:
        about = question.get("about") or question
        below = any(str(about["name"]).startswith(f"{name}/") for name in names)
        if below or concerns(question, ids):
            yield (_QUESTION, question["question"]), f"{FOR_YOU}: {with_answer(question)}"


def _of_quest(why: Row, questions: Iterable[Row]) -> Iterator[Wait]:
    """Why a quest has not ended, unless it simply runs."""
    asked = list(questions_about(questions, {why["id"]}, (why["name"],)))
    if asked:
        yield from asked
    elif why["status"] == "queued" and why["code"] is not None:
        yield _queued(why)
    elif why["status"] == "running" and why["do"]:  # what is asked about is its target
        text = f"{FOR_YOU}: {why['name']} is running: {why['text']}"
        yield (why["id"], *why["do"]), _with_command(text, why["do"])


def _queued(why: Row) -> Wait:
    """Why a quest does not start, and the command that lets it go on, or tells more."""
    whom = FOR_YOU if why["code"] in _HELD else "waits"
    text = _with_command(f"{whom}: {why['name']} {_verb(why)}{why['text']}", why["do"])
    settings = why.get("pending_settings", "")
    return (
        why["id"],
        why["code"],
        why.get("next_at"),
        settings,
    ), f"{text.removesuffix('.')}. {settings}" if settings else text


def _with_command(text: str, do: Sequence[str]) -> str:
    """The text with the first of these commands, unless it names that already."""
    if not do or do[0] in text:
        return text
    if not text.endswith("."):
        return f"{text}: {do[0]}"
    from overmind_core.domain.quests.remedies import is_look  # start-up: only for these

    return f"{text} {'See' if is_look(do[0]) else 'Go on with'}: {do[0]}"


def _verb(why: Row) -> str:
    return "can't start: " if why["code"] == _BLOCKED else "is queued: "


def _held_up(row: Row, *, is_asked_for: bool) -> Wait | None:
    """What holds a mission up that does not ask anything."""
    name = row["name"]
    if row["status"] == "paused":
        return (row["id"], "paused"), f"{FOR_YOU}: {name} is frozen: overmind thaw {name}"
    if row["status"] == _RESTARTING:
        return _restart_key(row), f"waits: {name} {ends_and_starts_again(row)}: overmind logs {name}"
    if why := held_back(row):
        return (row["id"], why), f"waits: {name} {why}: overmind doctor"
    if row["activity"] == "limited":
        return (row["id"], "limited"), f"waits: the account of {name} has reached a limit: overmind inbox"
    if is_asked_for and row["type"] == "session" and row["activity"] == "idle":
        from overmind_core.domain.missions.reasons import to_send_again  # start-up: only for these

        how = row.get("failed_message") or f"{name} waits for a message"
        return (row["id"], "idle", how), f"{FOR_YOU}: {how}: {to_send_again(name)}"
    return None


def _restart_key(row: Row) -> tuple[object, ...]:
    """The key of a wait for a restart: each that lasts for longer than a look is said, of shorter ones the first."""
    runs, moment, now = row.get("runs"), row.get(_NEXT), time.time()
    if moment is None:
        return row[_ID], _RESTARTING
    began = runs[-1]["ended_at"] if runs else None
    seconds = parse_time(moment, now) - (now if began is None else parse_time(began, now))
    return (row[_ID], _RESTARTING, row.get(_RUN)) if seconds > PAUSE else (row[_ID], _RESTARTING)


def ends_and_starts_again(row: Row) -> str:
    """How the last run of a mission that waits for its restart has ended, and when the next one begins.

    As `has failed (3) and starts again in 8 s`, or `has timed out (it was silent for 5 minutes) and …`.
    """
    from overmind_core.domain.missions.reasons import OUT_OF_TIME, limit_of, why_beside  # start-up: only for these

    reason, code = row.get("reason"), row.get("exit_code")
    why = why_beside(reason, limit_of(row))
    how = "timed out" if reason in OUT_OF_TIME else "failed" if reason or code else "ended"
    beside = ", ".join(filter(None, (str(code) if code and how == "failed" else "", why)))
    return f"has {how}{f' ({beside})' if beside else ''} and starts again{time_until(row.get(_NEXT))}"


def time_until(moment: str | None) -> str:
    """How long it is until then: ` in 8 s`; no longer than a moment: ` now`."""
    seconds = 0.0 if moment is None else parse_time(moment, time.time()) - time.time()
    return f" in {math.ceil(seconds)} s" if seconds > 0 else " now"


def plan_waits(plan: Row) -> Iterator[str]:
    """Sentences about agents that run for a while, and for whose end all else of a plan waits, with the way out."""
    awaited = _awaited(plan["agents"])
    yield from (text for _, text in _of_services(plan))
    if awaited:
        yield from (text for _, text in _of_awaited(plan, [one for one in awaited if one[1] != _READY]))
    else:
        yield from (
            _endless(agent) for agent in _alone(plan) if agent["ready"] and (agent["seconds"] or 0.0) >= PATIENCE
        )


def _awaited(agents: Sequence[Row]) -> list[tuple[Row, str, list[str]]]:
    """Agents that run, each with what others wait for, and these: of services as soon as they could be ready."""
    running = {agent["name"]: agent for agent in agents if agent["stage"] == "running"}
    found: dict[tuple[str, str], list[str]] = {}
    for agent in agents:
        for one in agent["depends_on"] if agent["stage"] == "waiting" else ():
            needed = running.get(one["agent"])
            if needed is None:
                continue
            lasts = needed["seconds"] or 0.0
            is_unready = one["until"] == _READY and needed["ready"] is False and lasts >= SHORT
            if is_unready or (one["until"] in _ENDS and lasts >= PATIENCE):
                until = _READY if is_unready else "end"
                found.setdefault((one["agent"], until), []).append(agent["name"])
    return [(running[name], until, waiting) for (name, until), waiting in found.items()]


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:MOST_NAMED])}{' and others' if len(names) > MOST_NAMED else ''}"


def _in_line(row: Row, messages: Sequence[Row], number: int) -> Iterator[Wait]:
    """Why a message has not reached its agent."""
    before = [one for one in messages if one["message"] < number and one["state"] in {"queued", "delivered"}]
    if any(one["message"] == number and one["state"] == "queued" for one in messages):
        name = row["name"]
        ahead = f"{len(before)} message{'' if len(before) == 1 else 's'} before this one" if before else "its turn"
        yield (row["id"], "in line"), f"waits: {name} is busy with {ahead}: overmind logs -f {name}"


def _advice(server: str, waiting: str) -> str:
    """What helps where the first has no end of its own."""
    needs = f'depends_on = [{{ agent = "{server}", until = "ready" }}]'
    return (
        f"If {server} is a server, it has no end of its own: give it ready = {{ tcp = PORT }}, and {waiting} {needs}. "
        "Then apply the file again, and the plan goes on."
    )


def _of_plan(plan: Row, *, is_long: bool) -> Iterator[Wait]:
    """Say what a plan that runs waits for.

    Agents whose next try comes after a pause, and services that are not ready; once it `is_long`, those that wait in
    the swarm, and all those for which others wait, else those that alone are left.
    """
    from overmind_core.domain.plans.progress import NEXT_TRY  # start-up: only for plans

    for agent in plan["agents"]:
        if agent["waits_for"] == NEXT_TRY:
            name = f"{plan['name']}/{agent['name']}"
            key = (plan["id"], agent["name"], agent["attempt"], NEXT_TRY)
            when = time_until(agent["next_try_at"])
            yield key, f"waits: {name} has failed; next try{when}: overmind logs {name}"
    awaited = _awaited(plan["agents"])
    if is_long:
        yield from _of_posted(plan)
        yield from _of_awaited(plan, awaited) if awaited else _of_last(plan)
    else:
        yield from _of_awaited(plan, [one for one in awaited if one[1] == _READY])


def _of_posted(plan: Row) -> Iterator[Wait]:
    """Agents that wait in the swarm: one line for all, which is said once though they begin one after the other."""
    agents = _in_swarm(plan)
    queued = next((agent["post"]["id"] for agent in agents if agent["post"]["state"] == "queued"), None)
    if agents:
        whom = "it waits" if len(agents) == 1 else "they wait"
        more = plan["name"] if queued is None else f"swarm/{queued}"
        text = f"waits for {_listed([one['name'] for one in agents])}: {whom} in the swarm: overmind why {more}"
        yield (plan["id"], _SWARM), text


def _of_services(plan: Row) -> list[Wait]:
    """The way to end a plan that has services only, once all of them run. Empty for any other."""
    left = [agent for agent in plan["agents"] if agent["stage"] in _NOT_DONE]
    runs = [agent for agent in left if agent["stage"] == "running" and agent["ready"] is not False
            and agent.get("next_restart_at") is None]  # fmt: skip
    if not left or len(runs) < len(left) or not all(agent["stays"] for agent in plan["agents"]):
        return []
    text = f"only services run; end it with: overmind stop {plan['name']}"
    return [((ADVICE, plan["id"], _SERVICES), text)]


def _of_awaited(plan: Row, awaited: Sequence[tuple[Row, str, list[str]]]) -> Iterator[Wait]:
    """Agents for which others wait."""
    for agent, until, waiting in awaited:
        whom = _listed(waiting)
        verb = "waits" if len(waiting) == 1 else "wait"
        name, key = agent["name"], (plan["id"], agent["name"], agent["attempt"], until)
        if until == _READY:
            yield key, f"{whom} {verb} until {name} is ready, which it is not yet: overmind logs {plan['name']}/{name}"
            continue
        yield key, f"{whom} {verb} for the end of {name}, which runs: overmind logs {plan['name']}/{name}"
        yield (ADVICE, plan["id"]), _advice(name, waiting[0])


def _of_last(plan: Row) -> Iterator[Wait]:
    """Agents that run on while nothing else can begin."""
    from overmind_core.domain.plans.progress import FREE_SLOT  # start-up: only for plans

    left = _left(plan)
    running = [agent for agent in left if agent["stage"] == "running"]
    in_line = [agent for agent in left if (agent["waits_for"] or "").startswith(FREE_SLOT)]
    if in_line and running:
        first, slot = running[0]["name"], in_line[0]["waits_for"]
        verb = "waits" if len(in_line) == 1 else "wait"
        text = f"{_listed([one['name'] for one in in_line])} {verb} for {slot}: overmind logs {plan['name']}/{first}"
        yield (plan["id"], FREE_SLOT, first), text
    for agent in _alone(plan):
        name = agent["name"]
        text = _endless(agent) if agent["ready"] else f"waits for {name}: it runs: overmind logs {plan['name']}/{name}"
        yield (plan["id"], name, agent["attempt"]), text


def _left(plan: Row) -> list[Row]:
    """Agents that have not ended, and for whose end the plan waits."""
    return [agent for agent in plan["agents"] if agent["stage"] in _NOT_DONE and not agent["stays"]]


def _alone(plan: Row) -> list[Row]:
    """Those of them that run, where nothing else can begin."""
    left = _left(plan)
    running = [agent for agent in left if agent["stage"] == "running"]
    return running if len(running) == len(left) else []


def _endless(agent: Row) -> str:
    return f"waits for {agent['name']}: it runs; if it has no end of its own: service = true ends it with the plan"
