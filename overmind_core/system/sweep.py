"""The sweep: ends runs with everything they started. Stop it all, kill it all, then look until nobody is left.

All functions block and are made for a worker thread. Several runs share each look at the machine. What was ever seen to
belong to a run stays its own, so keep the `Sweep` from the first signal to the end. An empty look proves nothing about
a chain of processes that fork and exit faster than a look takes: at the end the keeper, who adopts each of them, ends
them (`purge`), or, when the keeper is dead, `chase_reparented` does what it can.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from typing import NamedTuple

from overmind_core.system.membership import Membership, RunTarget, Siblings, find_members
from overmind_core.system.process import Disposition, Identity, Process, Snapshot
from overmind_core.system.process_table import ProcessTable, children, environ, new_process_table, read
from overmind_core.system.run_mark import OWN_VARIABLE, PROBE_VARIABLE, mark_of

CHASE_QUIET = 0.1
"""Seconds without anybody new that prove the end."""
CHASE_LIMIT = 2.0
"""Seconds after which the chase gives up."""


def chase_reparented(
    targets: Sequence[RunTarget],
    snapshot: Snapshot,
    machine: ProcessTable,
    *,
    spared: Collection[int],
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Kill what wears a mark of `targets` as soon as it is reparented, but for `spared`; return how many came by.

    For chains of processes whose keeper was killed. Whoever adopts their orphans now (the first process, a user's
    service manager) lists each generation among its children. A generation lives for less than a millisecond, so this
    looks at nothing else until it has been quiet for a while. Best effort: it needs marks, and never catches up with an
    adopter that has thousands of children.
    """
    marks = {target.mark: target for target in targets if target.mark}
    adopters = [1, *snapshot.ancestors(os.getpid())] if marks else []
    met = set(spared)
    began = sign = clock()
    while adopters and (now := clock()) - sign < CHASE_QUIET and now - began < CHASE_LIMIT:
        for pid, target in _marked_children(adopters, marks):
            if pid not in met and _kill_if_of(pid, target, machine):
                sign = clock()
            met.add(pid)
    return len(met) - len(set(spared))


def _marked_children(adopters: Sequence[int], marks: Mapping[int, RunTarget]) -> Iterator[tuple[int, RunTarget]]:
    """The adopted that wear one of `marks`, newest first."""
    for adopter in dict.fromkeys(adopters):
        for pid in reversed(children(adopter)):
            target = marks.get(mark_of(pid))
            if target is not None:
                yield pid, target


def _kill_if_of(pid: int, target: RunTarget, machine: ProcessTable) -> bool:
    """Kill `pid` if it is that run's, as membership.py has it; return whether it is, dead or alive."""
    process = read(pid)
    if process is None or process.ticks < target.root_ticks:
        return False
    if machine.origin(process)[1] not in {b"", os.fsencode(target.home)} or machine.holds_lock(process):
        return False
    machine.send(process, signal.SIGKILL)
    return True


Purge = Callable[[Sequence[str], Collection[int]], Mapping[str, Sequence[int]]]
"""Has the keeper end the orphans of these runs, but for the pids to be spared.

Returns the pids that would not die, by run. Called only when the keeper lives.
"""

END_LIMIT = 5.0
"""Seconds after the first SIGKILL until survivors are named."""
FREEZE_LIMIT = 0.4
"""Seconds after which to stop no more: a storm takes half of that, a chain never stands still."""
EMPTY_LOOKS = 2
"""Looks in a row that must find nobody."""
LOOK_PAUSES = (0.0, 0.001, 0.002, 0.005, 0.01, 0.01, 0.02, 0.02, 0.05)
"""Seconds between looks while the killed are dying. Who is still there after the last one is stuck, or a chain."""


DOUBT = "(of this mission or another: it changed its user)"
"""Behind the command line of what may be a run's."""
SHARED = "(a server that others use: {clients})"
"""Behind the command line of what a run has left, and whom somebody else is connected to."""


DAEMON = "(a daemon of {home}, PID {pid})"
"""Behind the command line of a daemon that was started inside a run, with missions of its own."""


SHELLS = frozenset({"sh", "dash", "bash", "zsh", "ksh", "mksh", "ash", "busybox", "fish"})
"""Programs that do nothing of their own when they are asked to end while another one runs in their foreground."""


class NamedProcess(NamedTuple):
    """A process with its command line, for people."""

    pid: int
    command: str


