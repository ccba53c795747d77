/** Rituals: work on a schedule, and the runs of one. */

import { mark } from "../lib/marks.js";
import { ListPage } from "../lib/list.js";
import { href } from "../lib/router.js";
import { newRitual } from "../lib/questform.js";

export function open(place, context) {
  const [id, what] = place.parts;
  return id && what === "runs" ? new Runs(place, context, id) : new Rituals(place, context);
}

const byName = (row) => ({ id: row.id });
/** What came of asking for a run; `of`: behind it, of which ritual. */
const ran = (answer, of = "") => (answer?.status === "queued" ? `queued a run${of}: it waits for the one before` : `started a run${of}`);
/** What is said of the runs that go with a ritual without having begun; "" where there are none. */
const unbegun = (queued) => (queued ? `${queued} queued ${queued === 1 ? "run" : "runs"} will not begin` : "");
const ACTIONS = [
  { verb: "ritual_run", label: "Run now", args: byName, says: (row, answer) => ran(answer, ` of ${row.name}`), primary: true },
  { verb: "ritual_pause", label: "Pause", when: (row) => !row.facts.paused, args: byName, says: (row) => `paused ${row.name}` },
  { verb: "ritual_resume", label: "Resume", when: (row) => Boolean(row.facts.paused), args: byName, says: (row) => `resumed ${row.name}` },
  { verb: "ritual_delete", label: "Delete", args: byName, asks: (row) => [`${row.name}  ${row.facts.schedule ?? ""}  ${row.facts.last_number ? "with its runs" : "no runs"}`, unbegun(row.facts.queued)].filter(Boolean), says: (row, answer) => [`deleted ${row.name}`, unbegun(answer?.queued)].filter(Boolean).join(": ") },
];

class Rituals extends ListPage {
  constructor(place, context) {
    const add = () => context.verbs.button("ritual_create", () => newRitual(context), { label: "New", primary: true, key: "n", icon: mark("plus", "plain"), says: (answer) => `created ${answer?.name ?? "it"}` });
    super(place, context, {
      list: "rituals", title: "Rituals", page: "rituals", actions: ACTIONS, hint: "A ritual starts a quest at the times of its schedule.",
      links: (row) => [{ title: "Runs", href: href("rituals", [row.id, "runs"]) }, ...(row.facts.last_id ? [{ title: "Last log", href: href("m", [row.facts.last_id, "log"]) }] : [])],
      keys: [["l", "log of its newest run", (row) => row.facts.last_id && context.router.go("m", [row.facts.last_id, "log"])], ["T", "its runs", (row) => context.router.go("rituals", [row.id, "runs"])]],
      tools: () => [add()], first: add,
    });
  }

  go(place) {
    if (place.parts[1] === "runs") this._context.app.reopen(place);
    else super.go(place);
  }
}

class Runs extends ListPage {
  constructor(place, context, id) {
    super({ ...place, parts: [] }, context, {
      list: "runs", title: "Runs", page: "rituals", args: { id }, details: false,
      opens: (row) => row.facts.mission && (context.router.go("m", [row.facts.mission, "log"]), true),
      tools: () => [context.verbs.button("ritual_run", () => ({ id }), { label: "Run now", key: "R", primary: true, says: (answer) => ran(answer) })],
    });
    this._id = id;
  }

  go(place) {
    if (place.parts[1] !== "runs" || place.parts[0] !== this._id) this._context.app.reopen(place);
  }
}
