/** The form of a new mission: an agent, a shell or a command. A refusal stays beside its field; what was typed is kept. */

import { h, unique } from "./dom.js";
import { dialog } from "./dialog.js";
import { keep, kept } from "./store.js";
import { withUnit } from "./time.js";

/** What a refusal is about, by its code, else by its words: those of the full-screen program's form. */
const ABOUT = { name_taken: "name", cwd_not_found: "cwd", provider_missing: "what", unknown_provider: "what", empty_command: "text", not_found: "text", untrusted_project: "isolate", docker_missing: "isolate", port_range_exhausted: "isolate", git_failed: "isolate" };
const WORDS = [["--model", "model"], ["--permission-mode", "permission_mode"], ["--max-cost", "max_cost"], ["--max-tokens", "max_tokens"], ["--timeout", "timeout"], ["restart policy", "restart"], ["A name", "name"], ["working directory", "cwd"]];

/** The field that a refusal is about. */
export function about({ error, message }) {
  return ABOUT[error] ?? WORDS.filter(([words]) => message.includes(words)).sort(([one], [other]) => message.indexOf(one) - message.indexOf(other))[0]?.[1] ?? "text";
}

/** Agents and folder, asked for once; a lost connection leaves the form empty rather than shut. */
export async function begun(socket) {
  return (await socket.once("new")) ?? { agents: [], folder: "" };
}

/**
 * @param {Object} context of the pages
 * @returns {Promise<{id: string, tab: string}|null>}
 */
