/** What leaves a worktree: a commit, a landing with its preview and its steps, a push, and what a discard would lose. */

import { h, fill, toned, unique } from "./dom.js";
import { mark } from "./marks.js";
import { dialog, confirm } from "./dialog.js";
import { draft, keep, kept } from "./store.js";
import { href } from "./router.js";

const READ = 300;
/** Milliseconds for which a preview that has just appeared lands nothing. */
const TYPED = 400;
/** Milliseconds after the last key before another target is looked at. */
const MOST = 8;
const LATER = { thaw: " once it is thawed", terminal: " once its terminal is given back" };
/** Why the message to an agent waits → when it is read: the end of a sentence about the agent. */
const STEPS = { waiting: "waiting for another landing in this repository", merging: "merging", verifying: "verifying", landing: "landing" };

function counted(number, word) {
  return `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
}

/** How many: a number, or a list of them. */
function many(found) {
  return typeof found === "number" ? found : Array.isArray(found) ? found.length : 0;
}

/** What is said once an agent has been handed the conflicts, and what is to be done then. */
export function handedOver(name, answer) {
  const again = answer?.restarted ? `${name} was started again, and` : name;
  return `${again} resolves ${counted(many(answer?.resolving), "file")}${LATER[answer?.waits_for] ?? ""}: land it when it has committed`;
}

/** Commit everything in the worktree. @returns {Promise<boolean>} whether it was done */
export function commit(context, { id, name }) {
  return dialog(`Commit · ${name}`, (close) => {
    const box = h("textarea", { class: "field", rows: 4, "aria-label": "Message of the commit", placeholder: "What does it change, and why?", data: { first: "" } });
    const unsent = draft(box, `commit:${id}`);
    const problem = h("p", { class: "problem tone-bad", role: "alert" });
    const button = context.verbs.button("commit", () => (box.value.trim() ? { id, message: box.value } : ((problem.textContent = "Write a message."), box.focus(), null)), {
      label: "Commit", key: "", primary: true,
      says: (answer) => `committed ${counted(many(answer.files), "file")} of ${name}: ${answer.subject ?? ""}`,
      done: () => (unsent.clear(), close(true)),
      failed: (error) => ((problem.textContent = error.message), true),
    });
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) button.click();
    });
    return [h("div", { class: "form" }, box, h("p", { class: "quiet small-text" }, "All changes of the worktree are committed; hooks run."), problem, h("div", { class: "form-foot" }, h("button", { type: "button", class: "button", onclick: () => close(false) }, "Cancel"), button))];
  }).then(Boolean);
}

/** Show what a landing would bring, and land it. @returns {Promise<string|null>} `landed`, `commit`, `resolving`, or null */
export function land(context, { id, name, resolves }) {
  const { socket, verbs, toasts } = context;
  let pane;
  return dialog(
    `Land ${name}`,
    (close) => {
      const wanted = { id, how: kept("land:how", "merge"), into: "" };
      let content = null;
      let shownAt = 0;
      let running = false;
      let typed = null;
      const preview = h("div", { class: "land-preview", "aria-live": "polite" }, h("p", { class: "quiet" }, "Preparing the preview …"));
      const steps = h("ol", { class: "land-steps", "aria-live": "polite", hidden: true });
      const problem = h("p", { class: "problem tone-bad", role: "alert" });
      const hows = h("div", { class: "land-hows", role: "radiogroup", "aria-label": "How" });
      const meaning = h("p", { class: "quiet small-text" });
      const into = h("input", { class: "field", id: unique("into"), autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
      const verify = h("input", { class: "field", id: unique("verify"), placeholder: "a command that must succeed first, e.g. make test", autocomplete: "off", autocapitalize: "off", spellcheck: "false", value: kept("land:verify", "") });
      const form = h("div", { class: "form" }, hows, meaning, h("div", { class: "form-row" }, h("label", { for: into.id }, "Into"), into), h("div", { class: "form-row" }, h("label", { for: verify.id }, "Verify"), verify));
      const foot = h("div", { class: "form-foot" });
      const look = () => {
        content = null;
        foot.querySelector("[data-verb=merge]")?.setAttribute("aria-disabled", "true");
        pane.set({ ...wanted });
      };
      const choose = (how) => {
        wanted.how = how;
        draw();
        look();
      };
      const draw = () => {
        const known = content?.hows ?? [["merge", ""], ["squash", ""], ["rebase", ""]];
        if (content) hows.known = content.hows;
        const all = hows.known ?? known;
        fill(hows, all.map(([how]) => h("button", { type: "button", class: "button small how", role: "radio", "aria-checked": how === wanted.how ? "true" : "false", onclick: () => choose(how) }, how)));
        meaning.textContent = all.find(([how]) => how === wanted.how)?.[1] ?? "";
      };
      const step = (text, link = null) => {
        steps.hidden = false;
        steps.lastElementChild?.classList.add("over");
        steps.append(h("li", { class: "land-step" }, mark("working"), h("span", {}, text), link));
      };
      const item = (one) => {
        if (one.verify) step("its check runs", h("a", { href: href("m", [one.verify, "log"]) }, "log"));
        else if (one.step) step(one.target ? `${STEPS[one.step] ?? one.step} onto ${one.target}` : (STEPS[one.step] ?? one.step));
      };
      const begin = () => {
        running = true;
        problem.textContent = "";
        fill(steps);
        form.hidden = true;
        keep("land:how", wanted.how);
        keep("land:verify", verify.value);
        return { id, into: wanted.into || null, squash: wanted.how === "squash", rebase: wanted.how === "rebase", verify: verify.value.trim() || null };
      };
      let result = null;
      const button = verbs.button("merge", begin, {
        label: "Land", key: "", primary: true,
        guard: () => (running ? "It is being landed." : content?.stage !== "ready" ? "Wait for the preview." : performance.now() - shownAt < READ ? "The preview has just appeared: read it, then press again." : null),
        item: (one) => {
          item(one);
          if (one.ok === true) result = one;
        },
        done: () => {
          const commits = counted(many(result?.commits), "commit");
          toasts.say(`landed ${name}: ${commits} on ${result?.target ?? content?.base ?? ""}`, "good");
          close({ what: "landed" });
        },
        failed: (error) => {
          running = false;
          form.hidden = false;
          steps.lastElementChild?.classList.add("failed");
          const check = error.fields?.mission?.id ?? error.fields?.mission;
          fill(problem, error.message, error.error === "verify_failed" && typeof check === "string" ? [" ", h("a", { href: href("m", [check, "log"]), onclick: () => close(null) }, "Its log")] : null);
          look();
          return true;
        },
      });
      let resolving = null;
      const handing = verbs.button("merge", () => ((problem.textContent = ""), { id, into: wanted.into || null, resolve: true }), {
        label: "Have its agent resolve them", key: "", primary: true,
        guard: () => (performance.now() - shownAt < READ ? "The conflicts have just appeared: read them, then press again." : null),
        item: (one) => {
          if (one.resolving) resolving = one;
        },
        done: () => {
          toasts.say(handedOver(name, resolving), "good");
          close({ what: "resolving" });
        },
        failed: (error) => {
          problem.textContent = error.message;
          return true;
        },
      });
      const buttons = () => {
        const cancel = h("button", { type: "button", class: "button", onclick: () => close(null) }, "Cancel");
        if (content?.stage === "dirty") fill(foot, cancel, h("button", { type: "button", class: "button primary", disabled: !verbs.allowed("commit"), onclick: () => close({ what: "commit" }) }, "Commit first"));
        else if (content?.stage === "conflicts") fill(foot, cancel, resolves ? handing : null);
        else fill(foot, cancel, button);
      };
      into.addEventListener("input", () => {
        clearTimeout(typed);
        wanted.into = into.value.trim();
        typed = setTimeout(look, TYPED);
      });
      pane = socket.pane("landing", { ...wanted }, {
        content: (message) => {
          const changed = content === null || JSON.stringify(message.content.lines) !== JSON.stringify(content.lines);
          content = message.content;
          if (changed) shownAt = performance.now();
          into.placeholder = content.base;
          fill(preview, toned(content.lines));
          form.hidden = running || content.stage === "conflicts" || content.stage === "dirty";
          draw();
          buttons();
        },
        failed: ({ message }) => fill(preview, h("p", { class: "tone-bad" }, message)),
        lost: () => {},
      });
      draw();
      buttons();
      return [preview, steps, problem, form, foot];
    },
    { wide: true },
  ).then((value) => (pane.close(), value));
}

/** Push its branch. */
export function push(context, { id, name }) {
  return context.verbs.press("push", { id, remote: null }, {
    says: (answer) => {
      const left = many(answer.uncommitted);
      return `pushed ${answer.branch ?? name} to ${answer.remote ?? ""}${left ? ` · ${counted(left, "file")} not committed, not pushed` : ""}`;
    },
  });
}

/** What of the work would be lost for good, by the refusal. */
function lost({ files, commits }) {
  const found = [];
  for (const [word, entries] of [["file", files], ["commit", commits]]) {
    const number = many(entries);
    if (number) found.push(`${counted(number, word)} only in this worktree:`);
    if (!Array.isArray(entries)) continue;
    found.push(...entries.slice(0, MOST).map((one) => (typeof one === "string" ? one : (one.path ?? one.subject ?? ""))));
    if (number > MOST) found.push(`… and ${number - MOST} more`);
  }
  return found;
}

/** Remove it with its branch, ports and containers; work that is nowhere else only after a second question. @returns {Promise<boolean>} */
export async function discard(context, { id, name, live, folder }) {
  const { verbs, toasts } = context;
  if (live) {
    toasts.say(`${name} is running: stop it first.`);
    return false;
  }
  let refused = null;
  const says = () => `discarded ${name}`;
  const answer = await verbs.press("discard", { id }, { title: `Discard ${name}?`, asks: () => [folder], says, failed: (error) => error.error === "unmerged" && ((refused = error), true) });
  if (answer !== null || refused === null) return answer !== null;
  const sentences = [...(lost(refused.fields).length ? lost(refused.fields) : [refused.message]), "This cannot be undone."];
  if (!(await confirm(`Discard the work of ${name}?`, sentences, "Discard it all"))) return false;
  return (await verbs.press("discard", { id, force: true }, { asks: null, says })) !== null;
}
