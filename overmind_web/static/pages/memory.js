/** Memory: notes that agents and people left for the next one; a question finds them as `recall` does. */

import { h } from "../lib/dom.js";
import { mark } from "../lib/marks.js";
import { ListPage } from "../lib/list.js";
import { begun } from "../lib/form.js";
import { ask, choice, line } from "../lib/ask.js";
import { menu } from "../lib/dialog.js";

const WAYS = [["", "All"], ["proposed", "Proposed"], ["conflicts", "Conflicts"], ["stale", "Stale"], ["resting", "Resting"]];
const one = (row) => ({ notes: [row.id] });
const gone = (row) => ["forgotten", "purged", "replaced"].includes(row.facts.state);
const written = (row) => row.cells.text?.text ?? "";
const ACTIONS = [
  { verb: "note_accept", label: "Accept", primary: true, when: (row) => row.facts.state === "proposed", args: (row) => ({ note: row.id, change: "accept" }), says: (row) => `accepted ${row.id}` },
  { verb: "forget", label: "Forget", when: (row) => !gone(row), args: one, says: (row) => `forgot ${row.id}: Take back brings it back` },
  { verb: "note_restore", label: "Take back", when: (row) => row.facts.state === "forgotten", args: (row) => ({ note: row.id, change: "restore" }), says: (row) => `took back ${row.id}` },
  { verb: "helped", label: "Helped", when: (row) => !gone(row), args: (row) => ({ ...one(row), helped: true }), says: (row) => `${row.id} helped` },
  { verb: "hurt", label: "Hurt", when: (row) => !gone(row), args: (row) => ({ ...one(row), helped: false }), says: (row) => `${row.id} hurt` },
  { verb: "note_pin", label: "Pin", when: (row) => !gone(row) && !row.facts.pinned, args: (row) => ({ note: row.id, change: "pin" }), says: (row) => `pinned ${row.id}` },
  { verb: "note_unpin", label: "Unpin", when: (row) => Boolean(row.facts.pinned), args: (row) => ({ note: row.id, change: "unpin" }), says: (row) => `unpinned ${row.id}` },
];

/** What is done after a question of its own. */
function more(context) {
  return [
    {
      verb: "note_edit", label: "Edit", when: (row) => !gone(row),
      args: async (row) => {
        const note = (await context.verbs.press("note", { note: row.id })) ?? null;
        const given = note && (await ask(`Edit ${row.id}`, [["text", "Text", h("textarea", { class: "field", rows: 6, value: note.text }), true]], "Save"));
        return given ? { note: row.id, change: "edit", text: given.text, seen: note.version_id } : null;
      },
      says: (row) => `edited ${row.id}`,
    },
    {
      verb: "note_promote", label: "Widen", when: (row) => !gone(row),
      args: async (row) => {
        const given = await ask(`Who is given ${row.id}?`, [["to", "Scope", choice([["repo", "the repository"], ["colony", "all of this home"], ["global", "everybody"]], "colony")]], "Widen", written(row));
        return given ? { note: row.id, change: "promote", to: given.to } : null;
      },
      says: (row) => `widened ${row.id}`,
    },
  ];
}

/** Of memory as a whole. */
async function whole(context) {
  const { verbs, socket } = context;
  const answer = (await verbs.press("memory", {})) ?? {};
  const folder = async (title) => {
    const { folder: here } = await begun(socket);
    return (await ask(title, [["cwd", "Folder of the repository", line({ value: here }), true]], "Go on"))?.cwd ?? null;
  };
  const shared = (on) => async () => {
    const cwd = await folder(on ? "Share a repository's notes" : "Stop sharing a repository's notes");
    return cwd ? { cwd, on } : null;
  };
  const items = [
    answer.on === false
      ? { verb: "memory_on", label: "Switch memory on", args: { on: true }, says: "memory is on" }
      : { verb: "memory_off", label: "Switch memory off", args: { on: false }, says: "memory is off: notes stay, nobody is given any" },
    { verb: "memory_sync", label: "Exchange notes with the team now", args: {}, says: "exchanged" },
    { verb: "memory_share", label: "Share a repository's notes", args: shared(true), says: "shared" },
    { verb: "memory_unshare", label: "Stop sharing a repository's notes", args: shared(false), says: "no longer shared" },
    { verb: "memory_disconnect", label: "Part from the team's server", args: {}, says: "parted" },
  ];
  await menu("Memory", items.map(({ verb, label, args, says }) => ({ label, disabled: !socket.ready || !verbs.allowed(verb), press: () => verbs.press(verb, args, { says }) })));
}

export function open(place, context) {
  const way = h("select", { class: "field order", "aria-label": "Which notes" }, WAYS.map(([value, title]) => h("option", { value, selected: (place.query.way ?? "") === value }, title)));
  const add = () =>
    context.verbs.button("remember", async () => {
      const { folder } = await begun(context.socket);
      const given = await ask("New note", [
        ["text", "What the next one should know", h("textarea", { class: "field", rows: 4, placeholder: "The tests need Redis: make redis" }), true],
        ["cwd", "Folder that it is about", h("input", { class: "field", value: folder, autocomplete: "off", autocapitalize: "off", spellcheck: "false" }), true],
      ], "Remember");
      return given;
    }, { label: "New", primary: true, key: "n", icon: mark("plus", "plain"), says: "remembered" });
  const page = new ListPage(place, context, {
    list: "notes", title: "Memory", page: "memory", actions: [...ACTIONS, ...more(context)], hint: "Agents leave notes for the next one, and so can you; what fits is given to each new conversation.",
    asks: "Ask the notes …",
    columns: { state: { width: "112px", px: 112 }, kind: { width: "84px", px: 84 } },
    asked: async (words, page) => ({ cwd: words ? page.query.cwd || (await begun(context.socket)).folder : "" }),
    tools: () => [way, add(), h("button", { type: "button", class: "button square", "aria-label": "More of memory", onclick: () => whole(context) }, mark("more", "plain"))], first: add,
    line: ({ proposed }) =>
      (proposed ? h("button", { type: "button", class: "bare", onclick: () => ((way.value = "proposed"), page.set({ way: "proposed" })) }, `${proposed} proposed`) : null),
  });
  way.addEventListener("change", () => page.set({ way: way.value }));
  return page;
}
