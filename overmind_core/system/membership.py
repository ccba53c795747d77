"""Which processes belong to which run, and which programs no sweep ends. Pure: asks about a process when it matters.

Evidence, strongest first: the root, its session, everything below what belongs already, an environment that names
mission and home, and the mark. No single one finds all: a program may leave its session, lose its parent and clear its
environment; and none is followed into what holds one of our locks, for that is another supervisor or keeper with
missions of its own.

A server that left its run and that others are connected to is theirs too: it is named, and ends when they have gone.
Exempt are programs that serve the whole user, though a mission started them. A pattern is a shell glob. It is held
against the process' name and against its command line, the program without its folder: `java*GradleDaemon*` finds
`/usr/bin/java -Xmx512m org.gradle.launcher.daemon.bootstrap.GradleDaemon 8.5`.
"""

from __future__ import annotations

import fnmatch
import math
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple, Protocol

from overmind_core.system.process import Identity, Process, Snapshot


@dataclass(frozen=True, slots=True)
class RunTarget:
    """A run whose processes are searched. All its times are of the current boot: a run of an earlier one has none."""

    run: str
    mission: str
    home: str
    """As OVERMIND_HOME says it."""
    root_pid: int
    root_ticks: int
    """Start of the root in clock ticks; 0 = unknown."""
    started_ticks: int = 0
    """Start of the oldest run of the mission whose leftovers count; what is older isn't asked for its environment."""
    mark: int = 0
    """0 = none. A mark finds only what is not older than this run's root."""

    @property
    def root(self) -> Identity:
        """The first process."""
        return self.root_pid, self.root_ticks


class ProcessFacts(Protocol):
    """What can be asked about one process."""

    adopting: bool
    """Whether orphans go to the keeper (Linux), so that nothing of a run is ever outside its tree."""

    def origin(self, process: Process) -> tuple[bytes, bytes]:
        """Mission and home that its environment names, each empty when it names none or is not ours to read."""

    def mark(self, process: Process) -> int:
        """The mark it wears."""

    def is_marked(self, process: Process) -> bool:
        """Whether it wears any mark: of a run, be that over, or of a supervisor."""

    def is_leaving(self, process: Process) -> bool:
        """Whether it has ended by now, or is about to: it tells nothing of itself any more."""

    def has_begun(self, process: Process, keeper: int) -> bool:
        """Whether it runs a program of its own; until its exec a child of the keeper is a copy of that."""

    def holds_lock(self, process: Process) -> bool:
        """Whether it holds a keeper's or a supervisor's lock."""

    def is_exempt(self, process: Process) -> bool:
        """Whether it is a program that is never ended."""

    def clients(self, process: Process, *, loopback: bool) -> Collection[int]:
        """The pids of those that are connected to it as to a server of this machine; nobody where that isn't told.

        `loopback`: Over loopback as well, not only by a unix socket.
        """


@dataclass(frozen=True, slots=True)
class Siblings:
    """What else may have left a process that nothing explains."""

    runs: Callable[[], Sequence[RunTarget]]
    """The other runs that live; asked only when there is such a process, from any thread."""
    certain_since: int | None
    """Start in clock ticks from which on every run that may leave processes for good is known; None: never."""


class Membership(NamedTuple):
    """The processes of each run, and the spared ones."""

    members: dict[str, set[int]]
    """Pids by run; each run has an entry."""
    spared: set[int]
    """Pids that would belong to one, were they not to be left alone."""
    unexplained: dict[str, set[int]]
    """Pids by run, of processes that may be the run's or another's: they have shed everything that would tell."""
    foreign: set[int]
    """Pids of the keeper's children without a mark that are no run's of these: they are no sign that one lives."""
    shared: dict[str, dict[int, set[int]]]
    """By the run that has left it: each server among the spared to which others are connected, with their pids."""


