/** Buttons of operations. Each names a row of the server's table of verbs: label, key, danger and who may are said there, once. */

import { h } from "./dom.js";
import { confirm } from "./dialog.js";
import * as forms from "./ask.js";
import { answered, requestKey } from "./store.js";

const ENDS = new Set(["stop", "kill", "restart", "delete"]);
/** Verbs that end missions, whose children go on or end with them. */
const REMOVES = "rm";
const APPEARED = 300;
/** Milliseconds for which what has just appeared takes no answer. */
const MOST = 12;
/** Commands of a project's file that a question shows. */
const MOVED = 500;
/** Milliseconds for which what has just moved under the finger takes no answer. */

/** Remembers when things appeared and moved, so that a tap meant for what stood there before is refused. */
export class Guard {
  constructor(now = () => performance.now()) {
    this._now = now;
    this._appeared = new Map();
    this._moved = new Map();
    this._order = [];
  }

  /** Note what is shown now, in its order; what comes first in the very first list has stood there all along. */
  shown(ids) {
    const at = this._now();
    const before = new Map(this._order.map((id, place) => [id, place]));
    ids.forEach((id, place) => {
      if (!this._appeared.has(id)) this._appeared.set(id, at);
      else if (before.has(id) && before.get(id) !== place) this._moved.set(id, at);
    });
    for (const id of before.keys()) {
      if (!ids.includes(id)) {
        this._appeared.delete(id);
        this._moved.delete(id);
      }
    }
    this._order = [...ids];
  }

  /** Note that it is shown, or has the cursor, in place of one that is gone: a key may have been meant for that one. */
  replaced(id) {
    this._moved.set(id, this._now());
  }

  /** Why it takes no answer yet; null when it does. */
  refusal(id) {
    const at = this._now();
    if (at - (this._appeared.get(id) ?? at) < APPEARED) return "It has only just appeared: press again.";
    if (at - (this._moved.get(id) ?? -Infinity) < MOVED) return "It moved under your finger: press again.";
    return null;
  }
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Tells presses apart by what they ask for. */
function asking(verb, args) {
  return JSON.stringify([verb, args]);
}

export class Verbs {
  /**
   * @param {import("./socket.js").Connection} socket
   * @param {import("./toast.js").Toasts} toasts
   */
  constructor(socket, toasts) {
    this._socket = socket;
    this._toasts = toasts;
    this._rows = new Map();
    this._buttons = new Set();
    this._underway = new Set();
    socket.addEventListener("live", () => this._learn());
    for (const type of ["live", "lost", "up", "ended"]) socket.addEventListener(type, () => this.refresh());
  }

  _learn() {
    this._rows = new Map((this._socket.hello.verbs ?? []).map((row) => [row.name, row]));
  }

  get readOnly() {
    return Boolean(this._socket.hello?.read_only);
  }

  row(verb) {
    return this._rows.get(verb);
  }

  /** Whether this login may ask for it. */
  allowed(verb) {
    const row = this.row(verb);
    if (!row) return !this.readOnly;
    return !this.readOnly || row.read_only === true || row.danger === "none";
  }

  /**
   * A button that asks for an operation.
   *
   * @param {string} verb
   * @param {Object|(() => Object|null|Promise<Object|null>)} args as the socket takes them, or what makes them when it is pressed; null: nothing is asked
   * @param {{label?: string, key?: string, primary?: boolean, danger?: boolean, guard?: () => string|null, asks?: () => string[], done?: Function, says?: string|Function|null, small?: boolean, icon?: Node, about?: () => string}} [how] `done` gets the answer and what was asked; `says` null: whoever asks says it; `about` tells presses of the same button apart
   */
  button(verb, args, how = {}) {
    const row = this.row(verb) ?? {};
    const key = how.key ?? row.key ?? "";
    const button = h(
      "button",
      { type: "button", class: ["button", how.primary && "primary", (how.danger ?? row.danger === "ends work") && "danger", how.small && "small"], data: { verb }, "aria-keyshortcuts": key || null },
      how.icon ?? null,
      h("span", {}, capital(how.label ?? row.label ?? verb)),
      key ? h("kbd", {}, key.replace("ctrl+", "^").replace("shift+up", "⇧↑").replace("shift+down", "⇧↓")) : null,
    );
    if (typeof args !== "function") button.asks = asking(row.request ?? verb, args);
    const pending = new Set();
    button.addEventListener("click", async () => {
      const about = how.about?.() ?? "";
      if (pending.has(about)) return; // pressed twice: the first one has no answer yet
      pending.add(about);
      await this.press(verb, args, how).finally(() => pending.delete(about));
    });
    this._buttons.add(new WeakRef(button));
    this._dress(button);
    return button;
  }

