"""Options of quests and rituals that others act on: the daemon, and a ritual's own command."""

from __future__ import annotations

from typing import Any

import pytest

from overmind_core.domain.missions.reasons import NO_EXIT, SENTENCES, said_exit
from overmind_core.domain.quests.classes import TABLE
from tests.core.cli.quest_rows import row


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ((), {"status": []}),
        (("--limit", "20"), {"status": [], "limit": 20}),
        (("--limit", "3", "--status", "failed"), {"status": ["failed"], "limit": 3}),
    ],
)
def test_the_newest_quests_are_asked_for(overmind, words, asked):
    status, out, _, requests = overmind({"quests": [{"ok": []}]}, "quest", "list", *words, "--json")
    assert (status, out, requests) == (0, "[]\n", [("quests", asked)])


@pytest.mark.parametrize("wrong", ["0x", "-1", "many", ""])
def test_a_number_of_quests_that_is_none_is_refused(overmind, wrong):
    status, out, err, requests = overmind({}, "quest", "list", f"--limit={wrong}")
    assert (status, out, requests) == (2, "", [])
    assert "--limit" in err


def test_options_behind_the_command_of_a_ritual_are_the_commands_own(overmind):
    """The example of its help: `--mail` is no option of ours."""
    answer = {"name": "report", "schedule": "30 8 * * MON-FRI", "zone": "Europe/Berlin", "upcoming": []}
    words = "ritual create report|30 8 * * MON-FRI|--tz Europe/Berlin --retries 2 ./report --mail --retries 9"
    argv = [word for part in words.split("|") for word in ([part] if " * " in part else part.split())]
    status, _, err, requests = overmind({"ritual_create": [{"ok": answer}]}, *argv)
    assert (status, err) == (0, "")
    ((_, asked),) = requests
    assert (asked["name"], asked["schedule"], asked["zone"]) == ("report", "30 8 * * MON-FRI", "Europe/Berlin")
    assert (asked["quest"]["command"], asked["quest"]["retries"]) == (["./report", "--mail", "--retries", "9"], 2)


ENDS = [
    # status and outcome of a run, what people read of both
    ("cancelled", "stopped", "stopped"),
    ("cancelled", "killed", "killed"),
    ("completed", "succeeded", "succeeded"),
    ("failed", "timed out", "timed out"),
    ("running", None, "running"),
]


@pytest.mark.parametrize(("status", "outcome", "said"), ENDS)
def test_a_run_of_a_ritual_says_its_outcome_in_both_lists(overmind, status, outcome, said):
    ritual = {
        "name": "nightly", "status": "waiting", "schedule": "@daily", "next_local": None, "last_local": None,
        "last_result": status, "last_outcome": outcome, "command": "true",
    }  # fmt: skip
    run = {
        "number": 1, "status": status, "outcome": outcome, "trigger": "manual", "due_local": "noon", "missed": 0,
        "duration_seconds": None, "exit_code": None, "reason": None, "text": None, "id": None,
    }  # fmt: skip
    listed = overmind({"rituals": [{"ok": [ritual]}]}, "ritual", "list").out.splitlines()
    history = overmind({"ritual_history": [{"ok": [run]}]}, "ritual", "history", "nightly").out.splitlines()
    for (title, line), column in ((listed, "RESULT"), (history, "STATUS")):
        assert line[title.index(column) :].startswith(f"{said}  ")


LANDED = {"branch": "main", "before": "1" * 40, "after": "2" * 40, "conflicts": []}
ACHIEVED = "landed on main after a conflict in README.md"
SHOWN = [
    ({"status": "failed", "reason": "exit", "exit_code": 3}, "3", "its command failed"),
    ({"status": "failed", "reason": "check_failed", "exit_code": 4}, "4", "its check failed"),
    ({"status": "failed", "reason": "no_change", "exit_code": 1}, "-", "nothing was changed or committed"),
    ({"status": "failed", "reason": "output_invalid", "exit_code": 1}, "-", "its result can't be taken over"),
    ({"status": "completed", "exit_code": 0, "into": "main"}, "0", "nothing to land"),
    ({"status": "completed", "exit_code": 0, "into": "main", "landed": LANDED}, "0", "-"),
    ({"status": "completed", "exit_code": 0, "into": "main", "landed": LANDED, "achieved": ACHIEVED}, "0", ACHIEVED),
    ({"status": "completed", "exit_code": 0}, "0", "-"),
    ({"status": "completed", "exit_code": 0, "reason": "denied"}, "0", "its document was denied by a person"),
]


