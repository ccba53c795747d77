"""The grammar of the `:` line: a view with a filter, or a verb of the command line with its words; and its completion.

Also the history of the views that were open, to go back and forward in, as in a browser.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

LABEL = "label="
MISSIONS = ":missions lists them"
"""What to do about a mission that is not there."""
PLANS = ":plans lists them"
FIRST_PLAN = ":init writes an example, :apply FILE starts it"
"""What to do where there is no plan at all."""
STREAMS = frozenset({"-f", "--follow", "--watch"})
"""Views go on by themselves: with these a word is the view that it names, not the command line's stream."""


class Show(NamedTuple):
    """Go to a view.

    Attributes:
        view: Its name; "" is the one that is open.
        filter: None leaves the filter alone.
        words: What else the view takes: a mission, or how it sums up.
    """

    view: str
    filter: str | None = None
    words: tuple[str, ...] = ()


class Do(NamedTuple):
    """Run a verb with these words."""

    verb: str
    words: tuple[str, ...]


class Leave(NamedTuple):
    """Leave the program; `asks`: about missions that only it supervises."""

    asks: bool = True


class Say(NamedTuple):
    """Answer with a sentence."""

    text: str


class Unknown(NamedTuple):
    """Nothing that we know; why, and what to do then."""

    reason: str
    hint: str = "ctrl-a lists all commands"


Command = Show | Do | Leave | Say | Unknown | None


class Language(NamedTuple):
    """Every word that means something after `:`.

    Attributes:
        views: Word → name of the view.
        verbs: What the command line would run; a name may have two words.
        leave: Word → whether it asks.
        sayings: Word → the sentence that answers it.
        aliases: The person's own: word → line.
        colonies: The names of colonies.
        prose: Verb whose words are a text → its options that take a value.
        takes: View → the words that it takes beside filters.
        files: Verbs that take a file, though their word is a view's, too: what begins with `/` is one.
        about: Views of one mission, which may be named.
        named: Views that take a word of which nobody here knows what it may be.
        missions: Names and ids.
        of_plans: Those of the views about one mission that are about a plan.
        plans: The names of plans.
        shell: Words of other programs that the command line takes → the command that means the same.
        instead: Words of other programs that mean nothing here → what to type.
    """

    views: Mapping[str, str]
    verbs: Collection[str]
    leave: Mapping[str, bool]
    sayings: Mapping[str, str] = {}
    aliases: Mapping[str, str] = {}
    colonies: Collection[str] = ()
    prose: Mapping[str, Collection[str]] = {}
    takes: Mapping[str, Collection[str]] = {}
    files: Collection[str] = ()
    about: Collection[str] = ()
    named: Collection[str] = ()
    missions: Collection[str] = ()
    of_plans: Collection[str] = ()
    plans: Collection[str] = ()
    shell: Mapping[str, str] = {}
    instead: Mapping[str, str] = {}


def parsed(text: str, language: Language) -> Command:
    """What a line means; None for an empty one. `text` is without the colon."""
    line = _ours(expanded(text.strip().lstrip(":").strip(), language.aliases), language)
    verb = _verb_of(line.split(), language.verbs)
    words = _words(line)
    if verb in language.prose and (words is None or verb not in language.views):
        return Do(verb, _prose(line[len(verb) :], language.prose[verb]))
    if words is None:
        return Unknown(f"{text!r} has an unclosed quote")
    if verb:  # as the command line has it: `queue 'pause'` pauses
        verb = _verb_of([*map(shlex.quote, words)], language.verbs)
    return _meaning(words, verb, language) if words else None


def _meaning(words: Sequence[str], verb: str, language: Language) -> Command:
    """A word that stands alone, a view, a verb, or nothing that we know."""
    named = [language.views.get(word) in language.named for word in words]
    begins = bool(verb) and words[0] not in language.views  # `demo spec`, and no spec named demo
    is_verb = (" " in verb and named[0]) or (begins and any(named))  # `spec run`, and no spec of that name
    is_verb |= verb in language.files and any(word.startswith("/") for word in words[1:])  # a path, and no filter
    if found := _single(words, language) or (None if is_verb else _shown(words, language)):
        return found
    return Do(verb, tuple(words[len(verb.split()) :])) if verb else _unknown(words, language)


