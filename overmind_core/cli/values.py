"""Values of options and words: each function checks or converts one word; a ValueError has a text for the person.

A time without a unit is seconds, but for `--backoff`. On the start-up path: nothing that most commands don't need is
imported here.
"""

from __future__ import annotations

from overmind_core.domain.text.duration import parse_count, parse_duration

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


MILLISECONDS = "ms"


def duration(word: str) -> str:
    """Check a duration of seconds or with a unit; it travels as it was written."""
    parse_duration(word)
    return word


def duration_from_now(word: str) -> str:
    """Check how long from now, such as 2h or +2h; it travels without the plus."""
    return duration(word.removeprefix("+"))


def deadline(word: str) -> str:
    """Check a time to come, or how long from now; a time travels with its date, as the daemon's zone may be another."""
    from overmind_core.domain.text.duration import DurationError

    try:
        return duration(word)
    except DurationError:
        import time

        from overmind_core.domain.text.moment import format_time, parse_later  # start-up: only where one is given

        return format_time(parse_later(word, time.time()))


def or_nothing(parse: Callable[[str], object]) -> Callable[[str], object]:
    """Return what checks a word that may be empty, too: that removes what is there."""
    return lambda word: parse(word) if word else word


def names(word: str) -> list[str]:
    """Return the names that stand between commas."""
    return [name for part in word.split(",") if (name := part.strip())]


def run_seconds(word: str) -> str:
    """Check a duration of seconds or with a unit; it travels with its unit, as requests count in milliseconds."""
    parse_duration(word)
    return word if word[-1:].isalpha() else f"{word.strip()}s"


def milliseconds(word: str) -> str:
    """Check a duration of milliseconds or with a unit; it travels as it was written."""
    parse_duration(word, default_unit=MILLISECONDS)
    return word


def whole_number(word: str) -> int:
    """Return a whole number that is not negative."""
    if not (word.isascii() and word.isdigit()):
        raise ValueError(f"{word!r} is not a whole number of 0 or more")
    return int(word)


def positive_number(word: str) -> int:
    """Return a whole number from 1 up."""
    if not (word.isascii() and word.isdigit() and int(word)):
        raise ValueError(f"{word!r} is not a whole number of 1 or more")
    return int(word)


def dollars(word: str) -> float:
    """Return an amount of US dollars above 0, such as 2.50 or $2.50."""
    digits = word.removeprefix("$")
    if not digits.isascii() or not digits.replace(".", "", 1).isdigit() or not 0 < float(digits) < float("inf"):
        raise ValueError(f"{word!r} is not an amount of US dollars above 0, such as 2.50")
    return float(digits)


def tokens(word: str) -> int:
    """Return a count of tokens above 0, such as 200000, 200k or 1.5M."""
    found = parse_count(word)
    if not found:
        raise ValueError(f"{word!r} is not a number of tokens above 0, such as 500k or 1.5M")
    return found


def tokens_or_none(word: str) -> int:
    """Return a count of tokens; 0 for no limit."""
    return parse_count(word)


def share(word: str) -> float:
    """Return a number from 0 to 1, such as 0.7."""
    if not word.isascii() or not word.replace(".", "", 1).isdigit() or float(word) > 1:
        raise ValueError(f"{word!r} is not a number from 0 to 1, such as 0.7")
    return float(word)


def dollars_or_none(word: str) -> float:
    """Return an amount of US dollars; 0 for no limit."""
    return 0.0 if word in {"0", "$0"} else dollars(word)


def terminal_size(word: str) -> tuple[int, int]:
    """Return columns and rows of `80x24`."""
    from overmind_core.domain.text.cells import MOST_CELLS  # start-up: only where one is given

    columns, _, rows = word.partition("x")
    try:
        size = whole_number(columns), whole_number(rows)
    except ValueError:
        raise ValueError(f"{word!r} is not a size: write columns x rows, such as 80x24") from None
    if not all(1 <= cells <= MOST_CELLS for cells in size):
        raise ValueError(f"{word!r} is not a size: columns and rows are 1 to {MOST_CELLS} each")
    return size


def label(word: str) -> tuple[str, str]:
    """Return key and value of `key=value`."""
    key, equals, value = word.partition("=")
    if not key or not equals:
        raise ValueError(f"{word!r} is not a label: write key=value")
    return key, value


def label_filter(word: str) -> str:
    """Check `key` or `key=value`; it travels as it was written."""
    if not word.partition("=")[0]:
        raise ValueError(f"{word!r} is not a label: write key or key=value")
    return word


def label_change(word: str) -> tuple[str, str | None]:
    """Return key and value of `key=value`, or key and None of `key-`, which removes it."""
    if "=" not in word and word.endswith("-") and len(word) > 1:
        return word[:-1], None
    return label(word)


def mission_name(word: str) -> str:
    """Check a name that a person chooses."""
    from overmind_core.domain.missions.names import name_problem  # start-up: only where one is given

    problem = name_problem(word)
    if problem is not None:
        raise ValueError(f"{word[:80]!r} is not a name. {problem}")
    return word


def status_word(word: str) -> str:
    """Check a status."""
    from overmind_core.domain.missions.mission import Status  # start-up, as above

    return _one_of(word, [status.value for status in Status])


def outcome_word(word: str) -> str:
    """Check an outcome; a dash stands for its blank."""
    from overmind_core.domain.missions.outcome import Outcome  # start-up, as above

    return _one_of(word.replace("-", " "), [outcome.value for outcome in Outcome])


def quest_status_word(word: str) -> str:
    """Check a quest's status."""
    from overmind_core.domain.quests.quest import QuestStatus  # start-up, as above

    return _one_of(word, [status.value for status in QuestStatus])


def _one_of(word: str, known: Sequence[str]) -> str:
    if word not in known:
        raise ValueError(f"{word!r} is not a status. Choose {listed(known)}")
    return word


def signal_name(word: str) -> str:
    """Return a signal's name without SIG, of `HUP`, `SIGHUP`, `hup` or `1`."""
    from signal import Signals  # start-up, as above

    text = word.upper().removeprefix("SIG")
    try:
        return (Signals(int(text)) if text.isdigit() else Signals[f"SIG{text}"]).name.removeprefix("SIG")
    except (KeyError, ValueError):
        raise ValueError(f"{word!r} is not a signal. Use a name such as TERM, INT or HUP") from None


def variable_pair(word: str) -> str:
    """Check `NAME=VALUE`, or `NAME` alone; it travels as it was written."""
    if not word.partition("=")[0]:
        raise ValueError(f"{word!r} is not a variable: write NAME=VALUE")
    return word


def permission_rule(word: str) -> str:
    """Check a rule such as `Bash(git status)`; it travels as it was written."""
    from overmind_core.domain.agents.permission import check  # start-up, as above

    check(word)
    return word


def time_zone(word: str) -> str:
    """Check a time zone such as Europe/Berlin."""
    from zoneinfo import ZoneInfo  # start-up, as above

    try:
        ZoneInfo(word)
    except (OSError, ValueError, LookupError):
        raise ValueError(f"{word!r} is not a time zone. Write one such as Europe/Berlin") from None
    return word


def timeout_seconds(given: str) -> float:
    """Return the seconds that a checked `--timeout` of who waits means."""
    return parse_duration(given)


def timeout_words(given: str) -> str:
    """Return a checked `--timeout` as a person reads it: a bare number has its unit, `2 s`."""
    return f"{given} s" if given.replace(".", "", 1).isdigit() else given


def listed(words: Sequence[str]) -> str:
    """Return words as a sentence lists them: `a, b or c`."""
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]
