/** Settings of this browser, and the help of keys. */

import { h } from "./dom.js";
import { dialog } from "./dialog.js";
import { THEMES, choose, dress, theme } from "./tokens.js";
import { KEPT } from "./keys.js";
import { keep, kept } from "./store.js";

/** Theme, rows, keys, notifications, login. */
export function settings({ socket, keys, logout, changed }) {
  const { hello } = socket;
  return dialog("Settings", (close) => [
    h("fieldset", { class: "choices" }, h("legend", {}, "Theme"), THEMES.map((name) => radio("theme", name, theme() === name, () => choose(name)))),
    h("fieldset", { class: "choices" }, h("legend", {}, "Rows"), ["normal", "compact"].map((name) => radio("rows", name, kept("rows", "normal") === name, () => (keep("rows", name), dress(), window.dispatchEvent(new Event("resize")))))),
    check("Keys act as in the full-screen program", keys.on, (on) => keep("keys", on)),
    notifications(changed),
    h("button", { type: "button", class: "button", onclick: () => (close(), help(keys)) }, "All keys ", h("kbd", {}, "?")),
    h("hr", {}),
    hello ? h("p", { class: "quiet" }, `Logged in as ${hello.name}${hello.read_only ? ", read-only" : ""} · overmind ${hello.version}`) : null,
    h("button", { type: "button", class: "button", onclick: () => (close(), logout()) }, "Log out"),
  ]);
}

function radio(group, name, checked, press) {
  return h("label", { class: "choice" }, h("input", { type: "radio", name: group, value: name, checked, onchange: press }), h("span", {}, name));
}

function check(label, checked, press) {
  const box = h("input", { type: "checkbox", checked });
  box.addEventListener("change", () => press(box.checked));
  return h("label", { class: "choice" }, box, h("span", {}, label));
}

function notifications(changed) {
  if (!("Notification" in window) || !window.isSecureContext || matchMedia("(pointer: coarse)").matches) {
    return h("p", { class: "quiet" }, "This browser shows no notifications of this page. [notify] command in config.toml calls a phone.");
  }
  if (Notification.permission === "granted") return h("p", { class: "quiet" }, "Notifications are on: a hidden tab calls you.");
  if (Notification.permission === "denied") return h("p", { class: "quiet" }, "Notifications are blocked in this browser's settings of this site.");
  return h("button", { type: "button", class: "button", onclick: async (event) => (await Notification.requestPermission(), changed(), event.target.remove()) }, "Call me by notifications");
}

/** All keys of what is in view, searchable, and those that browsers keep. */
export function help(keys) {
  const words = h("input", { class: "field", type: "search", placeholder: "search the keys", "aria-label": "Search the keys" });
  const lists = h("div", { class: "help" });
  const draw = () => {
    const wanted = words.value.toLowerCase();
    lists.replaceChildren(
      ...keys.layers.map((layer) => section(layer.title, layer.rows.map(([names, text]) => [names, text]), wanted)).filter(Boolean),
      ...[section("kept by browsers", KEPT, wanted)].filter(Boolean),
    );
  };
  words.addEventListener("input", draw);
  draw();
  return dialog("Keys", () => [keys.on ? null : h("p", { class: "tone-slow" }, "Keys are off: turn them on in the settings."), words, lists], { wide: true });
}

function section(title, rows, wanted) {
  const found = rows.filter(([names, text]) => !wanted || `${names} ${text}`.toLowerCase().includes(wanted));
  if (!found.length) return null;
  return h(
    "section",
    {},
    h("h3", {}, title),
    h("dl", { class: "keys" }, found.map(([names, text]) => [h("dt", {}, names.split(" ").map((name) => [h("kbd", {}, name), " "])), h("dd", {}, text)])),
  );
}
