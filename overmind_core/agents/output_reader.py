"""Reading what agents write: the lines of those on pipes, the titles of those on a terminal; one task per live run.

A program's terminal output tells more than its text: window titles, prompt marks and reports of what it does (OSC 0, 2,
133 and 7501). Of those only the end of what was written is looked at: of a flood nobody needs every title. Of a program
that reports nothing, and of which it is known how its states look, its title and its screen tell.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.agents.line_reader import LineReader
from overmind_core.agents.status_facts import facts_of, facts_of_rules
from overmind_core.domain.agents.agent import BY_KEYS, ActivityKind, ActivitySource, AgentNeed
from overmind_core.domain.agents.agent_events import (
    AgentFact,
    AskCancelled,
    Asked,
    StateGuessed,
    TurnBegan,
    TurnEnded,
    TurnResult,
)
from overmind_core.domain.agents.conversation import is_busy
from overmind_core.domain.agents.turns import one_line
from overmind_core.domain.missions.facts import EndAsked
from overmind_core.domain.missions.mission import Cause
from overmind_core.logs.layout import OUT
from overmind_core.logs.reader import RunLog
from overmind_core.providers.terminal_rows import rules_of, told_by
from overmind_core.terminal.program_status import ProgramState, read_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from overmind_core.agents.session import Session
    from overmind_core.agents.store import CursorTable
    from overmind_core.agents.terminal_screen import TerminalScreens
    from overmind_core.domain.agents.terminal_rules import Rule
    from overmind_core.domain.missions.mission import Mission, Run
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.logs.snapshot import DrawnScreen
    from overmind_core.missions.followers import Follower, Followers
    from overmind_core.missions.output_progress import OutputProgress
    from overmind_core.providers.base import InteractiveProvider
    from overmind_core.providers.terminal_rows import Told
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home


QUIET = 0.3
"""Seconds without a word behind which a conversation that a program tells again counts as told."""
WINDOW = 1 << 20
"""Bytes looked at after each growth: a report stands for as long as nothing else is said, and is not repeated."""
PAUSE = 0.2
"""Seconds between two looks."""
MOST_READINGS = 8
"""Readings of one look at the output that are taken in: the newest."""
HOOK_SECONDS = 1.0
"""Seconds that a hook gets to report what the title has shown already."""
HOOK_LOOKS = 10
"""How often it gets them where somebody waits for an answer, which the title doesn't know: the machine may be busy."""
DIALOG_SECONDS = 2.0
"""Seconds after a question within which its dialog is there; claude 2.1.328 takes 0.3."""
UNSEEN_SECONDS = 5.0
"""Seconds after a question within which its dialog is drawn. Whoever answers at once may do so between two looks."""
DIALOG_EARLY = 1.0
"""Seconds by which a dialog may be there before we know of its question: its hook is a program that has to start."""
PAGE_SECONDS = 3.0
"""Seconds for which a program says that it is blocked before a dialog is looked for that no question is about."""
_OSC = re.compile(rb"\x1b\](0|2|133|7501);([^\x07\x1b]{0,16384})(?:\x07|\x1b\\)")
_MARKS: dict[bytes, AgentFact] = {b"A": TurnEnded(None), b"C": TurnBegan(), b"D": TurnEnded(None)}
"""Prompt marks: a prompt begins, a command runs, it has ended. Source: iTerm2 and FinalTerm, "shell integration"."""


class Reading(NamedTuple):
    """A title, mark or report in a program's output, and the facts that it tells."""

    facts: tuple[AgentFact, ...]
    source: ActivitySource
    is_hint: bool = False
    """Hooks tell the same, and better: it counts only where they don't."""


class _Shown:
    """The last look at a terminal."""

    def __init__(self, drawn: set[int]) -> None:
        self.drawn = drawn
        """The open questions whose dialogs have been on the screen: a hook asks before that."""
        self.picture: DrawnScreen | None = None
        self.told: Told | None = None
        self.state = ""
        """As the screen told it, of a program whose title tells none."""
        self.is_old = True
        """True before the first look: another supervisor may have been told something else."""
        self.is_blocked = False
        self.asked_until = 0.0
        """Until when it was not blocked, or a question was open, by the monotonic clock."""


