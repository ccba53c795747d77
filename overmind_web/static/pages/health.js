/** Health: signs of life of missions that run, and how they go together. */

import { ListPage } from "../lib/list.js";
import { href } from "../lib/router.js";

export function open(place, context) {
  return new ListPage(place, context, {
    list: "health", title: "Health", page: "health",
    hint: "Agents and tasks that run are watched here: who went quiet, who left the goal, who gets in another's way.",
    links: (row) => (row.facts.there ? [{ title: "Log", href: href("m", [row.id, "log"]) }, { title: "Terminal", href: href("m", [row.id, "terminal"]) }] : []),
    keys: [["l", "its log", (row) => context.router.go("m", [row.id, "log"])], ["a", "its terminal", (row) => context.router.go("m", [row.id, "terminal"])]],
    actions: [{ verb: "send", label: "Message", key: "m", when: (row) => Boolean(row.facts.there), args: (row) => (context.router.go("m", [row.id, "log"]), null) }],
  });
}