@pytest.mark.parametrize(("fields", "code", "why"), SHOWN)
def test_the_list_shows_how_a_program_exited_and_why_a_quest_ended_so(overmind, fields, code, why):
    """What a program did not exit with is no exit code, though waiting for the quest has to exit with one."""
    answer = {"quests": [{"ok": [row("docs", attempts=1, ended_at="2026-11-20T12:00:02.000Z", **fields)]}]}
    out = overmind(answer, "quest", "list").out
    titles, line = out.splitlines()
    assert line[titles.index("EXIT") : titles.index("REASON")].strip() == code
    assert line[titles.index("REASON") : titles.index("COMMAND")].strip() == why


NEVER: dict[str, Any] = {"began_at": None, "lasted_seconds": None}
LASTED = [
    ({"status": "running", "lasted_seconds": 2.0}, "2s"),
    ({"status": "completed", "lasted_seconds": 0.0}, "0s"),
    ({"status": "queued", **NEVER}, "31s"),
    ({"status": "queued", "lasted_seconds": 10.0}, "10s"),
    ({"status": "cancelled", **NEVER}, "-"),
]


@pytest.mark.parametrize(("fields", "said"), LASTED)
def test_the_list_shows_how_long_a_quest_works_and_of_one_that_has_not_begun_how_long_it_waits(overmind, fields, said):
    one = row("docs", attempts=1, duration_seconds=31.0, **fields)
    titles, line = overmind({"quests": [{"ok": [one]}]}, "quest", "list").out.splitlines()
    assert line[titles.index("DURATION") : titles.index("EXIT")].strip() == said


def test_a_daemon_that_does_not_say_when_a_quest_began_says_how_long_it_is_there(overmind):
    one = {name: value for name, value in row("docs", status="running").items() if name not in NEVER}
    titles, line = overmind({"quests": [{"ok": [one]}]}, "quest", "list").out.splitlines()
    assert line[titles.index("DURATION") : titles.index("EXIT")].strip() == "2m"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"code": "until", "why": "not before 12:10:00 (attempt 2 of 3)"}, "not before 12:10:00 (attempt 2 of 3)"),
        ({"code": "held", "why": "the queue is paused"}, "the queue is paused"),
        ({"code": "orbit", "why": None}, "orbit"),
    ],
)
def test_the_list_says_why_a_queued_quest_waits_and_not_the_code_for_it(overmind, fields, why):
    answer = {"quests": [{"ok": [row("docs", attempts=1, status="queued", **fields)]}]}
    titles, line = overmind(answer, "quest", "list").out.splitlines()
    assert line[titles.index("REASON") : titles.index("COMMAND")].strip() == why


@pytest.mark.parametrize(
    ("reason", "code", "limit", "said"),
    [
        ("check_failed", 4, None, "its check failed, exit code 4"),
        ("verify_failed", 4, None, "the check of the merged work failed, exit code 4"),
        ("verify_failed", 143, 5.0, "the check of the merged work took longer than 5 seconds"),
        ("no_change", 1, None, "nothing was changed or committed"),
    ],
)
def test_the_end_of_a_quest_says_an_exit_code_where_a_program_exited(overmind, reason, code, limit, said):
    def wait(args):
        yield {"ok": {"missions": [{"id": one, "name": "docs"} for one in args["ids"]]}}
        yield {"item": {"id": "a1b2c3d4", "name": "docs", "status": "failed", "reason": reason, "exit_code": code,
                        "limit_seconds": limit}}  # fmt: skip
        yield {"end": {}}

    ran = overmind({"quest_wait": wait}, "quest", "wait", "a1b2c3d4")
    assert (ran.status, ran.out.splitlines()) == (code, [f"Quest a1b2c3d4 finished: failed ({said})"])


