/** The load of a mission in the last minutes: a figure and its curve each. */

import { h, svg } from "../lib/dom.js";
import { textPage } from "../lib/text.js";

const WIDE = 300;
const HIGH = 56;

export function open(place, context, [id]) {
  return textPage("stats", { id }, context, "Measuring …", draw);
}

function draw(content) {
  return [h("div", { class: "stats" }, content.figures.map(figure)), content.facts?.length ? h("dl", { class: "facts" }, content.facts.map(([label, value]) => [h("dt", {}, label), h("dd", {}, value)])) : null];
}

function figure({ title, value, samples, top, tone }) {
  return h(
    "section",
    { class: `stat tone-${tone ?? "calm"}` },
    h("header", {}, h("h3", {}, title), h("span", { class: "stat-value" }, value)),
    samples.length > 1 ? curve(samples, top, title) : h("p", { class: "quiet" }, "no samples yet"),
  );
}

function curve(samples, top, title) {
  const most = Math.max(top || 0, ...samples, 1e-9);
  const points = samples.map((sample, at) => `${((at / (samples.length - 1)) * WIDE).toFixed(1)},${(HIGH - 2 - (sample / most) * (HIGH - 6)).toFixed(1)}`);
  return svg(
    "svg",
    { class: "curve", viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", role: "img", "aria-label": `${title} of the last minutes` },
    svg("polygon", { class: "curve-area", points: `0,${HIGH} ${points.join(" ")} ${WIDE},${HIGH}` }),
    svg("polyline", { class: "curve-line", points: points.join(" ") }),
  );
}
