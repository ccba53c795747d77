/** The doctor: what is well on that machine and what is not, with how to mend it. */

import { h, fill } from "../lib/dom.js";

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
  return h("div", { class: "pad" }, h("b", { class: `tone-${tone}` }, status), " ", h("b", {}, check), h("div", {}, found), mend ? h("div", { class: "quiet" }, `→ ${mend}`) : null);
}