@pytest.mark.parametrize(
    ("more", "said"),
    [({"landed": None}, "nothing to land"), ({"landed": LANDED, "achieved": ACHIEVED}, ACHIEVED)],
)
def test_a_card_says_what_its_end_is_worth(overmind, more, said):
    ended = {"attempts": 1, "ended_at": "2026-11-20T12:00:02.000Z"}
    done = {"status": "completed", "into": "main", **more, **ended}
    columns: list[dict[str, Any]] = [
        {"name": one, "count": 0, "quests": []} for one in ("queued", "running", "blocked", "review")
    ]
    columns.append({"name": "done", "count": 1, "quests": [row("docs", **done)]})
    out = overmind({"board": [{"ok": {"columns": columns, "gates": []}}]}, "board").out
    assert f"docs {said} 2m" in out


def test_codes_without_an_exit_are_reasons_that_are_known():
    assert NO_EXIT - {"busy", "git_failed"} <= SENTENCES.keys()
    assert said_exit("exit", 3) == 3
    assert {said_exit(one, 1) for one in TABLE if one in {"exit", "check_failed", "timeout", "api_error"}} == {1}


def logged(**more):
    """The answer to `logs` of a check, with the fields of its only run."""
    run = {"number": 1, "path": "/nowhere", "tty": False, "format": None, "columns": 80, "rows": 24, "out": 0, "err": 0}
    run |= {"started_at": "2026-11-20T14:30:00Z", "ended_at": "2026-11-20T14:30:01Z", **more}
    check = {"id": "c0ffee00", "name": "a/check", "status": "crashed", "type": "task", "exit_code": 1, "runs": [run]}
    return {"missions": [{**check, "annotations": []}]}


SILENT = "a: its check printed nothing: `test -s x` exited with 1\n"
GONE = "a/check: all 3 B of run 1 were removed by a limit of logs ([logs] per_mission or total).\n"


@pytest.mark.parametrize(
    ("words", "run", "err"),
    [
        (("--check", "a"), {}, SILENT),
        (("--check", "--tail", "3", "a"), {}, SILENT),
        (("--check", "a"), {"ended_at": None}, ""),
        (("--check", "a"), {"out": 3}, GONE),
        (("--check", "a"), {"err": 3}, GONE),
        (("a",), {}, ""),
    ],
)
def test_a_check_that_printed_nothing_says_how_it_ended(overmind, words, run, err):
    edited = "test -s y"  # after it ran
    quest = {"id": "a1", "name": "a", "check": edited, "check_id": "c0ffee00", "mission": "a1", "round": 1}
    ran = {"id": "c0ffee00", "name": "a/check", "command": "test -s x"}
    answers = {"quest": [{"ok": quest}], "logs": [{"ok": logged(**run)}], "info": [{"ok": ran}]}
    assert overmind(answers, "quest", "logs", *words)[:3] == (0, "", err)


CHECKS = [
    ({"check": "make"}, "has not been checked yet. See: overmind quest why docs"),
    ({"check": None}, "has no check."),
    ({"check": None, "verify": "make all"}, "has no check. For that of its merged work see: overmind logs docs/verify"),
]


@pytest.mark.parametrize(("facts", "said"), CHECKS)
def test_a_quest_without_the_log_of_a_check_says_which_one_there_is(overmind, facts, said):
    quest = {**row("docs"), "check_id": None, **facts}
    ran = overmind({"quest": [{"ok": quest}]}, "quest", "logs", "--check", "docs")
    assert ran.status != 0
    assert ran.err == f"Error: not_found: Quest {quest['id']} (docs) {said}\n"
