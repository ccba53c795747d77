"""Reasons: a code among ourselves, a sentence for people. One table for every face.

Nothing is imported: the command line pays for it at each start. So outcomes are named by their words here.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Limit = tuple[int, float, str] | float
    """The most restarts, the seconds in which they count, and why the last run ended; or the seconds of a limit of time
    or silence."""

SENTENCES: Mapping[str, str] = {
    "api_error": "the service of its model answered with an error",
    "blocked": "it reported that it can't go on",
    "cancel": "its plan stopped it",
    "check_failed": "its check failed",
    "conflict_left": "it left a conflict unresolved",
    "conflicts": "its work conflicts with what has landed meanwhile",
    "cwd_not_found": "its folder does not exist",
    "denied": "its document was denied by a person",
    "dirty": "uncommitted files are in its way",
    "disk_full": "the disk was full",
    "exit": "its command failed",
    "failed": "it failed",
    "failure": "its plan stopped it, for another agent failed",
    "fenced": "its lease ended: another machine may have its work",
    "forbidden": "it was not allowed",
    "gone": "something that it needs was removed",
    "internal": "Overmind made a mistake; see daemon.log",
    "interrupted": "its turn was interrupted",
    "invalid": "its request is not valid",
    "keeper_lost": "the program that held it, or the machine, went away",
    "killed": "it was killed",
    "limited": "its account has reached a limit",
    "log_error": "its log could not be written",
    "max_cost": "it reached its limit of cost",
    "max_tokens": "it reached its limit of tokens",
    "max_turns": "it reached its limit of turns",
    "mcp_config": "its servers of --mcp-config can't be used: its log says why",
    "name_taken": "its name was taken",
    "no_change": "nothing was changed or committed",
    "no_conversation": "its program opened no conversation",
    "no_credit": "its account has no credit left",
    "no_handshake": "its program did not open a conversation in time",
    "no_result": "it ended without an answer",
    "no_structured_output": "it gave no answer in the form that was asked for",
    "no_terminals": "the machine had no free terminals",
    "not_found": "its program was not found",
    "not_logged_in": "it is not logged in",
    "not_ready": "it did not become ready",
    "not_pushed": "its work could not be pushed",
    "output_invalid": "its result can't be taken over",
    "output_missing": "it did not hand in what was asked for",
    "provider_missing": "its program was not found",
    "removed": "it was taken out of the plan",
    "restart_budget_spent": "restarted too often, gave up",
    "restart_cancelled": "it was stopped before its restart",
    "retries_spent": "it failed in each attempt",
    "review_denied": "its review was denied",
    "setup_failed": "the project's set-up failed",
    "stalled": "it was silent for too long",
    "steered": "it was ended for another way to its goal",
    "stopped": "it was stopped",
    "timeout": "it took too long",
    "undoes_landed": "it would undo what has landed",
    "unknown_provider": "its provider is not known",
    "untrusted_project": "the project's configuration is not trusted",
    "usage_error": "its program refused the arguments",
    "verify_failed": "the check of the merged work failed",
    "work_lost": "its worktree and its branch were lost",
    "wrong_start": "its conversation could not be continued",
}
"""Code of a reason or of a class of failures → what people read. A number behind a code stays behind the sentence."""


HELD_BACK: Mapping[str, str] = {
    "disk_full": "stands still: the disk is full",
    "log_error": "stands still: its log can't be written",
}
"""Reason of a mission that runs → what people read: nothing is read of its program until it can be stored."""


def held_back(row: Mapping[str, Any]) -> str:
    """Why the mission of a row stands still though it runs; "" where it doesn't."""
    return HELD_BACK.get(row.get("reason") or "", "") if row["status"] == "running" else ""


def sentence(code: str | None, limit: Limit | None = None) -> str:
    """Return the words for a code, and for a number behind it; "" for none. A text that is no code stays as it is.

    `limit`: That of the code, see `limit_of`.
    """
    if not code:
        return ""
    if isinstance(limit, tuple):
        if code == SPENT:
            return gave_up(*limit)
    elif limit and code in _LIMITED:
        count, unit = _counted_span(limit)
        return f"{_LIMITED[code]} {count:g} {unit}{'' if count == 1 else 's'}{FINAL if is_final(limit) else ''}"
    first, blank, rest = code.partition(" ")
    if first in SENTENCES and (not blank or rest.isdigit()):
        return SENTENCES[first] + (f" ({rest})" if blank else "")
    return code if blank else code.replace("_", " ")


