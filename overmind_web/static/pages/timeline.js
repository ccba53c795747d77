/** What happened: day by day, folded by mission; one of them whole. */

import { h, fill, word } from "../lib/dom.js";
import { href } from "../lib/router.js";
import { kept, keep } from "../lib/store.js";
import { mark } from "../lib/marks.js";

export function open(place, context) {
  const [id] = place.parts;
  return id ? one(place, context, id) : days(context);
}

function shell(title, more, context) {
  const body = h("div", { class: "timeline", tabindex: 0, role: "group", "aria-label": title });
  const element = h("section", { class: "page", "aria-label": title }, h("header", { class: "page-head" }, h("h1", {}, title), h("span", { class: "grow" }), more), body);
  const failed = (message) => fill(body, h("p", { class: "pad tone-bad", role: "alert" }, message.message));
  const drop = context.keys.layer("timeline", [
    ["j down", "down", () => body.scrollBy({ top: 120 })],
    ["k up", "up", () => body.scrollBy({ top: -120 })],
    ["g home", "to the top", () => body.scrollTo({ top: 0 })],
    ["G end", "to the end", () => body.scrollTo({ top: body.scrollHeight })],
  ]);
  return { body, element, failed, drop };
}

function line(row) {
  return h(
    "li",
    { class: "moment" },
    h("time", { class: "moment-at" }, row.at),
    row.attempt ? h("span", { class: "moment-try" }, `#${row.attempt}`) : null,
    what(row),
    row.by ? h("span", { class: "quiet" }, row.by) : null,
    h("span", { class: "moment-text" }, row.text),
  );
}

/** What it was; the sign before it is drawn, since phones have pictures of their own for signs. */
function what(row) {
  return h(
    "span",
    { class: "moment-what" },
    row.what.map(([text, tone]) => {
      const [, sign = "", rest = text] = /^([^\w\s]) (.*)$/u.exec(text) ?? [];
      const toned = tone ? `tone-${word(tone)}` : "";
      return h("span", { class: toned }, sign ? mark(sign, toned || "plain") : null, rest);
    }),
  );
}

function days(context) {
  const { body, element, failed, drop } = shell("Timeline", null, context);
  const opened = new Set(kept("timeline", []));
  const pane = context.socket.pane("days", {}, {
    content: ({ content }) => {
      const top = body.scrollTop;
      if (!content.days.length) {
        fill(body, h("div", { class: "nothing" }, h("h2", {}, "Nothing has happened yet."), h("p", {}, h("a", { href: href("missions") }, "Missions"))));
        return;
      }
      fill(
        body,
        content.days.map(({ day, chapters }) => h("section", { class: "day", "aria-label": day }, h("h2", {}, named(day)), chapters.map((chapter) => fold(day, chapter, opened)))),
      );
      body.scrollTop = top;
    },
    failed,
    lost: () => {},
  });
  return { element, close: () => (pane.close(), drop()) };
}

/** The day in words: today and yesterday have their own. */
function named(day) {
  const today = new Date();
  const iso = (date) => `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
  if (day === iso(today)) return "Today";
  today.setDate(today.getDate() - 1);
  return day === iso(today) ? "Yesterday" : day;
}

function fold(day, chapter, opened) {
  const key = `${day} ${chapter.id}`;
  const last = chapter.rows[chapter.rows.length - 1];
  const more = chapter.count - chapter.rows.length;
  const rows = h("ol", { class: "moments" });
  const draw = () => fill(rows, more > 0 ? h("li", { class: "moment quiet" }, h("a", { href: href("timeline", [chapter.id]) }, `${more} earlier`)) : null, chapter.rows.map(line));
  const box = h(
    "details",
    { class: "chapter", open: opened.has(key) },
    h(
      "summary",
      { class: "chapter-head" },
      mark("folded", "plain chapter-fold"),
      h("span", { class: "chapter-name" }, chapter.name || "Overmind"),
      what(last),
      h("span", { class: "quiet chapter-span" }, chapter.from === chapter.to ? chapter.to : `${chapter.from} – ${chapter.to}`),
      h("span", { class: "quiet chapter-count" }, `${chapter.count}`),
    ),
    rows,
    chapter.id
      ? h("p", { class: "chapter-links" }, chapter.mission ? h("a", { href: href("m", [chapter.id, "log"]) }, "Log") : null, h("a", { href: href("timeline", [chapter.id]) }, "Whole timeline"))
      : null,
  );
  if (box.open) draw();
  box.addEventListener("toggle", () => {
    if (box.open) draw();
    if (box.open) opened.add(key);
    else opened.delete(key);
    keep("timeline", [...opened].slice(-100));
  });
  return box;
}

function one(place, context, id) {
  const { body, element, failed, drop } = shell(`Timeline of ${id}`, h("a", { class: "button", href: href("timeline") }, "All days"), context);
  const pane = context.socket.pane("timeline", { id }, {
    content: ({ content }) => {
      if (!content.rows.length) {
        fill(body, h("div", { class: "nothing" }, h("h2", {}, "Nothing has happened to it yet.")));
        return;
      }
      const end = body.scrollTop + body.clientHeight >= body.scrollHeight - 40;
      let day = "";
      const rows = [];
      for (const row of content.rows) {
        if (row.day && row.day !== day) rows.push(h("li", { class: "moment-day" }, named(row.day)));
        day = row.day || day;
        rows.push(line(row));
      }
      fill(body, h("ol", { class: "moments" }, rows));
      if (end) body.scrollTop = body.scrollHeight;
    },
    failed,
    lost: () => {},
  });
  return { element, close: () => (pane.close(), drop()) };
}
