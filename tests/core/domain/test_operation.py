"""What the web passes on, and for whom: each request with each of its arguments, as the table of operations says."""

from __future__ import annotations

import msgspec

from overmind_core.daemon.routes import TABLE
from overmind_core.domain.operation import Danger, Operation
from overmind_core.domain.operations import OPERATIONS, REQUESTS, web_verbs
from tests.kit.cases import each, tabled

SECRETS = {"definition", "redefine", "environment"}
OF_THE_MACHINE = {"hello", "used", "hook", "attach", "shutdown", "spec_attempt", "fork"}
"""What belongs to the web server itself, to agents, or to a terminal on that machine."""
READ_IN_A_FOLDER = {"isolate", "memory", "note", "notes", "ports", "recall", "search", "worktrees"}
READINGS_THAT_ACT = {
    ("messages", "cancel"),
    ("events", "eyes"),
    ("health", "review"),
    *((name, "cwd") for name in READ_IN_A_FOLDER),
}
"""Request, argument: withdraws a message, keeps calls from others, starts a mission, opens a named folder."""
CHANGES_THAT_LOOK = {("merge", "preview"), ("attach", "read_only")}
SAYS = [True, 1, 0, "", "x", [], {}, 2**70, [None]]
SAYS_NOTHING = [None, False]
ARGUMENTS = [
    (row, field.name)
    for row in REQUESTS
    for field in msgspec.structs.fields(TABLE[row.name].arguments)
    if row.name not in SECRETS | OF_THE_MACHINE and not row.name.startswith(("swarm_", "vault_"))
]


def test_nothing_with_secrets_and_nothing_of_the_machine_is_passed_on_for_anybody():
    refused = {row.name for row in REQUESTS if row.refusal({}, read_only=False)}
    assert refused >= SECRETS | OF_THE_MACHINE
    others = refused - SECRETS - OF_THE_MACHINE
    assert all(name.startswith(("web_", "swarm_", "vault_", "pool_")) for name in others), others


@each([row for row in REQUESTS if row.on_web], lambda row: row.name)
def test_a_read_only_login_may_ask_for_what_only_reads(row):
    refusal = row.refusal({}, read_only=True)
    assert bool(refusal) is (row.danger is not Danger.NONE)
    assert not refusal or "read-only" in refusal
    assert not row.refusal({}, read_only=False)


@each(
    [(row, name, value) for row, name in ARGUMENTS for value in (*SAYS, *SAYS_NOTHING)],
    lambda case: f"{case[0].name} {case[1]}={case[2]!r}",
)
def test_an_argument_makes_a_difference_only_where_the_table_says_so(case):
    row, name, value = case
    refused = bool(row.refusal({name: value}, read_only=True))
    says = value is not None and value is not False
    if row.danger is Danger.NONE:
        secret = (row.name, name) == ("info", "reveal")
        assert refused is (says and (secret or (row.name, name) in READINGS_THAT_ACT))
    else:
        assert refused is not (value is True and (row.name, name) in CHANGES_THAT_LOOK)


def test_an_attachment_that_only_looks_reads():
    attach = OPERATIONS["attach"]
    assert attach.only_reads({"read_only": True})
    assert not any(attach.only_reads({"read_only": value}) for value in (*SAYS[1:], *SAYS_NOTHING))


@tabled("value", SAYS, ids=repr)
def test_the_values_of_an_environment_are_shown_to_nobody(value):
    info = OPERATIONS["info"]
    assert "reveal" in info.refusal({"id": "x", "reveal": value}, read_only=False)
    assert not info.refusal({"id": "x", "env": True, "reveal": False}, read_only=False)


@tabled(
    ("name", "arguments", "is_missing"),
    [
        ("answer", {"id": "x", "behaviour": "allow"}, True),
        ("answer", {"question": None}, True),
        ("answer", {"question": 4, "behaviour": "allow"}, False),
        ("trust", {"cwd": "/"}, True),
        ("trust", {"cwd": "/", "revoke": False}, True),
        ("trust", {"cwd": "/", "sha256": "ab"}, False),
        ("trust", {"cwd": "/", "revoke": True}, False),
        ("stop", {}, False),
    ],
)
def test_an_answer_names_its_question_and_trust_what_was_shown(name, arguments, is_missing):
    assert bool(OPERATIONS[name].missing(arguments)) is is_missing


def test_a_command_that_is_no_request_is_never_passed_on():
    assert Operation("demo", "start", request=False).refusal({}, read_only=False)


def test_buttons_name_requests_that_the_web_passes_on():
    verbs = web_verbs()
    assert len({verb["name"] for verb in verbs}) == len(verbs)
    for verb in verbs:
        request = OPERATIONS[str(verb["request"])]
        assert request.on_web
        assert verb["pages"]
        assert verb["label"]
    assert msgspec.json.decode(msgspec.json.encode(verbs)) == verbs
    assert not {verb["name"] for verb in verbs} & (SECRETS | OF_THE_MACHINE)
    assert next(verb for verb in verbs if verb["name"] == "note_pin") == {
        "name": "note_pin", "request": "note_set", "label": "pin", "key": "Y", "asks": False, "danger": "changes",
        "questions": [], "pages": ["memory"], "repeatable": True, "request_key": False,
    }  # fmt: skip
