"""The words of generated names: 80 adjectives and 80 nouns, so 6,400 pairs.

Sky, weather, minerals and small living things; easy to say, to type and to tell apart; nothing that judges the work.
"""

from __future__ import annotations

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
