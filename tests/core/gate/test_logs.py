"""Requests about a run's log, as hostile as they come."""

from __future__ import annotations

import errno
import json
import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from overmind_core.errors import OvermindError
from overmind_core.gate.logs import answer_log
from overmind_core.gate.server import Gate
from overmind_core.logs.layout import STREAMS, data_name, index_name
from overmind_core.system.paths import Home
from overmind_core.wire import gate

RUN = "27b47545/000001"
OPS = [gate.START, gate.END, gate.READ, gate.INDEXES, gate.INDEX]


def answered(logs: str, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The answer, and the bytes behind it."""
    answer, content = answer_log(logs, request)
    if isinstance(content, bytes):
        return answer, content
    with content:
        return answer, content.read()


@pytest.fixture
def logs(tmp_path):
    """A folder of logs; beside it lies what is nobody's log."""
    folder = tmp_path / "logs"
    (folder / RUN).mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    for name in os.listdir(tmp_path):
        (tmp_path / name / "out.log").write_text("secret")
    return str(folder)


@pytest.mark.parametrize(
    "run",
    [
        None, 3, [], {}, "", "/", "..", "../secret", "../../etc", f"/{RUN}", f"{RUN}/", f"{RUN}\n", f"x/{RUN}",
        "27b47545/..", "27b47545/1", "27b47545/00000a", "a.b/000001", "\0/000001", "a" * 65 + "/000001",
        "27b47545/" + "0" * 13, "é/000001", "\udcff/000001", "27b47545/\u0661\u0661\u0661\u0661\u0661\u0661",
    ],
)  # fmt: skip
@pytest.mark.parametrize("op", OPS)
def test_only_a_mission_and_a_number_name_a_run(logs, run, op):
    with pytest.raises(OvermindError) as found:
        answer_log(logs, {"op": op, "run": run, "stream": 0, "offset": 0, "length": 9, "number": 0})
    assert found.value.code == "invalid"


@pytest.mark.parametrize("value", [None, -1, 1.0, True, "0", [], 1 << 63, -(1 << 63)])
@pytest.mark.parametrize(
    ("op", "name"),
    [(gate.START, "stream"), (gate.END, "stream"), (gate.READ, "stream"), (gate.READ, "offset"), (gate.READ, "length"),
     (gate.INDEX, "number")],
)  # fmt: skip
def test_a_number_that_is_none_is_named(logs, op, name, value):
    request = {"op": op, "run": RUN, "stream": 0, "offset": 0, "length": 9, "number": 0, name: value}
    with pytest.raises(OvermindError, match=name) as found:
        answer_log(logs, request)
    assert found.value.code == "invalid"


@pytest.mark.parametrize("op", [None, "", "write", "open", 3, [], {}])
def test_another_question_is_refused(logs, op):
    with pytest.raises(OvermindError) as found:
        answer_log(logs, {"op": op, "run": RUN})
    assert found.value.code == "invalid"


@pytest.mark.parametrize("offset", [0, 1, 1 << 31, (1 << 62)])
def test_behind_the_end_is_nothing(logs, offset):
    request = {"op": gate.READ, "run": RUN, "stream": 0, "offset": offset, "length": 1 << 62}
    answer, content = answered(logs, request)
    assert (answer["bytes"], content) == (0, b"")


@pytest.mark.parametrize("length", [1, gate.HEAD, gate.MOST_BYTES])
def test_the_index_is_listed_with_the_beginnings_of_its_newest_segments(logs, monkeypatch, length):
    monkeypatch.setattr(gate, "MOST_HEADS", 2)
    contents = [b"a" * 10, b"b" * (gate.HEAD + 1), b"c"]
    for number, content in enumerate(contents):
        Path(logs, RUN, index_name(number)).write_bytes(content)
    answer, content = answered(logs, {"op": gate.INDEXES, "run": RUN, "length": length})
    heads = [one[: min(length, gate.HEAD)] for one in contents[1:]]
    assert answer == {"ok": [0, 1, 2], "heads": [len(one) for one in heads], "bytes": len(content)}
    assert content == b"".join(heads)
    assert answer_log(logs, {"op": gate.INDEXES, "run": RUN}) == ({"ok": [0, 1, 2]}, b"")
    none = {"ok": [0, 1, 2], "heads": [0, 0], "bytes": 0}
    assert answer_log(logs, {"op": gate.INDEXES, "run": RUN, "length": 0}) == (none, b"")


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "op": st.sampled_from(OPS) | _ANY,
            "run": st.just(RUN) | _ANY,
            "stream": st.integers(0, len(STREAMS)) | _ANY,
            "offset": st.integers() | _ANY,
            "length": st.integers() | _ANY,
            "number": st.integers() | _ANY,
        },
    )
)
def test_any_request_has_an_answer_or_is_refused(logs, request_made):
    code = ""
    answer: dict[str, Any] = {}
    content = b""
    try:
        answer, content = answered(logs, request_made)
    except OvermindError as error:
        code = error.code
    assert code in {"invalid", "internal"} if code else "ok" in answer
    assert answer.get("bytes", 0) == len(content) <= gate.MOST_BYTES
    assert b"secret" not in content


def refused(*_):
    raise OSError(errno.ENOTSOCK, "no socket")


@pytest.mark.parametrize("length", [1, 1 << 16, (1 << 16) + 1, 3 << 20])
@pytest.mark.parametrize("sendfile", [os.sendfile, refused])
def test_bytes_are_passed_on_whole_whatever_the_system_can(logs, monkeypatch, length, sendfile):
    monkeypatch.setattr(os, "sendfile", sendfile)
    content = os.urandom(length + 10)
    Path(logs, RUN, data_name(0, 0)).write_bytes(content)
    ours, theirs = socket.socketpair()
    home = Home(os.path.dirname(logs))
    serving = Gate(home, role="viewer", name=None, reads=theirs.fileno(), writes=theirs.fileno())
    thread = threading.Thread(target=serving.serve, args=({},))
    request = {"op": gate.READ, "run": RUN, "stream": 0, "offset": 7, "length": length}
    with ours, theirs, ours.makefile("rb") as answers:
        thread.start()
        ours.sendall(gate.line({"channel": gate.LOGS}) + gate.line(request) * 2)
        ours.shutdown(socket.SHUT_WR)
        assert [next(answers)[:8] for _ in range(2)] == [gate.BEGINNING, b'{"ok":{}']
        for _ in range(2):
            assert json.loads(next(answers)) == {"ok": 7, "bytes": length}
            assert answers.read(length) == content[7 : 7 + length]
        thread.join()
