"""What the resolution of a conflict has left out of one file: changes that had landed there before. Pure.

A command that knows nothing of git may write a whole file again after a conflict in it: the other side is gone then,
though no mark of a conflict is left. Lines are compared as a bag, so no guess is made about where they belong. Work
that brings both sides together in words of its own keeps neither side whole, and is nobody's loss. Once one conflict
shows that the other side was left out, all that has landed since the work began and would go is counted, whoever
landed it, and also what landed after the conflict.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.engine_questions import ALLOW, DENY
from overmind_core.domain.landing import PERSON
from overmind_core.domain.quests.quest import DroppedChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from overmind_core.domain.quests.quest import Quest

MOST_LINES = 10
"""Lines of one file that are kept and shown."""
LONGEST_LINE = 200
"""Characters of one."""


class ConflictTexts(NamedTuple):
    """One file as it stood in a conflict; None: there was none."""

    base: str | None
    """Where both sides went apart."""
    landed: str | None
    """On the target."""
    own: str | None
    """In the work."""


class LandedTexts(NamedTuple):
    """One file around the landing of others; None: there was none."""

    by: str
    """Whose work it was."""
    before: str | None
    after: str | None


class FileLoss(NamedTuple):
    """What a landing would undo in one file."""

    lost: Counter[str]
    """Lines that had landed and would go."""
    back: Counter[str]
    """Lines that others had removed and that would come back."""
    replaced: str | None = None
    """What would be replaced by its state before others changed it, where that is no text."""


def file_loss(
    met: Sequence[ConflictTexts], now: str | None, result: str | None, *, own_wins: bool = False
) -> FileLoss | None:
    """Return what a landing would undo, where the work kept its own side alone in a conflict; None: nothing.

    Args:
        met: The conflicts in the file, the oldest first.
        now: The file on the target.
        result: The file as it would be there next.
        own_wins: Whether the result has the work's own side in each conflict with the target: so all that is gone is
            undone by that, also where the work had kept something of each side before.
    """
    real = [one for one in met if one.landed != one.base]
    if result == now or not real:
        return None
    if any("\0" in (text or "") for texts in (*real, (now, result)) for text in texts):
        return FileLoss(Counter(), Counter(), now or "") if any(result == one.own for one in real) else None
    losses = [_loss(one, now, result) for one in real]
    pairs = list(zip(real, losses, strict=True))
    if not own_wins and not any(result == one.own or _keeps_own_alone(one, loss, now, result) for one, loss in pairs):
        return None
    whole = together([_loss(real[0]._replace(landed=now), now, result), *losses])
    return whole if whole.lost or whole.back else None


def _loss(met: ConflictTexts, now: str | None, result: str | None) -> FileLoss:
    """What is left out of the other side of one conflict, as far as it is on the target still."""
    base, landed, own = map(_lines, met)
    back = ((base - landed) - (base - own)) & (_lines(result) - _lines(now))
    return FileLoss(_missing(_added(met, now), base, _lines(result)), back)


def _added(met: ConflictTexts, now: str | None) -> Counter[str]:
    base, landed, own = map(_lines, met)
    return ((landed - base) - (own - base)) & _lines(now)


def _keeps_own_alone(met: ConflictTexts, loss: FileLoss, now: str | None, result: str | None) -> bool:
    """Whether a result has all of the work's own side of a conflict, and nothing of the other one."""
    base, landed, own = map(_lines, met)
    ours = (own - base) - (landed - base)
    if not ours or _missing(ours, base, _lines(result)):
        return False
    return bool(loss.lost or loss.back) and loss.lost == _added(met, now)


def is_within(loss: FileLoss, allowed: FileLoss) -> bool:
    """Return whether all that a landing would undo in a file is what another one would have undone."""
    return loss.lost <= allowed.lost and loss.back <= allowed.back and loss.replaced == allowed.replaced


def lost_again(denied: FileLoss | None, now: str | None, result: str | None) -> FileLoss | None:
    """Return what a landing would undo of what a person wants to stay; None: nothing.

    Args:
        denied: What is to stay; None: nobody can tell, so all that is there is.
        now: The file on the target.
        result: The file as it would be there next.
    """
    if result == now:
        return None
    before, after = _lines(now), _lines(result)
    if denied is None:
        is_text = "\0" not in (now or "")
        denied = FileLoss(before, Counter()) if is_text else FileLoss(Counter(), Counter(), now)
    if denied.replaced is not None:
        return denied if denied.replaced == (now or "") else None
    loss = FileLoss(denied.lost & (before - after), denied.back & (after - before))
    return loss if loss.lost or loss.back else None


def together(losses: Iterable[FileLoss]) -> FileLoss:
    """Return all that several landings, or one for several reasons, would undo in a file."""
    whole = FileLoss(Counter(), Counter())
    for one in losses:
        replaced = one.replaced if whole.replaced is None else whole.replaced
        whole = FileLoss(whole.lost | one.lost, whole.back | one.back, replaced)
    return whole