  /** Ask for an operation, after a question where its row or `how.confirms` says so; says what came of it. Resolves to its answer, null where nothing was asked or it was refused. */
  async press(verb, args, how = {}) {
    const row = this.row(verb) ?? {};
    if (!this.allowed(verb)) {
      this._toasts.say("This login may only look.");
      return null;
    }
    const refusal = how.guard?.();
    if (refusal) {
      this._toasts.say(refusal);
      return null;
    }
    forms.done();
    let given = typeof args === "function" ? await args() : args;
    if (given === null || given === undefined) return null;
    if ((row.asks || how.confirms) && how.asks !== null) {
      const sentences = [...(how.asks?.() ?? []), ...this.hanging(verb, [given.id]), ...(row.questions ?? [])];
      const label = how.label ?? row.label ?? verb;
      if (!(await confirm(how.title ?? `${capital(label)}?`, sentences, capital(label)))) return null;
    }
    const asked = given;
    const same = asking(row.request ?? verb, asked);
    if (this._underway.has(same)) return null; // pressed again, perhaps where it was drawn anew: the first one has no answer yet
    if (row.request_key) given = { ...given, request: requestKey(verb, asked) };
    try {
      this._begun(same);
      const answer = await this._socket.press(row.request ?? verb, given, { repeatable: Boolean(row.repeatable || row.request_key), item: how.item }).finally(() => this._ended(same));
      answered(verb, asked);
      const said = typeof how.says === "function" ? how.says(answer) : how.says;
      forms.done();
      if (how.says !== null) this.tell(said, [answer]);
      how.done?.(answer, asked);
      return answer ?? {};
    } catch (error) {
      if (error.error !== "lost") answered(verb, asked);
      if (verb !== "trust" && (await this._trusts(error))) return this.press(verb, given, { ...how, guard: undefined, asks: null });
      if (typeof args === "function" && forms.again(error.message)) return this.press(verb, args, how);
      if (how.failed?.(error) !== true) this._toasts.say(error.message, "bad");
      return null;
    }
  }

  /**
   * Say what was done, and each thing once that the daemon notes about it.
   *
   * @param {string|null} said
   * @param {Array<{note?: string}>} answers
   * @param {{wrong?: boolean}} [how] `wrong`: not all of it was done
   */
  tell(said, answers, { wrong = false } = {}) {
    const notes = new Set(answers.flatMap((answer) => (typeof answer?.note === "string" ? answer.note.split("\n") : [])));
    const text = [said, ...notes].filter(Boolean).join(" · ");
    if (text) this._toasts.say(text, wrong ? "bad" : notes.size ? "quiet" : "good");
  }

  /** What hangs on missions that it ends or removes: a promise of the sentence, which the server knows; none where nothing ends. */
  hanging(verb, ids) {
    if (!ENDS.has(verb) && verb !== REMOVES) return [];
    return [this._socket.once("hanging", { ids, removed: verb === REMOVES }).then((content) => content?.lines.join(" ") ?? "")];
  }

  /** Show what a project's file would run, and trust exactly that, once the person says yes; whether they did. */
  async _trusts(error) {
    const { path, sha256, commands, changed } = error.fields ?? {};
    if (error.error !== "untrusted_project" || !path || !sha256 || !Array.isArray(commands)) return false;
    const why = `${path} ${changed ? "has changed since you trusted it" : "is not trusted yet"}. ${commands.length ? "It runs:" : "It runs no commands."}`;
    const more = commands.length - MOST;
    if (!(await confirm("Trust this project?", [why, ...commands.slice(0, MOST), ...(more > 0 ? [`… and ${more} more`] : [])], "Trust it and go on"))) return false;
    return (await this.press("trust", { cwd: path.replace(/\/[^/]*$/, "") || "/", sha256 })) !== null;
  }

  _begun(same) {
    this._underway.add(same);
    this.refresh();
  }

  _ended(same) {
    this._underway.delete(same);
    this.refresh();
  }

  refresh() {
    for (const reference of this._buttons) {
      const button = reference.deref();
      if (button) this._dress(button);
      else this._buttons.delete(reference);
    }
  }

  _dress(button) {
    const allowed = this.allowed(button.dataset.verb);
    button.disabled = !this._socket.ready || !allowed;
    button.title = allowed ? "" : "This login may only look.";
    if (button.asks) button.setAttribute("aria-disabled", String(this._underway.has(button.asks)));
  }
}
