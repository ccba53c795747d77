"""The form of a landing: what would come, how it is merged, and whether it may be. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from overmind_core.domain.text.cells import width
from overmind_core.errors import OvermindError
from overmind_core.view import field, form_fields
from overmind_core.view import landing as landing_lines
from overmind_core.view.cells import Cell, clipped, clipped_line, folded, safe
from overmind_core.view.field import Field
from overmind_core.view.form_request import without_options
from overmind_core.view.landing import HOWS, How, Lines, Wanted

LABEL = 9
ENTRIES = ("how", "into", "verify")
"""Of the form, from above."""


class Stage(StrEnum):
    """How far a landing is."""

    LOOKING = "looking"
    READY = "ready"
    CONFLICTS = "conflicts"
    DIRTY = "dirty"
    REFUSED = "refused"
    RUNNING = "running"
    CHECK_FAILED = "check failed"


KEYS = {
    Stage.LOOKING: "esc closes",
    Stage.READY: "enter lands · tab next · ←→ how · esc cancels",
    Stage.CONFLICTS: "m has its agent resolve them · v diff · esc closes",
    Stage.DIRTY: "enter commits first · v diff · esc closes",
    Stage.REFUSED: "tab changes how · esc closes",
    Stage.RUNNING: "esc closes; landing continues",
    Stage.CHECK_FAILED: "l log · enter retries · esc closes",
}
"""What may be pressed."""
KEYS_OF_A_TASK = "v diff · esc closes"
"""Where conflicts are, and no conversation of an agent can go on."""
KEYS_BY_HAND = f"c copies the command · {KEYS_OF_A_TASK}"
"""The same, where a person can resolve them."""


@dataclass(frozen=True, slots=True)
class LandForm:
    """The form of a landing as it stands.

    Attributes:
        branch: What would be landed.
        base: Where it began: the target unless another one is typed.
        how: In which way.
        fields: What was typed: the target, and the command that verifies.
        at: The entry with the cursor.
        stage: How far it is.
        answer_lines: What the supervisor says: what would come, or why nothing can.
        verify: The mission that verifies, or has verified; "" for none.
        by_hand: The command with which a person begins to resolve conflicts; "" for none.
    """

    branch: str
    base: str
    how: How
    fields: Mapping[str, Field]
    at: str = "how"
    stage: Stage = Stage.LOOKING
    answer_lines: Lines | None = None
    verify: str = ""
    by_hand: str = ""

    @property
    def wanted(self) -> Wanted:
        """What is chosen."""
        return Wanted(self.how, self.fields["into"].text.strip(), self.fields["verify"].text.strip())


def begun(branch: str, base: str, wanted: Wanted) -> LandForm:
    """The form as it opens."""
    return LandForm(branch, base, wanted.how, {"into": Field(), "verify": Field.of(wanted.verify)})


def stepped(form: LandForm, step: int) -> LandForm:
    """The cursor on the next entry, or on the one before."""
    return replace(form, at=ENTRIES[(ENTRIES.index(form.at) + step) % len(ENTRIES)])


def turned(form: LandForm, step: int) -> LandForm:
    """Another way."""
    ways = list(How)
    return replace(form, how=ways[(ways.index(form.how) + step) % len(ways)])


def typed(form: LandForm, text: str) -> LandForm:
    """The form after typing."""
    if form.at == "how":
        return turned(form, 1) if text == " " else form
    return _written(form, field.typed(form.fields[form.at], text))


def pressed(form: LandForm, key: str) -> LandForm:
    """The form after a key that is no character and no action of the form."""
    if form.at == "how":
        return turned(form, {"left": -1, "right": 1}.get(key, 0))
    changed = field.pressed(form.fields[form.at], key)
    return form if changed is None else _written(form, changed)


def _written(form: LandForm, value: Field) -> LandForm:
    return replace(form, fields={**form.fields, form.at: value})


# what the supervisor says


def looked(form: LandForm, answer: Mapping[str, Any]) -> LandForm:
    """It can be landed, once all of it is committed."""
    left = list(answer.get("uncommitted") or ())
    if left:
        return _uncommitted(form, left)
    way, *shown = landing_lines.preview(answer, form.branch)
    refusal = safe(_refusal_text(str(answer.get("refused") or "")))  # its target can't be moved now
    said = _sentence(refusal) if refusal else []
    if unreviewed := answer.get("unreviewed"):
        said = [*_sentence(safe(f"{unreviewed}, so that merge refuses it without --unreviewed")), *said]
    if runs := answer.get("runs"):
        said = [*said, *_sentence(safe(f"before it lands, this has to succeed: {runs}"))]
    stage = Stage.REFUSED if unreviewed else Stage.READY
    return replace(form, stage=stage, answer_lines=[way, *said, *shown])


def _uncommitted(form: LandForm, files: list[str]) -> LandForm:
    return replace(form, stage=Stage.DIRTY, answer_lines=[_way(form), *landing_lines.uncommitted(files)])


def refused(form: LandForm, error: OvermindError, *, own: bool) -> LandForm:
    """It can't; `own`: what is not committed is in its own worktree, so that it can be committed from here."""
    head: Lines = [_way(form), *_sentence(safe(_refusal_text(error.message)))]
    match error.code:
        case "conflicts":
            lines = landing_lines.conflicts(error.fields, form.branch)
            by_hand = landing_lines.resolving_command(error.fields)
            return replace(form, stage=Stage.CONFLICTS, answer_lines=lines, by_hand=by_hand)
        case "dirty" | "nothing_to_merge" if own:
            return _uncommitted(form, list(error.fields.get("files") or ()))  # type: ignore[call-overload] # a list of names
        case "verify_failed":
            failed = error.fields.get("mission")
            mission = str(failed.get("id") if isinstance(failed, Mapping) else failed or form.verify)
            return replace(form, stage=Stage.CHECK_FAILED, answer_lines=head, verify=mission, at="how")
        case _:
            return replace(form, stage=Stage.REFUSED, answer_lines=head)