def exits(codes: Sequence[int | None]) -> str:
    """How a command that is started again and again has ended: `its command exited with 1, 5 times`; "": it has not.

    `codes`: As a shell shows them, oldest first; None: nobody knows.
    """
    if not codes:
        return ""
    how = "ended" if codes[-1] is None else f"exited with {codes[-1]}"
    if len(codes) == 1:
        return f"its command {how}"
    if len(set(codes)) == 1:
        return f"its command {how}, {len(codes)} times"
    return f"its command ended {len(codes)} times; the last time it {how}"


SHORT: Mapping[str, str] = {
    "check_failed": "check",
    "conflict_left": "conflict",
    "conflicts": "conflict",
    "no_change": "unchanged",
    "no_verdict": "verdict",
    "not_pushed": "push",
    "output_invalid": "unfit",
    "output_missing": "outputs",
    "restart_budget_spent": "restarts",
    "review_denied": "denied",
    "undoes_landed": "undoes",
    "verify_failed": "verify",
}
"""Code of what fails although the program has ended well → a word for a narrow column."""


def short_word(code: str) -> str:
    """Return one word for a code: `check`; `failed` where none is its own."""
    return SHORT.get(code.partition(" ")[0], "failed")


_NEVER, _TIMEOUT = "never", "timeout"
"""The policy of restarts that starts nothing again, and the reason that none answers."""
OUT_OF_TIME = frozenset({_TIMEOUT, "stalled"})
"""Reasons of what a limit of time or of silence has ended."""
_LIMITED: Mapping[str, str] = {
    "check_failed": "its check took longer than",
    "stalled": "it was silent for",
    "timeout": "it took longer than",
    "verify_failed": "the check of the merged work took longer than",
}
"""The sentences, before the limit, of those where one is known that has ended the work, or what checked it."""
FINAL = ", after which it is not restarted"
"""Behind the sentence of a limit that ends also what is to be started again."""
CONVERSATION_LOST = "its conversation was gone: it began a new one, without what was said before"
"""People read it until they have looked at the agent."""
EXITED = "exited"
"""The code of a message whose agent ended before it answered."""


def message_failure(message: int, code: str, *, is_given_up: bool) -> str:
    """How a message has failed: `message 1 was given up: the agent ended twice before it answered`.

    Args:
        message: Its number.
        code: Why, or a sentence that says so.
        is_given_up: Whether it was sent a second time, and its agent has ended again.
    """
    if code == EXITED:
        if is_given_up:
            return f"message {message} was given up: the agent ended twice before it answered"
        return f"message {message} failed: the agent ended before it answered"
    return f"message {message} failed" + (f": {sentence(code)}" if code != "failed" else "")


def to_send_again(name: str) -> str:
    """What to type once a message for an agent has failed; `overmind messages` has its text."""
    return f"overmind send {name} 'TEXT'"


RETRIES_SPENT = "retries_spent"
"""The reason of a quest whose work has failed in each attempt; what failed behind the work is its own reason."""
SPENT = "restart_budget_spent"
"""The code of who was started again too often."""
_SPANS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


class FinalLimit(float):
    """Seconds of a limit of time, of what is to be started again, but for that limit."""

    __slots__ = ()


def is_final(limit: Limit) -> bool:
    """Whether what the limit has ended would have been started again after any other end."""
    return isinstance(limit, FinalLimit)


def limit_of(row: Mapping[str, Any]) -> Limit | None:
    """The limit that has ended what a row shows; None: it was none, or nobody knows."""
    kept: float | None = row.get("limit_seconds")
    if row.get("reason") == SPENT:
        most, seconds = row.get("max_restarts"), row.get("max_seconds")
        if not most or not seconds:
            return None
        return spent_limit(most, seconds, row.get("restart_count") or most, why_run_ended(row.get("run_reason"), kept))
    return time_limit(row.get("reason"), kept, is_restarted=row.get("restart_policy", _NEVER) != _NEVER)