export async function newMission(context) {
  const { socket } = context;
  const start = await begun(socket);
  const remembered = kept("new", {});
  const agents = start.agents.map((agent) => [agent.name, agent.name, agent.missing]);
  const there = agents.some(([, , missing]) => !missing);
  const plain = (there ? ["shell", "command"] : ["command", "shell"]).map((name) => [name, name, false]);
  const whats = [...agents.filter(([, , missing]) => !missing), ...plain, ...agents.filter(([, , missing]) => missing)];
  const fields = new Map();
  const field = (name, label, element, more) => {
    element.id = unique(`new-${name}`);
    const problem = h("p", { class: "problem tone-bad", role: "alert", id: `${element.id}-problem` });
    element.setAttribute("aria-describedby", problem.id);
    fields.set(name, { element, problem });
    const text = document.createTextNode(label);
    const row = h("div", { class: "form-row", data: { field: name } }, h("label", { for: element.id }, text), element, more ?? null, problem);
    row.label = text;
    return row;
  };
  const first = whats.find(([name, , missing]) => name === remembered.what && !missing) ?? whats.find(([, , missing]) => !missing);
  const what = h("select", { class: "field" }, whats.map(([name, title, missing]) => h("option", { value: name, selected: name === first[0] }, missing ? `${title} (not installed)` : title)));
  const text = h("textarea", { class: "field", rows: 4, placeholder: "the task; empty: it waits for your message" });
  text.value = remembered.text ?? "";
  const name = h("input", { class: "field", placeholder: "generated", autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
  const folder = h("input", { class: "field", value: remembered.cwd || start.folder || "", placeholder: "working directory", autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
  const isolate = h("select", { class: "field" }, [["", "as the project says"], ["yes", "yes: a worktree and ports of its own"], ["no", "no"]].map(([value, title]) => h("option", { value }, title)));
  const restart = h("select", { class: "field" }, ["never", "on-failure", "always"].map((value) => h("option", { value }, value)));
  const model = h("input", { class: "field", placeholder: "default of the agent", autocomplete: "off" });
  const mode = h("select", { class: "field" }, ["default", "plan", "acceptEdits"].map((value) => h("option", { value }, value)));
  const cost = h("input", { class: "field", placeholder: "no limit; in US dollars", inputmode: "decimal" });
  const tokens = h("input", { class: "field", placeholder: "no limit; e.g. 500k or 2M", autocomplete: "off" });
  const timeout = h("input", { class: "field", placeholder: "none; per run, e.g. 90s, 10m or 2h" });

  return dialog(
    "New mission",
    (close) => {
      const rows = {
        what: field("what", "What", what),
        text: field("text", "Prompt", text),
        name: field("name", "Name", name),
        cwd: field("cwd", "Folder", folder),
      };
      const more = {
        isolate: field("isolate", "Isolate", isolate),
        restart: field("restart", "Restart", restart),
        model: field("model", "Model", model),
        permission_mode: field("permission_mode", "Mode", mode),
        max_cost: field("max_cost", "Max cost", cost),
        max_tokens: field("max_tokens", "Max tokens", tokens),
        timeout: field("timeout", "Timeout", timeout),
      };
      const settle = () => {
        const sort = what.value === "shell" || what.value === "command" ? what.value : "agent";
        rows.text.hidden = sort === "shell";
        rows.text.label.data = sort === "command" ? "Command" : "Prompt";
        text.placeholder = sort === "command" ? "a shell command, e.g. make test" : "the task; empty: it waits for your message";
        for (const only of ["model", "permission_mode", "max_cost", "max_tokens"]) more[only].hidden = sort !== "agent";
      };
      what.addEventListener("change", settle);
      settle();
      const refused = (key, sentence) => {
        for (const { problem, element } of fields.values()) {
          problem.textContent = "";
          element.removeAttribute("aria-invalid");
        }
        const { problem, element } = fields.get(key) ?? fields.get("text");
        problem.textContent = sentence;
        element.setAttribute("aria-invalid", "true");
        element.closest("details")?.setAttribute("open", "");
        element.focus();
      };
      const remember = () => keep("new", { what: what.value, text: text.value, cwd: folder.value });
      const submit = async () => {
        if (button.disabled) return; // it is being started
        remember();
        const sort = what.value === "shell" || what.value === "command" ? what.value : "agent";
        if (sort === "command" && !text.value.trim()) {
          refused("text", "type a command");
          return;
        }
        const limit = cost.value.trim().replace(/^\$/, "");
        if (sort === "agent" && limit && !/^\d{1,9}(\.\d{0,6})?$/.test(limit)) {
          refused("max_cost", `${cost.value} is not an amount in US dollars: write a number, e.g. 2.50`);
          return;
        }
        const counted = /^(\d{1,12}(?:\.\d{1,6})?)([kKmM]?)$/.exec(tokens.value.trim() || "0");
        if (sort === "agent" && !counted) {
          refused("max_tokens", `${tokens.value} is not a number of tokens: write one such as 500k or 2M`);
          return;
        }
        const request = {
          cwd: folder.value.trim() || start.folder || "",
          restart: restart.value,
          timeout: withUnit(timeout.value.trim()) || 0,
          ...(name.value.trim() ? { name: name.value.trim() } : {}),
          ...(isolate.value ? { isolate: isolate.value === "yes" } : {}),
          ...(sort === "command" ? { command: text.value } : {}),
          ...(sort === "shell" ? { command: "", type: "session" } : {}),
          ...(sort === "agent"
            ? {
                command: "", provider: what.value, type: "session", interactive: false,
                agent: { prompt: text.value.trim() || null, model: model.value.trim() || null, permission_mode: mode.value === "default" ? null : mode.value },
                max_cost: limit ? Number(limit) : 0,
                max_tokens: Math.round(Number(counted[1]) * { "": 1, k: 1e3, m: 1e6 }[counted[2].toLowerCase()]),
              }
            : {}),
        };
        button.disabled = true;
        const answer = await context.verbs.press("run", request, {
          says: (started) => `started ${started.name ?? started.id}`,
          failed: (error) => {
            if (error.error === "lost") return false;
            refused(about(error), error.message.replace(/^--[a-z-]+: /, ""));
            return true;
          },
        });
        button.disabled = false;
        if (answer?.id) {
          keep("new", { what: what.value, cwd: folder.value });
          close({ id: answer.id, tab: sort === "shell" ? "terminal" : "log" });
        }
      };
      const button = h("button", { type: "submit", class: "button primary" }, "Start");
      const form = h(
        "form",
        { class: "form" },
        rows.what, rows.text, rows.name, rows.cwd,
        h("details", {}, h("summary", {}, "More"), Object.values(more)),
        h("div", { class: "form-foot" }, h("button", { type: "button", class: "button", onclick: () => close() }, "Cancel"), button),
      );
      for (const type of ["input", "change"]) form.addEventListener(type, remember);
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        submit();
      });
      text.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit();
      });
      text.dataset.first = "";
      return [form];
    },
    { wide: true },
  );
}
