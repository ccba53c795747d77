"""A campaign: supervisor, keeper and both are killed at random moments while work of every kind goes on.

Runs, restarts, ends, messages, plans and landings, each asked for again where no answer came. Afterwards the books are
compared with the files: no run is missing, no message is lost or doubled, no byte is counted wrong.
"""

from __future__ import annotations

import os
import signal
import time
import uuid
from functools import partial

import pytest

from tests.kit import torture
from tests.kit.campaign import READER, lines
from tests.kit.killing import ask_until_answered
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.torture, pytest.mark.linux, pytest.mark.timeout(900 if torture.WHOLE else 120)]
MESSAGES = 80 if torture.WHOLE else 4


def test_a_message_whose_supervisor_dies_within_milliseconds_of_it_is_typed_once(om, moments):
    """The request is repeated, as the command line does; one that was never saved is a new one then."""
    heard = om.path("heard")
    session = om.mission(READER.format(heard=heard), "--type", "session")
    om.wait_status(session, "running")
    texts = [f"m{number}" for number in range(MESSAGES)]
    for text in texts:
        asked = {"id": session, "text": text, "request": uuid.uuid4().hex}
        with RawSocket.connect(om.home) as api:
            api.send("send", **asked)
            time.sleep(moments.uniform(0.0, 0.006))
            os.kill(om.supervisor_pid(), signal.SIGKILL)
        om.ok("start")
        ask_until_answered(om, partial(send, asked))
    eventually(lambda: lines(heard) == texts, what="each is typed once, in their order")
    assert [(one["text"], one["state"]) for one in om.api("messages", id=session)] == [
        (text, "delivered") for text in texts
    ]


def send(asked, api):
    api.ok("send", **asked)
