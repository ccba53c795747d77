"""The runs of a swarm's posts at this hive: each an ordinary mission, begun once for its fence."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.agents.spec import spec_of
from overmind_core.domain.missions.environment import login_variables
from overmind_core.domain.missions.names import name_problem
from overmind_core.domain.missions.outcome import ON_PURPOSE, Outcome, outcome_of, was_stopped
from overmind_core.domain.plans.blueprint import FOLDER
from overmind_core.domain.swarm.leases import deadline_of
from overmind_core.domain.swarm.masks import masked
from overmind_core.domain.swarm.standing import TAIL
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import OvermindError
from overmind_core.kernel.database import StoreError
from overmind_core.logs.layout import OUT, run_folder
from overmind_core.logs.reader import RunLog
from overmind_core.missions.private_files import private_folder
from overmind_core.missions.requests import Start
from overmind_core.plans.outputs import RESULT
from overmind_core.swarm.generations import lineage_of
from overmind_core.swarm.handed_on import HANDS_ON, HandedOn, hands_on
from overmind_core.swarm.stops import Stops
from overmind_core.swarm.store import HeldClaim
from overmind_core.swarm.works import PLACE, Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.leases import Leases
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions
    from overmind_core.plans.outputs import AgentOutputs
    from overmind_core.swarm.answers import Claimed
    from overmind_core.swarm.generations import Generations
    from overmind_core.swarm.line import SwarmLine
    from overmind_core.swarm.run_secrets import RunSecrets
    from overmind_core.swarm.store import SwarmStore
    from overmind_core.system.paths import Home

OUTPUTS = "out"
"""The folder, among a mission's private files, of what an agent of a plan hands on."""
FENCED = "fenced"
"""The reason of a mission whose lease has ended."""
_HERE = frozenset({"cwd", "env", "umask", "request", "parent"})
"""Arguments of a run that are never the poster's."""


