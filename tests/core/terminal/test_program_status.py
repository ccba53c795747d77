"""Records of the Program Status Protocol: what programs wrote, and what nobody should have."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.terminal.program_status import (
    MOST_TEXT,
    BlockedBy,
    ProgramState,
    StatusRecord,
    read_record,
)
from tests.kit.cases import tabled

IDLE, WORKING, BLOCKED, DONE = (
    ProgramState.IDLE,
    ProgramState.WORKING,
    ProgramState.BLOCKED,
    ProgramState.DONE,
)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


TOUCH = "state=blocked:app=claude-code:kind=permission:msg=YXBwcm92ZSBCYXNoOiB0b3VjaCBtYWRlLnR4dA=="
RECORDS = {
    "state=idle:app=claude-code": StatusRecord(IDLE, app="claude-code"),
    TOUCH: StatusRecord(BLOCKED, BlockedBy.PERMISSION, app="claude-code", message="approve Bash: touch made.txt"),
    "state=blocked:app=codex:kind=permission": StatusRecord(BLOCKED, BlockedBy.PERMISSION, app="codex"),
    "state=clear": StatusRecord(ProgramState.CLEAR),
    "state=error:title=": StatusRecord(ProgramState.ERROR),
    "app=x:state=working:progress=40:later=1": StatusRecord(WORKING, app="x"),
    "state=idle:state=done": StatusRecord(DONE),
    "state=blocked:kind=coffee": StatusRecord(BLOCKED),
    "state=working:id=a/b": StatusRecord(WORKING, id="a/b"),
    "state=working:msg=aGk": StatusRecord(WORKING, message="hi"),
    "state=working:msg=a=b=c": StatusRecord(WORKING),
    "state=working:msg=äöü": StatusRecord(WORKING),
    "state=working:msg=/w==": StatusRecord(WORKING, message="\ufffd"),
    "state=working:msg": StatusRecord(WORKING),
    f"state=working:msg={encoded('é' * MOST_TEXT)}": StatusRecord(WORKING, message="é" * MOST_TEXT),
    f"state=working:msg={encoded('x' * MOST_TEXT * 2)}": StatusRecord(WORKING, message="x" * MOST_TEXT),
    f"state=working:msg={encoded('x' * 1_000_000)}": StatusRecord(WORKING),
    f"state=working:app={'a' * 10_000}": StatusRecord(WORKING, app="a" * MOST_TEXT),
    f"state=working:msg={encoded(chr(0x9B) + '31m' + chr(0x202E))}": StatusRecord(WORKING, message="\x9b31m\u202e"),
}
NONE = ["?", "", "state=", "state=Idle", "state=asleep", "idle", ":::", "state:idle", "=idle"]


@tabled(("body", "record"), RECORDS.items())
def test_a_record_is_read(body, record):
    assert read_record(body) == record


@tabled("body", NONE)
def test_what_says_no_state_is_none(body):
    assert read_record(body) is None


@given(st.text(max_size=200), st.lists(st.sampled_from(["state=idle", "msg=", "id=", ":", "=", "kind=auth"])))
def test_no_text_makes_it_fail(text, parts):
    read_record(text)
    read_record(":".join([*parts, text]))


def test_a_part_of_a_program_is_not_the_program():
    assert StatusRecord(IDLE).is_of_program
    assert StatusRecord(IDLE, id="web").is_of_program
    assert not StatusRecord(IDLE, id="web/helper").is_of_program
