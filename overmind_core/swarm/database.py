"""The swarm's functions and views, one method each. Used by one thread at a time; no method waits longer than it may.

A hive's life, in calls:

* `connect(url)`; `listen()`. `fileno()` is readable when there is `news()`: `queued` or `packed` (there is something to
  claim, for the emptiest or the fullest first), `hive:NAME` (look at what NAME holds: something is to be ended, or
  answered), `mode` (the store is open, or not any more).
* `join(hive, home, session, about)`: the session is an id that the keeper's life has from its beginning to its end.
  Word `watch`: wait for `seconds`, by the own monotonic clock, and join again with `seen={"session", "beat",
  "seconds"}` of that answer.
* Every 5 s `beat(session, expected, last, nonce, about)`: `expected` and `last` are number and nonce of the beat that
  was accepted last (at first the `beat` of `Joined` and ""), `nonce` is new. After a lost answer the very same call
  again. Note the monotonic time *before* the call: leases count from there once it is answered.
* `claim(session, beat, free)` gives posts; what can't be started is given back with `give_back`. After a lost answer
  the next beat's `held` has what was claimed, and `claims_of` all of it.
* `report_progress`, `report_end` with the fence of the claim. `fenced`: the claim is over; end the run. A lost answer:
  report it again. `tell` does that for several posts at once, and `exchange` claims in the same statement.
* `watchlist` says which sessions and posts to look at; `take` when a session's beat stood still for its lease and 1 %
  and 2 s more, or for 60 s; a post of the list that was seen so for its delay is named in `claim(…, seen={id:
  [version, seconds]})`.
* Word `present` of a beat: call `present` with all that is held and what has ended in the last quarter of an hour.
  A hive that has waited for the longest lease since it noticed `settling` or `restarted` calls `settled`.

Errors: `SwarmSilent`, after which the connection may be broken (`is_usable`): connect anew. `OvermindError` for the
rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeVar

import msgspec
import psycopg

from overmind_core.domain.text.storable import storable_json
from overmind_core.errors import OvermindError
from overmind_core.kernel.codec import Codec
from overmind_core.swarm import answers, connection
from overmind_core.swarm.connection import ANSWER_SECONDS, SwarmSilent, in_words
from overmind_core.swarm.posts import SHORTEST_ID
from overmind_core.swarm.schema import KEPT, released, unkept

Role = Literal["viewer", "worker", "operator", "owner"]
Found = TypeVar("Found")
Row = TypeVar("Row", bound=msgspec.Struct)
_TRIES: Final = 3
"""Of a statement that two ask for in such a way that the server ends one of them."""

for _kind in vars(answers).values():
    if isinstance(_kind, type) and issubclass(_kind, msgspec.Struct):
        Codec(_kind)  # msgspec knows it from here on: each line to the swarm decodes in a thread of its own


def connect(url: str, *, answer_seconds: float = ANSWER_SECONDS) -> Swarm:
    """Connect with a swarm.

    Raises:
        OvermindError: `invalid`, the URL asks for an unsafe way; `forbidden`, the login is none of this swarm.
        SwarmSilent: nobody answers, or it is a swarm of another version.
    """
    swarm = Swarm(connection.connect(url, answer_seconds=answer_seconds))
    try:
        _check(swarm.hello())
    except BaseException:
        swarm.close()
        raise
    return swarm


def _check(hello: answers.Hello) -> None:
    known = len(released())
    if hello.schema > known:
        raise SwarmSilent(
            f"The swarm is newer than this program (schema {hello.schema}, here {known}). Upgrade Overmind here."
        )
    if hello.schema < known:
        raise SwarmSilent(
            f"The swarm is older than this program (schema {hello.schema}, here {known})."
            " Its owner upgrades it: overmind swarm init URL"
        )
    if hello.role is None:
        raise OvermindError(
            "forbidden",
            f"Login {hello.login} is none of this swarm."
            f" An owner can invite it: overmind swarm invite {hello.login} --role worker",
        )


class Swarm:
    """A connection with a swarm."""

    def __init__(self, connection_: connection.BoundedConnection) -> None:
        self._connection = connection_
        self._news: list[str] = []
        connection_.add_notify_handler(lambda notify: self._news.append(notify.payload))

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()

    @property
    def is_usable(self) -> bool:
        """Whether more can be asked on this connection."""
        return not self._connection.closed

    def fileno(self) -> int:
        """The descriptor that is readable when there may be news."""
        return self._connection.fileno()

    def listen(self) -> None:
        """Have news from now on."""
        self._run("listen overmind", ())

    @property
    def has_news(self) -> bool:
        """Whether something was heard since they were asked for."""
        return bool(self._news)

    def news(self) -> list[str]:
        """Return, without waiting, what was heard since the last time.

        Raises:
            SwarmSilent: the connection is lost.
        """
        try:
            self._connection.read_all()
            while notify := self._connection.pgconn.notifies():
                self._news.append(notify.extra.decode())
        except psycopg.Error as error:
            self._connection.close()
            raise in_words(error) from None
        found, self._news = self._news, []
        return found

    # asking

    def _run(self, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        for attempt in range(1, _TRIES + 1):
            try:
                cursor = self._connection.execute(query.encode(), values)
                return cursor.fetchall() if cursor.description is not None else []
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure) as error:
                if attempt == _TRIES:
                    raise in_words(error) from None
            except psycopg.Error as error:
                raise in_words(error) from None
        raise AssertionError

    def _ask(self, function: str, values: Sequence[object], answer: type[Found]) -> Found:
        """Call a function; mappings and lists travel as JSON."""
        places = ", ".join("%s::jsonb" if isinstance(value, _JSON) else "%s" for value in values)
        sent = [storable_json(value.value) if isinstance(value, _JSON) else value for value in values]
        ((found,),) = self._run(f'select to_jsonb(overmind."{function}"({places}))::text', sent)
        return msgspec.json.decode("null" if found is None else found, type=answer)

    def _look(self, view: str, row: type[Row], where: str = "", values: Sequence[object] = ()) -> list[Row]:
        columns = ", ".join(row.__struct_fields__)
        found = self._run(f"select {columns} from overmind.{view} {where}", values)  # noqa: S608 - names of ours
        names = row.__struct_fields__
        return [msgspec.convert(dict(zip(names, one, strict=True)), row, strict=False) for one in found]

    # logins

    def hello(self) -> answers.Hello:
        """Return who this login is, and how the swarm is."""
        return self._ask("hello", (), answers.Hello)

    def invite(
        self, login: str, role: Role, password: str, *, pool: bool = False, key: str | None = None
    ) -> Literal["invited", "changed"]:
        """Make a login, or give it a new role and password. The password itself is not sent: its verifier is.

        `key`: of a pool, public; what was sealed for the one before is gone.

        Raises:
            OvermindError: `invalid`, a name or role that can't be; `name_taken`, the server has such a login, of
                somebody else; `forbidden`.
        """
        verifier = self._connection.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256")
        values = (login, role, pool, verifier.decode(), key)
        return self._ask("invite", values, Literal["invited", "changed"])  # type: ignore[arg-type]

    def uninvite(self, login: str) -> bool:
        """Remove a login that has no hive; False: there was none."""
        return self._ask("uninvite", (login,), bool)

    # sessions

    def join(
        self,
        hive: str,
        home: str,
        session: str,
        about: Mapping[str, object],
        seen: Mapping[str, object] | None = None,
    ) -> answers.Joined:
        """Begin a session.

        Args:
            hive: The login's name; of a pool, that of an instance.
            home: What tells this home on this machine from all others.
            session: An id of this life of the keeper.
            about: `labels slots cpu memory providers accepts version format key system`, and `fence`: the highest that
                this home was ever given.
            seen: Of the session that the name has, after the answer `watch`: `session beat seconds`.

        Raises:
            OvermindError: `invalid`, the home has joined under another name; `not_found`, the pool has not asked for
            it.
        """
        return self._ask("join", (hive, home, session, _JSON(about), _JSON(seen)), answers.Joined)

    def beat(self, session: str, expected: int, last: str, nonce: str, about: Mapping[str, object]) -> answers.Beaten:
        """Say that the session lives.

        Args:
            session: As it has joined.
            expected: Number of the beat that was accepted last.
            last: Its nonce.
            nonce: A new one; the same again after a lost answer.
            about: `hive home proof` of the session, `fence` (the highest that it was given) and, of the hive,
                `free_slots free_cpu free_memory load` and whatever of `join` has changed.
        """
        return self._ask("beat", (session, expected, last, nonce, _JSON(about)), answers.Beaten)

    def settled(self, session: str, settle: int, waited: float) -> str:
        """Say that so many seconds have passed here since the mode was noticed; return the mode."""
        return self._ask("settled", (session, settle, waited), str)

    def leave(self, session: str) -> str:
        """End the session: `left`, or `gone`.

        Raises:
            OvermindError: `busy`, it holds posts.
        """
        return self._ask("leave", (session,), str)

    def drain(self, hive: str, *, undo: bool = False) -> int:
        """Have a hive take nothing new, or again; return how many posts it holds."""
        return self._ask("drain", (hive, undo), dict[str, int])["held"]

    def remove_hive(self, hive: str, *, dead: bool = False) -> answers.Removed:
        """Remove a hive and its login; `dead`: its machine is off, so that what it held may begin elsewhere."""
        return self._ask("remove_hive", (hive, dead), answers.Removed)

    # what holders do

    def claim(
        self,
        session: str,
        beat: int,
        free: Mapping[str, float],
        seen: Mapping[str, tuple[int, float]] | None = None,
    ) -> answers.Claims:
        """Take what waits and fits, best first.

        Args:
            session: As it has joined.
            beat: The number that was accepted last.
            free: `slots`, `cpu`, `memory` (bytes) that nothing is reserved of.
            seen: By post: its version, and for how many seconds it was seen so.
        """
        return self._ask("claim", (session, beat, _JSON(free), _JSON(seen or {})), answers.Claims)

    def claims_of(self, session: str) -> list[answers.Claimed]:
        """Return all that the session holds, as `claim` gave it: for those whose answer was lost."""
        return self._ask("claims_of", (session,), list[answers.Claimed])

    def report_progress(self, session: str, post: str, fence: int, report: Mapping[str, object]) -> answers.Reported:
        """Tell how a post goes on: any of `status phase attempt cost spent ready progress questions`.

        `questions` are all that are open: objects with a `key`, and what a person is shown.
        """
        return self._ask("report_progress", (session, post, fence, _JSON(report)), answers.Reported)

    def report_end(self, session: str, post: str, fence: int, end: Mapping[str, object]) -> answers.Reported:
        """Tell its end: `state` (done, failed, cancelled), `reason exit_code result tail cost attempt spent healthy`.

        `tail` is base64 of at most 64 KiB; `healthy`: the run of a place was healthy for a minute.

        Raises:
            OvermindError: `too_large`.
        """
        return self._ask("report_end", (session, post, fence, _JSON(end)), answers.Reported)

    def tell(self, session: str, told: Sequence[Mapping[str, object]]) -> dict[str, answers.Reported]:
        """Tell of several posts at once, all of it or nothing; return by post what it was answered.

        Args:
            session: As it has joined.
            told: By post, each once: `post fence`, and `report` or `end` as for `report_progress` or `report_end`.

        Raises:
            OvermindError: one of them is refused: `too_large`, `invalid`.
        """
        return self._ask("tell", (session, _JSON(told)), dict[str, answers.Reported])

    def exchange(
        self,
        session: str,
        beat: int,
        told: Sequence[Mapping[str, object]],
        free: Mapping[str, object],
        seen: Mapping[str, tuple[int, float]] | None = None,
    ) -> answers.Exchanged:
        """As `tell`, and then as `claim`, in one statement."""
        values = (session, beat, _JSON(told), _JSON(free), _JSON(seen or {}))
        return self._ask("exchange", values, answers.Exchanged)

    def give_back(self, session: str, post: str, fence: int, reason: str) -> answers.Reported:
        """Give back what can't run here; this hive is not offered it for a minute."""
        return self._ask("give_back", (session, post, fence, reason), answers.Reported)

    def watchlist(self, session: str) -> answers.Watchlist:
        """Return what this hive is to watch on its own clock."""
        return self._ask("watchlist", (session,), answers.Watchlist)

    def take(self, session: str, holder: str, beat: int, watched: float) -> answers.Taken:
        """Free what a silent session holds, if its beat is still the one that was seen for `watched` seconds."""
        return self._ask("take", (session, holder, beat, watched), answers.Taken)

    def present(self, session: str, held: Sequence[Mapping[str, object]], *, all_: bool) -> answers.Presented:
        """After a rewind, say what is held and what has ended.

        Args:
            session: As it has joined.
            held: By post: `id fence proof definition` of the claim, `state` (claimed, or how it ended), and of an end
                what `report_end` takes.
            all_: Whether this is the last part: what it has not named is not held.
        """
        return self._ask("present", (session, _JSON(held), all_), answers.Presented)

    def put_output(self, session: str, post: str, fence: int, name: str, body: bytes) -> answers.Reported:
        """Hand a file on to those that need this post; before its end is told.

        Raises:
            OvermindError: `too_large`, with it they have more than 16 MiB.
        """
        return self._ask("put_output", (session, post, fence, name, body), answers.Reported)

    def inputs(self, session: str, post: str, fence: int) -> list[tuple[str, str, str, bytes]]:
        """Return what the needs of a post have handed on: id and name of the need, name and bytes of the file."""
        found = self._run("select need, need_name, name, body from overmind.inputs(%s, %s, %s)", (session, post, fence))
        return [(one[0], one[1], one[2], bytes(one[3])) for one in found]

    def generation(self, session: str, post: str, fence: int) -> answers.Generation:
        """Return what its holder is to know before it begins a generation of a lineage."""
        return self._ask("generation", (session, post, fence), answers.Generation)

    def generation_begins(self, session: str, post: str, fence: int, conversation: str, why: str) -> answers.Reported:
        """Say how a generation begins: with a `new` conversation, and why, or with one that is `continued`."""
        return self._ask("generation_begins", (session, post, fence, conversation, why), answers.Reported)

    def my_secrets(self, session: str, post: str, fence: int) -> dict[str, bytes]:
        """Return the sealed secrets that a post names, as far as they are for this hive."""
        found = self._run("select name, sealed from overmind.my_secrets(%s, %s, %s)", (session, post, fence))
        return {name: bytes(sealed) for name, sealed in found}

    # what people do

    def post(self, definitions: Sequence[Mapping[str, object]]) -> list[str]:
        """Post quests and runs, all of them or none; return the ids of those that are new.

        Each has `id kind name`; and any of `labels cpu memory provider secrets only_hive prefers format repository
        owned budget lineage pack on_lost lease priority deadline_at retries needs needs_min`, and whatever else a
        hive needs to start it. `owned` are the beginnings of what it owns, see `domain.swarm.beginnings`.

        Raises:
            OvermindError: `name_taken`, the id is another post's; `not_found`, a need is none; `invalid`.
        """
        return self._ask("post", (_JSON(definitions),), list[str])

    def cancel(self, post: str) -> str:
        """Cancel a post; return its state, `cancelling` where its holder has to end it first."""
        return self._ask("cancel", (post,), str)

    def retry(self, post: str) -> str:
        """Queue again what has ended."""
        return self._ask("retry", (post,), str)

    def answer(self, number: int, answer: Mapping[str, object]) -> str:
        """Answer a question of the swarm, `{"answer": "allow"}`; return the state of its post."""
        return self._ask("answer", (number, _JSON(answer)), dict[str, str])["state"]

    def set_limit(self, name: str, most: float | None) -> None:
        """Set `provider:NAME` (at once) or `budget:NAME` (US dollars); None: no limit."""
        self._run("select overmind.set_limit(%s, %s)", (name, most))

    def apply_fleets(
        self, source: str, fleets: Sequence[Mapping[str, object]], *, dry_run: bool = False
    ) -> list[answers.FleetChange]:
        """Have these fleets, of a blueprint, and no others of it: objects with `fleet want definition`.

        `want` None: a sentinel. `definition` as in `post`, without id, kind and name. `dry_run`: only say what would
        become of them.

        Raises:
            OvermindError: `name_taken`, another blueprint has one of that name; `invalid`; `forbidden`.
        """
        return self._ask("apply_fleets", (source, _JSON(fleets), dry_run), list[answers.FleetChange])

    def scale(self, fleet: str, want: int) -> answers.Scaled:
        """Want so many places."""
        return self._ask("scale", (fleet, want), answers.Scaled)

    def delete_fleet(self, fleet: str) -> None:
        """End a fleet."""
        self._run("select overmind.delete_fleet(%s)", (fleet,))

    def put_secret(self, name: str, hive: str, sealed: bytes) -> None:
        """Keep a copy of a secret that is sealed for a hive, or for a pool."""
        self._run("select overmind.put_secret(%s, %s, %s)", (name, hive, sealed))

    def drop_secret(self, name: str, hive: str | None = None) -> int:
        """Remove its copies, or that of one hive; return how many there were."""
        return self._ask("drop_secret", (name, hive), int)

    # pools

    def claim_pools(
        self, session: str, beat: int, seen: Mapping[str, tuple[int, float]] | None = None
    ) -> answers.Claims:
        """Take the posts of pools about which nobody decides, of those whose instances this hive can start."""
        return self._ask("claim_pools", (session, beat, _JSON(seen or {})), answers.Claims)

    def look_at_pool(
        self, session: str, post: str, fence: int, labels: Mapping[str, str], *, most: int, alive: Sequence[str] = ()
    ) -> answers.PoolLook:
        """Return at most so many posts that wait for machines with these labels, and the pool's instances.

        `alive`: what its engine says goes on; those come also if they have ended for the swarm.
        """
        values = (session, post, fence, _JSON(labels), most, list(alive))
        return self._ask("look_at_pool", values, answers.PoolLook)

    def ask_instances(self, session: str, post: str, fence: int, count: int, most: int) -> answers.Asked:
        """Write down so many more instances before they are started; no more than `most` that have not ended."""
        return self._ask("ask_instances", (session, post, fence, count, most), answers.Asked)

    def report_instance(
        self, session: str, post: str, fence: int, name: str, state: str,
        *, engine_id: str | None = None, reason: str | None = None,
    ) -> str:  # fmt: skip
        """Tell what its engine says of an instance: `ok`, `fenced`. Its state only goes on; `reason` is told."""
        return self._ask("report_instance", (session, post, fence, name, state, engine_id, reason), str)

    def add_to_pool(self, pool: str, count: int) -> list[str]:
        """Have a pool have so many more instances; return their names.

        Raises:
            OvermindError: `not_found`, there is none; `invalid`, no hive starts its instances; `no_room`.
        """
        return self._ask("add_to_pool", (pool, count), list[str])

    def end_instances(self, pool: str, words: Sequence[str] | None, *, force: bool = False) -> list[str]:
        """Have instances end, by their names or by what their engine calls them; None: all. Return their names.

        Raises:
            OvermindError: `not_found`; `invalid`, no hive starts or ends its instances.
        """
        return self._ask("end_instances", (pool, None if words is None else list(words), force), list[str])

    # looking

    def status(self) -> answers.Status:
        """Return the swarm in figures.

        Raises:
            OvermindError: `forbidden`, the login was removed.
        """
        found = self._look("status", answers.Status)
        if not found:  # whoever is none of it sees nothing
            raise OvermindError("forbidden", "The login is none of this swarm any more: an owner has removed it.")
        return found[0]

    def warnings(self) -> list[str]:
        """Return in sentences what a swarm needs of its server that this one does not give."""
        ((by_disk, by_standby),) = self._run(KEPT, ())
        return unkept(by_disk=by_disk, by_standby=by_standby)

    def hives(self) -> list[answers.Hive]:
        """Return all hives, by name."""
        return self._look("hive_list", answers.Hive, "order by name")

    def posts(self, *, ended: bool = True) -> list[answers.Post]:
        """Return all posts, or those that have not ended, oldest first."""
        where = "" if ended else "where state in ('queued', 'claimed', 'lost')"
        return self._look("post_list", answers.Post, f"{where} order by posted_at, id")

    def listed(self, *, ended: int | None = 0) -> list[answers.ListedPost]:
        """Return what lists show of all posts, oldest first: of those that have ended at most so many, the newest."""
        live = self._look("post_list", answers.ListedPost, "where state in ('queued', 'claimed', 'lost')")
        most = "" if ended is None else "limit %s"
        where = f"where state in ('done', 'failed', 'cancelled') order by ended_at desc, id desc {most}"
        over = self._look("post_list", answers.ListedPost, where, [one for one in (ended,) if one is not None])
        return sorted(live + over, key=lambda one: (one.posted_at, one.id))

    def named(self, words: Sequence[str]) -> list[answers.NamedPost]:
        """Return the posts that these words may mean, see `posts.find_post`."""
        order = "order by posted_at, id"
        asked = list(words)
        found = self._look(
            "post_list", answers.NamedPost, f"where id = any(%s) or name = any(%s) {order}", (asked, asked)
        )
        known = {word for one in found for word in (one.id, one.name)}
        begins = [word for word in asked if word not in known and len(word) >= SHORTEST_ID]
        if begins:
            where = f"where exists (select from unnest(%s::text[]) word where starts_with(id, word)) {order}"
            found += self._look("post_list", answers.NamedPost, where, (begins,))
        return found

    def names(self, *, ended: bool = True) -> list[answers.NamedPost]:
        """Return ids and names of all posts, or of those that have not ended."""
        where = "" if ended else "where state in ('queued', 'claimed', 'lost')"
        return self._look("post_list", answers.NamedPost, where)

    def ended_badly(self, ids: Sequence[str]) -> list[answers.Post]:
        """Return those of these posts that have failed or were cancelled."""
        return self._look(
            "post_list", answers.Post, "where id = any(%s) and state in ('failed', 'cancelled')", (list(ids),)
        )

    def find_post(self, post: str) -> answers.Post | None:
        """Return one post."""
        found = self._look("post_list", answers.Post, "where id = %s", (post,))
        return found[0] if found else None

    def posts_of(self, ids: Sequence[str]) -> list[answers.Post]:
        """Return those of these posts that there are."""
        return self._look("post_list", answers.Post, "where id = any(%s)", (list(ids),))

    def end_of(self, post: str) -> answers.PostEnd | None:
        """Return definition, result and tail of a post."""
        found = self._look("post_ends", answers.PostEnd, "where id = %s", (post,))
        return found[0] if found else None

    def outputs_of(self, post: str) -> dict[str, bytes]:
        """Return the files that a post has handed on, by name."""
        found = self._run("select name, body from overmind.output_list where post = %s order by name", (post,))
        return {name: bytes(body) for name, body in found}

    def questions(self) -> list[answers.Question]:
        """Return the questions that are open or were answered and not yet read, by number."""
        return self._look("question_list", answers.Question, "order by number")

    def refusals(self) -> list[answers.Refusal]:
        """Return why posts that wait were given back."""
        return self._look("refusal_list", answers.Refusal, "order by post, hive")

    def fleets(self) -> list[answers.Fleet]:
        """Return all fleets, by name."""
        return self._look("fleet_list", answers.Fleet, "order by name")

    def generations(self, lineage: str | None = None) -> list[answers.GenerationRow]:
        """Return the generations of a lineage, or of all of them, oldest first."""
        where, values = ("", ()) if lineage is None else ("where lineage = %s", (lineage,))
        return self._look("generation_list", answers.GenerationRow, f"{where} order by lineage, number", values)

    def limits(self) -> list[answers.Limit]:
        """Return the shared limits."""
        return self._look("limit_list", answers.Limit, "order by name")

    def secrets(self) -> list[answers.Secret]:
        """Return which secrets there are for whom."""
        return self._look("secret_list", answers.Secret, "order by name, hive")

    def instances(self) -> list[answers.Instance]:
        """Return the instances of pools."""
        return self._look("instance_list", answers.Instance, "order by pool, length(name), name")

    def pools(self) -> list[answers.Pool]:
        """Return all pools, by name."""
        return self._look("pool_list", answers.Pool, "order by name")

    def pools_for(self, post: str) -> list[str]:
        """Return the pools whose instances are started for a post that waits."""
        return self._ask("pools_for", (post,), list[str])

    def logins(self) -> list[answers.Login]:
        """Return who may connect."""
        return self._look("login_list", answers.Login, "order by name")

    def events(self, after: int = 0, limit: int = 500) -> list[answers.Event]:
        """Return what happened after an event, oldest first."""
        return self._look("event_list", answers.Event, "where seq > %s order by seq limit %s", (after, limit))


class _JSON:
    """A value that travels as JSON."""

    def __init__(self, value: object) -> None:
        self.value = value
