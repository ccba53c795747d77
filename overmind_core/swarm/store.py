"""What a hive keeps of its swarm: its session, and the posts that it has claimed. Saved before it counts elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.swarm.answers import Claimed

if TYPE_CHECKING:
    from overmind_core.kernel.database import Database, MetaTable
    from overmind_core.kernel.journal import Journal

SESSION_FACT = "swarm"
"""Key of the home's fact."""
KEPT_SECONDS = 900.0
"""For so long an end is kept after it was told: a store that went back in time may have forgotten it."""


class Session(msgspec.Struct, frozen=True):
    """One session with a swarm: one life of this home's keeper."""

    swarm: str
    hive: str
    id: str
    keeper: str
    """Which life of the keeper it is."""
    labels: dict[str, str] = {}
    slots: int = 0
    beat: int = 0
    """Number of the beat that was accepted last."""
    beat_sent: float = 0.0
    """When that was sent: boot clock, seconds. Kept, so that the next supervisor knows when the leases here end."""
    nonce: str = ""
    """Its nonce."""
    next_nonce: str = ""
    """That of the beat that is sent next, again and again until it is answered."""
    proof: str = ""
    settle: int = 0
    fence: int = 0
    """The highest that it was given."""
    clone: str = ""
    """Not empty: another machine has beaten as this home, so that this tells it from that one."""


class HeldClaim(msgspec.Struct, frozen=True):
    """A post that this hive has, or has ended lately."""

    claim: Claimed
    mission: str | None = None
    """The mission that does it; None before it was made."""
    end: dict[str, Any] | None = None
    """What the swarm is to be told of its end; None: it goes on."""
    reported_at: float | None = None
    """When the swarm was told its end: boot clock, seconds."""
    refusal: str | None = None
    """Why it is given back: it begins here no more, also where nobody has answered yet."""
    sealed: dict[str, str] = {}
    """The secrets that it names, by name: copies sealed for this hive, base64; until its end was told."""

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.end is None


class SwarmStore:
    """All of it in memory; each change is saved with the journal's next commit."""

    def __init__(self, database: Database, meta_table: MetaTable, journal: Journal) -> None:
        self._database = database
        self._meta_table = meta_table
        self._journal = journal
        text = meta_table.get(SESSION_FACT)
        self.session: Session | None = None if text is None else msgspec.json.decode(text, type=Session)
        rows = database.read("SELECT claim FROM swarm_claims ORDER BY post")
        found = [msgspec.json.decode(row[0], type=HeldClaim) for row in rows]
        self.claims: dict[str, HeldClaim] = {}
        """All that is kept, by post; changed by `put` and `drop_claim` alone."""
        self.open: dict[str, HeldClaim] = {}
        """Those that go on."""
        self.untold: dict[str, HeldClaim] = {}
        """Those that have ended, and of whose end the swarm was not told yet."""
        self._post_of: dict[str, str] = {}
        """The mission of a claim that goes on → its post."""
        for one in found:
            self.put(one)

    def save_session(self, session: Session) -> None:
        """Take this for the session from now on."""
        self.session = session
        text = msgspec.json.encode(session).decode()
        self._journal.save(lambda: self._meta_table.save(SESSION_FACT, text))

    def forget_session(self) -> None:
        """The home is in no swarm."""
        self.session = None
        self._journal.save(lambda: self._meta_table.remove(SESSION_FACT))

    def open_of(self, subject: str) -> HeldClaim | None:
        """Return the claim that goes on of this mission, quest or post; None: there is none."""
        return self.open.get(self._post_of.get(subject, subject))

    def put(self, held: HeldClaim) -> None:
        """Know a claim, or what has become of it, without saving that."""
        self._forget(held.claim.id)
        post = held.claim.id
        self.claims[post] = held
        if held.is_open:
            self.open[post] = held
            if held.mission is not None:
                self._post_of[held.mission] = post
        elif held.reported_at is None:
            self.untold[post] = held

    def _forget(self, post: str) -> None:
        """Have it in no index; its place among the claims stays."""
        self.untold.pop(post, None)
        before = self.open.pop(post, None)
        if before is not None and before.mission is not None and self._post_of.get(before.mission) == post:
            del self._post_of[before.mission]

    def save_claim(self, held: HeldClaim) -> None:
        """Keep a claim, or what has become of it."""
        self.put(held)
        self._journal.save(lambda: self.write_claim(held))

    def write_claim(self, held: HeldClaim) -> None:
        """Store a claim; inside of a transaction."""
        self._database.write(
            "INSERT OR REPLACE INTO swarm_claims (post, claim) VALUES (?, ?)",
            (held.claim.id, msgspec.json.encode(held)),
        )

    def drop_claim(self, post: str) -> None:
        """Forget a claim."""
        self._forget(post)
        self.claims.pop(post, None)

        def remove() -> None:
            self._database.write("DELETE FROM swarm_claims WHERE post = ?", (post,))

        self._journal.save(remove)

    async def saved(self) -> None:
        """Wait until all of it is on disk."""
        await self._journal.saved()