def expanded(line: str, aliases: Mapping[str, str]) -> str:
    """The line with the person's own words for lines put in; a word is put in once."""
    used: set[str] = set()
    while True:
        word, space, rest = line.partition(" ")
        if word in used or word not in aliases:
            return line
        used.add(word)
        line = aliases[word].strip().lstrip(":").strip() + space + rest


def _ours(line: str, language: Language) -> str:
    """The line in our words: a word of docker, kubectl or tmux becomes the command that means the same.

    One that is a view as well stays, unless options follow: those are the command's.
    """
    for count in (2, 1):
        parts = line.split(maxsplit=count)
        typed, rest = " ".join(parts[:count]), parts[count:]
        is_view = typed in language.views and not any(word.startswith("-") for word in " ".join(rest).split())
        if typed in language.shell and not is_view:
            return " ".join([language.shell[typed], *rest])
    return line


def _words(line: str) -> list[str] | None:
    """The words as a shell would part them; None inside quotes."""
    try:
        return shlex.split(line)
    except ValueError:
        return None


def _verb_of(words: Sequence[str], verbs: Collection[str]) -> str:
    """The verb that a line begins with, the longer name first; "" where it is none."""
    return next((name for name in (" ".join(words[:2]), " ".join(words[:1])) if name in verbs), "")


def _prose(text: str, valued: Collection[str]) -> tuple[str, ...]:
    """Leading options, then all that follows as one text in which quotes are quotes."""
    flags: list[str] = []
    rest = text.strip()
    while rest.startswith("--") and rest.split()[0] != "--":
        word, _, rest = rest.partition(" ")
        flags.append(word)
        if word in valued:
            value, _, rest = rest.strip().partition(" ")
            flags += [value] if value else []
        rest = rest.strip()
    if is_marked := rest.startswith("-- "):
        rest = rest.removeprefix("-- ").strip()
    if len(rest) > 1 and rest[0] == rest[-1] and rest[0] in "\"'" and rest.count(rest[0]) == 2:  # noqa: PLR2004 - a pair
        rest = rest[1:-1]
    return (*flags, *(["--"] if is_marked or rest.startswith("-") else []), *([rest] if rest else []))


def _single(words: Sequence[str], language: Language) -> Command:
    """What one word alone means."""
    first, *rest = words
    if first in language.leave and not rest:
        return Leave(asks=language.leave[first])
    if first in language.sayings and not {first} & {*language.views, *language.verbs}:
        return Say(language.sayings[first])
    return None


def _shown(words: Sequence[str], language: Language) -> Show | None:
    """The view that the words name, in any order; None when there is a word that no view takes.

    What follows a `/filter` belongs to it, as long as it names nothing else.
    """
    view, others = "", []
    filters: list[str] = []
    searching = False
    for word in words:
        if word in language.views and not view:
            view = language.views[word]
        elif word.startswith(LABEL) or ("=" in word and not word.startswith(("-", "/", "!"))):
            filters.append(LABEL + word.removeprefix(LABEL))
        elif word.startswith("/"):
            filters += [_quoted(word[1:])] if len(word) > 1 else []
            searching = True
        elif searching and word not in language.views:
            filters.append(_quoted(word))
        elif word not in language.colonies and word not in STREAMS:
            others.append(word)
    takes = {*language.takes.get(view, ()), *(language.missions if view in language.about else ())}
    strange = [word for word in others if word not in takes]
    is_named = view in language.named and len(strange) == 1 and not strange[0].startswith("-")
    if (strange and not is_named) or not (view or searching):
        return None
    return Show(view, " ".join(filters) if filters or searching else None, tuple(others))