def dropped_change(
    path: str, loss: FileLoss, now: str | None, base: str | None, landings: Sequence[LandedTexts]
) -> DroppedChange:
    """Return what a landing would undo in a file, for people.

    Args:
        path: Of the file.
        loss: What it would undo.
        now: The file on the target.
        base: The file as the work began.
        landings: The landings of others on the target since then. What none of them did, the person did.
    """
    if loss.replaced is not None:
        who = _named(list(dict.fromkeys(one.by for one in landings if one.before != one.after)) or [PERSON.name])
        return DroppedChange(path, f"{path} would be as it was before the change of {who}")
    added = [(one.by, _lines(one.after) - _lines(one.before)) for one in landings]
    removed = [(one.by, _lines(one.before) - _lines(one.after)) for one in landings]
    parts = []
    if loss.lost:
        parts.append(f"lose {_count(loss.lost)} of {_named(_authors(loss.lost, added))}")
    if loss.back:
        parts.append(f"get back {_count(loss.back)} that {_named(_authors(loss.back, removed))} removed")
    lines = [f"- {line[:LONGEST_LINE]}" for line in _in_order(now, loss.lost)]
    lines += [f"+ {line[:LONGEST_LINE]}" for line in _in_order(base, loss.back)]
    more = len(lines) - MOST_LINES
    shown = tuple(lines[:MOST_LINES])
    return DroppedChange(
        path, f"{path} would {' and '.join(parts)}", (*shown, f"… and {more} more") if more > 0 else shown
    )


def _authors(lines: Counter[str], changes: Sequence[tuple[str, Counter[str]]]) -> list[str]:
    """Those who made these changes, in their order; each line is the newest one's who made it."""
    left, found = Counter(lines), set[str]()
    for by, changed in reversed(changes):
        if left & changed:
            found.add(by)
            left -= changed
    names = [by for by in dict.fromkeys(by for by, _ in changes) if by in found]
    return [*names, *([PERSON.name] if left and PERSON.name not in names else [])]


def _named(names: Sequence[str]) -> str:
    """Names in a sentence: `a, b and c`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def dropped_sentence(dropped: Sequence[DroppedChange]) -> str:
    """Return what would be gone, as sentences."""
    return " ".join(f"{one.text}." for one in dropped)


def dropped_brief(dropped: Sequence[DroppedChange]) -> str:
    """Return the same in few words, without an end: that of the first file, and how many more there are."""
    more = len(dropped) - 1
    text = dropped[0].text if dropped else ""
    return f"{text}; more in {more} other file{'' if more == 1 else 's'}" if more > 0 else text


def dropped_lines(dropped: Sequence[DroppedChange]) -> list[str]:
    """Return the lines of all files, below the names of those."""
    return [line for one in dropped if one.lines for line in (f"{one.path}:", *one.lines)]


def ways_to_keep_both(quest: Quest, worktree: str | None) -> list[str]:
    """Return what a person can do about work of a command that would undo what has landed, a line for each way.

    `worktree`: the folder of the work, for people.
    """
    name, into = quest.name, None if quest.goal is None else quest.goal.into
    other = f"{DENY} it, then: overmind quest edit {name} -- CMD; overmind quest retry {name}"
    return [
        "Its command would do the same again, as no prompt tells it what is lost. To keep both, do one of these:",
        f"bring both together in {worktree or 'its worktree'}, then {ALLOW} it",
        f"give it another command, which begins at {into}: {other}",
    ]


def allowed_files(quest: Quest) -> tuple[str, ...]:
    """Return the files in which a person has let the newest attempt undo what had landed. Wire form."""
    queue = quest.queue
    if queue is None or queue.allowed is None or queue.allowed.attempt != len(queue.tries):
        return ()
    return queue.allowed.paths


def beyond_allowed(quest: Quest) -> str:
    """Return why a landing is asked about that a person had allowed: `main has moved since it was allowed: `; "": none.

    It would undo more than what was shown to the person.
    """
    queue = quest.queue
    if queue is None or queue.allowed is None or queue.refused is None:
        return ""
    into = None if quest.goal is None else quest.goal.into
    if queue.refused.before != queue.allowed.before:
        return f"{into} has moved since it was allowed: "
    return "it would undo more than was allowed: "


def _lines(text: str | None) -> Counter[str]:
    """How often each line is there; blank ones say nothing about whose they are."""
    return Counter(line for line in (text or "").splitlines() if line.strip())


def _missing(added: Counter[str], base: Counter[str], result: Counter[str]) -> Counter[str]:
    """Those of the added lines that the result has not, beside the ones that were there before."""
    kept = result - base
    return Counter({line: count - kept[line] for line, count in added.items() if count > kept[line]})


def _in_order(text: str | None, wanted: Mapping[str, int]) -> list[str]:
    left, found = dict(wanted), []
    for line in (text or "").splitlines():
        if left.get(line):
            left[line] -= 1
            found.append(line)
    return found


def _count(lines: Counter[str]) -> str:
    number = lines.total()
    return "1 line" if number == 1 else f"{number} lines"
