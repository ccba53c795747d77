"""The keys of hives, and of what a swarm holds: posts, fleets, pools, secrets."""

from __future__ import annotations

from overmind_core.domain.operation import Danger
from overmind_core.view.actions import MOVES, USUAL, Action, Context, Needs, Unlike

_HIVES, _POSTS, _BOARD = Context.HIVES, Context.POSTS, Context.POST_BOARD
_FLEETS, _POOLS, _VAULT = Context.FLEETS, Context.POOLS, Context.VAULT
_ANSWERS = Unlike(Danger.NONE, "it shows the question, where y and n answer it")
_LOOKS = "it only changes the display"
_ROW = Needs.ROW


def _of_posts(context: Context) -> tuple[Action, ...]:
    """What can be done to posts wherever they are shown."""
    return (
        Action("describe-row", ("enter", "d"), "describe", "describe it, with why it waits and the end of its log",
               context, _ROW, alone="ps -H swarm --json prints whole rows", hint=1),
        Action("why", ("w",), USUAL, "show why it waits, a line for each hive", context, _ROW, verb="why", hint=1),
        Action("post-log", ("l",), USUAL, "show its log; of a hive without a gate its end", context, _ROW, verb="logs",
               hint=1),
        Action("question", ("y",), USUAL, "show what is asked about it; y and n answer there", context,
               Needs.POST, "answer", hint=2, unlike=_ANSWERS),
        Action("retry-post", ("r",), USUAL, "queue it again after it has failed or was cancelled", context,
               Needs.POST, "quest retry", hint=2),
        Action("cancel-post", ("x",), USUAL, "cancel it; its hive ends what it has begun", context, Needs.POST,
               "quest cancel", hint=2),
    )  # fmt: skip


SWARM_ACTIONS: tuple[Action, ...] = (
    Action("hive-missions", ("enter",), USUAL, "show its missions; of a hive without a gate its posts", _HIVES, _ROW,
           verb="ps", hint=1),
    Action("describe-row", ("d",), "describe", "show all that is known of it", _HIVES, _ROW, verb="hive info", hint=1),
    Action("drain-hive", ("D",), USUAL, "take nothing new there, or take new work again", _HIVES, Needs.HIVE,
           "hive drain", hint=2),
    *_of_posts(_POSTS),
    *_of_posts(_BOARD),
    Action("column-left", ("left",), "column left", "go to the column to the left", _BOARD, alone=MOVES),
    Action("column-right", ("right",), "column right", "go to the column to the right", _BOARD, alone=MOVES),
    Action("lanes", ("b",), "lanes", "lanes by priority; none", _BOARD, alone=_LOOKS, hint=3),
    Action("describe-row", ("d",), USUAL, "describe it, with all its places", _FLEETS, _ROW, verb="fleet info",
           hint=1),
    Action("fleet-places", ("enter",), "places", "show its places among the posts of the swarm", _FLEETS, _ROW,
           verb="ps", hint=1),
    Action("scale-fleet", ("e",), USUAL, "change how many places it has: type the number", _FLEETS, Needs.FLEET,
           "fleet scale", hint=1, takes_text=True),
    Action("delete-fleet", ("ctrl+d",), USUAL, "end it and all its places", _FLEETS, Needs.FLEET, "fleet delete",
           hint=2),
    Action("describe-row", ("enter", "d"), "describe", "describe it, with all its instances", _POOLS, _ROW,
           verb="pool list", hint=1),
    Action("raise-pool", ("n",), USUAL, "start more instances: type how many", _POOLS, Needs.POOL, "pool up", hint=1,
           takes_text=True),
    Action("end-instances", ("ctrl+d",), USUAL, "end its instances, once what they have has ended", _POOLS, Needs.POOL,
           "pool down", hint=2),
    Action("describe-row", ("enter", "d"), "describe", "show for which hives it is sealed; never its value", _VAULT,
           _ROW, verb="vault list", hint=1),
    Action("set-secret", ("n",), USUAL, "set one: type its name; its value is asked for in the terminal", _VAULT,
           verb="vault set", hint=1, takes_text=True),
    Action("grant-secret", ("e",), USUAL, "seal it for one more hive: type its name", _VAULT, Needs.SECRET,
           "vault grant", hint=1, takes_text=True),
    Action("remove-secret", ("ctrl+d",), USUAL, "remove it, here and from all hives", _VAULT, Needs.SECRET,
           "vault rm", hint=2),
)  # fmt: skip
