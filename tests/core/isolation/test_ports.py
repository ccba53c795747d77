"""Who holds which port: reserved before anything starts, let go with the mission, preferred afterwards."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from overmind_core.daemon.state import State
from overmind_core.domain.isolation.isolation import OWN
from overmind_core.domain.isolation.project import Project, Service, Strategy
from overmind_core.errors import OvermindError
from overmind_core.isolation.ports import Ports, is_free
from overmind_core.kernel.journal import Journal

FIRST = 26500


def project(last=FIRST + 3, *, services=("web",), strategy=Strategy.PORTS):
    named = tuple(Service(name, command="true", port=FIRST + 40 + number) for number, name in enumerate(services))
    return Project((*named, Service("silent", command="true")), strategy, FIRST, last)


@pytest.fixture
def play(tmp_path):
    """Run a story about ports to its end."""
    state = State.open(str(tmp_path / "state.db"))
    threads = ThreadPoolExecutor(4)

    def run(story):
        async def told():
            ledger = Journal(state.database, asyncio.get_running_loop())
            try:
                return await story(lambda: Ports(state.ports, ledger, threads), ledger, state)
            finally:
                ledger.flush()
                ledger.close()

        return asyncio.run(told())

    yield run
    threads.shutdown()
    state.close()


def test_many_at_once_get_ports_of_their_own_until_none_is_left_and_who_got_none_holds_none(play):
    async def story(make, _ledger, _state):
        ports = make()
        got = await asyncio.gather(
            *(ports.reserve(f"m{number}", project(), {}) for number in range(3)), return_exceptions=True
        )
        assert [one for one in got if isinstance(one, dict)] == [
            {OWN: FIRST, "web": FIRST + 1},
            {OWN: FIRST + 2, "web": FIRST + 3},
        ]
        assert [one.code for one in got if isinstance(one, OvermindError)] == ["port_range_exhausted"]
        ports.drop("m0")
        assert await ports.reserve("m3", project(), {}) == {OWN: FIRST, "web": FIRST + 1}

    play(story)


def test_what_a_mission_had_it_gets_again_unless_another_has_it_by_now(play):
    async def story(make, ledger, state):
        ports = make()
        before = await ports.reserve("m0", project(FIRST + 9), {})
        ports.save("m0")
        ledger.flush()
        ports.release("m0")
        ledger.flush()
        assert [(row.port, row.held) for row in state.ports.all()] == [(FIRST, False), (FIRST + 1, False)]
        await ports.reserve("m1", Project((), Strategy.PORTS, FIRST, FIRST), {})
        again = await ports.reserve_again("m0", project(FIRST + 9), before)
        assert again == {OWN: FIRST + 2, "web": FIRST + 1}
        assert await ports.reserve_again("m0", project(FIRST + 9), {}) == again

    play(story)


def test_another_supervisor_knows_who_holds_what(play):
    async def story(make, ledger, _state):
        ports = make()
        await ports.reserve("m0", project(), {})
        ports.save("m0")
        ledger.flush()
        next_one = make()
        next_one.load()
        assert await next_one.reserve("m1", project(), {}) == {OWN: FIRST + 2, "web": FIRST + 3}
        assert await next_one.reserve_again("m0", project(), {}) == {OWN: FIRST, "web": FIRST + 1}
        next_one.forget("m0")
        ledger.flush()
        assert await next_one.reserve("m2", project(), {}) == {OWN: FIRST, "web": FIRST + 1}

    play(story)


def test_without_a_strategy_each_service_gets_the_port_that_it_asks_for_and_one_mission_at_a_time_has_them(play):
    async def story(make, _ledger, _state):
        ports = make()
        wants = project(services=("web", "api"), strategy=Strategy.NONE)
        both = {"web": wants.services[0].port, "api": wants.services[1].port}
        assert await ports.reserve("m0", wants, {}) == both
        with pytest.raises(OvermindError, match="requested by web, is not free: mission m0 holds it"):
            await ports.reserve("m1", wants, {})
        assert await ports.reserve_again("m0", wants, {}) == both
        ports.release("m0")
        with (
            socket.create_server(("127.0.0.1", both["api"])),
            pytest.raises(OvermindError, match="requested by api, is not free: another program") as caught,
        ):
            await ports.reserve("m1", wants, {})
        assert caught.value.code == "port_range_exhausted"
        assert await ports.reserve("m1", wants, {}) == both

    play(story)


def test_without_a_strategy_no_two_services_can_ask_for_the_same_port(play):
    async def story(make, _ledger, _state):
        twins = tuple(Service(name, command="true", port=FIRST + 60) for name in ("web", "api"))
        with pytest.raises(OvermindError, match="Two services use the same port"):
            await make().reserve("m0", Project(twins, Strategy.NONE, FIRST, FIRST + 3), {})

    play(story)


SEVERAL = Service("minio", image="x", port=FIRST + 70, more_ports=(FIRST + 71, FIRST + 72))


def test_each_port_of_a_service_is_chosen_kept_and_let_go_with_the_others(play):
    async def story(make, ledger, state):
        ports, wants = make(), Project((SEVERAL,), Strategy.PORTS, FIRST, FIRST + 9)
        keys = [OWN, "minio", f"minio/{FIRST + 71}", f"minio/{FIRST + 72}"]
        got = await ports.reserve("m0", wants, {})
        assert got == dict(zip(keys, range(FIRST, FIRST + 4), strict=True))
        ports.save("m0")
        ledger.flush()
        ports.release("m0")
        ledger.flush()
        assert [(row.service, row.held) for row in state.ports.all()] == [(key, False) for key in keys]
        await ports.reserve("m1", Project((), Strategy.PORTS, FIRST + 2, FIRST + 2), {})
        assert await ports.reserve_again("m0", wants, got) == got | {keys[2]: FIRST + 4}
        with pytest.raises(OvermindError, match="too few free ports"):
            await ports.reserve("m2", Project((SEVERAL,), Strategy.PORTS, FIRST + 5, FIRST + 7), {})

    play(story)


def test_without_a_strategy_each_of_several_ports_is_the_one_of_the_file(play):
    async def story(make, _ledger, _state):
        ports, wants = make(), Project((SEVERAL,), Strategy.NONE)
        second = FIRST + 71
        assert await ports.reserve("m0", wants, {}) == {
            "minio": FIRST + 70,
            f"minio/{second}": second,
            f"minio/{FIRST + 72}": FIRST + 72,
        }
        ports.drop("m0")
        with (
            socket.create_server(("127.0.0.1", second)),
            pytest.raises(OvermindError, match=f"Port {second}, requested by minio, is not free"),
        ):
            await ports.reserve("m0", wants, {})
        twin = Service("web", command="true", port=second)
        with pytest.raises(OvermindError, match="Two services use the same port"):
            await ports.reserve("m0", Project((SEVERAL, twin), Strategy.NONE), {})

    play(story)


@pytest.mark.parametrize(
    ("family", "host"),
    [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::1"), (socket.AF_INET6, "::")],
)
def test_a_port_that_somebody_listens_at_is_not_free(family, host):
    try:
        server = socket.create_server((host, FIRST + 50), family=family)
    except OSError as error:
        pytest.skip(f"{host}: {error}")
    with server:
        assert not is_free(FIRST + 50)
    assert is_free(FIRST + 50)
