/** One spec: what is asked about it, its phases and tasks, and its documents, whose lines are commented on; comments go as the denial of its gate. */

import { h, fill, toned, word } from "../lib/dom.js";
import { mark, remark } from "../lib/marks.js";
import { Card } from "../lib/card.js";
import { Guard } from "../lib/verbs.js";
import { Comments } from "../lib/review.js";
import { confirm, dialog, menu } from "../lib/dialog.js";
import { Graph } from "../lib/graph.js";
import { href } from "../lib/router.js";

const COMPUTED = "sync";
/** The phase that no agent does. */

const GRAPH = "graph";
/** What stands among the documents, and is none. */

export function open(place, context, [id, phase = ""]) {
  return new Spec(id, phase, context);
}

class Spec {
  constructor(id, phase, context) {
    this.id = id;
    this._context = context;
    this._cards = new Map();
    this._guard = new Guard();
    this._content = null;
    this._document = null;
    this._phase = phase;
    this.cursor = null;
    this._line = null;
    this.comments = new Comments(`spec:${id}`, () => this._counted());
    this.mark = mark("queued");
    this.name = h("h1", { class: "changes-title" }, id);
    this.summary = h("span", { class: "quiet spec-summary" });
    this.buttons = h("div", { class: "mission-actions" });
    this.cards = h("div", { class: "spec-cards" });
    this.parts = h("ul", { class: "spec-parts", "aria-label": "Phases and tasks" }, h("li", { class: "quiet pad" }, "Loading …"));
    this.tabs = h("nav", { class: "mission-tabs", "aria-label": "Documents" });
    this.text = h("div", { class: "spec-text", tabindex: 0, role: "group", "aria-label": "Document" });
    this.graph = new Graph({ label: "Graph of the tasks", about: "Tasks and what each waits for", chosen: (id) => ((this.cursor = id), this._light()), failed: (sentence) => context.toasts.say(sentence, "bad") });
    this.graph.element.hidden = true;
    this.foot = h("div", { class: "changes-foot", hidden: true });
    this.element = h(
      "section",
      { class: "page changes spec", "aria-label": "Spec" },
      h("header", { class: "changes-head" }, h("button", { type: "button", class: "bare back", "aria-label": "Back to the specs", onclick: () => context.router.go("specs") }, mark("back", "plain")), this.mark, this.name, this.summary, h("span", { class: "grow" }), this.buttons),
      h("div", { class: "spec-body" }, h("div", { class: "spec-side" }, this.cards, this.parts), h("div", { class: "spec-document" }, this.tabs, this.graph.element, this.text, this.foot)),
    );
    this.text.addEventListener("click", (event) => this._clicked(event));
    this._drop = context.keys.layer("spec", this._keys());
    this._foot();
    this._pane = context.socket.pane("spec", { id }, { content: ({ content }) => this._take(content), failed: (message) => this._failed(message), lost: () => {} });
    if (phase) this._read(phase);
  }

  _keys() {
    return [
      ["j down", "down", () => this._move(1)],
      ["k up", "up", () => this._move(-1)],
      ["tab", "the next document", () => this._beside(1)],
      ["shift+tab", "the document before", () => this._beside(-1)],
      ["#", "comment on the line", () => (this._line === null ? false : this._comment(this._line))],
      ["y", "allow what is asked", () => this._card?.key("y") ?? false],
      ["n", "deny what is asked", () => this._card?.key("n") ?? false],
      ["m", "send the comments; without any: answer with words", () => (this.comments.count ? (this._send.click(), true) : (this._card?.key("m") ?? false))],
      ["b", "graph of the tasks", () => (this._tasks().length ? (this._context.router.go("spec", [this.id, GRAPH]), true) : false)],
      ["r", "run it", () => this._press("spec_run")],
      ["v", "preview of a sync", () => this._press("spec_sync")],
      ["ctrl+d", "archive it", () => this._press("spec_archive")],
    ];
  }

