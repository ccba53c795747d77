"""Which processes belong to a run, by root, session, mark and parent, and which never do."""

from __future__ import annotations

import pytest

from overmind_core.system.membership import RunTarget, Siblings, find_members
from overmind_core.system.process import Process, Snapshot
from tests.kit.cases import tabled

KEEPER, OURS, ROOT = 10, 20, 100
HOME = "/home/a"
TARGET = RunTarget("m.1", "m", HOME, ROOT, 1000, 1000, mark=777)
FREE = (b"", b"")


class Facts:
    """What a table says."""

    def __init__(
        self,
        *,
        adopting=True,
        origins=None,
        marks=None,
        locks=(),
        left=(),
        leaving=(),
        copies=(),
        begins=None,
        clients=None,
        near=None,
    ):
        self.adopting = adopting
        self.origins = origins or {}
        self.marks = marks or {}
        self.locks = locks
        self.names = left
        self.leaving = leaving
        self.copies = copies
        self.begins = begins or {}
        self.near = near or {}
        self.connected = {**self.near, **(clients or {})}

    def origin(self, process):
        return self.origins.get(process.pid, FREE)

    def mark(self, process):
        return self.marks.get(process.pid, 819200)

    def is_marked(self, process):
        return self.mark(process) < 819200

    def is_leaving(self, process):
        return process.pid in self.leaving

    def has_begun(self, process, keeper):
        assert keeper == KEEPER
        self.marks |= self.begins
        return process.pid not in self.copies

    def holds_lock(self, process):
        return process.pid in self.locks

    def is_exempt(self, process):
        return process.pid in self.names

    def clients(self, process, *, loopback):
        return (self.connected if loopback else self.near).get(process.pid, ())


def process(pid, ppid, *, sid=None, ticks=2000, state="S", threads=1, name=""):
    return Process(pid, ppid, pid, pid if sid is None else sid, state, ticks, threads, name)


WORLD = [
    process(1, 0, ticks=1),
    process(2, 0, sid=0, ticks=1),
    process(KEEPER, 1, ticks=10),
    process(OURS, 1, ticks=10),
    process(ROOT, KEEPER, ticks=1000),
]


def find(extra, *, facts=None, keeper=KEEPER, target=TARGET, seen=None, without=()):
    world = {p.pid: p for p in [*WORLD, *extra] if p.pid not in without}
    return find_members(Snapshot(world), [target], facts or Facts(), keeper=keeper, ours=OURS, seen=seen)


def belongs(*args, **kwargs):
    return find(*args, **kwargs).members["m.1"]


MINE = (b"m", HOME.encode())
CASES = {
    "the root": ([], Facts(), set()),
    "a child": ([process(101, ROOT)], Facts(), {101}),
    "a grandchild in a session of its own": ([process(101, ROOT), process(102, 101)], Facts(), {101, 102}),
    "an orphan in the session": ([process(101, KEEPER, sid=ROOT)], Facts(), {101}),
    "an orphan of an orphan's session": ([process(101, KEEPER, sid=ROOT), process(102, 101)], Facts(), {101, 102}),
    "an environment": ([process(101, KEEPER)], Facts(origins={101: MINE}), {101}),
    "an environment of the same mission in another home": (
        [process(101, KEEPER)],
        Facts(origins={101: (b"m", b"/home/b")}),
        set(),
    ),
    "an environment of another mission": ([process(101, KEEPER)], Facts(origins={101: (b"n", HOME.encode())}), set()),
    "an environment older than the mission": ([process(101, KEEPER, ticks=900)], Facts(origins={101: MINE}), set()),
    "a mark below the keeper": ([process(101, KEEPER)], Facts(marks={101: 777}), {101}),
    "a mark and what is below it": ([process(101, KEEPER), process(102, 101)], Facts(marks={101: 777}), {101, 102}),
    "a mark elsewhere": ([process(101, 1)], Facts(marks={101: 777}), set()),
    "a mark older than the run": ([process(101, KEEPER, ticks=900)], Facts(marks={101: 777}), set()),
    "another mark": ([process(101, KEEPER)], Facts(marks={101: 778}), set()),
    "a zombie": ([process(101, ROOT, state="Z")], Facts(), set()),
    "a dead main thread with live others": ([process(101, ROOT, state="Z", threads=2)], Facts(), {101}),
    "a stopped one": ([process(101, ROOT, state="T")], Facts(), {101}),
    "a keeper and all below it": ([process(101, ROOT), process(102, 101)], Facts(locks={101}), set()),
    "an environment below a daemon": (
        [process(101, ROOT), process(102, 101)],
        Facts(origins={102: MINE}, locks={101}),
        set(),
    ),
    "a program to be left alone": (
        [process(101, KEEPER), process(102, 101)],
        Facts(origins={101: MINE, 102: MINE}, left={101}),
        set(),
    ),
    "this very process": ([process(101, OURS)], Facts(origins={OURS: MINE, 101: MINE}), set()),
    "what runs this process": ([], Facts(origins={1: MINE, KEEPER: MINE}), set()),
    "the kernel's own": ([process(101, 2, sid=0)], Facts(origins={101: MINE}), set()),
}


