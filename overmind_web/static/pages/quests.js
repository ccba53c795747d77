/** Quests: work that is done once, with its result; the newest first. */

import { h } from "../lib/dom.js";
import { mark } from "../lib/marks.js";
import { href } from "../lib/router.js";
import { ListPage } from "../lib/list.js";
import { addQuest, runQuest } from "../lib/questform.js";

export const ENDED = new Set(["completed", "failed", "cancelled"]);
const PRIORITIES = ["critical", "high", "medium", "low"];

/** The priority one step more urgent (-1), or less (1); null where there is none. */
export function stepped(priority, step) {
  const at = PRIORITIES.indexOf(priority);
  return at < 0 ? null : (PRIORITIES[at + step] ?? null);
}

const open = (row) => !ENDED.has(row.facts.status);

/** What can be asked of a quest, on every page that lists quests. */
export const ACTIONS = [
  { verb: "quest_cancel", label: "Cancel", when: open, args: (row) => ({ id: row.id }), asks: (row) => [`${row.name}: ${row.cells.state?.text ?? row.facts.status}`], says: (row) => `cancelled ${row.name}` },
  { verb: "quest_retry", label: "Retry", when: (row) => Boolean(row.facts.can_retry), args: (row) => ({ id: row.id }), says: (row) => `queued ${row.name} again`, primary: true },
  { verb: "quest_edit", label: "More urgent", key: "shift+up", when: (row) => open(row) && stepped(row.facts.priority, -1) !== null, args: (row) => ({ id: row.id, priority: stepped(row.facts.priority, -1) }), says: (row) => `raised ${row.name}` },
  { verb: "quest_edit", label: "Less urgent", key: "shift+down", when: (row) => open(row) && stepped(row.facts.priority, 1) !== null, args: (row) => ({ id: row.id, priority: stepped(row.facts.priority, 1) }), says: (row) => `lowered ${row.name}` },
];

/** Where its work can be looked at. */
export function links(row) {
  const found = [];
  if (row.facts.there) found.push({ title: "Log", href: href("m", [row.id, "log"]) }, { title: "Changes", href: href("m", [row.id, "changes"]) });
  if (row.facts.check_id) found.push({ title: "Check", href: href("m", [row.facts.check_id, "log"]) });
  return found;
}

export const ABOUT = [{ what: "why", title: "Why", key: "w" }];

/** Keys that lead from a quest to its work. */
export function keys(context) {
  return [
    ["l", "log of its work", (row) => row.facts.there && context.router.go("m", [row.id, "log"])],
    ["v", "its changes", (row) => row.facts.there && context.router.go("m", [row.id, "changes"])],
  ];
}

export function open_(place, context, list, title, more = {}) {
  const add = () => context.verbs.button("quest_add", () => addQuest(context), { label: "New", primary: true, key: "n", icon: mark("plus", "plain"), says: ({ quests }) => `queued ${quests.map(({ name }) => name).join(", ")}` });
  return new ListPage(place, context, {
    list, title, page: list, actions: ACTIONS, links, about: ABOUT, keys: keys(context), hint: "A quest is work that is done once: a command or an agent, checked, and tried again where it fails.",
    tools: (page) => [...(more.tools?.(page) ?? []), add()],
    first: () => h("div", {}, add()),
    ...more.how,
  });
}

function opened(place, context) {
  const now = context.verbs.button("quest_run", () => runQuest(context), { label: "Run now", key: "", says: (answer) => `started ${answer?.name ?? "it"}` });
  return open_(place, context, "quests", "Quests", { tools: () => [now] });
}
export { opened as open };
