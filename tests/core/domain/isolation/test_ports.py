"""Which ports are chosen: preferred ones, then the lowest; all that are wanted, or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.isolation.ports import PortRangeExhausted, PortRequest, choose_ports
from tests.kit.cases import tabled

CASES = [
    # wanted, taken, not bindable, chosen from 10 to 14
    ([], set(), set(), {}),
    ([PortRequest("a")], set(), set(), {"a": 10}),
    ([PortRequest("a"), PortRequest("b")], {10}, {12}, {"a": 11, "b": 13}),
    ([PortRequest("a", (13,))], set(), set(), {"a": 13}),
    ([PortRequest("a", (13,))], {13}, set(), {"a": 10}),
    ([PortRequest("a", (13,))], set(), {13}, {"a": 10}),
    ([PortRequest("a", (99, 9, 12))], set(), set(), {"a": 12}),
    ([PortRequest("a"), PortRequest("b", (10,))], set(), set(), {"a": 11, "b": 10}),
    ([PortRequest("a", (10,)), PortRequest("b", (10, 14))], set(), set(), {"a": 10, "b": 14}),
    ([PortRequest("a", (10,)), PortRequest("b", (10,))], set(), set(), {"a": 10, "b": 11}),
    ([PortRequest(name) for name in "abcde"], set(), set(), dict(zip("abcde", range(10, 15), strict=True))),
]


@tabled(("wanted", "taken", "bound", "expected"), CASES)
def test_what_is_chosen(wanted, taken, bound, expected):
    chosen = choose_ports(wanted, 10, 14, taken, lambda port: port not in bound)
    assert chosen == expected
    assert list(chosen) == [one.service for one in wanted]


EXHAUSTED = [
    ([PortRequest("a")], range(10, 15), "1 port is needed, and fewer are free between 10 to 14"),
    (
        [PortRequest("a", (11,)), PortRequest("b")],
        {10, 12, 13, 14},
        "2 ports are needed, and fewer are free between 10 to 14",
    ),
]


@pytest.mark.parametrize(("wanted", "taken", "message"), EXHAUSTED)
def test_a_range_with_too_few_is_refused(wanted, taken, message):
    with pytest.raises(PortRangeExhausted) as raised:
        choose_ports(wanted, 10, 14, taken, lambda _: True)
    assert str(raised.value) == message
    assert (raised.value.wanted, raised.value.first, raised.value.last) == (len(wanted), 10, 14)


PORTS = st.integers(min_value=1, max_value=40)


@given(
    preferred=st.lists(st.lists(PORTS, max_size=3), max_size=12),
    taken=st.sets(PORTS),
    bound=st.sets(PORTS),
    first=PORTS,
    width=st.integers(min_value=0, max_value=20),
)
def test_all_get_a_free_port_of_their_own_or_none_does(preferred, taken, bound, first, width):
    wanted = [PortRequest(f"s{number}", tuple(ports)) for number, ports in enumerate(preferred)]
    last = first + width
    free = [port for port in range(first, last + 1) if port not in taken | bound]
    asked = []

    def bindable(port):
        asked.append(port)
        return port not in bound

    try:
        chosen = choose_ports(wanted, first, last, taken, bindable)
    except PortRangeExhausted:
        assert len(wanted) > len(free)
        chosen = None
    assert len(asked) == len(set(asked))
    assert not taken & set(asked)
    if chosen is None:
        return
    assert list(chosen) == [one.service for one in wanted]
    assert len(set(chosen.values())) == len(wanted)
    assert set(chosen.values()) <= set(free)
    plain = [chosen[one.service] for one in wanted if not set(one.preferred) & set(free)]
    assert plain == sorted(plain)
    unused = set(free) - set(chosen.values())
    assert all(port < min(unused, default=last + 1) for port in plain)
