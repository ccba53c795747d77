"""Names of missions: what a person may choose, and what is generated for one that nobody named.

Generated names are pairs of 80 adjectives and 80 nouns, so 6,400: sky, weather, minerals and small living things; easy
to say, to type and to tell apart; nothing that judges the work.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from typing import Protocol

    class Random(Protocol):
        """The part of `random.Random` that is used here."""

        def choice(self, seq: Sequence[str], /) -> str:
            """Return one element."""


ADJECTIVES = (
    *("airy", "alpine", "amber", "arctic", "ashen", "autumn", "balmy", "basalt", "beaming", "brassy"),
    *("brisk", "bronze", "calm", "candid", "cedar", "chalky", "cobalt", "coastal", "copper", "coral"),
    *("crisp", "dappled", "dawning", "dewy", "drifting", "dusky", "earthen", "even", "fabled", "feathery"),
    *("ferny", "flint", "floating", "frosty", "gilded", "glassy", "glowing", "grassy", "hazel", "hidden"),
    *("indigo", "ivory", "jade", "keen", "kindly", "lapis", "leafy", "linen", "lofty", "lunar"),
    *("mellow", "merry", "mild", "misty", "mossy", "nimble", "northern", "ochre", "opal", "patient"),
    *("pearly", "pine", "placid", "quartz", "quick", "quiet", "roaming", "rosy", "russet", "saffron"),
    *("sandy", "sienna", "silken", "slate", "solar", "spry", "sunlit", "tidal", "velvet", "windy"),
)
NOUNS = (
    *("acorn", "alder", "anchor", "anvil", "aspen", "atoll", "aurora", "badger", "basin", "beacon"),
    *("birch", "boulder", "bramble", "breeze", "brook", "canyon", "cavern", "cinder", "clover", "comet"),
    *("corona", "cove", "crater", "cricket", "delta", "dolphin", "dune", "eclipse", "ember", "equinox"),
    *("falcon", "fern", "finch", "fjord", "galaxy", "geyser", "glacier", "glade", "granite", "grove"),
    *("harbor", "heron", "horizon", "island", "jasper", "juniper", "kestrel", "lagoon", "lantern", "lichen"),
    *("lynx", "maple", "marble", "meadow", "meteor", "moraine", "nebula", "oasis", "orbit", "orchard"),
    *("osprey", "otter", "pebble", "plateau", "prairie", "prism", "pulsar", "quasar", "rapids", "raven"),
    *("reef", "ridge", "sequoia", "sparrow", "summit", "thicket", "tundra", "valley", "willow", "zephyr"),
)


LONGEST_NAME = 63
"""Characters."""
PAIR_TRIES = 12
"""With half of all pairs in use, one name in 4,096 needs a third word."""
TRIPLE_TRIES = 100

_ID = r"[0-9a-f]{8}"
_HEX = r"[0-9A-Fa-f]{8}"
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"


def is_id(text: str) -> bool:
    """Tell whether `text` has the form of a mission's id: 8 lowercase hex characters."""
    return re.fullmatch(_ID, text) is not None


def name_problem(name: str) -> str | None:
    """Return what is wrong with `name` as a sentence for the person who chose it; None when nothing is."""
    if not name:
        return "A name can't be empty"
    for is_wrong, problem in (
        (len(name) > LONGEST_NAME, f"A name has at most {LONGEST_NAME} characters"),
        (
            not re.fullmatch(_NAME, name),
            "A name can only contain ASCII letters, digits, '.', '_' and '-', and begins with a letter or digit",
        ),
        (".." in name, "A name can't contain '..'"),
        (name.endswith((".", ".lock")), "A name can't end in '.' or '.lock'"),
        (re.fullmatch(_HEX, name), "A name can't be 8 hex digits: it would look like an id"),
    ):
        if is_wrong:
            return problem
    return None


def generate(taken: Container[str], random: Random) -> str:
    """Return a name such as `amber-comet` that is not in `taken`; longer when those are crowded."""
    for tries, draw in ((PAIR_TRIES, _pair), (TRIPLE_TRIES, _triple)):
        for _ in range(tries):
            if (name := draw(random)) not in taken:
                return name
    return _numbered(_triple(random), taken)


def _pair(random: Random) -> str:
    return f"{random.choice(ADJECTIVES)}-{random.choice(NOUNS)}"


def _triple(random: Random) -> str:
    return f"{random.choice(ADJECTIVES)}-{_pair(random)}"


def _numbered(stem: str, taken: Container[str]) -> str:
    number = 2
    while (name := f"{stem}-{number}") in taken:
        number += 1
    return name