class Runs:
    """Starts, ends and describes them. On the loop's thread."""

    def __init__(
        self,
        *,
        home: Home,
        settings: Settings,
        registry: Registry,
        missions: Missions,
        tasks: Tasks,
        plan_outputs: AgentOutputs,
        leases: Leases,
        store: SwarmStore,
        secrets: RunSecrets,
        line: SwarmLine,
        generations: Generations,
        find: Callable[[str], Mission | None],
    ) -> None:
        """`plan_outputs` reads what agents of plans hand on. `find`: a mission by its id, one that has ended, too."""
        self._home = home
        self._logs = home.logs
        self._settings = settings
        self._registry = registry
        self._missions = missions
        self._stops = Stops(missions, tasks)
        self._plan_outputs = plan_outputs
        self._leases = leases
        self._store = store
        self._secrets = secrets
        self._line = line
        self._generations = generations
        self._find = find
        self._starting: set[str] = set()
        """Posts whose missions are being made, and are not there yet."""

    async def start(self, held: HeldClaim, sent: Sent) -> None:
        """Start the mission of a claim, or find the one that an earlier try has made; see `Work.start`.

        Raises:
            OvermindError: it can't be started here.
        """
        claim = held.claim
        handing = hands_on(msgspec.json.decode(claim.definition))
        is_named_here = claim.kind == PLACE or handing is not None
        request = _start_of(claim, self._name_here(claim) if is_named_here else None)
        spec = spec_of(request, self._settings)
        held = await self._secrets.fetch(held, self._line)
        lineage = lineage_of(held)
        generation = None if lineage is None else await self._generations.begin(held, lineage, spec)

        def linked(mission: Mission) -> Callable[[], None]:
            moment = sent()
            if claim.on_lost == "move":
                self._leases.hold(mission.id, deadline_of(moment, claim.lease))
            begun = msgspec.structs.replace(held, mission=mission.id)
            if handing is not None:
                os.makedirs(output_folder(self._home, mission.id), 0o700, exist_ok=True)
            self._store.put(begun)  # by it the run gets its secrets
            self._starting.add(claim.id)
            return lambda: self._store.write_claim(begun)

        try:
            whole = spec if generation is None else generation.spec
            started = await self._missions.start(whole, also=linked, wished=claim.id)
        except (OvermindError, StoreError):
            if claim.id in self._starting:
                self._store.put(held)
            raise
        finally:
            self._starting.discard(claim.id)
        self._store.save_claim(msgspec.structs.replace(held, mission=started.mission.id))
        if generation is not None:
            self._generations.record(started.mission, generation.event)

    def _name_here(self, claim: Claimed) -> str:
        """What the mission of a post is called that nobody has named: as the post, unless something else here is."""
        if name_problem(claim.name) is None and self._registry.index.holder(claim.name) is None:
            return claim.name
        return f"{'place' if claim.kind == PLACE else 'plan'}-{claim.id}-{claim.fence}"

    def mission_of(self, held: HeldClaim) -> Mission | None:
        """Return the mission of a claim; None: there is none, or it was removed."""
        if held.mission is None:
            return None
        return self._registry.live.get(held.mission) or self._find(held.mission)

    async def end(self, held: HeldClaim) -> None:
        """Kill what a claim has started: it is somebody else's, or this hive leaves."""
        mission = self.mission_of(held)
        if mission is not None and mission.is_live:
            await self._missions.end_here(mission)

    def release(self, held: HeldClaim) -> None:
        """Take the lease off: the claim is over."""
        if held.mission is not None:
            self._leases.release([held.mission])

    async def cancel(self, held: HeldClaim) -> None:
        """End it: nobody wants it any more. An agent of a plan is stopped as one that its plan stops at home."""
        is_of_plan = HANDS_ON in msgspec.json.decode(held.claim.definition)
        self._stops.stop(self.mission_of(held), at_once=not is_of_plan)

    def report(self, held: HeldClaim) -> dict[str, Any] | None:
        """Return what the swarm is told of a claim that goes on; None: nothing is known of it yet."""
        mission = self.mission_of(held)
        return None if mission is None else {"status": str(mission.status), "attempt": mission.run}

    def end_of(self, held: HeldClaim, *, cancelling: bool) -> dict[str, Any] | None:
        """Return what the swarm is told of the end of a claim's mission.

        None: it goes on, or has not ended by itself: it was fenced, or lost with its keeper.
        """
        mission = self.mission_of(held)
        if held.mission is None or held.claim.id in self._starting or (mission is not None and mission.is_live):
            return None
        if mission is None:
            return {"state": "failed", "reason": "its mission was removed"}
        outcome = outcome_of(mission)
        if outcome is None or outcome is Outcome.LOST:  # others try it again
            return None
        given_up = outcome in ON_PURPOSE
        good = outcome is Outcome.SUCCEEDED
        return {
            "state": "cancelled" if cancelling or given_up else "done" if good else "failed",
            "reason": outcome.value if given_up else mission.reason,
            "exit_code": mission.exit_code,
            "attempt": mission.run,
            "tail": tail_of(self._logs, mission, self._secrets.hidden(held)),
            "result": {"mission": mission.id, "status": str(mission.status)},
        }

    def is_fenced(self, held: HeldClaim) -> bool:
        """Whether its lease has ended here."""
        mission = self.mission_of(held)
        return mission is not None and not mission.is_live and mission.reason == FENCED

    async def outputs(self, held: HeldClaim) -> dict[str, bytes]:
        """Return the last answer of a generation, and its notes, for the next one; others hand nothing on."""
        mission = self.mission_of(held)
        if mission is None or lineage_of(held) is None:
            return {}
        return await self._generations.outputs(held, mission)

    async def handed_on(self, held: HeldClaim) -> dict[str, Any] | None:
        """Return what the plan gets with the end of an attempt; None: it is of none."""
        mission = self.mission_of(held)
        wanted = hands_on(msgspec.json.decode(held.claim.definition))
        hidden = self._secrets.hidden(held)
        if mission is None or wanted is None or hidden is None:
            return None
        folder = output_folder(self._home, mission.id)
        try:
            read = await self._plan_outputs.read(mission, folder, (RESULT,), wanted.outputs)
            text = await self._plan_outputs.log_text(mission)
        except (OSError, ValueError) as error:  # as of a log that somebody has removed
            unread = HandedOn(problem=("internal", f"its outputs can't be read: {error}"))
            return dict(msgspec.to_builtins(unread))

        def hide(value: str) -> str:
            return masked(value.encode(), hidden).decode("utf-8", "replace") if hidden else value

        handed = HandedOn(
            result=None if read.result is None else hide(read.result),
            output=hide(text),
            facts={name: hide(value) for name, value in read.facts.items()},
            problem=read.problem,
            by_hand=was_stopped(mission),
        )
        found: dict[str, Any] = msgspec.to_builtins(handed)
        return found