@tabled(("extra", "facts", "expected"), CASES.values(), ids=CASES)
def test_who_belongs_beside_the_root(extra, facts, expected):
    assert belongs(extra, facts=facts) == {ROOT} | expected


def test_what_is_left_alone_is_named():
    assert find([process(101, ROOT)], facts=Facts(left={101})).spared == {101}


SERVER = [process(101, KEEPER), process(102, 101), process(103, ROOT), process(200, 1)]
"""What has left with a child of its own, a child that has not, and a stranger."""
SHARING = {
    "a stranger's": ({101: {200}}, {}, {101, 102}),
    "nobody's": ({}, {}, set()),
    "of its own run alone": ({101: {103}}, {}, set()),
    "of both": ({101: {103, 200}}, {}, {101, 102}),
    "of us, the keeper and the first process": ({101: {OURS, KEEPER, 1}}, {}, set()),
    "of its own child": ({101: {102}}, {}, set()),
    "a stranger's that has not left": ({103: {200}}, {}, set()),
    "a stranger's, that was seen to belong": ({101: {200}}, {"m.1": {(101, 2000)}}, set()),
}


@tabled(("clients", "seen", "spared"), SHARING.values(), ids=SHARING)
def test_a_server_that_left_is_spared_while_others_are_connected(clients, seen, spared):
    found = find(SERVER, facts=Facts(marks={101: 777}, clients=clients), seen=seen)
    assert found.members["m.1"] == {ROOT, 101, 102, 103} - spared
    assert found.spared == spared
    assert found.shared == ({"m.1": {101: {200}}} if spared else {})


OF_ITS_KIND = [process(101, ROOT, name="codex"), process(102, 101), process(200, 1, name="codex"),
               process(201, 1, name="cat"), process(103, 101, sid=101, name="codex"),
               process(104, ROOT, sid=ROOT, name="codex")]  # fmt: skip
"""A child that leads a session, with children of its own; one of its kind and a stranger; one of the root's session."""
KIND = {
    "one of its kind, by a unix socket": ({101: {200}}, {}, {101, 102, 103}),
    "one of its kind and its own run": ({101: {200, ROOT}}, {}, {101, 102, 103}),
    "one of its kind, over loopback": ({}, {101: {200}}, set()),
    "one of another kind": ({101: {201}}, {}, set()),
    "one of its kind, to who leads no session": ({103: {200}, 104: {200}}, {}, set()),
    "its own run alone": ({101: {104}}, {}, set()),
    "one that has ended": ({101: {300}}, {}, set()),
}