def _refusal_text(message: str) -> str:
    """A refusal as the form says it: a command in it stays as a terminal takes it."""
    before, start, command = message.partition(": overmind ")
    return f"{without_options(before)}{start}{command}"


def _way(form: LandForm) -> list[Cell]:
    target = form.wanted.into or form.base
    return [Cell(safe(form.branch), "accent"), Cell(" → ", "quiet"), Cell(safe(target), "accent")]


def _sentence(text: str) -> Lines:
    return [[Cell(part, "bad")] for part in text.split(". ")]


def running(form: LandForm, item: Mapping[str, Any]) -> LandForm:
    """Something goes on."""
    verify = str(item["verify"]) if item.get("verify") else form.verify
    step = landing_lines.progress(item)
    text = form.answer_lines if not step else [_way(form), [Cell(f"{step} …", "slow")]]
    return replace(form, stage=Stage.RUNNING, answer_lines=text, verify=verify)


# drawing


def drawn(form: LandForm, cells: int, *, ascii_only: bool = False) -> Lines:
    """The form in lines of at most `cells` cells."""
    text = form.answer_lines or [_way(form), [Cell("preparing the preview …", "quiet")]]
    if form.stage is Stage.CONFLICTS and form.by_hand:
        text = [*text[:-1], *folded(text[-1:], cells, 0)]
    lines = [row for line in text for row in _rows(line, cells)]
    if form.stage in {Stage.CONFLICTS, Stage.DIRTY}:
        return lines
    return [*lines, [], *_entries(form, cells, ascii_only=ascii_only)]


def _rows(line: list[Cell], cells: int) -> Lines:
    """A sentence whole, in as many rows as it takes; of anything else what fits in one."""
    is_sentence = len(line) == 1 and line[0].tone == "bad"
    return folded([line], cells, 0) if is_sentence else [clipped_line(line, cells)]


def _entries(form: LandForm, cells: int, *, ascii_only: bool) -> Lines:
    on, off = ("(o)", "( )") if ascii_only else ("●", "○")
    every = [Cell(f"{on if one is form.how else off} {one.value}  ", "" if one is form.how else "quiet") for one in How]
    hints = {"into": safe(form.base), "verify": "a command that must succeed first, e.g. make test"}
    fits = sum(width(cell.text) for cell in every) <= cells - LABEL
    ways = every if fits else [Cell(f"< {form.how.value} >" if ascii_only else f"◂ {form.how.value} ▸")]
    about = Cell(clipped(HOWS[form.how], cells - LABEL), "faint")
    lines: Lines = [[_label(form, "how"), *ways], [Cell(" " * LABEL), about]]
    for key in ENTRIES[1:]:
        active = form.at == key and form.stage is not Stage.RUNNING
        shown = form_fields.line(form.fields[key], hints[key], cells - LABEL, active=active)
        lines.append([_label(form, key), *shown])
    return lines


def _label(form: LandForm, key: str) -> Cell:
    active = form.at == key and form.stage is not Stage.RUNNING
    return Cell(f"{key:<{LABEL}}", "accent" if active else "quiet")
