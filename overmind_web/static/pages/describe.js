/** What a mission is, how it stands, how it is treated, its runs: the words of the full-screen program. */

import { h, toned } from "../lib/dom.js";
import { textPage } from "../lib/text.js";

export function open(place, context, [id]) {
  return textPage("describe", { id }, context, "Loading …", draw);
}

/** Headings, pairs of a label and its value, and whatever is laid out in columns as it is. */
function draw({ lines }) {
  const parts = [];
  let rest = [];
  let facts = null;
  const flush = () => {
    if (rest.some((line) => line.length)) parts.push(toned(rest, "described-lines"));
    rest = [];
  };
  for (const line of lines) {
    const [first, second] = line;
    if (line.length === 1 && first[1] === "title") {
      flush();
      facts = null;
      parts.push(h("h3", { class: "described-title" }, first[0].trim()));
    } else if (line.length === 2 && first[1] === "quiet" && first[0].startsWith("  ")) {
      flush();
      if (!facts) parts.push((facts = h("dl", { class: "facts described" })));
      facts.append(h("dt", {}, first[0].trim()), h("dd", { class: second[1] ? `tone-${second[1]}` : "" }, second[0].trim() || "\u00a0"));
    } else {
      if (line.length) facts = null;
      rest.push(line);
    }
  }
  flush();
  return [h("div", { class: "description" }, parts)];
}