@tabled(("near", "clients", "spared"), KIND.values(), ids=KIND)
def test_a_child_in_a_session_of_its_own_is_spared_while_it_serves_its_kind(near, clients, spared):
    seen = {"m.1": {(101, 2000)}}  # as a child it always was
    found = find(OF_ITS_KIND, facts=Facts(near=near, clients=clients), seen=seen)
    assert found.spared == spared
    assert found.members["m.1"] == {ROOT, 101, 102, 103, 104} - spared
    assert found.shared == ({"m.1": {101: {200}}} if spared else {})


def test_a_root_and_its_session_are_no_shared_server():
    facts = Facts(clients={ROOT: {200}, 101: {200}})
    assert belongs([process(101, KEEPER, sid=ROOT), process(200, 1)], facts=facts) == {ROOT, 101}


def test_a_root_is_never_left_alone():
    assert belongs([], facts=Facts(left={ROOT}, locks={ROOT})) == {ROOT}


def test_a_pid_that_somebody_else_uses_now_is_not_the_root():
    stranger = process(ROOT, 1, ticks=5000)
    assert belongs([stranger, process(101, ROOT, sid=ROOT, ticks=5001)], without=()) == set()


@pytest.mark.parametrize(("parent", "expected"), [(KEEPER, {101}), (1, set())])
def test_a_session_without_its_leader_counts_below_the_keeper_alone(parent, expected):
    assert belongs([process(101, parent, sid=ROOT)], without={ROOT}) == expected


DEAD_KEEPER = {
    "a mark": (Facts(marks={101: 777}), {101}),
    "a mark and our home": (Facts(marks={101: 777}, origins={101: (b"", HOME.encode())}), {101}),
    "a mark and another home": (Facts(marks={101: 777}, origins={101: (b"m", b"/home/b")}), set()),
    "a mark below another keeper": (Facts(marks={101: 777}, locks={50}), set()),
    "an environment": (Facts(origins={101: MINE}), {101}),
    "nothing": (Facts(), set()),
}


@tabled(("facts", "expected"), DEAD_KEEPER.values(), ids=DEAD_KEEPER)
def test_what_belongs_when_the_keeper_is_dead(facts, expected):
    world = [process(50, 1, ticks=5), process(101, 50)]
    assert belongs(world, facts=facts, keeper=None, without={ROOT, KEEPER}) == expected


@pytest.mark.parametrize(("mark", "expected"), [(777, {101}), (819200, set())])
def test_a_session_without_leader_and_keeper_needs_the_mark(mark, expected):
    facts = Facts(marks={101: mark})
    assert belongs([process(101, 1, sid=ROOT)], facts=facts, keeper=None, without={ROOT, KEEPER}) == expected


def test_what_was_seen_once_belongs_for_ever_with_all_below_it():
    seen = {"m.1": {(101, 2000)}}
    assert belongs([process(101, KEEPER), process(102, 101)], seen=seen) == {ROOT, 101, 102}
    assert belongs([process(101, KEEPER, ticks=3000), process(102, 101)], seen=seen) == {ROOT}


def test_where_nobody_adopts_a_session_outlives_its_leader():
    facts = Facts(adopting=False)
    bare = RunTarget("m.1", "m", HOME, ROOT, 1000)
    assert belongs([process(101, 1, sid=ROOT)], facts=facts, target=bare, without={ROOT}) == {101}


def test_each_of_several_runs_gets_its_own():
    other = RunTarget("n.1", "n", HOME, 200, 1500, 1500, mark=778)
    world = {p.pid: p for p in [*WORLD, process(200, KEEPER), process(101, ROOT), process(201, KEEPER)]}
    world[200] = world[200]._replace(ticks=1500)
    found = find_members(Snapshot(world), [TARGET, other], Facts(marks={201: 778}), keeper=KEEPER, ours=OURS)
    assert found.members == {"m.1": {ROOT, 101}, "n.1": {200, 201}}


