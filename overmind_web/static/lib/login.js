/** Coming in: a link's token is posted once and answered with a key; going out. */

import { h } from "./dom.js";
import { mark } from "./marks.js";

/** The token in the fragment of a link; null where there is none. Addresses of pages begin with `#/`. */
export function taken(hash) {
  const found = /^#(?:link=|login=)?([A-Za-z0-9._~-]{16,})$/.exec(hash);
  return found ? found[1] : null;
}

/** Post a token. Resolves to `{key, name, read_only, expires_at}`; rejects with the server's sentence. */
export async function post(base, token) {
  let answer;
  try {
    answer = await fetch(`${base}login`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ link: token }),
      credentials: "same-origin",
      cache: "no-store",
    });
  } catch {
    throw new Error("The server does not answer. Is `overmind web` running?");
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.message ?? `The server refused the link (${answer.status}).`);
  return body;
}

/** End the login. Resolves to why it goes on there, as a sentence; "": it has ended. */
export async function logout(base, key) {
  let answer;
  try {
    answer = await fetch(`${base}logout`, { method: "POST", headers: { "X-Overmind-Key": key ?? "" }, credentials: "same-origin", cache: "no-store" });
  } catch {
    return "The server does not answer.";
  }
  if (answer.ok || answer.status === 401) return "";
  const body = await answer.json().catch(() => ({}));
  return body.message ?? `The server refused it (${answer.status}).`;
}

/** What stands here while nobody is logged in: how to make a link, and a box for one. */
export function outside(title, text, open) {
  const field = h("input", { id: "link", type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false", placeholder: "http://…/#…", class: "field" });
  const problem = h("p", { class: "tone-bad", role: "alert" });
  const form = h(
    "form",
    {
      class: "outside-form",
      onsubmit: (event) => {
        event.preventDefault();
        const value = field.value.trim();
        const token = taken(value.includes("#") ? value.slice(value.indexOf("#")) : `#${value}`);
        if (token === null) problem.textContent = "That is no link of this server: it ends in # and a long word.";
        else open(token);
      },
    },
    h("label", { for: "link" }, "Or paste a link here"),
    h("div", { class: "outside-row" }, field, h("button", { type: "submit", class: "button primary" }, "Log in")),
    problem,
  );
  return h(
    "div",
    { class: "outside" },
    mark("logo", "plain logo large"),
    h("h1", { tabindex: -1 }, title),
    h("p", {}, text),
    h("pre", { class: "command" }, "overmind web link"),
    form,
  );
}
