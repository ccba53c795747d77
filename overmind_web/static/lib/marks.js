/** Marks and pictures as SVG symbols: phones would draw ▶ ✔ ✖ as emoji. The word always stands beside a mark. */

import { svg } from "./dom.js";

const FILL = { fill: "currentColor", stroke: "none" };
const SHAPES = {
  working: [["path", { d: "M4.5 2.8v10.4L13 8z", ...FILL }]],
  "your turn": [["path", { d: "M5.5 3l5.5 5-5.5 5" }]],
  waiting: [["path", { d: "M8 2.5v7" }], ["circle", { cx: 8, cy: 13, r: 1.3, ...FILL }]],
  limited: [["path", { d: "M2 6.5c2-2.5 4-2.5 6 0s4 2.5 6 0M2 11c2-2.5 4-2.5 6 0s4 2.5 6 0" }]],
  starting: [3, 8, 13].map((cx) => ["circle", { cx, cy: 8, r: 1.4, ...FILL }]),
  restarting: [["path", { d: "M13 8a5 5 0 1 1-1.6-3.7M13.2 1.8v3.4H9.8" }]],
  succeeded: [["path", { d: "M2.8 8.6l3.4 3.6 7-8" }]],
  failed: [["path", { d: "M3.5 3.5l9 9M12.5 3.5l-9 9" }]],
  stopped: [["path", { d: "M4 4h8v8H4z", ...FILL }]],
  cancelled: [["path", { d: "M3 8h10" }]],
  frozen: [["path", { d: "M5.5 3v10M10.5 3v10" }]],
  queued: [["circle", { cx: 8, cy: 8, r: 4.8 }]],
  skipped: [["circle", { cx: 8, cy: 8, r: 5.2 }], ["path", { d: "M4.5 11.5l7-7" }]],
  blocked: [["circle", { cx: 8, cy: 8, r: 5.2 }], ["path", { d: "M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4" }]],
  review: [["path", { d: "M5 5.6C5 3.6 6.3 2.6 8 2.6s3 1 3 2.7c0 2.2-3 2.3-3 4.6" }], ["circle", { cx: 8, cy: 13, r: 1.2, ...FILL }]],
  quiet: [["path", { d: "M4.5 5h7l-7 7h7" }]],
  attached: [["path", { d: "M1.8 4.5h12.4v7.5H1.8zM4 7h.1M6.7 7h.1M9.4 7h.1M12 7h.1M5 9.6h6" }]],
  timeline: [["path", { d: "M1.5 9.5h3l2-5.5 3 9 2-5.5 1 2h2" }]],
  board: [["path", { d: "M2 3h3.2v10H2zM6.5 3h3.2v7H6.5zM11 3h3v4.5h-3z" }]],
  plans: [["path", { d: "M8 1.8L14.2 8 8 14.2 1.8 8z" }]],
  worktrees: [["path", { d: "M4.5 3.5v9M4.5 10c5 0 7-1 7-5" }], ["circle", { cx: 4.5, cy: 2.6, r: 1.3 }], ["circle", { cx: 11.5, cy: 4, r: 1.3 }]],
  specs: [["path", { d: "M3.5 2h6l3 3v9h-9zM6 8h4.5M6 11h4.5" }]],
  cost: [["path", { d: "M11 4.6C10.4 3.6 9.4 3.2 8 3.2c-1.700 0-3 .8-3 2.300C5 9 11.200 7 11.200 10.500c0 1.500-1.400 2.400-3.200 2.400-1.600 0-2.800-.6-3.300-1.700M8 1.500v13" }]],
  memory: [["path", { d: "M3 2.500h8.500l1.500 1.500v9.500H3zM5.500 6h5M5.500 9h5" }]],
  health: [["path", { d: "M8 13.500S2 10 2 6a3 3 0 0 1 6-1 3 3 0 0 1 6 1c0 4-6 7.500-6 7.500z" }]],
  doctor: [["path", { d: "M8 2.500v11M2.500 8h11" }]],
  events: [["path", { d: "M2.500 4h.1M5.500 4h8M2.500 8h.1M5.500 8h8M2.500 12h.1M5.500 12h8" }]],
  rituals: [["circle", { cx: 8, cy: 8, r: 5.500 }], ["path", { d: "M8 4.800V8l2.400 1.600" }]],
  queue: [["path", { d: "M2.500 4h11M2.500 8h8M2.500 12h5" }]],
  more: [3, 8, 13].map((cx) => ["circle", { cx, cy: 8, r: 1.4, ...FILL }]),
  back: [["path", { d: "M10.500 3L5 8l5.500 5" }]],
  close: [["path", { d: "M4 4l8 8M12 4l-8 8" }]],
  plus: [["path", { d: "M8 3v10M3 8h10" }]],
  search: [["circle", { cx: 7, cy: 7, r: 4.300 }], ["path", { d: "M10.300 10.300L14 14" }]],
  folded: [["path", { d: "M6 4l4 4-4 4" }]],
  open: [["path", { d: "M4 6l4 4 4-4" }]],
  logo: [["path", { d: "M8 1l6 3.500v7L8 15l-6-3.500v-7z", ...FILL }]],
};