@dataclass(slots=True)
class MembershipSearch:
    """The search for the processes of some runs in one snapshot."""

    snapshot: Snapshot
    targets: Sequence[RunTarget]
    facts: ProcessFacts
    keeper: int | None
    """Pid of the keeper of these runs; None when it is dead."""
    ours: int
    """Pid of this process."""
    seen: Mapping[str, Collection[Identity]]
    """What belonged to a run at an earlier look: it and what is below it belongs for ever."""
    others: Siblings | None = None
    """None: what nothing explains is nobody's."""
    _untouchable: dict[int, bool] = field(default_factory=dict)
    _boundary: set[int] = field(default_factory=set)
    _roots: set[int] = field(default_factory=set)

    def find(self) -> Membership:
        """Return the processes of each target; the first target that claims a process has it."""
        self._boundary = {0, 1, *self.snapshot.ancestors(self.ours)} | ({self.keeper} if self.keeper else set())
        self._roots = {target.root_pid for target in self.targets if self.snapshot.has(target.root)}
        owners: dict[int, str] = {}
        spared: set[int] = set()
        for target in self.targets:
            self._claim(target.run, self._visible(target), owners, spared)
        for run, pid in list(self._hidden(owners)):
            self._claim(run, [pid], owners, spared)
        orphans = self._unmarked_orphans(owners)
        unexplained = self._by_elimination(orphans, owners, spared)
        shared = self._release_shared(owners, spared)
        members: dict[str, set[int]] = {target.run: set() for target in self.targets}
        for pid, run in owners.items():
            if not self.snapshot.processes[pid].dead:
                members[run].add(pid)
        foreign = {one.pid for one in orphans if one.pid not in owners}
        return Membership(members, spared, unexplained, foreign, shared)

    def _claim(self, run: str, pids: Iterable[int], owners: dict[int, str], spared: set[int]) -> None:
        """Give `pids`, and all below them, to `run`, down to what is not to be touched."""
        todo = list(pids)
        while todo:
            pid = todo.pop()
            if pid in owners or pid in spared:
                continue
            if self._protected(pid):
                spared.add(pid)
                continue
            owners[pid] = run
            todo += self.snapshot.children.get(pid, ())

    def _release_shared(self, owners: dict[int, str], spared: set[int]) -> dict[str, dict[int, set[int]]]:
        """Take the servers that others use from their runs, with all below them: a codex starts one for all of a home.

        Such a server has left its run's tree and session on purpose, before any look found it there; or it leads a
        session of its own and serves its own kind, as that of codex. What else an agent has running below itself ends
        with it, whoever looks at its pages.
        """
        found: dict[str, dict[int, set[int]]] = {}
        nobody = {*self._boundary, self.ours}
        for pid, run in list(owners.items()):
            if others := self._clients(pid, run, owners) - owners.keys() - nobody:
                found.setdefault(run, {})[pid] = others
        todo = [pid for servers in found.values() for pid in servers]
        while todo:
            pid = todo.pop()
            if owners.pop(pid, None) is not None:
                spared.add(pid)
                todo += self.snapshot.children.get(pid, ())
        return found

    def _clients(self, pid: int, run: str, owners: Mapping[int, str]) -> set[int]:
        """The pids of those for whom a process of a run may have been started as well, its own run's included."""
        process = self.snapshot.processes[pid]
        roots = {target.root_pid for target in self.targets}
        if process.dead or roots & {pid, process.sid}:
            return set()
        if process.ppid not in owners and process.identity not in self.seen.get(run, ()):
            return set(self.facts.clients(process, loopback=True))
        if process.sid != pid:
            return set()
        near = (self.snapshot.processes.get(one) for one in self.facts.clients(process, loopback=False))
        return {one.pid for one in near if one is not None and one.name == process.name}

    def _visible(self, target: RunTarget) -> Iterator[int]:
        """The root, its session, and what was seen before with the sessions it leads."""
        if self.snapshot.has(target.root):
            yield target.root_pid
        for leader in {target.root, *self.seen.get(target.run, ())}:
            if self.snapshot.has(leader):
                yield leader[0]
            yield from self._session(target, leader)

    def _session(self, target: RunTarget, leader: Identity) -> Iterator[int]:
        """Who is in the session of `leader`. A pid that is used again as a leader says: ours is over."""
        pid, ticks = leader
        gone = not self.snapshot.has(leader)
        if gone and pid in self.snapshot.processes:
            return
        for member in self.snapshot.sessions.get(pid, ()):
            process = self.snapshot.processes[member]
            if process.ticks >= ticks and (not gone or self._plausible(target, process)):
                yield member

    def _plausible(self, target: RunTarget, process: Process) -> bool:
        """Whether a member of a session without a leader is the run's.

        Another leader may have had the same pid since.
        """
        if self.keeper and self.facts.adopting:
            return self.snapshot.descends(process.pid, self.keeper)
        return not target.mark or self.facts.mark(process) == target.mark

    def _hidden(self, owners: Mapping[int, str]) -> Iterator[tuple[str, int]]:
        """Who left session and tree, but has the environment or the mark."""
        missions: dict[tuple[bytes, bytes], RunTarget] = {}
        for target in self.targets:
            missions.setdefault((os.fsencode(target.mission), os.fsencode(target.home)), target)
        marks = {target.mark: target for target in self.targets if target.mark}
        oldest = min((target.started_ticks or target.root_ticks for target in self.targets), default=0)
        for pid, process in self.snapshot.processes.items():
            if process.ticks < oldest or process.sid == 0 or process.dead or pid in owners:
                continue
            marked = marks.get(self.facts.mark(process)) if marks else None
            named = missions.get(self.facts.origin(process))
            if marked is not None and self._marked(marked, process):
                yield marked.run, pid
            elif named is not None and process.ticks >= (named.started_ticks or named.root_ticks):
                yield named.run, pid

    def _by_elimination(
        self, orphans: Sequence[Process], owners: dict[int, str], spared: set[int]
    ) -> dict[str, set[int]]:
        """Give what only these runs can have left to the youngest of them; return what may be another's, by run.

        A program that changes its user by PAM (su, sudo, runuser) loses the mark, and with a login the environment.
        When it leaves its session and its parent as well, all that tells is that the keeper has adopted it.
        """
        found: dict[str, set[int]] = {}
        orphans = [one for one in orphans if self.facts.origin(one) == (b"", b"") and not self._protected(one.pid)]
        # Asked last: who was killed meanwhile tells nothing either, such as a late daemon or another run's process.
        orphans = [one for one in orphans if not self.facts.is_leaving(one) and not self._is_starting(one)]
        if not orphans or self.others is None:
            return found
        others, since = self.others.runs(), self.others.certain_since
        alternatives = self._other_parents(spared)
        for process in orphans:
            if any(other.root_pid in {process.pid, process.sid} for other in others):
                continue
            mine = [target for target in self.targets if target.root_ticks <= process.ticks]
            starts = [*(one.root_ticks for one in others), *(one.ticks for one in alternatives)]
            certain = since is not None and process.ticks >= since and min(starts, default=math.inf) > process.ticks
            if mine and certain:
                self._claim(max(mine, key=lambda one: one.root_ticks).run, [process.pid], owners, spared)
            else:
                for target in mine:
                    found.setdefault(target.run, set()).add(process.pid)
        return found

    def _is_starting(self, process: Process) -> bool:
        """Whether another run begins as it: by its exec it has a mark."""
        return not self.facts.has_begun(process, self.keeper or 0) or self.facts.is_marked(process)

    def _unmarked_orphans(self, owners: Mapping[int, str]) -> list[Process]:
        """The keeper's living children that neither belong to one of these runs nor wear a mark."""
        if self.others is None or not self.keeper or not self.facts.adopting:
            return []
        children = (self.snapshot.processes[pid] for pid in self.snapshot.children.get(self.keeper, ()))
        return [
            process
            for process in children
            if process.pid not in owners and not process.dead and not self.facts.is_marked(process)
        ]

    def _other_parents(self, spared: Collection[int]) -> list[Process]:
        """Programs that are left alone, and whose orphans come to the keeper too: a terminal multiplexer's."""
        below = (self.snapshot.processes[pid] for pid in self.snapshot.children.get(self.keeper or 0, ()))
        return [one for one in below if one.pid in spared or (not one.dead and self._is_exempt(one.pid))]

    def _marked(self, target: RunTarget, process: Process) -> bool:
        """Whether the mark may be believed: numbers come back, so it alone proves nothing."""
        if process.ticks < target.root_ticks:
            return False
        if self.keeper:
            return self.snapshot.descends(process.pid, self.keeper)
        return self.facts.origin(process)[1] in {b"", os.fsencode(target.home)} and not self._below_lock_holder(
            process.pid
        )

    def _below_lock_holder(self, pid: int) -> bool:
        above = (self.snapshot.processes.get(ancestor) for ancestor in self.snapshot.ancestors(pid))
        others = (p for p in above if p is not None and p.pid not in self._boundary)
        return any(self.facts.holds_lock(process) for process in others)

    def _protected(self, pid: int) -> bool:
        """Whether `pid`, or anything between it and the keeper, must be left alone."""
        if pid in self._boundary or pid == self.ours:
            return True
        path = []
        verdict = False
        for step in (pid, *self.snapshot.ancestors(pid)):
            if step in self._boundary:
                break
            path.append(step)
            verdict = self._untouchable[step] if step in self._untouchable else self._is_exempt(step)
            if verdict or step in self._untouchable:
                break
        self._untouchable.update(dict.fromkeys(path, verdict))
        return verdict

    def _is_exempt(self, pid: int) -> bool:
        """Whether this one process is to be left alone. A root never is: the mission is what it was started as."""
        process = self.snapshot.processes.get(pid)
        if pid == self.ours:
            return True
        if process is None or process.dead or pid in self._roots:
            return False
        return self.facts.holds_lock(process) or self.facts.is_exempt(process)