def kept_limit(reason: str | None, seconds: float | None) -> float | None:
    """The seconds of a limit, where that is what has ended it, or what checked it."""
    return seconds or None if reason in _LIMITED else None


def time_limit(reason: str | None, seconds: float | None, *, is_restarted: bool) -> float | None:
    """The limit of time or silence that has ended something; of time a final one where it `is_restarted` else."""
    return FinalLimit(seconds) if seconds and is_restarted and reason == _TIMEOUT else seconds


def why_run_ended(reason: str | None, seconds: float | None) -> str:
    """Why the last run of what was given up has ended; "" where its exit code is all that is known.

    `seconds`: Of the limit of time or silence that ended it.
    """
    return "" if reason in SAY_NOTHING else sentence(reason, seconds)


def spent_limit(most: int, seconds: float, restarts: int, why: str = "") -> tuple[int, float, str]:
    """The restarts of which people read where a limit is used up, and the seconds in which they count.

    Of a limit that forgets none these are all of its `restarts`: a check that failed has taken some from the limit.
    `why` the last run has ended is handed on.
    """
    return (restarts if seconds >= FOREVER else most), seconds, why


FOREVER = 36_500 * 86_400.0
"""Seconds of a limit that forgets no restart, as that of a quest's retries: people don't read it as a span."""


def gave_up(times: int, seconds: float, why: str = "") -> str:
    """The words for `SPENT` where the limit is known: `restarted 5 times in a minute, gave up`.

    Of one that forgets no restart `tried 3 times, gave up`. `why` the last run has ended stands behind it, if that is
    known: `gave up: it was silent for 1 hour`.
    """
    because = f": {why}" if why else ""
    if seconds >= FOREVER:
        return f"tried {times + 1} times, gave up{because}"
    count, unit = _counted_span(seconds)
    span = f"{'an' if unit == 'hour' else 'a'} {unit}" if count == 1 else f"{count:g} {unit}s"
    often = "once" if times == 1 else f"{times} times"
    return f"restarted {often} in {span}, gave up{because}"


def _counted_span(seconds: float) -> tuple[float, str]:
    """A span in the largest unit of which it is a whole number, such as 90 and `minute`."""
    length, unit = next((one for one in _SPANS if seconds >= one[0] and seconds % one[0] == 0), (1, "second"))
    return seconds / length, unit


def killed_words(seconds: float) -> str:
    """How a run ended that let its grace pass: `did not end within 14 seconds of its stop signal, so it was killed`."""
    count, unit = _counted_span(seconds)
    return f"did not end within {count:g} {unit}{'' if count == 1 else 's'} of its stop signal, so it was killed"


def killed_after(row: Mapping[str, Any]) -> str:
    """The same, of a row whose mission has ended; "" where it ended when it was asked to, or nobody asked."""
    seconds = row.get("killed_after_seconds")
    return f"it {killed_words(seconds)}" if seconds and row.get("outcome") else ""


SAY_NOTHING = frozenset({"exit", "exited", "failed", "timeout", "stopped", "killed"})
"""Reasons that the outcome, or its exit code, has said already."""


NO_EXIT = frozenset(
    {
        "busy", "conflict_left", "conflicts", "cwd_not_found", "dirty", "fenced", "forbidden", "git_failed", "gone",
        "internal", "invalid", "name_taken", "no_change", "no_terminals", "not_found", "not_pushed", "output_invalid",
        "output_missing", "provider_missing", "review_denied", "undoes_landed", "unknown_provider",
        "untrusted_project", "work_lost",
    }
)  # fmt: skip
"""Reasons and classes for which Overmind refused work, or could not begin it: no program of the work exited so."""


def said_exit(reason: str | None, exit_code: int | None) -> int | None:
    """The exit code that people read: None where no program exited with it, though `wait` has to exit with one."""
    return None if reason in NO_EXIT else exit_code


NOTHING_LANDED = "nothing to land"
"""How a quest with a target has completed whose work has changed nothing."""


def nothing_landed(row: Mapping[str, Any]) -> str:
    """What people read of the row of a quest that was to land and has changed nothing; "" for any other."""
    is_empty = row["status"] == "completed" and row.get("into") and row.get("landed", row) is None
    return NOTHING_LANDED if is_empty else ""


