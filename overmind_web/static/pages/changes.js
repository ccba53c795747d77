/** What a mission changed: its files, the diff of each, comments on lines that are sent as one message, and the way to land it. */

import { h, fill } from "../lib/dom.js";
import { diff, counts } from "../lib/diff.js";
import { mark } from "../lib/marks.js";
import { menu } from "../lib/dialog.js";
import { Comments } from "../lib/review.js";
import { commit, land, push, discard } from "../lib/landing.js";
import { href } from "../lib/router.js";

const narrow = matchMedia("(max-width: 1099px)");
const FOLDED_FROM = 12;
const LOOKS = 5_000;
/** Milliseconds between two looks while it is seen: no event tells that a command has written a file. */
/** Files of a phone from which on they begin folded. */

export function open(place, context, [id]) {
  return new Changes(place, context, id);
}

class Changes {
  constructor(place, context, id) {
    this.id = id;
    this._context = context;
    this._alone = place.page === "changes";
    this._files = new Map();
    this._folded = new Set();
    this._content = null;
    this._lines = [];
    this._matches = [];
    this.cursor = null;
    this.comments = new Comments(`changes:${id}`, () => this._counted());
    this.title = h("h1", { class: "changes-title" }, id);
    this.sums = h("span", { class: "changes-sums" });
    this.branch = h("span", { class: "changes-branch quiet" });
    this.find = h("input", { class: "field filter changes-find", type: "search", placeholder: "/ find", "aria-label": "Find in the changes", data: this._alone ? { filter: "" } : {}, autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
    this.found = h("span", { class: "quiet changes-found", role: "status" });
    this.find.addEventListener("input", () => this._search());
    this.find.addEventListener("keydown", (event) => this._finding(event));
    this.list = h("nav", { class: "changes-list", "aria-label": "Files" });
    this.text = h("div", { class: "changes-text", tabindex: 0, role: "group", "aria-label": "Changes" }, h("p", { class: "quiet pad" }, "Loading …"));
    this.foot = h("div", { class: "changes-foot" });
    const back = h("button", { type: "button", class: "bare back", "aria-label": "Back to the worktrees", onclick: () => context.router.go("worktrees") }, mark("back", "plain"));
    this.element = h(
      this._alone ? "section" : "div",
      { class: "page changes", "aria-label": "Changes" },
      h("header", { class: "changes-head" }, this._alone ? [back, this.title] : null, this.sums, this.branch, h("span", { class: "grow" }), this.found, this.find),
      h("div", { class: "changes-body" }, this.list, this.text),
      this.foot,
    );
    this.text.addEventListener("click", (event) => this._clicked(event));
    this._drop = context.keys.layer("changes", this._keys());
    this._pane = context.socket.pane("changes", { id }, { content: ({ content }) => this._take(content), failed: (message) => this._failed(message), lost: () => {} });
    this._looking = setInterval(() => document.hidden || !this._content?.about.live || this._pane.send({ t: "say", say: {} }), LOOKS);
  }

  mission() {
    return this.id;
  }

  _keys() {
    const here = (act) => () => (this._here() ? act() : false);
    return [
      ["j down", "the next line", here(() => this._move(1))],
      ["k up", "the line before", here(() => this._move(-1))],
      ["g home", "the first line", here(() => this._move(-Infinity))],
      ["G end", "the last line", here(() => this._move(Infinity))],
      ["pagedown ctrl+f", "a page down", here(() => this._move(20))],
      ["pageup ctrl+b", "a page up", here(() => this._move(-20))],
      ["/", "find in the changes", here(() => (this.find.focus(), this.find.select(), true))],
      ["n", "the next file; the next line that was found", () => (this._matches.length ? this._match(1) : this._file(1))],
      ["N", "the file before; the line found before", () => (this._matches.length ? this._match(-1) : this._file(-1))],
      ["#", "comment on the line", () => (this.cursor === null ? false : this._comment(this.cursor))],
      ["m", "send the comments", () => (this.comments.count ? this._press("send") : false)],
      ["C", "commit", () => this._press("commit")],
      ["L", "land", () => this._press("merge")],
      ["P", "push", () => this._press("push")],
    ];
  }

  /** Whether keys that also move in the list beside it are meant for this one. */
  _here() {
    return this._alone || narrow.matches || this.element.contains(document.activeElement);
  }

  // what changed

  _failed(message) {
    this._content = null;
    this._files.clear();
    this._lines = this._matches = [];
    this.find.hidden = true;
    fill(this.list);
    fill(this.sums);
    fill(this.branch);
    fill(this.foot);
    fill(this.text, h("div", { class: "nothing" }, mark("worktrees"), h("h2", {}, "No changes can be shown."), h("p", { class: "quiet" }, message.message), this._alone ? h("a", { href: href("worktrees") }, "All worktrees") : null));
  }

  _take(content) {
    const begins = this._content === null;
    this._content = content;
    if (begins && content.files.length >= FOLDED_FROM && matchMedia("(max-width: 639px)").matches) for (const file of content.files) this._folded.add(file.path);
    this.title.textContent = content.about.name;
    const added = content.files.reduce((sum, file) => sum + file.added, 0);
    const removed = content.files.reduce((sum, file) => sum + file.removed, 0);
    fill(this.sums, `${content.files.length} file${content.files.length === 1 ? "" : "s"} `, content.files.length ? counts({ added, removed }) : null);
    fill(this.branch, [content.branch, content.note ? "" : content.base].filter(Boolean).join(" → "));
    this._draw(content);
    this._buttons();
  }

  _draw(content) {
    const focused = document.activeElement;
    const { scrollTop } = this.text;
    const before = this._files;
    this._files = new Map();
    this._lines = [];
    const shown = content.files.map((file, at) => {
      const shape = JSON.stringify(file);
      const known = before.get(file.path);
      const one = known?.shape === shape ? known : { ...this._drawn(file), shape };
      one.at = at;
      one.file = file;
      this._files.set(file.path, one);
      for (const line of one.lines) this._lines.push(line);
      return one.element;
    });
    fill(this.list, content.files.map((file) => this._entry(file)));
    this.list.hidden = this.find.hidden = content.files.length === 0;
    fill(this.text, content.note ? h("p", { class: "changes-note quiet" }, content.note) : null, this._commits(content), shown, this._elsewhere(), content.files.length ? null : this._empty(content), content.cut ? h("p", { class: "changes-cut tone-slow" }, `Cut off: ${content.cut}. Run git diff in its folder to see the rest.`) : null);
    this._place();
    this.text.scrollTop = scrollTop;
    if (focused instanceof HTMLElement && focused.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
    if (this.cursor !== null && !this._lines.some((line) => line.key === this.cursor)) this.cursor = null;
    this._mark(false);
    this._search(false);
  }

  // finding

  /** Mark the lines that hold what is typed, whatever the case unless a capital is typed; `go`: to the first from the cursor on. */
  _search(go = true) {
    for (const { element } of this._matches) element.classList.remove("found");
    const wanted = this.find.value;
    const exact = wanted !== wanted.toLowerCase();
    const holds = ({ line }) => (exact ? line : line.toLowerCase()).includes(wanted);
    this._matches = wanted ? this._lines.filter(holds) : [];
    for (const { element } of this._matches) element.classList.add("found");
    this.found.textContent = wanted ? `${this._matches.length} line${this._matches.length === 1 ? "" : "s"}` : "";
    if (!go || !this._matches.length) return;
    const here = this._lines.findIndex((line) => line.key === this.cursor);
    this._reveal(this._matches.find((line) => this._lines.indexOf(line) >= here) ?? this._matches[0]);
  }

  /** To the next line that was found, or the one before; around the end. */
  _match(step) {
    const order = new Map(this._lines.map((line, at) => [line.key, at]));
    const here = order.get(this.cursor) ?? -1;
    const ahead = step > 0 ? this._matches.find(({ key }) => order.get(key) > here) : this._matches.findLast(({ key }) => order.get(key) < here);
    this._reveal(ahead ?? this._matches.at(step > 0 ? 0 : -1));
    return true;
  }

  _reveal(line) {
    if (this._folded.has(line.path)) this._fold(line.path, false);
    this._set(line.key);
    this.found.textContent = `${this._matches.indexOf(line) + 1} of ${this._matches.length}`;
  }

  _finding(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      if (this._matches.length) this._match(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.find.value = "";
      this._search();
      this.text.focus();
    }
  }

  _empty(content) {
    const sentence = content.empty.charAt(0).toUpperCase() + content.empty.slice(1);
    return h("div", { class: "nothing" }, mark("worktrees"), h("h2", {}, `${sentence}.`), h("p", { class: "quiet" }, content.commits.length ? "Its commits are listed above." : "What the mission changes appears here by itself."));
  }

  _commits({ commits, earlier }) {
    if (!commits.length) return null;
    return h(
      "details",
      { class: "changes-commits", open: commits.length <= 3 },
      h("summary", {}, `${commits.length + earlier} commit${commits.length + earlier === 1 ? "" : "s"}`),
      h("ul", {}, commits.map(([number, subject]) => h("li", {}, h("code", {}, number), " ", subject)), earlier ? h("li", { class: "quiet" }, `… and ${earlier} earlier`) : null),
    );
  }

  _entry(file) {
    const name = file.path.split("/").pop();
    const folder = file.path.slice(0, file.path.length - name.length);
    return h("button", { type: "button", class: "changes-entry", data: { path: file.path }, title: file.path, onclick: () => this._toFile(file.path) }, h("span", { class: `tone-${file.tone} changes-word` }, file.word), h("span", { class: "changes-path" }, h("span", { class: "quiet" }, folder), name), counts(file));
  }

  _drawn(file) {
    const lines = [];
    const folded = this._folded.has(file.path);
    const body = h("div", { class: "changes-lines", hidden: folded });
    if (file.lines.length) {
      let order = 0;
      body.append(
        diff(file.lines, {
          label: `Changes of ${file.path}`,
          line: (element, [sign, text, old, now]) => {
            const number = now ?? old;
            if (number === null) return;
            const key = `${file.path}:${sign === "-" ? "-" : ""}${number}`;
            element.dataset.line = key;
            lines.push({ key, element, path: file.path, number, place: `${file.path}:${number}`, line: `${sign === " " ? "" : sign}${text}`, order: (order += 1) });
          },
        }),
      );
    } else body.append(h("p", { class: "quiet pad" }, file.word === "new" ? "A new file; it is shown once it is committed or staged." : "There are no lines to show: it is binary, or only its name or mode changed."));
    const head = h(
      "h2",
      { class: "changes-file-head" },
      h(
        "button",
        { type: "button", class: "changes-fold", "aria-expanded": String(!folded), onclick: () => this._fold(file.path) },
        mark(folded ? "folded" : "open", "plain"),
        h("span", { class: `tone-${file.tone} changes-word` }, file.word),
        h("span", { class: "changes-path" }, file.was ? h("span", { class: "quiet" }, `${file.was} → `) : null, file.path),
        counts(file),
      ),
    );
    return { element: h("div", { class: "changes-file", data: { file: file.path } }, head, body), head, body, lines };
  }

  _fold(path, folded = !this._folded.has(path)) {
    if (folded) this._folded.add(path);
    else this._folded.delete(path);
    const { head, body } = this._files.get(path);
    body.hidden = folded;
    const button = head.querySelector("button");
    button.setAttribute("aria-expanded", String(!folded));
    button.querySelector(".mark").replaceWith(mark(folded ? "folded" : "open", "plain"));
  }

  _toFile(path) {
    const one = this._files.get(path);
    if (!one) return;
    this._fold(path, false);
    one.element.scrollIntoView({ block: "start" });
    if (one.lines.length) this._set(one.lines[0].key, false);
  }

  _file(step) {
    const all = [...this._files.values()];
    if (!all.length) return false;
    const here = all.findIndex((one) => one.lines.some((line) => line.key === this.cursor));
    const wanted = all[here === -1 ? (step > 0 ? 0 : all.length - 1) : here + step];
    if (!wanted) {
      this._context.toasts.say(step > 0 ? "There is no next file." : "This is the first file.", "quiet");
      return true;
    }
    this._toFile(wanted.file.path);
    return true;
  }

  // the cursor

  _move(step) {
    const lines = (this._lines ?? []).filter((line) => !this._folded.has(line.path));
    if (!lines.length) return false;
    const here = lines.findIndex((line) => line.key === this.cursor);
    const at = here === -1 ? (step > 0 ? -1 : lines.length) : here;
    const wanted = here === -1 && Number.isFinite(step) ? at + Math.sign(step) : at + step;
    this._set(lines[Math.max(0, Math.min(lines.length - 1, wanted))].key);
    return true;
  }

  _set(key, shown = true) {
    this.cursor = key;
    this._mark(shown);
  }

  _mark(shown = true) {
    this._marked?.classList.remove("cursor");
    const line = this._line(this.cursor);
    this._marked = line?.element ?? null;
    this._marked?.classList.add("cursor");
    if (shown) this._marked?.scrollIntoView({ block: "nearest" });
    for (const entry of this.list.children) {
      if (line && entry.dataset.path === line.path) entry.setAttribute("aria-current", "true");
      else entry.removeAttribute("aria-current");
    }
  }

  _line(key) {
    return key === null ? undefined : this._lines?.find((line) => line.key === key);
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
    const line = this._line(key);
    const { toasts } = this._context;
    const { about } = this._content ?? {};
    if (!line) return false;
    if (!about.there) toasts.say(`The mission of ${about.name} was removed and takes no comments.`);
    else if (this._context.verbs.readOnly) toasts.say("This login may only look.");
    else {
      const at = this._files.get(line.path).at;
      const box = this.comments.write(key, { place: line.place, line: line.line, order: at * 1e6 + line.order });
      line.element.after(box);
      box.scrollIntoView({ block: "nearest" });
    }
    return true;
  }

  /** Put each comment below its line. */
  _place() {
    for (const key of this.comments.all.keys()) this._line(key)?.element.after(this.comments.box(key));
  }

  /** Comments whose line has gone since: they are sent, too. */
  _elsewhere() {
    const gone = [...this.comments.all.keys()].filter((key) => !this._line(key));
    if (!gone.length) return null;
    return h("div", { class: "changes-elsewhere" }, h("h2", {}, "Comments on lines that have changed since"), gone.map((key) => this.comments.box(key)));
  }

  _counted() {
    if (this._sendLabel) {
      const { count } = this.comments;
      this._sendLabel.textContent = `Send ${count} comment${count === 1 ? "" : "s"}`;
      this._send.hidden = count === 0;
    }
  }

  // what can be done

  get _about() {
    return this._content.about;
  }

  _buttons() {
    const { verbs } = this._context;
    const about = this._about;
    const shape = JSON.stringify(about);
    if (shape === this._shape && this.foot.childElementCount) return;
    this._shape = shape;
    let sending = null;
    this._send = verbs.button(
      "send",
      () => {
        if (!about.takes) {
          this._context.toasts.say(`${about.name} reads no messages now: the comments stay here.`);
          return null;
        }
        sending = this.comments.sending();
        return sending.text ? { id: this.id, text: sending.text } : null;
      },
      { label: "Send", key: "m", primary: true, says: `sent to ${about.name}`, done: () => sending.arrived() },
    );
    this._sendLabel = this._send.querySelector("span");
    const hint = about.takes ? h("span", { class: "quiet small-text changes-hint" }, "Press a line to comment on it.") : null;
    const act = (verb, label) => verbs.button(verb, () => (this._press(verb), null), { label, asks: null, danger: false });
    const more = h("button", { type: "button", class: "button square", "aria-label": "More", onclick: () => this._menu() }, mark("more", "plain"));
    fill(this.foot, this._send, hint, h("span", { class: "grow" }), about.worktree ? [act("commit", "Commit"), act("merge", "Land"), more] : null);
    this._counted();
  }

  _menu() {
    const { verbs, router } = this._context;
    const about = this._about;
    const item = (verb, label, key) => ({ label, key, danger: verb === "discard", disabled: !this._context.socket.ready || !verbs.allowed(verb), press: () => this._press(verb) });
    return menu(about.name, [item("push", "Push", "P"), item("discard", "Discard", ""), about.there && this._alone ? { label: "Log", key: "l", press: () => router.go("m", [this.id, "log"]) } : null].filter(Boolean));
  }

  _press(verb) {
    if (this._content === null) return false;
    if (verb === "send") {
      this._send.click();
      return true;
    }
    if (!this._about.worktree) {
      this._context.toasts.say(`${this._about.name} has no worktree of its own.`);
      return true;
    }
    if (!this._context.socket.ready || !this._context.verbs.allowed(verb)) {
      if (verb !== "merge" || !this._context.socket.ready) {
        this._context.toasts.say(this._context.socket.ready ? "This login may only look." : "Not connected: nothing was done.");
        return true;
      }
    }
    this._do(verb);
    return true;
  }

  async _do(verb) {
    const about = this._about;
    if (verb === "commit") {
      if (await commit(this._context, about)) this._again();
    } else if (verb === "push") await push(this._context, about);
    else if (verb === "discard") {
      if ((await discard(this._context, about)) && this._alone) this._context.router.go("worktrees");
    } else await this._land(about);
  }

  async _land(about) {
    const ended = await land(this._context, about);
    if (ended?.what === "commit") {
      if (await commit(this._context, about)) {
        this._again();
        await this._land(about);
      }
    } else if (ended?.what === "landed") this._again();
  }

  /** Look again: a commit is no event. */
  _again() {
    this._pane.set({ id: this.id });
  }

  close() {
    clearInterval(this._looking);
    this._pane.close();
    this._drop();
  }
}
