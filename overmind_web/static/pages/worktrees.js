/** Worktrees: where isolated missions work, and what is to be done about that work. */

import { ListPage } from "../lib/list.js";
import { href } from "../lib/router.js";

export function open(place, context) {
  return new ListPage(place, context, {
    list: "worktrees", title: "Worktrees", page: "worktrees", details: false,
    hint: "A mission that is isolated works in a worktree of its own: New, and Isolation yes.",
    opens: (row) => (context.router.go("m", [row.id, "changes"]), true),
    links: (row) => [{ title: "Changes", href: href("m", [row.id, "changes"]) }],
    keys: [["v", "its changes", (row) => context.router.go("m", [row.id, "changes"])], ["l", "its log", (row) => context.router.go("m", [row.id, "log"])]],
    tools: () => [context.verbs.button("worktrees_prune", () => ({}), { label: "Prune", key: "", says: (answer) => `removed ${answer.removed?.length ?? 0} worktrees` })],
  });
}