DENIED = "denied"
"""Reason of the quest of a phase whose document a person has denied: another one of its name follows."""
MOST_NAMED = 3
"""Files that a line names; then it counts."""


def attempt_words(number: int, counted: int, most: int, round_number: int) -> str:
    """An attempt of a quest: `attempt 2 of 3`, and how many up to it do not count, or its round.

    Its number never goes back. What does not use up a retry adds to how many there may be: `attempt 3 of 4, of which
    1 does not count`, `attempt 9 of 9 in round 3`.

    Args:
        number: Its own, through all rounds, as logs and feedback name it.
        counted: Its number among those of its round that count.
        most: How many of these there may be.
        round_number: That of its round.
    """
    number = max(number, counted)
    words = f"attempt {number} of {most_attempts(number, counted, most)}"
    if round_number > 1:
        return f"{words} in round {round_number}"
    free = number - counted
    return f"{words}, of which {free} {'does' if free == 1 else 'do'} not count" if free else words


def most_attempts(number: int, counted: int, most: int) -> int:
    """How many attempts there may be, as it stands now: those so far, and the retries that are left.

    The arguments are those of `attempt_words`.
    """
    return number + max(0, most - counted)


def attempt_numbers(row: Mapping[str, Any]) -> tuple[int, int, int]:
    """The first arguments of `attempt_words`, of the row of a quest; those that began at once have no rounds."""
    number = row["attempts"]
    counted = number if row.get("tries") is None else row["tries"]
    return max(number, counted), counted, row["retries"] + 1


def attempt_of_row(row: Mapping[str, Any]) -> str:
    """The newest attempt of the row of a quest, as `attempt_words` has it; the first of one that has had none."""
    number, counted, most = attempt_numbers(row)
    return attempt_words(number, counted, most, row.get("round") or 1) if number else attempt_words(1, 1, most, 1)


def tries_text(row: Mapping[str, Any]) -> str:
    """The same in a table: `2/3`."""
    numbers = attempt_numbers(row)
    return f"{numbers[0]}/{most_attempts(*numbers)}"