class TitleReader:
    """Looks at the output of runs on a terminal."""

    def __init__(
        self,
        followers: Followers,
        progress: OutputProgress,
        screens: TerminalScreens,
        clock: Clock,
        rules: Mapping[str, tuple[Rule, ...]],
    ) -> None:
        """`rules`: a person's own, by the name of the program."""
        self._rules = rules
        self._followers = followers
        self._progress = progress
        self._screens = screens
        self._clock = clock

    async def follow(self, session: Session, mission: Mission, path: str, *, begun: bool) -> None:
        """Take in what the newest run's titles and its screen mean, for as long as it lives.

        `begun`: from its first byte on; else what has come is old but for its newest title or mark, which may have come
        while no supervisor was there.
        """
        log = RunLog(path)
        run = session.run_id
        seen, old, reports = 0, not begun, False
        rules = () if session.provider.speaks_json else rules_of(mission.definition, self._rules)
        shown, waited = _Shown({one.number for one in session.state.open}), 0.0
        with self._followers.follow([session.id]) as follower:
            while session.run_id == run:
                end = self._progress.of(run).out
                if end > seen:
                    start = max(seen, end - WINDOW)
                    _, data = log.read(OUT, start, end - start)
                    seen = end - _unfinished(data)
                    judge = getattr(session.provider, "state_shown", None)
                    if judge is not None:
                        data = await self._shown_state(session, judge, shown)
                    found = _readings(session, data)
                    reports = reports or any(one.source is ActivitySource.STATUS for one in found)
                    if reports:  # then its titles mean nothing
                        found = [one for one in found if one.source is not ActivitySource.TITLE]
                    if not getattr(session.provider, "shows_held", True):
                        await self._follow_pages(session, shown, data)
                    if not all(_states(session, data)):
                        waited = self._clock.wall()  # a dialog was drawn, before this question's or as it
                    asked = max(session.asked_at, session.state.activity.since)
                    is_drawn = waited >= asked - DIALOG_EARLY
                    is_drawn = is_drawn or (judge is not None and self._clock.wall() - asked >= UNSEEN_SECONDS)
                    if await self._take_in(session, found[-1:] if old else found[-MOST_READINGS:]) and is_drawn:
                        await self._withdraw_answered(session, log, shown)
                    old = False
                    if rules and not reports:
                        await self._read_screen(session, rules, shown)
                await follower.news()
                await asyncio.sleep(PAUSE)

    async def _shown_state(self, session: Session, judge: Callable[[Sequence[str]], str], shown: _Shown) -> bytes:
        """The state that the screen tells, as the title that a program writes which tells it so.

        One that stands is told again only while something may end with it.
        """
        shown.picture = await self._screens.drawn_on(session.id, shown.picture)
        state = "" if shown.picture is None else judge(shown.picture.screen.lines())
        is_news = state != shown.state or is_busy(session.state) or bool(session.state.open)
        shown.state = state
        return b"\x1b]2;%s\x07" % state.encode() if state and is_news else b""

    async def _read_screen(self, session: Session, rules: Sequence[Rule], shown: _Shown) -> None:
        """Take in what its title and its screen tell now, where that is another state than before."""
        shown.picture = await self._screens.drawn_on(session.id, shown.picture)
        if shown.picture is None:
            return
        screen = shown.picture.screen
        told = told_by(rules, screen.title, screen.lines())
        if told == shown.told and not shown.is_old:
            return
        shown.told, shown.is_old = told, False
        for fact in facts_of_rules(told):
            _receive(session, fact, ActivitySource.SCREEN if told is None else told.source)

    async def _follow_pages(self, session: Session, shown: _Shown, data: bytes) -> None:
        """Take in a dialog that no hook has told of, once the program is blocked by it, and that dialogs are gone."""
        if reported := _blocked(session, data)[-1:]:
            (shown.is_blocked,) = reported
        if shown.is_blocked:
            shown.drawn.update(one.number for one in session.state.open)
        for one in session.state.open if reported and not shown.is_blocked else ():
            if one.need is AgentNeed.SETUP and one.number in shown.drawn:
                session.receive(AskCancelled(one.request), ActivitySource.STATUS)
        now = self._clock.mono()
        if not shown.is_blocked or session.state.open:
            shown.asked_until = now
        elif now - shown.asked_until >= PAGE_SECONDS:
            program: InteractiveProvider = session.provider  # type: ignore[assignment] # only those show dialogs
            screen = await self._screens.of(session.id)
            dialog = None if screen is None else program.dialog(screen.lines())
            if dialog is not None and not session.state.open:
                session.receive(dialog, ActivitySource.TERMINAL)
                shown.drawn.update(one.number for one in session.state.open)

    async def _take_in(self, session: Session, found: list[Reading]) -> bool:
        """Take in what was read; of hints only the newest counts, since the others are over; whether it works."""
        hints = [one for one in found if one.is_hint]
        for one in found:
            for fact in () if one.is_hint else one.facts:
                _receive(session, fact, one.source)
        newest = hints[-1] if hints else None
        if newest is not None and isinstance(newest.facts[-1], TurnEnded):
            await self._on_turn_ended(session, newest)
        elif newest is not None and not self._turn_just_ended(session):
            session.receive(newest.facts[-1], newest.source)
            return True
        return False

    async def _withdraw_answered(self, session: Session, log: RunLog, shown: _Shown) -> None:
        """Withdraw what a person has answered in the program's own dialog: no hook tells of that while its tool runs.

        A program that waits does not say that it works, also where its dialog is hidden behind something else.
        """
        run = session.run_id
        asked = [number for number, one in session.questions.items() if one.need not in BY_KEYS and not one.hidden]
        if not asked:
            return
        await asyncio.sleep(DIALOG_SECONDS)
        await self._progress.refresh()
        end = self._progress.of(run).out
        start = max(0, end - WINDOW)
        data = log.read(OUT, start, end - start)[1]
        if callable(judge := getattr(session.provider, "state_shown", None)):
            data = await self._shown_state(session, judge, shown)
        if session.run_id != run or _states(session, data)[-1:] != [True]:
            return
        for one in session.state.open:
            if one.number in asked:
                session.receive(AskCancelled(one.request), ActivitySource.TERMINAL)

    def _turn_just_ended(self, session: Session) -> bool:
        """Whether a hook has just reported a turn's end, to which the title comes late."""
        activity = session.state.activity
        late = self._clock.wall() - activity.since < HOOK_SECONDS
        return late and activity.doing is ActivityKind.IDLE and activity.source is ActivitySource.HOOK

    async def _on_turn_ended(self, session: Session, ended: Reading) -> None:
        """A hint says that a turn is over: a hook says so, too, and better, unless a person interrupted it."""
        turn = session.state.turn
        for _ in range(1 if turn is None or turn.message is None else HOOK_LOOKS):
            await asyncio.sleep(HOOK_SECONDS)
            if _began(session) != (None if turn is None else turn.began):
                return
            if turn is not None and await self._looks(session, "was_interrupted"):
                _withdraw_unheld(session, ended.source)
                session.receive(TurnEnded(TurnResult(ok=False, reason="interrupted")), ended.source)
                return
        if (turn is None and not _is_unheld(session, ended.source)) or await self._looks(session, "is_idle"):
            fact = ended.facts[-1]
            _withdraw_unheld(session, ended.source)
            is_error = isinstance(fact, TurnEnded) and fact.text and turn is not None
            session.receive(await self._failed(session, fact) if is_error else fact, ended.source)

    async def _failed(self, session: Session, ended: AgentFact) -> TurnEnded:
        """The end of a turn that failed: as its screen tells it, where the provider knows how to read that."""
        screen = await self._screens.of(session.id)
        judge = getattr(session.provider, "failure", None)
        result = judge(screen.lines()) if screen is not None and callable(judge) else None
        text = ended.text if isinstance(ended, TurnEnded) else ""
        return TurnEnded(result or TurnResult(ok=False, reason="api_error", text=text))

    async def _looks(self, session: Session, how: str) -> bool:
        """What the provider says about the screen; nothing without one that knows it."""
        screen = await self._screens.of(session.id)
        judge = getattr(session.provider, how, None)
        return screen is not None and callable(judge) and bool(judge(screen.lines()))