def _quoted(word: str) -> str:
    """A word of the filter; quotes that parted it on the line keep its blanks there, too."""
    return f'"{word}"' if " " in word else word


def _unknown(words: Sequence[str], language: Language) -> Unknown:
    first = words[0]
    if first in language.views:
        view = language.views[first]
        strange = next((word for word in words[1:] if word not in language.takes.get(view, ())), words[-1])
        if view in language.of_plans:
            reason = f"{first}: no plan named {strange!r}{meant(strange, language.plans)}"
            return Unknown(reason, PLANS if language.plans else FIRST_PLAN)
        if view in language.about:
            return Unknown(f"{first}: {no_mission(strange, language.missions)}", MISSIONS)
        return Unknown(f"{first}: unknown argument {strange!r}", f":{first} /{strange} filters for it")
    if first in language.leave:
        return Unknown(f"{first} takes no arguments, got {' '.join(words[1:])!r}", f"use :{first} alone")
    if first in language.instead:
        return Unknown(f"unknown command {first!r}", language.instead[first])
    known = [*language.views, *language.verbs, *language.aliases, *language.leave, *language.sayings]
    return Unknown(f"unknown command {first!r}{meant(first, known)}")


def no_mission(word: str, missions: Iterable[str]) -> str:
    """That nobody is called so; who may be meant."""
    return f"no mission named {word!r}{meant(word, missions)}"


def meant(word: str, known: Iterable[str]) -> str:
    """The known word that looks like this one, as a question; "" where none does."""
    close = difflib.get_close_matches(word, [one for one in known if one != word], n=1, cutoff=0.6)
    return f", {close[0]!r}?" if close else ""


class Vocabulary(NamedTuple):
    """What a line may be completed to.

    Attributes:
        first: What it may begin with, the likelier first.
        flags: Line's first word → the options that it knows.
        words: Line's first word → the words that it takes: missions, signals.
        aliases: The person's own: word → line.
    """

    first: Sequence[str]
    flags: Callable[[str], Sequence[str]]
    words: Callable[[str], Sequence[str]]
    aliases: Mapping[str, str] = {}


def ghost(text: str, vocabulary: Vocabulary) -> str:
    """What completes the last word of the line; "" when nothing does, or it is complete."""
    begun = text.lstrip()
    if found := _rest(begun, vocabulary.first):
        return found
    if " " not in begun:
        return ""
    line = expanded(begun, vocabulary.aliases)
    head = _verb_of(line.split(), vocabulary.first) or line.split()[0]
    last = begun.rpartition(" ")[2]
    return _rest(last, vocabulary.flags(head) if last.startswith("-") else vocabulary.words(head))


def _rest(begun: str, names: Sequence[str]) -> str:
    if not begun or begun in names:
        return ""
    return next((name[len(begun) :] for name in names if name.startswith(begun)), "")


LONGEST = 100


class ViewHistory(NamedTuple):
    """Lines of views; `at` is where we are. A new step drops what lay ahead."""

    lines: tuple[str, ...] = ()
    at: int = -1
    before: int = -1
    """Where we were before this."""

    @property
    def here(self) -> str:
        """The line of this place; "" before the first step."""
        return self.lines[self.at] if self.lines else ""

    def stepped(self, line: str) -> ViewHistory:
        """On to a line; the same line is no step."""
        if line == self.here:
            return self
        kept = (*self.lines[: self.at + 1], line)[-LONGEST:]
        return ViewHistory(kept, len(kept) - 1, len(kept) - 2)

    def back(self) -> ViewHistory:
        """To the place before; at the first one nothing changes."""
        return self._to(self.at - 1)

    def forward(self) -> ViewHistory:
        """To the place after; at the last one nothing changes."""
        return self._to(self.at + 1)

    def last(self) -> ViewHistory:
        """To where we were before this, there and back."""
        return self._to(self.before)

    def _to(self, at: int) -> ViewHistory:
        return ViewHistory(self.lines, at, self.at) if 0 <= at < len(self.lines) and at != self.at else self