  go(place) {
    const [id, phase = ""] = place.parts;
    if (id !== this.id) this._context.app.reopen(place);
    else if (phase && phase !== this._phase) this._read(phase);
  }

  _failed(message) {
    this._content = null;
    fill(this.cards);
    this._cards.clear();
    fill(this.parts, h("li", { class: "nothing" }, h("h2", {}, "This spec is not there."), h("p", { class: "quiet" }, message.message), h("a", { href: href("specs") }, "All specs")));
    fill(this.buttons);
  }

  _take(content) {
    this._content = content;
    this.name.textContent = content.name;
    this.name.title = content.title;
    remark(this.mark, content.mark, content.tone);
    this.summary.textContent = content.summary;
    this._questions(content.cards);
    this._listed(content);
    if (!this._phase) this._read(content.current, false);
    this._tabs();
    const shape = JSON.stringify([content.state, content.drift, content.edited]);
    if (shape !== this._shape) {
      this._shape = shape;
      this._actions(content);
    }
    this._counted();
  }

  // what is asked

  get _card() {
    const of = [...this._cards.values()];
    return of.find((card) => card.need.phase === this._phase) ?? of[0];
  }

  _questions(needs) {
    const before = this._card?.need.key;
    for (const [key, card] of this._cards) {
      if (needs.some((need) => need.key === key)) continue;
      card.element.remove();
      this._cards.delete(key);
    }
    for (const one of needs) {
      const need = { ...one, read: undefined }; // the document stands beside it
      const known = this._cards.get(need.key);
      if (known) known.update(need);
      else {
        const { toasts, router } = this._context;
        const card = new Card(need, {
          ...this._context,
          guard: () => this._guard.refusal(need.key),
          go: (tab) => router.go("m", [need.id, tab]),
          answered: (which, behaviour, said) => toasts.say(`${which.phase || which.part || which.name}: ${said ?? which.done[behaviour] ?? "answered"}`, behaviour === "deny" ? "quiet" : "good"),
          failed: (which, error) => error.error === "not_found" && (toasts.say(error.message), true),
        });
        this._cards.set(need.key, card);
        this.cards.append(card.element);
      }
    }
    this._guard.shown(needs.map((need) => need.key));
    const now = this._card?.need.key;
    if (before && now && now !== before && !this._cards.has(before)) this._guard.replaced(now); // keys act on it from now on
  }

  // phases and tasks

  _tasks() {
    return (this._content?.parts ?? []).filter(([, , , , , facts]) => facts.task);
  }

  /** The tasks and what each waits for; in the place of a document. */
  _drawn() {
    const shown = this._phase === GRAPH;
    this.graph.element.hidden = !shown;
    this.text.hidden = shown;
    if (!shown) return;
    this.graph.take(this._tasks().map(([, sign, name, , cells, facts]) => {
      const [, state = "", tone = ""] = cells.find(([key]) => key === "state") ?? [];
      return { id: facts.id, name, needs: facts.needs, mark: sign, tone, state, critical: facts.critical, href: facts.quest ? href("quests", [facts.quest]) : href("spec", [this.id, "tasks"]) };
    }));
    this.graph.light(this.cursor);
  }