def _readings(session: Session, data: bytes) -> list[Reading]:
    """Return the titles, marks and reports in a program's output, oldest first."""
    has_hooks = session.provider.speaks_json
    found: list[Reading] = []
    for code, body in _OSC.findall(data):
        text = body.decode("utf-8", "replace")
        if code == b"133":
            mark = _MARKS.get(body[:1])
            found += [] if mark is None else [Reading((mark,), ActivitySource.TERMINAL)]
        elif code == b"7501":
            record = read_record(text)
            facts = facts_of(record, has_hooks=has_hooks) if record is not None and record.is_of_program else ()
            found += [Reading(tuple(facts), ActivitySource.STATUS, is_hint=has_hooks)] if facts else []
        elif facts := [fact for fact in _title_facts(session, text) if not isinstance(fact, StateGuessed)]:
            is_shown = hasattr(session.provider, "state_shown")
            source = ActivitySource.TERMINAL if is_shown else ActivitySource.TITLE
            found.append(Reading(tuple(facts), source, is_hint=True))
    return found


def _reports(data: bytes) -> list[ProgramState]:
    """Each state that a program's output reports, oldest first."""
    records = [read_record(body.decode("utf-8", "replace")) for code, body in _OSC.findall(data) if code == b"7501"]
    return [record.state for record in records if record is not None and record.is_of_program]