class Sweep:
    """The processes of some runs of one keeper."""

    def __init__(
        self,
        targets: Sequence[RunTarget],
        *,
        keeper: int | None,
        on: ProcessTable | None = None,
        seen: dict[str, set[Identity]] | None = None,
        others: Siblings | None = None,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Look at nothing yet.

        Args:
            targets: the runs.
            keeper: the pid of the keeper that holds them, None when it is dead.
            on: the machine; `new_process_table(leave)` with the list of programs to leave alone.
            seen: what belonged to the runs in earlier sweeps, by run; added to here.
            others: the other runs; None: what nothing explains is not looked at.
            clock: monotonic seconds.
            pause: sleeps for so many seconds.
        """
        self.targets = targets
        self.keeper = keeper
        self._machine = new_process_table() if on is None else on
        self._clock = clock
        self._pause = pause
        self._seen = {} if seen is None else seen
        for target in targets:
            self._seen.setdefault(target.run, set())
        self._others = others
        self._snapshot = Snapshot({})
        self.spared: set[int] = set()
        """Whom the newest look found, and left alone: a program of the list `leave`, our daemon, a shared server."""
        self.foreign: set[int] = set()
        """Orphans without a mark that the newest look found to be nobody's of these runs, or perhaps another's."""
        self.perhaps: dict[str, list[NamedProcess]] = {}
        """What nothing explains or others use, by each run that may have left it, of the newest look."""
        self.killed: set[str] = set()
        """Runs of which something lived when it was killed."""

    def alive(self) -> dict[str, set[int]]:
        """The pids that live, by run. An empty set proves nothing yet: `end` does."""
        return self._look().members

    def processes(self) -> dict[str, list[Process]]:
        """The processes that live, by run."""
        found = self._look().members
        return {run: [self._snapshot.processes[pid] for pid in pids] for run, pids in found.items()}

    def named(self) -> dict[str, list[NamedProcess]]:
        """The processes that live, by run, for people; only runs that have some."""
        return self._named(self._look().members)

    def signal_tree(self, signals: Sequence[int]) -> dict[str, set[int]]:
        """Send each of `signals`, in this order, to all processes; return their pids by run."""
        found = self._look()
        self._send(self._all(found), signals)
        return found.members

    def ask_to_end(self, signals: Sequence[int], terminals: Collection[str]) -> set[str]:
        """Send each of `signals` to all processes, but to the shell of a terminal not yet where that cuts others off.

        A shell that waits for its script ends at once by the first of `signals`; with it the terminal goes, and whoever
        is in the foreground is hung up amid what he does because of that signal. Such a shell is stopped instead.

        Args:
            signals: the one that asks to end first.
            terminals: runs whose first process leads a terminal.

        Returns:
            The runs whose shell waits for `let_shells_end`.
        """
        found = self._look()
        held = self._shells_in_the_way(found, signals[0], terminals)
        for shell in held.values():
            self._machine.send(shell, signal.SIGSTOP)
        self._send([process for process in self._all(found) if process not in held.values()], signals)
        return {*held}

    def let_shells_end(self, signals: Sequence[int], *, all_: bool = False) -> set[str]:
        """Send `signals` to the shells that `ask_to_end` held, once no other process of their run handles the first.

        Who was born since is not asked: it is the clean-up of the others. `all_`: let them end whatever goes on below
        them. Return the runs whose shell still waits.
        """
        found = self._look()
        runs = () if all_ else [target.run for target in self.targets]
        held = self._shells_in_the_way(found, signals[0], runs)
        for target in self.targets:
            shell = self._snapshot.processes.get(target.root_pid)
            if target.run in held:
                self._machine.send(held[target.run], signal.SIGSTOP)  # somebody may have let it go on
            elif shell is not None and shell.identity == target.root:
                self._send([shell], signals)
        return {*held}

    def _send(self, processes: Sequence[Process], signals: Sequence[int]) -> None:
        for number in signals:
            for process in processes:
                self._machine.send(process, number)

    def _shells_in_the_way(self, found: Membership, number: int, terminals: Container[str]) -> dict[str, Process]:
        """The shells that a signal would end, while others on their terminal handle it, by run."""
        shells = {}
        for target in self.targets:
            members = [self._snapshot.processes[pid] for pid in found.members[target.run]]
            shell = next((one for one in members if one.identity == target.root and one.name in SHELLS), None)
            if target.run not in terminals or shell is None:
                continue
            others = (one for one in members if one is not shell and one.sid == shell.pid)
            if self._machine.disposition(shell, number) is Disposition.DEFAULT and any(
                self._machine.disposition(one, number) is Disposition.CAUGHT for one in others
            ):
                shells[target.run] = shell
        return shells

    def signal_leftovers(self, signals: Sequence[int]) -> dict[str, list[NamedProcess]]:
        """Send `signals` as `signal_tree` does, to what has outlived its run; return which processes they were."""
        found = self._look()
        named = self._named(found.members)
        self._send(self._all(found), signals)
        return named

    def freeze(self) -> dict[str, set[int]]:
        """Stop all, until nobody new is found; return the pids by run. Who was stopped before stays so."""
        return self._each_once(signal.SIGSTOP).members

    def thaw(self) -> dict[str, set[int]]:
        """Let all go on, also what somebody else had stopped; return the pids by run."""
        return self._each_once(signal.SIGCONT).members

    def end(self, *, purge: Purge | None = None, limit: float = END_LIMIT) -> dict[str, list[NamedProcess]]:
        """Kill all of them. What may be another run's, or serves others, is named and left alone.

        Args:
            purge: how to reach the keeper; None when it is dead.
            limit: seconds until survivors are named.

        Returns:
            Who would not die, by run, only runs that have some; empty = nothing of these runs exists.
        """
        deadline = self._clock() + limit
        while True:
            self._each_once(signal.SIGSTOP)
            found = self._kill(deadline)
            stubborn = self._end_uncatchable(purge, found.spared)
            found = self._look()
            if not any(found.members.values()) and not any(stubborn.values()):
                return self.perhaps
            if self._clock() >= deadline:
                return self._survivors(found, stubborn)

    def _look(self) -> Membership:
        self._snapshot = self._machine.scan()
        found = find_members(
            self._snapshot, self.targets, self._machine, keeper=self.keeper, ours=os.getpid(), seen=self._seen,
            others=self._others,
        )  # fmt: skip
        for run, pids in found.members.items():
            self._seen[run].update(self._snapshot.processes[pid].identity for pid in pids)
        self.spared, self.foreign = found.spared, found.foreign
        named = self._named(found.unexplained)
        self.perhaps = {
            run: [NamedProcess(one.pid, f"{one.command} {DOUBT}") for one in more] for run, more in named.items()
        }
        for run, servers in found.shared.items():
            self.perhaps.setdefault(run, []).extend(self._name_shared(*one) for one in sorted(servers.items()))
        for run, process, home in self._daemons():
            told = f"{self._name(process.pid).command} {DAEMON.format(home=home, pid=process.pid)}"
            self.perhaps.setdefault(run, []).append(NamedProcess(process.pid, told))
        return found

    def _daemons(self) -> Iterator[tuple[str, Process, str]]:
        """Daemons of other homes that were started inside these runs, with their homes."""
        runs = {target.mission: target for target in self.targets}
        for process in self._snapshot.processes.values():
            if process.dead or process.pid in {self.keeper, os.getpid()}:
                continue
            found = self._machine.daemon_in(process, runs)
            if found is not None and found[1] != runs[found[0]].home:
                yield runs[found[0]].run, process, found[1]

    def _name_shared(self, pid: int, clients: Collection[int]) -> NamedProcess:
        known = (self._snapshot.processes.get(one) for one in sorted(clients))
        told = ", ".join(f"{one.name}, PID {one.pid}" for one in known if one is not None)
        return NamedProcess(pid, f"{self._name(pid).command} {SHARED.format(clients=told or 'somebody')}")

    def _all(self, found: Membership) -> list[Process]:
        """Oldest first, so that parents are stopped before their children."""
        processes = (self._snapshot.processes[pid] for pids in found.members.values() for pid in pids)
        return sorted(processes, key=lambda process: (process.ticks, process.pid))

    def _each_once(self, number: int) -> Membership:
        """Signal everybody once, until a look finds nobody new or `FREEZE_LIMIT` is over.

        A fork fails while a signal is pending, so who was stopped before a look has no child that this look misses.
        """
        done: set[Identity] = set()
        end = self._clock() + FREEZE_LIMIT
        while True:
            found = self._look()
            new = [process for process in self._all(found) if process.identity not in done]
            if not new or self._clock() >= end:
                return found
            for process in new:
                self._machine.send(process, number)
                done.add(process.identity)

    def _kill(self, deadline: float) -> Membership:
        """SIGKILL whom each look finds, until some in a row find nobody, or looking longer won't help."""
        empty = 0
        found = self._look()
        for pause in LOOK_PAUSES:
            self.killed.update(run for run, pids in found.members.items() if pids)
            for process in self._all(found):
                self._machine.send(process, signal.SIGKILL)
            empty = 0 if any(found.members.values()) else empty + 1
            if empty >= EMPTY_LOOKS or self._clock() >= deadline:
                break
            self._pause(pause)
            found = self._look()
        return found

    def _end_uncatchable(self, purge: Purge | None, spared: Collection[int]) -> Mapping[str, Sequence[int]]:
        """End what no look can catch; return the pids that would not die, by run."""
        if purge is not None:
            return purge([target.run for target in self.targets], spared)
        if self.keeper is None:
            chase_reparented(self.targets, self._snapshot, self._machine, spared=spared, clock=self._clock)
        return {}

    def _survivors(self, found: Membership, stubborn: Mapping[str, Sequence[int]]) -> dict[str, list[NamedProcess]]:
        named = self._named({run: pids | set(stubborn.get(run, ())) for run, pids in found.members.items()})
        for run, more in self.perhaps.items():
            named[run] = [*named.get(run, ()), *more]
        return named

    def _named(self, members: Mapping[str, Collection[int]]) -> dict[str, list[NamedProcess]]:
        return {run: [self._name(pid) for pid in sorted(pids)] for run, pids in members.items() if pids}

    def _name(self, pid: int) -> NamedProcess:
        process = self._snapshot.processes.get(pid)
        return NamedProcess(pid, self._machine.command(process) if process else "")


STRAGGLER_PAUSE = 0.01
"""Seconds between looks."""
GENTLE = 0.5
"""Seconds that those that were asked to end get for it: a git takes its lock files away, which nobody else would."""
HOME_VARIABLE = "OVERMIND_HOME"
MISSION_VARIABLE = b"\0OVERMIND_MISSION_ID="
"""In the environment of agents: they are ended as missions, wherever they were started."""


def end_stragglers(variable: str, value: str) -> int:
    """End what was started with `variable=value` and is ours to end: ask it, then kill it; wait for it.

    Ends what a supervisor that was killed left running; blocks.
    A daemon of ours and its agents are spared, even when such a process started them.

    Args:
        variable: The variable's name.
        value: Nobody else's; "" ends nobody.

    Returns:
        How many were found.
    """
    if not value:
        return 0
    return _end_all(_has_all(os.fsencode(f"\0{variable}={value}\0")))


def end_own_programs(home: str, *, before: int | None = None) -> int:
    """End every git and probe of a supervisor that has ended, or is about to, with all that they run, such as ssh.

    As `end_stragglers`; blocks.

    Args:
        home: Path of the supervisor's home.
        before: Only what was started before this moment, in clock ticks; None: all.

    Returns:
        How many were found.
    """
    is_git = _has_all(os.fsencode(f"\0{HOME_VARIABLE}={home}\0"), os.fsencode(f"\0{OWN_VARIABLE}="))
    is_probe = _is_probe_of(home)
    return _end_all(lambda text: is_git(text) or is_probe(text), before)


_Sign = Callable[[bytes], bool]
"""Tells by the environment of a process, with a NUL before it, if that one is meant."""


def _has_all(*signs: bytes) -> _Sign:
    return lambda text: MISSION_VARIABLE not in text and all(sign in text for sign in signs)


def _is_probe_of(home: str) -> _Sign:
    """Those that a probe has started are meant too, but no mission that one has started: it is another mission's."""
    of_home, begin = os.fsencode(f"\0{HOME_VARIABLE}={home}\0"), os.fsencode(f"\0{PROBE_VARIABLE}=")

    def is_probe(text: bytes) -> bool:
        _, found, rest = text.partition(begin)
        return bool(found) and of_home in text and MISSION_VARIABLE + rest.partition(b"\0")[0] + b"\0" in text

    return is_probe


def _end_all(is_meant: _Sign, before: int | None = None) -> int:
    on = new_process_table(())
    met: set[Identity] = set()
    began = time.monotonic()
    until = began + END_LIMIT
    empty = 0
    while empty < EMPTY_LOOKS and time.monotonic() < until:
        found = [one for one in _started_with(on, on.scan(), is_meant) if before is None or one.ticks < before]
        empty = 0 if found else empty + 1
        late = time.monotonic() >= began + GENTLE
        for process in found:
            if late:
                on.send(process, signal.SIGKILL)
            elif process.identity not in met:
                on.send(process, signal.SIGTERM)
            met.add(process.identity)
        time.sleep(STRAGGLER_PAUSE)
    return len(met)


def _started_with(on: ProcessTable, snapshot: Snapshot, is_meant: _Sign) -> Iterator[Process]:
    for process in snapshot.processes.values():
        if process.dead or process.pid == os.getpid():
            continue
        text = b"\0" + environ(process.pid)
        if is_meant(text) and not on.holds_lock(process) and _may_end(process.pid):
            yield process


def _may_end(pid: int) -> bool:
    """Whether it runs as this user, or was made another by root; without /proc no other environment can be read."""
    if os.geteuid() == 0:
        return True
    try:
        return os.stat(f"/proc/{pid}").st_uid == os.geteuid()
    except OSError:
        return not os.path.isdir("/proc/self")
