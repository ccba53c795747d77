"""The queue of runs to start: few a turn, and their answers in batches."""

from __future__ import annotations

from typing import Any

from overmind_core.keeper.spawn_queue import ANSWERS_TOGETHER, PER_TURN, SpawnQueue

BURST = 10 * PER_TURN + 1


class Client:
    """A connection that notes in which portions its answers leave."""

    def __init__(self):
        self.is_open = True
        self.corked = False
        self.waiting = []
        self.portions = []

    def cork(self):
        self.corked = True

    def uncork(self):
        self.corked = False
        if self.waiting:
            self.portions.append(self.waiting)
            self.waiting = []

    def send(self, number):
        assert self.corked
        self.waiting.append(number)


class Keeper:
    """Starts nothing, and answers each request by its number; it is its own loop, with a clock that is set."""

    def __init__(self):
        self.loop = self
        self.mono = 0.0

    def answer(self, client, number, _act, _request):
        client.send(number)


def a_queue():
    keeper: Any = Keeper()
    return keeper, SpawnQueue(keeper, logs="/nowhere", limits=(1024, 1024), own_limit=1024)


def test_a_single_start_is_answered_in_its_turn():
    _, queue = a_queue()
    client = Client()
    queue.put(client, 1, {})
    assert queue.work() is None
    assert client.portions == [[1]]


def test_the_answers_of_a_burst_leave_in_batches_in_order_and_the_last_ones_at_once():
    keeper, queue = a_queue()
    client = Client()
    for number in range(BURST):
        queue.put(client, number, {})
    turns = 1
    while queue.work() is not None:
        turns += 1
        keeper.mono += 0.6 * ANSWERS_TOGETHER
    assert turns == BURST // PER_TURN + 1
    assert [len(portion) for portion in client.portions] == [3 * PER_TURN] * 3 + [PER_TURN + 1]
    assert [number for portion in client.portions for number in portion] == list(range(BURST))


def test_an_answer_waits_for_others_no_longer_than_its_time():
    keeper, queue = a_queue()
    client = Client()
    for number in range(BURST):
        queue.put(client, number, {})
    queue.work()
    assert client.portions == []
    keeper.mono += ANSWERS_TOGETHER
    queue.work()
    assert client.portions == [list(range(2 * PER_TURN))]


def test_a_client_that_left_is_passed_over_and_the_others_get_their_answers():
    _, queue = a_queue()
    gone, here = Client(), Client()
    for number in range(PER_TURN):
        queue.put(gone, number, {})
        queue.put(here, number, {})
    queue.work()
    gone.is_open = False
    assert queue.work() is None
    assert here.portions == [list(range(PER_TURN))]


def test_answers_to_several_clients_leave_together():
    _, queue = a_queue()
    first, second = Client(), Client()
    for number in range(PER_TURN):
        queue.put(first, number, {})
        queue.put(second, number, {})
    queue.work()
    assert not first.portions
    queue.work()
    assert first.portions == second.portions == [list(range(PER_TURN))]