const SAME = {
  preparing: "starting", stopping: "starting", completed: "succeeded", crashed: "failed", "timed out": "failed", killed: "stopped",
  lost: "review", missed: "skipped", pending: "queued", stale: "restarting", stalled: "quiet", hung: "failed", needs: "waiting",
  checking: "working", reviewing: "working", landing: "working", "to land": "queued", "tried again": "restarting",
  missions: "working", quests: "queued", running: "working", ready: "succeeded", learning: "memory", notes: "memory", plan: "plans",
};

/** By the sign that the full-screen program draws, where only that is known. */
const SIGNS = {
  "▶": "working", "❯": "your turn", "!": "waiting", "≈": "limited", "…": "starting", "↻": "restarting", "✔": "succeeded", "✖": "failed",
  "■": "stopped", "–": "cancelled", "‖": "frozen", "○": "queued", "⊘": "skipped", "⊗": "blocked", "?": "review", "z": "quiet", "Z": "quiet", "X": "failed",
  "⌨": "attached", "◆": "plans",
};

/** The tone of a state's mark, as the table of marks of the program has it. */
const TONES = {
  working: "good", "your turn": "wait", waiting: "wait", limited: "slow", starting: "slow", restarting: "slow", succeeded: "good",
  failed: "bad", stopped: "off", cancelled: "off", frozen: "off", queued: "off", skipped: "off", blocked: "bad", review: "wait", quiet: "slow", attached: "good",
};

function shape(name) {
  const known = SIGNS[name] ?? name;
  const found = SAME[known] ?? known;
  return found in SHAPES ? found : "more";
}

/** All symbols, once, for `use` to point at. */
export function symbols() {
  const all = Object.entries(SHAPES).map(([name, parts]) =>
    svg("symbol", { id: symbol(name), viewBox: "0 0 16 16" }, parts.map(([tag, attributes]) => svg(tag, attributes))),
  );
  return svg("svg", { class: "symbols", "aria-hidden": "true" }, all);
}

function symbol(name) {
  return `mark-${name.replaceAll(" ", "-")}`;
}

/** A picture that says nothing by itself: its word stands beside it. */
export function mark(name, more = "") {
  const found = shape(name);
  const tone = more.includes("tone-") || more.includes("plain") ? "" : `tone-${TONES[found] ?? "quiet"}`;
  return svg("svg", { class: `mark ${tone} ${more}`, "aria-hidden": "true", focusable: "false" }, svg("use", { href: `#${symbol(found)}` }));
}

/** Draw another mark in the same place. */
export function remark(element, name, tone) {
  const found = shape(name);
  const href = `#${symbol(found)}`;
  if (element.firstChild.getAttribute("href") !== href) element.firstChild.setAttribute("href", href);
  const cls = `mark tone-${tone ?? TONES[found] ?? "quiet"}`;
  if (element.getAttribute("class") !== cls) element.setAttribute("class", cls);
}