def find_members(
    snapshot: Snapshot,
    targets: Sequence[RunTarget],
    facts: ProcessFacts,
    *,
    keeper: int | None,
    ours: int,
    seen: Mapping[str, Collection[Identity]] | None = None,
    others: Siblings | None = None,
) -> Membership:
    """Which processes belong to which of `targets`.

    Args:
        snapshot: all processes.
        targets: the runs.
        facts: asked about single processes.
        keeper: pid of these runs' keeper, None when it is dead.
        ours: pid of this process; it, what is above it and pid 1 belong to nobody.
        seen: who belonged at an earlier look, by run.
        others: the other runs, for what nothing explains; None leaves that to nobody.
    """
    return MembershipSearch(snapshot, targets, facts, keeper, ours, seen or {}, others).find()


EXEMPT_PROGRAMS = (
    # keys and passphrases
    "gpg-agent",
    "ssh-agent",
    "scdaemon",
    "keyboxd",
    # terminals that people come back to
    "tmux: server",
    "SCREEN",
    "SCREEN *",
    "zellij --server*",
    # build daemons, shared by all builds of the user
    "java*GradleDaemon*",
    "java*KotlinCompileDaemon*",
    "java*sbt.ForkMain*",
    "bazel(*",
    "*bazel*A-server.jar*",
    "buck2d*",
    "mvnd*",
    "sccache",
    "distccd",
    "watchman",
    "adb*fork-server*",
)
"""Unless the configuration's list `leave` says otherwise."""


def exempt_matcher(patterns: Iterable[str]) -> Callable[[str, Sequence[str]], bool]:
    """Return a function that tells whether a process with this name and command line is to be left alone."""
    return _compiled_matcher(tuple(patterns))


@cache
def _compiled_matcher(patterns: tuple[str, ...]) -> Callable[[str, Sequence[str]], bool]:
    if not patterns:
        return lambda _name, _argv: False
    match = re.compile("|".join(map(fnmatch.translate, patterns)), re.DOTALL).match

    def is_exempt(name: str, argv: Sequence[str]) -> bool:
        line = " ".join([os.path.basename(argv[0]), *argv[1:]]) if argv else ""
        return bool(match(name) or match(line) or (argv and match(os.path.basename(argv[0]))))

    return is_exempt