  _listed(content) {
    const focused = this.parts.contains(document.activeElement) ? document.activeElement.dataset.part : null;
    const rows = content.parts.map(([guides, sign, name, , cells, facts]) => {
      const text = Object.fromEntries(cells.map(([key, said, tone]) => [key, { said, tone }]));
      const cell = (key, more = "") => (text[key]?.said ? h("span", { class: `spec-cell ${more} tone-${word(text[key].tone)}` }, text[key].said) : null);
      return h(
        "li",
        {},
        h(
          "button",
          { type: "button", class: "spec-part", data: { part: facts.id }, onclick: () => this._opened(facts, name) },
          facts.task && guides.trim() ? h("span", { class: "spec-guides", "aria-hidden": "true" }, guides) : null,
          mark(sign),
          h("span", { class: "spec-name" }, name),
          facts.critical ? h("span", { class: "quiet", title: "on the critical path" }, "◆") : null,
          cell("state"),
          cell("score"),
          cell("hours"),
          cell("cost"),
          cell("says", "spec-says"),
        ),
      );
    });
    fill(this.parts, rows.length ? rows : h("li", { class: "pad quiet" }, content.empty[0]));
    this._drawn();
    this._light();
    if (focused) this.parts.querySelector(`[data-part="${CSS.escape(focused)}"]`)?.focus();
  }