def _blocked(session: Session, data: bytes) -> list[bool]:
    """Each state that a program's output tells, oldest first, True where it waits for an answer."""
    states = [state is ProgramState.BLOCKED for state in _reports(data)]
    facts = [_title_facts(session, title) for title in _titles(data)] if not states else []
    return states or [any(isinstance(fact, StateGuessed) for fact in one) for one in facts if one]


def _titles(data: bytes) -> list[str]:
    return [body.decode("utf-8", "replace") for code, body in _OSC.findall(data) if code in {b"0", b"2"}]


def _is_unheld(session: Session, source: ActivitySource) -> bool:
    """Whether its prompt alone shows that nothing is asked: no hook waits, and its title rests beside some pages.

    A program that reports its state has a hook for it.
    """
    return source is not ActivitySource.STATUS and not getattr(session.provider, "shows_held", True)


def _withdraw_unheld(session: Session, source: ActivitySource) -> None:
    """Withdraw what was asked before a prompt that is there again, where a dialog takes its place."""
    for one in session.state.open if _is_unheld(session, source) else ():
        if one.need is not AgentNeed.DRAFT:
            session.receive(AskCancelled(one.request), source)


def _states(session: Session, data: bytes) -> list[bool]:
    """Each state that a program's output tells, oldest first, True where it works: reports, or titles without any."""
    if not session.provider.speaks_json:
        return []
    states = [state is ProgramState.WORKING for state in _reports(data)]
    facts = [_title_facts(session, title) for title in _titles(data)] if not states else []
    return states or [isinstance(one[-1], TurnBegan) for one in facts if one]


def _receive(session: Session, fact: AgentFact, source: ActivitySource) -> None:
    """Take a fact in, but no question that is open already: programs repeat it whenever they draw themselves."""
    if isinstance(fact, Asked):
        said = (fact.need, one_line(fact.summary))
        asked = [(one.need, one.summary) for one in session.state.open if one.request == fact.request]
        if said in asked:
            return
        if asked:
            session.receive(AskCancelled(fact.request), source)
    session.receive(fact, source)


def _began(session: Session) -> float | None:
    """When the turn under way began, which tells it from others."""
    return None if session.state.turn is None else session.state.turn.began


