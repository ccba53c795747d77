/** Apply a plan's file by its path on the server's machine: the difference first, then the file as it was shown. */

import { h, unique } from "./dom.js";
import { dialog } from "./dialog.js";
import { line } from "./ask.js";
import { keep, kept } from "./store.js";

const SIGNS = { "+": ["good", "new"], "~": ["text", "changed"], "-": ["bad", "removed"] };

/** What a person reads of the difference, as `overmind apply --dry-run` says it. */
function differences({ changes }) {
  return changes.map(({ sign, agent, why }) => {
    const [tone, word] = SIGNS[sign] ?? ["", ""];
    return h("li", { class: `tone-${tone}` }, h("span", { "aria-hidden": "true" }, `${sign} `), h("span", { class: "hidden-text" }, `${word} `), agent ?? "[blueprint]", why.length ? h("span", { class: "quiet" }, ` (${why.join(", ")})`) : null);
  });
}

/** `NAME=VALUE` lines; null: one is none. */
function variables(text) {
  const found = {};
  for (const row of text.split("\n").filter((one) => one.trim())) {
    const at = row.indexOf("=");
    if (at < 1) return null;
    found[row.slice(0, at).trim()] = row.slice(at + 1);
  }
  return found;
}

/**
 * @param {Object} context of the pages
 * @param {{path?: string, name?: string, rerun?: "failed", title?: string}} [given] a file that is known already is looked at unasked
 * @returns {Promise<Object|null>} what was applied
 */
export function applyFile(context, given = {}) {
  const { verbs } = context;
  const about = given.path === undefined ? kept("apply", {}) : given;
  const path = line({ value: about.path ?? "", placeholder: "/home/me/project/blueprint.toml", inputmode: "url", required: true });
  const name = line({ value: about.name ?? "", placeholder: "as the file says" });
  const values = h("textarea", { class: "field mono", rows: 2, placeholder: "NAME=VALUE, one a line", autocapitalize: "off", spellcheck: "false" });
  const said = h("div", { class: "apply-said", role: "status", tabindex: -1 });
  const label = given.rerun ? "Run again" : "Apply";
  let shown = null;
  let asked = 0;
  const request = () => ({ path: path.value.trim(), variables: variables(values.value), ...(name.value.trim() ? { name: name.value.trim() } : {}), ...(given.rerun ? { rerun: given.rerun } : {}) });
  const say = (...children) => said.replaceChildren(...children.filter(Boolean));
  const refused = (error) => {
    const problems = (Array.isArray(error.fields?.problems) ? error.fields.problems : []).map((text) => h("li", {}, String(text)));
    say(h("p", { class: "tone-bad" }, error.message), problems.length ? h("ul", { class: "apply-lines mono" }, problems) : null);
    return true;
  };
  const field = (text, element) => {
    element.id = unique("apply");
    return h("div", { class: "form-row" }, h("label", { for: element.id }, text), element);
  };
  const look = async () => {
    forget();
    const wanted = request();
    if (!wanted.path) return void (say(h("p", { class: "tone-bad" }, "Name a file.")), path.focus());
    if (wanted.variables === null) return void (say(h("p", { class: "tone-bad" }, "A variable is NAME=VALUE.")), values.focus());
    const number = ++asked;
    say(h("p", { class: "quiet" }, "Reading …"));
    const answer = await verbs.press("apply", { ...wanted, dry_run: true }, { label, failed: (error) => number !== asked || refused(error) });
    if (number !== asked || answer === null) return;
    const warnings = (answer.warnings ?? []).map((text) => h("li", {}, text));
    const nothing = !answer.changes.length && (Boolean(given.rerun) || answer.id !== null); // without a live plan all of it runs
    say(
      nothing ? h("p", {}, given.rerun ? `Nothing of ${answer.name} has failed.` : `The live plan ${answer.name} matches the file.`) : h("p", {}, answer.id === null ? `${answer.name}: a new plan` : `${answer.name}: what changes`),
      h("ul", { class: "apply-lines mono" }, differences(answer)),
      warnings.length ? h("p", { class: "tone-slow" }, "Warnings") : null,
      warnings.length ? h("ul", { class: "apply-lines mono" }, warnings) : null,
    );
    if (nothing) return;
    shown = { ...wanted, sha256: answer.sha256 };
    go.disabled = false;
    go.focus();
  };
  const forget = () => {
    asked += 1;
    shown = null;
    go.disabled = true;
    say();
  };
  let shut;
  const go = h("button", { type: "button", class: "button primary", disabled: true, onclick: async () => {
    go.disabled = true;
    const answer = await verbs.press("apply", shown, { label, failed: (error) => (shown = null, refused(error)), says: (answer) => `${answer.status} ${answer.name}` });
    if (answer?.id) shut(answer);
  } }, label);
  return dialog(given.title ?? "Apply a plan's file", (close) => {
    shut = close;
    const form = h(
      "form",
      { class: "form", onsubmit: (event) => (event.preventDefault(), look()), oninput: () => {
        if (given.path === undefined) keep("apply", { path: path.value, name: name.value });
        if (shown !== null || said.firstChild) forget();
      } },
      field("File", path),
      h("p", { class: "quiet small" }, "A path on the machine of the server: from / on, or from ~/."),
      h("details", { open: Boolean(about.name) }, h("summary", {}, "More"), field("Name", name), field("Variables", values)),
      h("button", { type: "submit", class: "button" }, "Show the difference"),
      said,
    );
    if (given.path !== undefined) queueMicrotask(look);
    return [form];
  }, { wide: true, foot: (close) => [h("button", { type: "button", class: "button", onclick: () => close() }, "Cancel"), go] });
}