  _light() {
    this.graph.light(this.cursor);
    for (const button of this.parts.querySelectorAll("[data-part]")) {
      if (button.dataset.part === (this.cursor ?? `phase:${this._phase}`)) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  _opened(facts, name) {
    this.cursor = facts.id;
    this._light();
    if (!facts.task) this._context.router.go("spec", [this.id, name]);
    else if (facts.quest) this._context.router.go("quests", [facts.quest]);
    else {
      this._heading = name;
      if (this._phase === "tasks") this._toHeading();
      else this._context.router.go("spec", [this.id, "tasks"]);
    }
  }

  _move(step) {
    if (this._lines?.length && (this._line !== null || this.text.contains(document.activeElement))) {
      const at = this._lines.indexOf(this._line) + step;
      this._set(this._lines[Math.max(0, Math.min(this._lines.length - 1, at))]);
      return true;
    }
    const all = [...this.parts.querySelectorAll("[data-part]")];
    if (!all.length) return false;
    const here = all.findIndex((one) => one.dataset.part === (this.cursor ?? `phase:${this._phase}`));
    const wanted = all[Math.max(0, Math.min(all.length - 1, here + step))];
    this.cursor = wanted.dataset.part;
    this._light();
    wanted.focus();
    return true;
  }

  // documents

  _read(phase) {
    this._phase = phase;
    this._line = null;
    this._lines = [];
    this._document?.close();
    this._document = null;
    this._drawn();
    this._tabs();
    this._light();
    if (phase === GRAPH) {
      this._counted();
      return;
    }
    fill(this.text, h("p", { class: "quiet pad" }, "Loading …"));
    this._document = this._context.socket.pane("document", { id: this.id, phase }, { content: ({ content }) => this._shown(content), failed: ({ message }) => fill(this.text, h("p", { class: "pad quiet" }, message)), lost: () => {} });
  }

  _tabs() {
    const all = [...(this._content?.documents ?? [])];
    if (this._tasks().length) all.push(GRAPH);
    fill(this.tabs, all.map((phase) => h("a", { class: "mission-tab", href: href("spec", [this.id, phase]), "aria-current": phase === this._phase ? "page" : null }, phase)));
  }

  _beside(step) {
    const all = this._content?.documents ?? [];
    if (!all.length) return false;
    this._context.router.go("spec", [this.id, all[(all.indexOf(this._phase) + step + all.length) % all.length]]);
    return true;
  }

  _shown(content) {
    const focused = document.activeElement;
    const { scrollTop } = this.text;
    this._gate = content.gate;
    this._file = content.file;
    this._lines = [];
    const lines = content.lines.map(([number, cells, faulty]) => {
      const plain = cells.map(([text]) => text).join("");
      const line = h("div", { class: "diff-line same spec-line", data: { line: `${content.file}:${number}`, plain } }, h("span", { class: `diff-number ${faulty ? "tone-bad" : ""}` }, number), h("span", { class: "diff-text" }, cells.length ? cells.map(([text, tone]) => h("span", { class: `tone-${word(tone)}` }, text)) : " "));
      this._lines.push(line.dataset.line);
      return line;
    });
    fill(this.text, content.above.length ? toned(content.above, "spec-above") : null, h("div", { class: "spec-lines" }, lines));
    for (const key of this.comments.all.keys()) this._element(key)?.after(this.comments.box(key));
    const gone = [...this.comments.all.keys()].filter((key) => key.startsWith(`${content.file}:`) && !this._element(key));
    if (gone.length) this.text.append(h("div", { class: "changes-elsewhere" }, h("h2", {}, "Comments on lines that are gone"), gone.map((key) => this.comments.box(key))));
    this.text.scrollTop = scrollTop;
    if (focused instanceof HTMLElement && focused.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
    if (this._line !== null && this._element(this._line)) this._set(this._line, false);
    this._toHeading();
    this._counted();
  }

  _toHeading() {
    if (!this._heading || this._phase !== "tasks" || !this._lines.length) return;
    const wanted = `### ${this._heading}`;
    const line = [...this.text.querySelectorAll("[data-plain]")].find(({ dataset }) => dataset.plain === wanted || dataset.plain.startsWith(`${wanted} `));
    this._heading = null;
    if (line) {
      line.scrollIntoView({ block: "start" });
      this._set(line.dataset.line, false);
    }
  }

  _element(key) {
    return this.text.querySelector(`[data-line="${CSS.escape(key)}"]`);
  }

  _set(key, shown = true) {
    this.text.querySelector(".cursor")?.classList.remove("cursor");
    this._line = key;
    const element = this._element(key);
    element?.classList.add("cursor");
    if (shown) element?.scrollIntoView({ block: "nearest" });
  }

  // comments

  _clicked(event) {
    if (!(event.target instanceof Element) || event.target.closest("button, textarea, a, .comment")) return;
    const element = event.target.closest("[data-line]");
    if (!element || String(getSelection())) return;
    this._set(element.dataset.line, false);
    this._comment(element.dataset.line);
  }

  _comment(key) {
    const element = this._element(key);
    if (!element) return false;
    if (this._context.verbs.readOnly) {
      this._context.toasts.say("This login may only look.");
      return true;
    }
    const documents = this._content?.documents ?? [];
    const order = documents.indexOf(this._phase) * 1e6 + this._lines.indexOf(key);
    const box = this.comments.write(key, { place: key, line: element.dataset.plain, order });
    element.after(box);
    box.scrollIntoView({ block: "nearest" });
    return true;
  }

  _counted() {
    if (!this._send) return;
    const { count } = this.comments;
    this.foot.hidden = count === 0;
    this._send.querySelector("span").textContent = `Send ${count} comment${count === 1 ? "" : "s"}`;
    this._hint.textContent = this._gate ? "The phase is done again with them." : "Nothing is asked about it now: they stay here until then.";
  }

  _foot() {
    let sending = null;
    this._hint = h("span", { class: "quiet small-text" });
    this._send = this._context.verbs.button(
      "answer",
      () => {
        if (!this._gate) {
          this._context.toasts.say("Nothing is asked about this spec now: the comments stay here until then.");
          return null;
        }
        sending = this.comments.sending();
        return sending.text ? { question: this._gate, behaviour: "deny", message: sending.text } : null;
      },
      { label: "Send", key: "m", primary: true, done: () => (sending.arrived(), this._context.toasts.say(`${this._content?.name ?? this.id}: it is done again with your comments`, "good")) },
    );
    fill(this.foot, this._send, this._hint);
  }

  // what can be asked of it

  _actions(content) {
    const { verbs } = this._context;
    const act = (verb, label) => verbs.button(verb, () => (this._press(verb), null), { label, small: true, asks: null, key: "", danger: false });
    const more = h("button", { type: "button", class: "button small square", "aria-label": "More of this spec", onclick: () => this._menu() }, mark("more", "plain"));
    fill(this.buttons, content.archived ? act("spec_archive", "Restore") : act("spec_run", "Run"), more);
  }

  _menu() {
    const { verbs, socket } = this._context;
    const { name, archived, drift, edited } = this._content;
    const item = (verb, label, key) => ({ label, key, disabled: !socket.ready || (!verbs.allowed(verb) && verb !== "spec_sync"), press: () => this._press(verb) });
    return menu(name, [item("spec_run", "Run", "r"), item("spec_sync", "Sync: show what it would do", "v"), drift || edited ? item("spec_accept", "Accept all as it is now", "") : null, item("spec_archive", archived ? "Restore" : "Archive", "^d")].filter(Boolean));
  }

  _press(verb) {
    if (!this._content) return false;
    const { verbs } = this._context;
    const { name, archived } = this._content;
    if (verb === "spec_run") this._run();
    else if (verb === "spec_sync") this._sync();
    else if (verb === "spec_archive") this._archive(name, archived);
    else verbs.press(verb, { id: this.id }, { says: `${name}: its files are taken as they are` });
    return true;
  }

  /** From where it is; from a phase that has passed only after a word on what that does. */
  async _run() {
    const { verbs } = this._context;
    const { name, parts } = this._content;
    const part = parts.find((one) => one[5].id === this.cursor)?.[5];
    const phase = part && !part.task ? part.id.replace(/^phase:/, "") : "";
    let first = {};
    if (part && phase && phase !== "brief") {
      if (phase !== COMPUTED && ["passed", "review"].includes(part.state)) {
        const sure = await dialog(`Run ${name} from ${phase}?`, () => [h("p", {}, `The phase ${phase} has passed: an agent does it again, and the phases behind it that this changes.`)], {
          foot: (close) => [h("button", { type: "button", class: "button", data: { first: "" }, onclick: () => close(false) }, "Keep"), h("button", { type: "button", class: "button", onclick: () => close(true) }, "Run")],
        });
        if (!sure) return;
      }
      first = { first: phase };
    }
    await verbs.press("spec_run", { id: this.id, ...first }, { says: (answer) => `${name}: ${answer.queued && answer.phase ? `${answer.phase} queued` : answer.synced ? `${answer.synced} tasks queued` : answer.question ? `waits for question ${answer.question}` : answer.phase ? `${answer.phase} is running` : `nothing to do, it is ${answer.state}`}` });
  }

  /** Nothing of it starts any more; it can be taken back. */
  async _archive(name, archived) {
    if (!archived && !(await confirm(`Archive ${name}?`, [`${name} is ${this._content.state}. Nothing of it starts any more.`], "Archive"))) return;
    await this._context.verbs.press("spec_archive", { id: this.id, ...(archived ? { undo: true } : {}) }, { says: archived ? `restored ${name}` : `archived ${name}` });
  }

  /** What a sync would do, first. */
  async _sync() {
    const { verbs } = this._context;
    const { name } = this._content;
    const answer = await verbs.press("spec_sync", { id: this.id, dry_run: true });
    if (!answer) return;
    const counts = ["created", "updated", "skipped", "conflicts", "cancelled"].map((one) => `${answer[one]} ${one === "conflicts" && answer[one] === 1 ? "conflict" : one}`).join(", ");
    const changes = answer.created || answer.updated || answer.cancelled;
    const sure = await dialog(`Sync ${name}`, () => [h("p", {}, counts), h("ul", { class: "spec-steps" }, answer.steps.map((step) => h("li", {}, `${step.action} ${step.task}`)))], {
      foot: (close) => [h("button", { type: "button", class: "button", data: { first: "" }, onclick: () => close(false) }, "Close"), changes ? verbs.button("spec_sync", () => (close(true), null), { label: "Sync", key: "", primary: true }) : null],
    });
    if (sure) await verbs.press("spec_sync", { id: this.id }, { says: `synced ${name}: ${counts}` });
  }

  close() {
    this._pane.close();
    this._document?.close();
    this._drop();
  }
}
