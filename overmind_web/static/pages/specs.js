/** Specs: a list, each of which opens its phases, tasks and documents. */

import { h } from "../lib/dom.js";
import { ListPage } from "../lib/list.js";
import { ask, choice, line } from "../lib/ask.js";
import { begun } from "../lib/form.js";
import { mark } from "../lib/marks.js";
import { href } from "../lib/router.js";

/** Who writes its documents, and what it is to be; null where nothing is asked. */
async function newSpec({ socket }) {
  const { agents, folder } = await begun(socket);
  const there = agents.filter(({ missing }) => !missing).map(({ name }) => name);
  const given = await ask("New spec", [
    ["title", "Title", line({ placeholder: "Shopping carts" }), true],
    ["brief", "Brief", h("textarea", { class: "field", rows: 5, placeholder: "the wish in full, in Markdown" })],
    ["cwd", "Repository", line({ value: folder }), true],
    ["provider", "Agent", choice([["", "the agent of the queue"], ...there])],
    ["command", "Command", line({ placeholder: "instead of an agent" })],
    ["gates", "Gates", choice([["", "the usual ones"], ["all", "all: asked after each phase"], ["none", "none"]])],
  ], "Create", "Nothing runs until you press Run.");
  if (given === null) return null;
  const { title, brief, cwd, provider, command, gates } = given;
  return { title, cwd, ...(brief ? { brief } : {}), ...(command ? { command } : provider ? { provider } : {}), ...(gates ? { gates } : {}) };
}

export function open(place, context) {
  const add = () => context.verbs.button("spec_new", () => newSpec(context), { label: "New", key: "", primary: true, icon: mark("plus", "plain"), says: (answer) => `created ${answer?.slug ?? "it"}`, done: (answer) => answer?.id && context.router.go("spec", [answer.id]) });
  const which = h("select", { class: "field order", "aria-label": "Which specs", onchange: () => page.set({ way: which.value }) }, [["", "not archived"], ["all", "all"]].map(([value, title]) => h("option", { value, selected: (place.query.way ?? "") === value }, title)));
  const page = new ListPage(place, context, {
    list: "specs", title: "Specs", page: "specs", tools: () => [which, add()], first: () => h("div", {}, add()), hint: "A spec leads from a brief to tasks, by documents that you read and comment on.",
    opens: (row) => (context.router.go("spec", [row.id]), true),
    links: (row) => [{ title: "Phases and documents", href: href("spec", [row.id]) }],
    actions: [
      { verb: "spec_run", args: (row) => ({ id: row.id }), when: (row) => row.facts.state !== "archived", says: (row) => `${row.name} goes on`, primary: true },
      { verb: "spec_archive", args: (row) => ({ id: row.id }), when: (row) => row.facts.state !== "archived", asks: (row) => [`${row.name} is ${row.facts.state}. Nothing of it starts any more.`], confirms: true, says: (row) => `archived ${row.name}` },
      { verb: "spec_archive", label: "restore", args: (row) => ({ id: row.id, undo: true }), when: (row) => row.facts.state === "archived", says: (row) => `restored ${row.name}` },
      { verb: "spec_forget", args: (row) => ({ id: row.id }), when: (row) => row.facts.state === "archived", asks: (row) => [`${row.name} is forgotten, with what is known of its quests. Nothing brings it back.`], confirms: true, says: (row) => `forgot ${row.name}` },
    ],
  });
  return page;
}