def landed_after(conflicts: Sequence[str]) -> str:
    """How a quest has completed whose work had met conflicts: `landed after a conflict in README.md`; "": it had none.

    `conflicts`: The files.
    """
    if not conflicts:
        return ""
    more = len(conflicts) - MOST_NAMED
    named = ", ".join(conflicts[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"landed after {'a conflict' if len(conflicts) == 1 else 'conflicts'} in {named}"


def not_owned_count(count: int) -> str:
    """Return `2 files not its own`; "" for none."""
    return f"{count} file{'' if count == 1 else 's'} not its own" if count else ""


def not_owned_text(paths: Sequence[str]) -> str:
    """Return how many files a quest has changed that it does not own, and which; "" for none."""
    if not paths:
        return ""
    more = len(paths) - MOST_NAMED
    listed = ", ".join((*paths[:MOST_NAMED], *((f"{more} more",) if more > 0 else ())))
    return f"{not_owned_count(len(paths))}: {listed}"


def aside_text(branches: Sequence[str], *, lead: str = "") -> str:
    """Where the work of attempts is after which a quest has begun again at its target; "" for none."""
    more = len(branches) - MOST_NAMED
    named = ", ".join(branches[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{lead}earlier work is on {named}" if branches else ""


BY_HAND = "landed by hand"
"""How the work of a quest came to its branch that a person has merged."""


A_PERSON = "a person"
"""The reviewer of work that no provider reviews, and who answers what comes through the API without a name."""


def achieved(
    branch: str | None,
    *,
    to_land: bool = False,
    checked: bool = False,
    denied: bool = False,
    conflicts: Sequence[str] = (),
    not_owned: int = 0,
    by_hand: bool = False,
    reviewer: str = "",
) -> str:
    """What people read of the end of a completed quest: what the tick beside it is worth.

    Args:
        branch: The branch on which its work has landed; None: on none.
        to_land: Whether it was to.
        checked: Whether it has a check, which has passed then.
        denied: Whether a person has denied what it handed in, so that another one follows.
        conflicts: Files in which its work had met conflicts.
        not_owned: How many files have landed that are not its own.
        by_hand: Whether a person has landed it.
        reviewer: The provider that has reviewed it, or `a person`; "": nobody has.
    """
    if denied:
        return sentence(DENIED)
    if branch is not None:
        after, strange = landed_after(conflicts).removeprefix("landed"), not_owned_count(not_owned)
        how = f"{BY_HAND} on" if by_hand else "landed on"
        return f"{how} {branch}{after}{f', {strange}' if strange else ''}"
    if to_land:
        return NOTHING_LANDED
    reviewed = f"{'allowed' if reviewer == A_PERSON else 'reviewed'} by {reviewer}" if reviewer else ""
    return ", ".join(filter(None, ("checked" if checked else "", reviewed)))


def shortenings(achievement: str) -> tuple[str, ...]:
    """Return the same, the longest first, for where there is little room: at last `landed` alone."""
    if not achievement.startswith("landed on "):
        return (achievement,)
    where = achievement.partition(" after ")[0].partition(", ")[0]
    return tuple(dict.fromkeys((achievement, where, "landed")))


def achievement_of(row: Mapping[str, Any]) -> str:
    """The same, of the row of a quest, whose daemon says it; "" where it has not completed."""
    return row.get("achieved") or nothing_landed(row)


_CHECKS = frozenset({"check_failed", "verify_failed"})
"""Reasons of work that a command has judged, which may take so long at most."""


def quest_exit(row: Mapping[str, Any]) -> int | None:
    """The exit code that people read of the row of a quest: None where nothing of it has ever run."""
    never_ran = row["status"] == "cancelled" and row.get("attempts") == 0
    is_late = row["reason"] in _CHECKS and bool(row.get("limit_seconds"))  # its code is of the signal that ended it
    return None if never_ran or is_late else said_exit(row["reason"], row["exit_code"])


def last_reason(row: Mapping[str, Any]) -> str | None:
    """The code of why the quest, or the run of a ritual, of a row has ended: what failed last, where all has failed."""
    reason: str | None = row["reason"]
    return (row.get("class") or reason) if reason == RETRIES_SPENT else reason


def why_failed(row: Mapping[str, Any]) -> str:
    """Why the quest, or the run of a ritual, of a row has ended: also where its exit code is all that is known."""
    return sentence(last_reason(row) or ("exit" if row["status"] == "failed" else None), limit_of(row))


def run_word(status: str | None, outcome: str | None) -> str:
    """How the run of a ritual stands, for people: its outcome once it has ended, else its status; "" for none."""
    return outcome or status or ""


OVERDUE = "past its deadline"
"""Of a quest that has not ended by then."""


def with_overdue(why: str, *, overdue: bool) -> str:
    """Why a quest waits, or how it stands, and first of all whether its deadline has passed."""
    return "; ".join(filter(None, (OVERDUE, why))) if overdue else why


LANDING_WAITS = "waits: "
"""Before what the landing of a quest waits for."""


def landing_waits(row: Mapping[str, Any]) -> str:
    """What the landing of the row of a quest waits for: `waits: README.md is not committed`; "" where it doesn't."""
    waits = row["status"] == "running" and row.get("why")
    return f"{LANDING_WAITS}{waits}" if waits else ""


def why_beside(reason: str | None, limit: Limit | None = None) -> str:
    """The sentence that says more than the outcome, or the exit code, beside it; "" where there is none."""
    is_said = reason in SAY_NOTHING and not (reason in _LIMITED and limit)
    return "" if is_said else sentence(reason, limit)


def ended_words(
    outcome: str, exit_code: int | None = None, reason: str | None = None, limit: Limit | None = None
) -> str:
    """The outcome with why: `failed (3): its folder does not exist`, `failed (1)`, `timed out`.

    Args:
        outcome: A word of `Outcome`.
        exit_code: As a shell shows it; None: it has none.
        reason: The code of its reason; None: there is none but its exit code.
        limit: That of the reason, see `limit_of`.
    """
    code = f" ({exit_code})" if exit_code and outcome == "failed" else ""
    why = "" if outcome == "succeeded" else why_beside(reason, limit)
    return f"{outcome}{code}{f': {why}' if why else ''}"
