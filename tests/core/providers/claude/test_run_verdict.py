"""How a run of `claude` ended: judged by code, result and errors together."""

from __future__ import annotations

from overmind_core.domain.agents.agent import AgentMode
from overmind_core.domain.agents.agent_events import Retry, RunVerdict, TurnResult
from overmind_core.providers import registry
from tests.kit.cases import tabled

OK = TurnResult(ok=True)
FAILED = TurnResult(ok=False, reason="api_error 529")
INTERRUPTED = TurnResult(ok=False, reason="interrupted")
TURNS = TurnResult(ok=False, reason="max_turns", retry=Retry.NEVER)
LIMIT = TurnResult(ok=False, reason="limited", retry=Retry.WAIT, resume_at=5.0)
SWITCH = TurnResult(ok=False, reason="wrong_start", retry=Retry.SWITCH)
ONE, HEADLESS, TERMINAL = AgentMode.ONE_SHOT, AgentMode.HEADLESS, AgentMode.INTERACTIVE
GONE = "No conversation found with session ID: 3f2b"
TAKEN = "Error: Session ID 3f2b is already in use."

ENDINGS = [
    ("all went well", 0, OK, "", ONE, False, RunVerdict(False)),
    ("an API error", 1, FAILED, "", ONE, False, RunVerdict(True, "api_error 529")),
    ("an API error, though it ended with 0", 0, FAILED, "", ONE, False, RunVerdict(True, "api_error 529")),
    ("max turns", 1, TURNS, "", ONE, False, RunVerdict(True, "max_turns", Retry.NEVER)),
    ("a limit with an end", 1, LIMIT, "", ONE, False, RunVerdict(True, "limited", Retry.WAIT, 5.0)),
    ("a signal from outside, told as 0", 0, INTERRUPTED, "", ONE, False, RunVerdict(True, "interrupted")),
    ("an interrupt was the last turn of a session", 1, INTERRUPTED, "", HEADLESS, True, RunVerdict(False)),
    ("a session whose last turn failed", 1, FAILED, "", HEADLESS, False, RunVerdict(True, "api_error 529")),
    ("a session without any turn", 0, None, "", HEADLESS, False, RunVerdict(False)),
    ("one-shot without a result", 0, None, "", ONE, False, RunVerdict(True, "no_result")),
    ("terminated", 143, None, "", ONE, False, RunVerdict(True)),
    ("terminated behind a result", 143, FAILED, "", HEADLESS, False, RunVerdict(True)),
    ("killed", -9, OK, "", HEADLESS, False, RunVerdict(True)),
    ("not found", 127, None, "sh: claude: not found", ONE, False, RunVerdict(True)),
    ("an unknown conversation", 1, SWITCH, GONE, HEADLESS, True, RunVerdict(True, "wrong_start", Retry.SWITCH)),
    (
        "likewise on a terminal",
        1,
        None,
        f"\r\n{GONE}\r\n",
        TERMINAL,
        True,
        RunVerdict(True, "wrong_start", Retry.SWITCH),
    ),
    ("a known conversation", 1, None, TAKEN, ONE, False, RunVerdict(True, "wrong_start", Retry.SWITCH)),
    ("its words in another run", 1, None, TAKEN, ONE, True, RunVerdict(True)),
    (
        "an unknown option",
        1,
        None,
        "error: unknown option '--x'\n",
        ONE,
        False,
        RunVerdict(True, "usage_error", Retry.NEVER),
    ),
    (
        "a missing value",
        1,
        None,
        "Warning: y\nerror: option '--model <model>' argument missing\n",
        ONE,
        False,
        RunVerdict(True, "usage_error", Retry.NEVER),
    ),
    (
        "root may not skip permissions",
        1,
        None,
        "--dangerously-skip-permissions cannot be used with root/sudo privileges",
        ONE,
        False,
        RunVerdict(True, "usage_error", Retry.NEVER),
    ),
    (
        "no login",
        1,
        None,
        "Not logged in · Please run /login",
        ONE,
        False,
        RunVerdict(True, "not_logged_in", Retry.NEVER),
    ),
    ("the person left the terminal", 0, None, "", TERMINAL, True, RunVerdict(False)),
    ("it crashed", 1, None, "boom", TERMINAL, True, RunVerdict(True)),
]


@tabled(("case", "code", "last", "errors", "mode", "resumed", "expected"), ENDINGS)
def test_the_end_of_a_run_is_judged_by_code_result_and_errors_together(
    case, code, last, errors, mode, resumed, expected
):
    verdict = registry.get("claude").verdict(code, last, errors, mode=mode, resumed=resumed)
    assert verdict == expected, case
