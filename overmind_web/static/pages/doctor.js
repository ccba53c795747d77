/** The doctor: what is well on that machine and what is not, with how to mend it. */

import { h, fill } from "../lib/dom.js";
import { mark } from "../lib/marks.js";

export function open(place, context) {
  const list = h("div", { class: "text-page", tabindex: 0, role: "region", "aria-label": "Findings" });
  let pane = null;
  const again = h("button", { type: "button", class: "button", onclick: () => look() }, "Check again");
  function look() {
    pane?.close();
    again.disabled = true;
    fill(list, h("p", { class: "quiet pad", role: "status" }, "Checking that machine …"));
    pane = context.socket.pane("doctor", {}, {
      content: ({ content }) => ((again.disabled = false), fill(list, content.findings.map(finding))),
      failed: ({ message }) => ((again.disabled = false), fill(list, h("p", { class: "pad tone-bad" }, message))),
      lost: () => {},
    });
  }
  look();
  const element = h("section", { class: "page", "aria-label": "Doctor" }, h("header", { class: "page-head" }, h("h1", {}, "Doctor"), h("span", { class: "grow" }), again), list);
  return { element, close: () => pane.close() };
}

function finding({ status, tone, check, found, mend }) {
  const picture = { ok: "succeeded", warn: "waiting", fail: "failed" }[status] ?? "more";
  return h(
    "div",
    { class: "finding" },
    mark(picture, `tone-${tone}`),
    h("b", { class: "finding-check" }, check),
    h("span", { class: `finding-status tone-${tone}` }, status),
    h("div", { class: "finding-found" }, found, mend ? h("div", { class: "quiet" }, mend) : null),
  );
}
