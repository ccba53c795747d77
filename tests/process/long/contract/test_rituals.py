"""Rituals: quests that come again by a schedule; once per due time, whoever dies meanwhile."""

from __future__ import annotations

import time

import pytest

from tests.kit import torture
from tests.kit.raw_socket import RawSocket
from tests.process.contract.test_rituals import Rituals, count

pytestmark = pytest.mark.shared_home


@pytest.fixture
def rituals(om):
    return Rituals(om)


@pytest.mark.long
@pytest.mark.own_home
@pytest.mark.timeout(200)
def test_each_minute_of_a_real_clock_comes_once(om, rituals):
    """One of them, or two with `make torture`. It sleeps nearly all the time."""
    minutes = torture.portion(2)
    created = int(time.time()) // 60
    rituals.create("minutely", "* * * * *", "date +%s.%N >> out")
    with RawSocket.connect(om.home, timeout=190) as events:
        events.ok("events", follow=True, since=om.since)
        while count(rituals.history("minutely")) < minutes:
            events.read_line()
    began = [int(float(line)) // 60 for line in rituals.lines()]
    assert began == list(range(began[0], began[0] + minutes))
    assert began[0] - created in {1, 2}  # 2 when the minute was over before the ritual was there
