"""The work of posts at this hive, whatever kind they are of: a run, a quest, or a place of a fleet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.plans.blueprint import ProbeKind
from overmind_core.domain.plans.genome import Genome
from overmind_core.domain.swarm.fits import Offered, Wanted, not_accepted
from overmind_core.domain.swarm.leases import deadline_of
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from overmind_core.missions.leases import Leases
    from overmind_core.swarm.pool_posts import PoolPosts
    from overmind_core.swarm.store import HeldClaim, SwarmStore

Sent = Callable[[], float]
"""When the last accepted beat was sent: the lease of what is begun counts from there. Boot clock, seconds. Raises
`OvermindError` `fenced`: the claim is over, and nothing of it may begin."""
QUEST = "quest"
PLACE = "place"
POOL = "pool"
"""Kinds of posts; all others are runs."""
_COMMANDS = ("check", "verify")
"""What of a quest its hive runs in a shell, whoever does it."""


class Work(Protocol):
    """What does the posts of one kind."""

    async def start(self, held: HeldClaim, sent: Sent) -> None:
        """Begin the work of a claim, or find what an earlier try has begun; it may have its end already.

        Args:
            held: The claim.
            sent: Called just before anything is recorded.

        Raises:
            OvermindError: it can't be done here; `fenced`, `sent` says so.
        """

    async def end(self, held: HeldClaim) -> None:
        """End at once what a claim has begun: it is somebody else's, or this hive leaves."""

    async def cancel(self, held: HeldClaim) -> None:
        """Have it end: nobody wants it any more. Asked again until it has ended; nobody waits for that here."""

    def report(self, held: HeldClaim) -> dict[str, Any] | None:
        """Return what the swarm is told of a claim that goes on; None: nothing is known of it yet."""

    def end_of(self, held: HeldClaim, *, cancelling: bool) -> dict[str, Any] | None:
        """Return what the swarm is told of the end of a claim's work; None: it goes on, or was fenced."""

    def is_fenced(self, held: HeldClaim) -> bool:
        """Whether its lease has ended here."""

    async def outputs(self, held: HeldClaim) -> dict[str, bytes]:
        """Return the files that it hands on to those that need it, by name.

        Raises:
            OvermindError: `too_large`.
        """

    async def handed_on(self, held: HeldClaim) -> dict[str, Any] | None:
        """Return what the plan gets with its end of which it is an attempt; None: it is of none."""


class GenomeCheck(Protocol):
    """Trust in files of git."""

    def check(self, genome: Genome) -> None:
        """Refuse one that is not trusted here.

        Raises:
            OvermindError: `untrusted_project`.
        """


def _genome_of(given: object) -> Genome:
    try:
        return msgspec.convert(given, Genome)
    except msgspec.ValidationError as error:
        raise OvermindError("invalid", f"Its genome can't be read here: {error}") from None


class Works:
    """All of it, and its leases."""

    def __init__(
        self,
        *,
        runs: Work,
        quests: Work,
        places: Work,
        pools: PoolPosts,
        leases: Leases,
        store: SwarmStore,
        genomes: GenomeCheck,
        accepts: Mapping[str, Any],
    ) -> None:
        """`accepts`: what this hive's configuration lets in, see `SwarmSettings`."""
        self._runs = runs
        self._others: Mapping[str, Work] = {QUEST: quests, PLACE: places, POOL: pools}
        self._pools = pools
        self._leases = leases
        self._store = store
        self._genomes = genomes
        self._accepts = accepts

    async def start(self, held: HeldClaim, sent: Sent) -> None:
        """Begin the work of a claim, see `Work.start`, if this hive accepts it.

        Raises:
            OvermindError: it does not, or it can't be done here.
        """
        if held.claim.kind != POOL:
            self._check_accepted(held)
        await self.of(held).start(held, sent)

    def _check_accepted(self, held: HeldClaim) -> None:
        definition = msgspec.json.decode(held.claim.definition)
        # Of the work itself: what stands beside it says where it fits, and its poster may write there what he likes.
        work = definition.get(QUEST if held.claim.kind == QUEST else "run")
        provider = work.get("provider") if isinstance(work, dict) else None
        source = definition.get("source")
        beside = work if isinstance(work, dict) else {}
        probe = definition.get("ready")
        commands = [name for name in _COMMANDS if beside.get(name)]
        commands += ["ready probe"] if isinstance(probe, dict) and probe.get("kind") == ProbeKind.EXEC else []
        post = Wanted(
            provider=None if provider in {None, "", RAW} else provider,
            repository=source.get("remote") if isinstance(source, dict) else definition.get("repository"),
            posted_by=definition.get("posted_by") or "",
            commands=commands,
        )
        if definition.get("genome") is not None:
            self._genomes.check(_genome_of(definition["genome"]))
        refused = not_accepted(post, Offered("", accepts=self._accepts))
        if refused is not None:
            raise OvermindError("forbidden", f"its [swarm] in config.toml {refused}")

    def is_begun(self, held: HeldClaim) -> bool:
        """Whether the work of a claim was begun: there is its mission, or this daemon decides about the pool."""
        return self._pools.is_begun(held) if held.claim.kind == POOL else held.mission is not None

    def on_call(self) -> None:
        """Somebody wants something of this hive: of the pools about which it decides, perhaps."""
        self._pools.wake_up()

    def of(self, held: HeldClaim) -> Work:
        """Return what does this one."""
        return self._others.get(held.claim.kind, self._runs)

    def renew(self, sent: float) -> None:
        """A beat was accepted: the leases of all that is held count from when it was sent. Boot clock, seconds."""
        moved = {
            held.mission: deadline_of(sent, held.claim.lease)
            for held in self._store.open.values()
            if held.mission is not None and held.claim.on_lost == "move"
        }
        if moved:
            self._leases.renew(moved)
        self._pools.renew(sent)

    def release(self, ended: Iterable[HeldClaim]) -> None:
        """These claims are over, and so are their leases."""
        missions = [held.mission for held in ended if held.mission is not None]
        if missions:
            self._leases.release(missions)
