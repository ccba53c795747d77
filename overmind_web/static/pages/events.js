/** What happened: the event log, of one mission or of all, newest first, followed. */

import { h, fill } from "../lib/dom.js";
import { Table } from "../lib/table.js";

const COLUMNS = [
  { key: "day", title: "DAY", width: "96px", px: 96, keep: 2, spare: true },
  { key: "at", title: "TIME", width: "84px", px: 84, keep: 1 },
  { key: "mission", title: "MISSION", width: "minmax(120px, 1fr)", px: 150, keep: 4 },
  { key: "type", title: "WHAT", width: "136px", px: 136, keep: 3 },
  { key: "said", title: "MORE", width: "minmax(200px, 3fr)", px: 220, keep: 0 },
];

export function open(place, context, [id = null] = []) {
  let among = 0;
  const nothing = () => {
    const where = among ? ` among the newest ${among.toLocaleString("en")} events` : "";
    if (filter.value.trim()) return `Nothing matches${where}.`;
    return where ? `Nothing of it${where}.` : "Nothing has happened yet.";
  };
  const table = new Table({
    label: "events",
    columns: id ? COLUMNS.filter((column) => column.key !== "mission") : COLUMNS,
    window: (from, to) => pane.window(from, to),
    open: (row) => {
      const mission = table.row(row)?.[5]?.mission;
      if (mission && !id) context.router.go("m", [mission, "log"]);
    },
    empty: () => h("p", { class: "quiet" }, nothing()),
  });
  const filter = h("input", { class: "field filter", type: "search", placeholder: "/ filter", "aria-label": "Filter", data: { filter: "" }, value: place.query.filter ?? "" });
  let typed = null;
  filter.addEventListener("input", () => {
    clearTimeout(typed);
    typed = setTimeout(() => {
      if (!id) context.router.note({ filter: filter.value });
      pane.set({ mission: id, filter: filter.value }, { from: 0, to: 90 });
    }, 150);
  });
  const pane = context.socket.pane("events", { mission: id, filter: filter.value }, { rows: (message) => ((among = message.head?.among ?? among), table.take(message)), failed: ({ message }) => fill(table.element, h("p", { class: "pad tone-bad" }, message)) }, { from: 0, to: 90 });
  const drop = id ? () => {} : context.keys.layer("events", [
    ["j down", "down", () => table.move(1)],
    ["k up", "up", () => table.move(-1)],
    ["g home", "first row", () => table.move(-Infinity)],
    ["G end", "last row", () => table.move(Infinity)],
    ["pagedown ctrl+f", "a page down", () => table.move(15)],
    ["pageup ctrl+b", "a page up", () => table.move(-15)],
  ]);
  const element = h("section", { class: "page", "aria-label": "Events" }, id ? null : h("header", { class: "page-head" }, h("h1", {}, "Events"), h("span", { class: "grow" }), filter), table.element);
  return { element, close: () => (pane.close(), table.close(), drop()), shown: () => table.columns(id ? COLUMNS.filter((column) => column.key !== "mission") : COLUMNS) };
}