def _title_facts(session: Session, title: str) -> Sequence[AgentFact]:
    meaning = getattr(session.provider, "title", None)
    return meaning(title) if callable(meaning) else ()


def _unfinished(data: bytes) -> int:
    """Bytes at the end that may be the beginning of a mark."""
    at = data.rfind(b"\x1b]")
    rest = data[at:] if at >= 0 else b""
    return len(rest) if rest and _OSC.match(rest) is None and len(rest) < WINDOW // 2 and b"\x07" not in rest else 0


def end_unopened(session: Session, run: int) -> None:
    """End a run whose program has not opened its conversation."""
    state, mission = session.state, session.mission
    if session.closed or mission is None or state.running != run or not state.opening:
        return
    program = session.provider
    text = f"--- stopped: {program.name} did not open a conversation within {program.opening_seconds:g} s ---"
    session.end(EndAsked(Cause.LIMIT, mission.definition.grace, text, "no_handshake"))


def _lines_between(path: str, since: int, until: int) -> Iterator[bytes]:
    """The lines of a run's output that begin at one offset and end at another."""
    reader = LineReader(path, since)
    while reader.position < until:
        before = reader.position
        yield from (line.data for line in reader.lines(until))
        if reader.position == before:  # the log is gone
            return


async def _news(session: Session, follower: Follower) -> None:
    """Wait for more output; what a program tells of its conversation as it opens that again is over when none comes."""
    if not (session.provider.opens and session.state.opening and session.connection.settles):
        await follower.news()
        return
    try:
        async with asyncio.timeout(QUIET):
            await follower.news()
    except TimeoutError:
        for fact in session.connection.settled():
            session.receive(fact)


class OutputReader:
    """All reading."""

    def __init__(
        self,
        *,
        tasks: Tasks,
        titles: TitleReader,
        followers: Followers,
        progress: OutputProgress,
        cursors: CursorTable,
        home: Home,
    ) -> None:
        self._tasks = tasks
        self._titles = titles
        self._followers = followers
        self._progress = progress
        self._cursors = cursors
        self._home = home
        self._reading: dict[str, asyncio.Task[Any]] = {}

    def start(self, session: Session, mission: Mission, *, begun: bool = False) -> None:
        """Read the newest run from where the last word was taken in; `begun`: from its first byte on."""
        self.stop(session.id)
        path = f"{self._home.logs}/{mission.id}/{mission.run:06d}"
        if session.reads_lines:
            stored = self._cursors.get(mission.run_id)
            heard = stored.out if stored is not None else 0
            remembers = session.provider.opens  # of any other one each line stands by itself
            past = _lines_between(path, session.state.heard_from, heard) if remembers else ()
            session.listen(LineReader(path, heard), past)
            if remembers:
                seconds = session.provider.opening_seconds
                asyncio.get_running_loop().call_later(seconds, end_unopened, session, session.state.run)
            reading = self._read_lines(session, mission.run_id)
        else:
            session.reader = None
            reading = self._titles.follow(session, mission, path, begun=begun)
        self._reading[session.id] = self._tasks.start(reading)

    def last_screen(self, run: Run, until: int) -> list[str]:
        """The lines that a run on a terminal has left on its screen."""
        from overmind_core.logs.snapshot import screen_at  # noqa: PLC0415 - few daemons ever look at a screen

        path = f"{self._home.logs}/{run.mission}/{run.number:06d}"
        return screen_at(path, columns=run.columns, rows=run.rows, until=until).lines()

    def stop(self, mission_id: str) -> None:
        """Read no more of the mission."""
        reading = self._reading.pop(mission_id, None)
        if reading is not None:
            reading.cancel()

    async def _read_lines(self, session: Session, run: str) -> None:
        """Read lines as they come."""
        with self._followers.follow([session.id]) as follower:
            while session.reader is not None and session.run_id == run:
                end = self._progress.of(run).out
                before = session.reader.position
                session.read(end)
                if session.reader.position in {before, end}:
                    await _news(session, follower)
                else:
                    await asyncio.sleep(0)
