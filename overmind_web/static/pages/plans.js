/** Plans: agents that depend on each other, the newest first. One opens as its graph. */

import { h } from "../lib/dom.js";
import { mark } from "../lib/marks.js";
import { ListPage } from "../lib/list.js";
import { applyFile } from "../lib/apply.js";

const live = (row) => !["stopped", "crashed", "killed"].includes(row.facts.status);

/** What can be asked of a plan, on every page that shows plans. */
export const ACTIONS = [
  { verb: "delete", label: "Stop plan", key: "x", when: live, args: (row) => ({ id: row.id }), asks: (row) => [`${row.name} is ${row.cells.state?.text ?? row.facts.status}.`], says: (row) => `stopped ${row.name}` },
  { verb: "restart", label: "Restart", args: (row) => ({ id: row.id }), asks: (row) => [`${row.name} is ${row.cells.state?.text ?? row.facts.status}.`], says: (row) => `restarted ${row.name}` },
  { verb: "rm", label: "Remove", when: (row) => !live(row), args: (row) => ({ id: row.id }), asks: (row) => [row.name], says: (row) => `removed ${row.name}` },
];

/** The file of a plan that can be applied again; "" for one of standard input. */
export const fileOf = (file) => (file?.startsWith("/") ? file : "");

export function open(place, context) {
  const apply = async () => {
    const plan = await applyFile(context);
    if (plan) context.router.go("plan", [plan.id]);
    return null;
  };
  const again = (row) => fileOf(row.facts.file) && applyFile(context, { path: row.facts.file, name: row.name, title: `Apply ${row.name} again` });
  const button = () => context.verbs.button("apply", apply, { label: "Apply a file", key: "n", primary: true, icon: mark("plus", "plain") });
  const show = (row) => (context.router.go("plan", [row.id]), true);
  return new ListPage(place, context, {
    list: "plans", title: "Plans", page: "plans", actions: ACTIONS, details: false, opens: show,
    tools: () => [button()], first: () => h("div", {}, button()),
    keys: [["d", "describe it", (row) => (context.router.go("m", [row.id, "describe"]), true)], ["l", "its log", (row) => context.router.go("m", [row.id, "log"])], ["B", "apply its file again", again]],
    hint: "A plan is a file of agents that depend on each other. On the machine, overmind init writes an example.",
  });
}
