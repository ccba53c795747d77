/** Cost: what agents cost, by mission, by day or by label, each with its share. */

import { h, svg } from "../lib/dom.js";
import { ListPage } from "../lib/list.js";
import { href } from "../lib/router.js";

const WAYS = [["mission", "By mission"], ["day", "By day"], ["label", "By label"]];

export function open(place, context) {
  const chosen = place.query.way || "mission";
  const select = h("select", { class: "field order", "aria-label": "Sums" }, WAYS.map(([value, title]) => h("option", { value, selected: value === chosen }, title)));
  const page = new ListPage(place, context, {
    list: "cost", title: "Cost", page: "cost", details: false, hint: "What agents report to have cost is added up here.",
    opens: (row) => page.query.way !== "day" && page.query.way !== "label" && row.facts.key && (context.router.go("m", [row.facts.key, "log"]), true),
    tools: () => [select],
    line: ({ total }) => (total ? h("span", {}, h("b", {}, total.cost), ` · ${total.turns ?? 0} turns`) : null),
  });
  select.addEventListener("change", () => page.set({ way: select.value, order: "", reversed: "" }));
  return page;
}