def outputs_variable(home: Home, held: HeldClaim) -> dict[str, str]:
    """Return the variable that tells an attempt of a plan's agent its folder; of other posts none."""
    wanted = hands_on(msgspec.json.decode(held.claim.definition))
    if held.mission is None or wanted is None or not wanted.outputs:
        return {}
    return {FOLDER: to_wire(output_folder(home, held.mission))}


def output_folder(home: Home, mission: str) -> str:
    """Where an attempt of a plan's agent puts what it hands on."""
    return f"{private_folder(home, mission)}/{OUTPUTS}"


def tail_of(logs: str, mission: Mission, hidden: Sequence[bytes] | None = (), then: bytes = b"") -> str:
    """Return the last bytes that a mission has written, as the swarm gets them, without any of these values.

    `hidden` None: they are not known, so that nothing is told. `then`: text that stands below; left out where there
    are values, as it may begin in the midst of one.
    """
    if hidden is None:
        return ""
    log = RunLog(run_folder(logs, mission.run_id))
    end = log.end[OUT]
    more = max((len(value) * 2 for value in hidden), default=0)  # one that is cut is seen as a whole before
    begin = max(end - TAIL - more, 0)
    data = log.read(OUT, begin, end - begin)[1]
    if hidden:
        data = masked(data, hidden, is_cut=begin > 0)
    elif then:
        data += (b"" if not data or data.endswith(b"\n") else b"\n") + then
    return base64.b64encode(data[-TAIL:]).decode()


def request_key(claim: Claimed) -> str:
    """Return the key of what this hive begins for a claim: of the daemon's own, so that no caller has it."""
    return f"swarm:{claim.id}:{claim.fence}"


def _start_of(claim: Claimed, name: str | None) -> Start:
    """Return the request that a post stands for: what it says, and of this hive its folder and a login's variables.

    Args:
        claim: Of the post.
        name: What its mission is called; None: as the post says.

    Raises:
        OvermindError: `invalid`, it says what no run can be.
    """
    definition = msgspec.json.decode(claim.definition)
    given = definition.get("run")
    if not isinstance(given, dict):
        raise OvermindError("invalid", f"Post {claim.id} is no run.")
    variables = {to_wire(name): to_wire(value) for name, value in login_variables(os.environ).items()}
    asked = {name: value for name, value in given.items() if name not in _HERE}
    folder = given.get("cwd") or ""
    place = os.path.join(os.path.expanduser("~"), str(folder)).rstrip("/") or "/"
    request = {**asked, "cwd": to_wire(place), "env": variables}
    if name is not None:
        request["name"] = name
    try:
        start = msgspec.convert(request, Start)
    except msgspec.ValidationError as error:
        raise OvermindError("invalid", f"Post {claim.id} can't run here: {error}") from None
    return msgspec.structs.replace(start, request=request_key(claim))
