/** Plans: agents that depend on each other, the newest first. One opens as its graph. */

import { ListPage } from "../lib/list.js";

const live = (row) => !["stopped", "crashed", "killed"].includes(row.facts.status);

/** What can be asked of a plan, on every page that shows plans. */
export const ACTIONS = [
  { verb: "delete", label: "Stop plan", key: "x", when: live, args: (row) => ({ id: row.id }), asks: (row) => [`${row.name} is ${row.cells.state?.text ?? row.facts.status}.`], says: (row) => `stopped ${row.name}` },
  { verb: "restart", label: "Restart", args: (row) => ({ ids: [row.id] }), asks: (row) => [`${row.name} is ${row.cells.state?.text ?? row.facts.status}.`], says: (row) => `restarted ${row.name}` },
  { verb: "rm", label: "Remove", when: (row) => !live(row), args: (row) => ({ ids: [row.id] }), asks: (row) => [row.name], says: (row) => `removed ${row.name}` },
];

export function open(place, context) {
  const show = (row) => (context.router.go("plan", [row.id]), true);
  return new ListPage(place, context, {
    list: "plans", title: "Plans", page: "plans", actions: ACTIONS, details: false, opens: show,
    keys: [["d", "its graph", show], ["l", "its log", (row) => context.router.go("m", [row.id, "log"])]],
    hint: "A plan is a file of agents that depend on each other. On the machine: overmind init writes an example, overmind apply blueprint.toml starts it.",
  });
}