def test_a_circle_of_parents_ends_the_walk():
    assert belongs([process(101, 102), process(102, 101)], facts=Facts(marks={101: 777})) == {ROOT}


# what has changed its user: no mark, no environment, no session, no parent

OTHER = RunTarget("n.1", "n", HOME, 200, 1500, 1500)
OTHER_ROOT = process(200, KEEPER, ticks=1500)
UNEXPLAINED = {
    "nobody else can have left it": (process(101, KEEPER, ticks=1200), {}, {101}, set()),
    "with what is below it": (process(101, KEEPER), {"more": [process(102, 101)]}, {101, 102}, set()),
    "another run is old enough, too": (process(101, KEEPER), {"others": [OTHER]}, set(), {101}),
    "another run is too young": (process(101, KEEPER, ticks=1200), {"others": [OTHER]}, {101}, set()),
    "it is another run's root": (process(200, KEEPER, ticks=1500), {"others": [OTHER]}, set(), set()),
    "it is in another run's session": (process(101, KEEPER, sid=200), {"others": [OTHER]}, set(), set()),
    "it is older than this run": (process(101, KEEPER, ticks=900), {}, set(), set()),
    "it wears another mark": (process(101, KEEPER), {"facts": Facts(marks={101: 5})}, set(), set()),
    "its environment names another": (process(101, KEEPER), {"facts": Facts(origins={101: (b"x", b"")})}, set(), set()),
    "it is not the keeper's": (process(101, 1), {}, set(), set()),
    "it holds a lock": (process(101, KEEPER), {"facts": Facts(locks={101})}, set(), set()),
    "a multiplexer may have started it": (
        process(101, KEEPER),
        {"more": [process(300, KEEPER, ticks=1100)], "facts": Facts(left={300})},
        set(),
        {101},
    ),
    "one may have been left on purpose": (process(101, KEEPER), {"since": 3000}, set(), {101}),
    "it is dead": (process(101, KEEPER, state="Z"), {}, set(), set()),
    "it was killed meanwhile": (process(101, KEEPER), {"facts": Facts(leaving={101})}, set(), set()),
    "it is a copy of the keeper, before its exec": (process(101, KEEPER), {"facts": Facts(copies={101})}, set(), set()),
    "another run has begun as it meanwhile": (process(101, KEEPER), {"facts": Facts(begins={101: 778})}, set(), set()),
    "nobody adopts": (process(101, KEEPER), {"facts": Facts(adopting=False)}, set(), set()),
}


@tabled(("orphan", "how", "members", "named"), UNEXPLAINED.values(), ids=UNEXPLAINED)
def test_what_nothing_explains_is_whose_alone_it_can_be_or_named(orphan, how, members, named):
    world = {p.pid: p for p in [*WORLD, OTHER_ROOT, orphan, *how.get("more", ())]}
    others = how.get("others", ())
    if not others:
        del world[200]
    siblings = Siblings(lambda: others, how.get("since", 0))
    facts = how.get("facts") or Facts()
    facts.marks.setdefault(200, 778)
    found = find_members(Snapshot(world), [TARGET], facts, keeper=KEEPER, ours=OURS, others=siblings)
    assert found.members["m.1"] == {ROOT} | members
    assert found.unexplained.get("m.1", set()) == named


def test_what_only_the_runs_that_end_can_have_left_ends_with_the_youngest():
    world = {p.pid: p for p in [*WORLD, OTHER_ROOT, process(101, KEEPER)]}
    facts = Facts(marks={200: 778})
    siblings = Siblings(lambda: (), 0)
    found = find_members(Snapshot(world), [TARGET, OTHER], facts, keeper=KEEPER, ours=OURS, others=siblings)
    assert (found.members["n.1"], found.unexplained) == ({200, 101}, {})
    assert find_members(Snapshot(world), [TARGET, OTHER], facts, keeper=KEEPER, ours=OURS).members["n.1"] == {200}
