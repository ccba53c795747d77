"""Why a quest does not start, and what depends on it: the reasons in order, and the answer as people read it. Pure.

The reasons that are not the queue's own are made here, so that each of them says the same everywhere, and names the
command with which a person lets the quest go on.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.admission import QUEUE, Wait, WaitCode
from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.agents.turns import one_line
from overmind_core.domain.engine_questions import (
    ALLOW,
    DENY,
    FOR_YOU,
    UNDOES,
    UNDOES_LANDED,
    UNDOES_OF_COMMAND,
    EngineNeed,
)
from overmind_core.domain.missions.reasons import (
    BY_HAND,
    NOTHING_LANDED,
    aside_text,
    attempt_words,
    kept_limit,
    landed_after,
    not_owned_text,
    sentence,
    with_overdue,
)
from overmind_core.domain.quests.attempt import is_begun_at_target
from overmind_core.domain.quests.classes import (
    BLOCKED,
    CHECK_FAILED,
    CONFLICTS,
    EXIT,
    UNFIT,
    VERIFY_FAILED,
    command_of,
    last_failure,
    spent_for_good,
    unpassed_check,
)
from overmind_core.domain.quests.hand_landing import is_unreviewed
from overmind_core.domain.quests.life import (
    achievement,
    has_landed_nothing,
    is_refused,
    is_tried_again,
    lacks_verdict,
    landed_by_hand,
    landed_conflicts,
    left_conflict,
    review_log,
    state_of,
    waits_for_room,
    waits_for_target,
)
from overmind_core.domain.quests.needs import Need, Needs, SetFree, StillWaiting
from overmind_core.domain.quests.quest import QuestStatus
from overmind_core.domain.quests.remedies import lead_of, look_at, more_time, ways_of_kept_work
from overmind_core.domain.quests.resolution import allowed_files, beyond_allowed, dropped_brief, dropped_sentence
from overmind_core.domain.quests.score import Score, score_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from overmind_core.domain.landing import KeptWork
    from overmind_core.domain.quests.quest import Quest

MOST_SHOWN = 3
"""Lines of what a check has printed."""
MOST_NAMED = 10
"""Quests that a line names; then it counts."""
MOST_SAID = 1000
"""Characters of a reason as it was told to the next attempt."""
_EXPLAINED = frozenset({UNFIT, "output_missing", CONFLICTS})
"""Classes of failures whose feedback begins with the very reason."""
_NOTE, _HINT = "- ", "- hint: "
"""How lines of ours begin in feedback, and those among them that are no reason."""
_ORDER = {code: number for number, code in enumerate(WaitCode)}

PAUSED = Wait(WaitCode.HELD, "the queue is paused", do=("overmind queue resume",))


def question_open(number: int, answer: str = ALLOW) -> Wait:
    """Held: a person has to answer a question about it first; `answer`: the one with which it goes on."""
    return Wait(WaitCode.HELD, f"question {number} is open", do=(f"overmind answer {number} {answer}",))


def archived(slug: str) -> Wait:
    """Held: its spec is archived."""
    return Wait(WaitCode.HELD, f"spec {slug} is archived", do=(f"overmind spec archive {slug} --undo",))


def in_gate(phase: str, asked: int | str) -> Wait:
    """Held: a person looks at a phase of its spec first; `asked`: the number of the question, or its name."""
    return Wait(WaitCode.HELD, f"phase {phase} is in review", do=(f"overmind answer {asked} {ALLOW}",))


def behind_sync(slug: str, *, comes: bool) -> Wait:
    """An approved change of its task is not in it yet; `comes`: that follows by itself, else it is held until then."""
    if comes:
        return Wait(WaitCode.NEEDS, "waits for phase sync")
    return Wait(WaitCode.HELD, "phase sync has to be done again", do=(f"overmind spec run {slug}",))


def over_budget(text: str, do: tuple[str, ...] = (), *, whose: str = "") -> Wait:
    """A budget is spent: `text` says which, as `budget.lease` does; `do`: the commands that raise it."""
    return Wait(WaitCode.BUDGET, text, by=(whose,) if whose else (), do=do)


_OF_QUEUE = {WaitCode.BUDGET: "max_cost_per_day", WaitCode.SLOTS: "slots"}


def setting_of(wait: Wait) -> str | None:
    """Return the key in [queue] of config.toml whose value makes it wait; None: none does."""
    if wait.by == (QUEUE,):
        return _OF_QUEUE.get(wait.code)
    of_provider = wait.code is WaitCode.SLOTS and any(name.startswith("provider:") for name in wait.by)
    return "providers" if of_provider else None


def first_of(waits: Iterable[Wait | None]) -> Wait | None:
    """Return the reason that is given of several, as `WaitCode` has them in order; of equal ones the first."""
    found = None
    for one in waits:  # asked about each of ten thousand quests: `min` with a key takes three times as long
        if one is not None and (found is None or _ORDER[one.code] < _ORDER[found.code]):
            found = one
    return found


def attempt_text(quest: Quest) -> str:
    """Return `attempt 2 of 3`: the one under way, or the next one; see `attempt_words` where not all count."""
    queue = quest.queue
    counted = quest.attempts if queue is None else spent_for_good(quest) + 1
    most = max(counted, quest.retries + 1)
    if queue is None:
        return f"attempt {counted} of {most}"
    number = len(queue.tries) + (quest.status is QuestStatus.QUEUED)
    return attempt_words(max(number, 1), counted, most, queue.round)


# the answer


class Why(NamedTuple):
    """Why a quest does not start, or how it stands, and what depends on it."""

    name: str
    status: QuestStatus
    code: WaitCode | None = None
    """Why it waits; None unless it is queued."""
    text: str = ""
    """The same as the rest of a sentence; of one that is not queued, how it stands."""
    do: tuple[str, ...] = ()
    """Commands that let it go on; where it goes on by itself, one that tells more."""
    score: Score | None = None
    """None unless it is queued."""
    position: int | None = None
    """From 1; the same."""
    queued: int = 0
    """How many are."""
    starts: tuple[str, ...] = ()
    """Names of those whose needs are met once it has completed."""
    waiting_then: tuple[StillWaiting, ...] = ()
    evidence: Evidence | None = None
    """None unless a check has failed."""
    empty_needs: tuple[str, ...] = ()
    """Names of those that it needs and that have completed with nothing to land."""
    needs_by_hand: tuple[str, ...] = ()
    """Names of those that it needs and whose work a person has landed by hand."""
    pending_settings: str = ""
    """A sentence, where the value of config.toml for which it waits was changed since the daemon began."""
    questions: tuple[AskedQuestion, ...] = ()
    """What is asked about it, or what belongs to it."""
    kept_work: str | None = None
    """The worktree in which work is kept of one that has ended; None: there is none, or `evidence` says it."""


class AskedQuestion(NamedTuple):
    """A question that waits for a person."""

    number: int
    text: str
    """In a line, with the command that answers it."""
    need: str = ""
    """The kind of the question."""


class Evidence(NamedTuple):
    """The place in which a check has failed, and the last of what it has printed."""

    folder: str | None
    """None: nobody knows."""
    output: tuple[str, ...]
    is_gone: bool = False
    """Whether the folder was removed since."""
    work: str | None = None
    """The worktree of the work, where merged work was checked elsewhere; None: there is none."""


class Refusal(NamedTuple):
    """What is in the way of a landing."""

    text: str
    """A whole sentence, or several."""
    do: tuple[str, ...]
    """Commands that take it out of the way."""


class Place(NamedTuple):
    """Where a queued quest stands in line."""

    position: int
    """From 1, by rank, whatever is in its way."""
    of: int
    score: Score


def why_of(
    quest: Quest,
    wait: Wait | None,
    place: Place | None,
    free: SetFree,
    do: tuple[str, ...] | None = None,
    *,
    refusal: Refusal | None = None,
    evidence: Evidence | None = None,
    empty_needs: Sequence[str] = (),
    needs_by_hand: Sequence[str] = (),
    overdue: bool = False,
    kept_work: KeptWork | None = None,
    question: int | None = None,
) -> Why:
    """Return the answer about a quest.

    Args:
        quest: As it stands.
        wait: Why it waits; None: it is not queued, or starts now.
        place: Where it stands in line; None unless it is queued.
        free: What its completion sets free.
        do: The commands that help, see `remedies`; None: those that are known without other quests.
        refusal: What is in the way of its landing, where that is known.
        evidence: What is known of the check that it has failed for.
        empty_needs: Names of those that it needs and that have completed with nothing to land.
        needs_by_hand: Names of those that it needs and whose work a person has landed by hand.
        overdue: Whether it has not ended by its deadline.
        kept_work: What is kept of the work of one that `may_keep_work`.
        question: The number of the one that asks whether its work lands: its name may be that of a spec, too.
    """
    word = quest.name if question is None else str(question)
    text, known = (wait.text, wait.do) if wait is not None else _with_aside(quest, *_standing(quest, refusal, word))
    if quest.status is not QuestStatus.CANCELLED and kept_work is not None:
        kept_work = kept_work if kept_work.uncommitted or kept_work.unmerged else None
    if quest.status is QuestStatus.COMPLETED:
        text = "; ".join(filter(None, (text, _LEFT if kept_work is not None else "")))
    text = "; ".join(filter(None, (text, _newest_failure(quest))))
    is_to_review = quest.status is QuestStatus.COMPLETED and quest.goal is not None and quest.goal.review is not None
    unreviewed = is_to_review or is_unreviewed(quest)
    ways = () if kept_work is None else ways_of_kept_work(quest.id, kept_work, unreviewed=unreviewed)
    ways = ways[:1] if quest.status is QuestStatus.FAILED else ways  # its next round goes on with it
    return Why(
        quest.name,
        quest.status,
        None if wait is None else wait.code,
        with_overdue(text, overdue=overdue),
        (*(known if do is None else do), *ways),
        None if place is None else place.score,
        None if place is None else place.position,
        0 if place is None else place.of,
        free.starts,
        free.waiting_then,
        evidence,
        tuple(empty_needs),
        tuple(needs_by_hand),
        kept_work=None if kept_work is None else kept_work.folder,
    )


_LEFT = "its worktree has work that has not landed"


def may_keep_work(quest: Quest) -> bool:
    """Whether work may be in its worktree that nothing else tells of: it was cancelled, or has landed what it had.

    Of one that has failed the folder is told with the command for which it has, or where its next round begins.
    """
    if quest.status is QuestStatus.FAILED:
        is_told = has_failed_for_command(quest) or is_begun_at_target(quest)
        return quest.queue is not None and not is_told and landed_by_hand(quest) is None
    has_landed = quest.status is QuestStatus.COMPLETED and quest.goal is not None and quest.goal.into is not None
    return has_landed or quest.status is QuestStatus.CANCELLED


def failed_command(quest: Quest) -> str | None:
    """Return the command for whose exit code it has failed: of its work, a check, or that of the merged work.

    It is the one that ran, which a person may have changed since. None: it has failed for none, or it is not known.
    """
    if quest.status is not QuestStatus.FAILED:
        return None
    if quest.queue is None:
        return command_of(quest, _failure(quest))
    newest = quest.queue.tries[-1] if quest.queue.tries else None
    return newest.command if newest is not None and newest.failure == _failure(quest) else None


def has_failed_for_command(quest: Quest) -> bool:
    """True where the exit code of a command made it fail, also where that command is not known."""
    if failed_command(quest) is not None:
        return True
    failure = _failure(quest) if quest.status is QuestStatus.FAILED else None
    return failure in {CHECK_FAILED, VERIFY_FAILED} or (failure == EXIT and quest.provider == RAW)


def _changed_since(quest: Quest) -> str:
    """Words for a command that was changed after it had failed; "" where it was not, or is not known."""
    ran, failure = failed_command(quest), _failure(quest)
    now = command_of(quest, failure)
    if ran is None or ran == now:
        return ""
    is_removed = now is None and failure != EXIT  # an agent has taken the place of a command
    return f", before it was {'removed' if is_removed else 'changed'}"


def check_at_merge(quest: Quest) -> str:
    """A sentence for the landing of one that has not passed its check: it runs then, too; "" of any other."""
    check = unpassed_check(quest)
    if check is None:
        return ""
    which = "It has failed its check, which" if check == failed_command(quest) else "Its check"
    return f"{which} runs on the merged work too: {check}."


def _told(quest: Quest) -> str:
    """The feedback without our own words."""
    from overmind_core.domain.quests.briefing import bare  # noqa: PLC0415 - for quests that have failed

    return "" if quest.queue is None else bare(quest.queue.feedback).strip()


def last_printed(quest: Quest, output: str | None = None) -> tuple[str, ...]:
    """Return the last lines of the command that it has failed for; `output`: its log; None: see the feedback of it."""
    if output is None:
        output = _told(quest)
        if last_failure(quest) == VERIFY_FAILED:  # the error of the landing stands before it
            output = output.partition("\n")[2]
    return tuple([line.rstrip() for line in output.splitlines() if line.strip()][-MOST_SHOWN:])


def _refused(quest: Quest, refusal: Refusal | None, word: str) -> tuple[str, tuple[str, ...]]:
    if refusal is not None:
        text = f"it lands by itself, {attempt_text(quest)}, once this is out of the way: {refusal.text}"
        return text, refusal.do
    if quest.queue is not None and quest.queue.dropped:
        text = f"{beyond_allowed(quest)}{dropped_sentence(quest.queue.dropped)}"
        do = (f"overmind answer {word} {DENY}", f"overmind answer {word} {ALLOW}")
        effects = UNDOES_OF_COMMAND if quest.provider == RAW else UNDOES
        ways = f"{DENY}: {effects.deny}; {ALLOW}: {effects.allow}"
        return f"landing was refused: {text} A person decides ({ways}), {attempt_text(quest)}", do
    then = "it is tried again by itself" if is_tried_again(quest) else "a person decides"
    message = f"{state_of(quest)} was refused ({sentence(quest.reason)}): {then}, {attempt_text(quest)}"
    return message, ("overmind inbox",) if waits_for_target(quest) else _answers(word)


def _answers(word: str) -> tuple[str, ...]:
    """Return the commands of both answers to the question whether its work is good, which a word names."""
    return tuple(f"overmind answer {word} {behaviour}" for behaviour in (ALLOW, DENY))


def _standing(quest: Quest, refusal: Refusal | None, word: str) -> tuple[str, tuple[str, ...]]:
    """Return how a quest stands that does not wait, and what a person can do; `word` names the question about it."""
    match quest.status:
        case QuestStatus.QUEUED:
            return "it starts now", ()
        case QuestStatus.RUNNING if is_refused(quest):
            return _refused(quest, refusal, word)
        case QuestStatus.RUNNING:
            room = " again once the disk has room" if waits_for_room(quest) else ""
            return f"{state_of(quest)}{room}, {attempt_text(quest)}", ()
        case QuestStatus.REVIEW:
            unread = lacks_verdict(quest)
            why, see = ("its reviewer gave no verdict: ", (review_log(quest),)) if unread else ("", ())
            return f"{why}a person decides, {attempt_text(quest)}", (*see, *_answers(word))
        case QuestStatus.COMPLETED:
            return sentence(quest.reason) or _landing(quest) or achievement(quest), ()
        case QuestStatus.FAILED | QuestStatus.CANCELLED:
            by_hand = _by_hand(quest)
            retry = (*more_time(quest, quest.name), f"overmind quest retry {quest.name}")
            again = () if quest.queue is None or by_hand else retry
            text = "; ".join(filter(None, (_why_ended(quest), by_hand or _next_round(quest))))
            return text, (*look_at(quest, quest.name), *again)


def _next_round(quest: Quest) -> str:
    """Where another round of one begins whose work would have undone what had landed; "" for any other."""
    if not is_begun_at_target(quest) or quest.goal is None:
        return ""
    text = f"its next round begins at {quest.goal.into}"
    edit = f"overmind quest edit {quest.name} -- CMD"
    return f"{text}: give it another command before with: {edit}" if quest.provider == RAW else text


def _with_aside(quest: Quest, text: str, do: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """How it stands, with the branches that have its earlier work, where an attempt has begun at its target again."""
    kept = aside_text(() if quest.queue is None else quest.queue.aside)
    return "; ".join(filter(None, (text, kept))), do


def _by_hand(quest: Quest) -> str:
    """Where a person has landed the work of one that has failed; "" where nobody has."""
    landed = landed_by_hand(quest)
    return "" if landed is None else f"its work was {BY_HAND} on {landed.branch}"


def _why_ended(quest: Quest) -> str:
    """Why it has failed or was cancelled; of a command that has failed, that and its exit code."""
    from overmind_core.domain.quests import briefing  # noqa: PLC0415 - for quests that have failed

    failure = _failure(quest)
    if left := left_conflict(quest):
        return left
    if refusal := briefing.start_refusal(quest):
        is_named = briefing.says_what_could_not_start(refusal)
        return refusal if is_named else f"{sentence(failure, quest.limit)}: {refusal}"
    if quest.queue is not None and quest.reason in {None, UNDOES_LANDED} and is_begun_at_target(quest):
        return f"{sentence(UNDOES_LANDED)}: {dropped_brief(quest.queue.dropped)}"
    if has_failed_for_command(quest):
        return _of_command(quest, failure, failed_command(quest), quest.exit_code)
    return _explained(quest, failure)


def _newest_failure(quest: Quest) -> str:
    """Why the newest attempt of one has failed that is to be tried again; "" where none has."""
    newest = None if quest.queue is None or not quest.queue.tries else quest.queue.tries[-1]
    if quest.status is not QuestStatus.QUEUED or newest is None or newest.failure in {None, BLOCKED}:
        return ""
    is_of_command = newest.command is not None
    of_command = _of_command(quest, newest.failure, newest.command, newest.exit_code) if is_of_command else ""
    why = left_conflict(quest) or of_command or _explained(quest, newest.failure)
    return f"attempt {newest.number} failed: {why}"


def _of_command(quest: Quest, failure: str | None, command: str | None, exit_code: int | None) -> str:
    """That a command has failed, with its exit code; None: the command, or the code, is not known."""
    is_late = kept_limit(failure, quest.limit) is not None  # its code is of the signal that ended it
    code = "" if exit_code is None or is_late else f" ({exit_code})"
    named = "" if command is None else f": {one_line(command)}"
    return f"{sentence(failure, quest.limit)}{code}{_changed_since(quest)}{named}"


def _explained(quest: Quest, failure: str | None) -> str:
    """The sentence of a class of failures, with the reason from the feedback where that begins with it."""
    said = _reason_told(quest) if failure in _EXPLAINED else ""
    return f"{sentence(failure)}: {said}" if said else sentence(failure, quest.limit)


def _reason_told(quest: Quest) -> str:
    """The reason at the beginning of its feedback, in whole sentences: a line, or a list of ours."""
    lines = [line for line in _told(quest).splitlines() if line.strip()]
    notes = list(takewhile(lambda line: line.startswith(_NOTE), lines))
    said = [line.removeprefix(_NOTE).strip() for line in notes or lines[:1] if not line.startswith(_HINT)]
    text = " ".join(filter(None, ("".join(said[:1]), "; ".join(said[1:]))))
    if len(text) <= MOST_SAID:
        return text
    end = max(text.rfind(". ", 0, MOST_SAID), text.rfind("; ", 0, MOST_SAID))
    return f"{text[: end + 1 if end > 0 else MOST_SAID]} …"


def _failure(quest: Quest) -> str | None:
    """The class of its last failure; where its exit code is all that is known, that its command failed."""
    return last_failure(quest) or (EXIT if quest.status is QuestStatus.FAILED else None)


def _landing(quest: Quest) -> str:
    """Where its work has landed; "" for work that was not to."""
    landed = None if quest.queue is None else quest.queue.landed
    if landed is not None:
        after = landed_after(landed_conflicts(quest)).removeprefix("landed")
        strange = not_owned_text([one_line(path) for path in landed.not_owned])
        how = "landed" if landed_by_hand(quest) is None else BY_HAND
        files = [one_line(path) for path in allowed_files(quest)]
        undone = f"; a person allowed that it may undo what had landed in {_listed(files)}" if files else ""
        return f"{how} on {landed.branch}{after}{f', with {strange}' if strange else ''}{undone}"
    return NOTHING_LANDED if has_landed_nothing(quest) else ""


def in_the_way(quest: Quest, wait: Wait | None, needs: Needs, find: Callable[[str], Quest | None]) -> list[Need]:
    """Return the quests that a reason is about; none for reasons that are about something else.

    Args:
        quest: It waits.
        wait: The reason.
        needs: As of the same moment.
        find: The unfinished quest of a name.
    """
    match None if wait is None else wait.code:
        case WaitCode.BLOCKED:
            return list(needs.roots(quest))
        case WaitCode.NEEDS:
            return needs.open(quest)
        case WaitCode.OWNS if wait is not None:
            return [Need(found.id, found) for name in wait.by if (found := find(name)) is not None]
    return []


def from_answer(answer: Mapping[str, Any]) -> Why:
    """Return the answer to `quest_why` as it was before it became JSON, for whoever shows it."""
    score, code, evidence = answer["score"], answer["code"], _evidence_of(answer)
    return Why(
        answer["name"],
        QuestStatus(answer["status"]),
        None if code is None else WaitCode(code),
        answer["text"],
        tuple(answer["do"]),
        None if score is None else Score(**{name: score[name] for name in Score._fields}),
        answer["position"],
        answer["queued"],
        tuple(answer["starts"]),
        tuple(StillWaiting(one["name"], tuple(one["needs"])) for one in answer["waiting_then"]),
        evidence,
        tuple(answer.get("empty_needs") or ()),
        tuple(answer.get("needs_by_hand") or ()),
        answer.get("pending_settings", ""),
        tuple(AskedQuestion(one["question"], one["text"], one["need"]) for one in answer.get("questions") or ()),
        answer.get("work_folder") if answer["status"] != QuestStatus.FAILED or evidence is None else None,
    )


def _evidence_of(answer: Mapping[str, Any]) -> Evidence | None:
    folder, output = answer.get("folder"), tuple(answer.get("output") or ())
    if not output and folder is None:
        return None
    return Evidence(folder, output, bool(answer.get("folder_gone")), answer.get("work_folder"))


_IS = {
    QuestStatus.QUEUED: "is queued",
    QuestStatus.RUNNING: "is running",
    QuestStatus.REVIEW: "is in review",
    QuestStatus.COMPLETED: "has completed",
    QuestStatus.FAILED: "has failed",
    QuestStatus.CANCELLED: "was cancelled",
}


def why_lines(why: Why) -> list[str]:
    """Return the answer as people read it."""
    code = f": {why.code}" if why.code is not None else ""
    text = f": {why.text}" if why.text else ""
    lines = [f"{why.name} {_IS[why.status]}{code}{text}"]
    if why.empty_needs:
        lines.append(f"  needs: {_listed(why.empty_needs)}, completed with {NOTHING_LANDED}")
    if why.needs_by_hand:
        lines.append(f"  needs: {_listed(why.needs_by_hand)}, {BY_HAND}")
    if why.evidence is not None:
        if why.evidence.folder is not None:
            lines.append(f"  in: {why.evidence.folder}{' (removed since)' if why.evidence.is_gone else ''}")
        if why.evidence.work is not None:
            lines.append(f"  its work is in: {why.evidence.work}")
        lines += [f"  printed: {line}" for line in why.evidence.output or ("nothing",)]
    lines += [f"  its work is kept in: {why.kept_work}"] if why.kept_work is not None else []
    lines += [f"  {why.pending_settings}"] if why.pending_settings else []
    lines += [f"  {FOR_YOU}: {one.text}" for one in why.questions if not _is_named(why, one)]
    lines += [f"  {lead_of(command)}: {command}" for command in why.do]
    if why.score is not None:
        lines.append(f"{score_text(why.score)}; {why.position} of {why.queued}")
    if why.starts or why.waiting_then:
        then = [f"completing it starts: {_listed(why.starts)}"]
        if why.waiting_then:
            waiting = [f"{one.name} ({_listed(one.needs)})" for one in why.waiting_then]
            then.append(f"still waiting then: {_listed(waiting)}")
        lines.append(" · ".join(then))
    return lines


def _is_named(why: Why, asked: AskedQuestion) -> bool:
    """Whether the commands that help answer the question already: by its number, or as the only one by the name.

    A retry answers whether one that has failed is to begin again.
    """
    if asked.need == EngineNeed.STUCK and any(command.startswith("overmind quest retry ") for command in why.do):
        return True
    words = [f"overmind answer {asked.number} ", *([f"overmind answer {why.name} "] if len(why.questions) == 1 else [])]
    return any(command.startswith(word) for command in why.do for word in words)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    shown = ", ".join(names[:MOST_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown or "nothing"
