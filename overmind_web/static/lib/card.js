/** A card: what wants a decision, whole, with its buttons in reach whatever its length. One filled button a card. */

import { h, toned, unique } from "./dom.js";
import { mark } from "./marks.js";
import { tick } from "./time.js";
import { diff, counted, counts } from "./diff.js";
import { dialog } from "./dialog.js";
import { href } from "./router.js";
import { draft } from "./store.js";

/** What is asked for, in words: the tool, or the part of a spec, and the kind. */
export function kindOf(need) {
  return [need.tool, need.part, need.kind].filter(Boolean).join(" ");
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export class Card {
  /**
   * @param {Object} need one of the content of the page `needs`
   * @param {{verbs: Object, toasts: Object, guard: () => string|null, go: (tab: string) => void}} context
   */
  constructor(need, context) {
    this.need = need;
    this._context = context;
    this.chosen = (need.choices ?? []).map(() => new Set());
    this._words = null;
    const since = document.createTextNode("");
    if (need.since) tick(since, need.since);
    const title = unique("card");
    this.body = h("div", { class: "card-body" });
    this.foot = h("div", { class: "card-foot" });
    this.element = h(
      "article",
      { class: ["card", `edge-${need.tone ?? "wait"}`], "aria-labelledby": title, data: { key: need.key } },
      h(
        "header",
        { class: "card-head" },
        mark(need.mark ?? "waiting", need.tone ? `tone-${need.tone}` : ""),
        h("h3", { id: title, class: "card-name" }, need.name),
        h("span", { class: "card-kind quiet" }, kindOf(need)),
        h("span", { class: "card-since quiet" }, since),
      ),
      this.body,
      this.foot,
    );
    this._fill();
  }

  /** Show another state of the same need; what was chosen and typed stays. */
  update(need) {
    if (JSON.stringify(need) === JSON.stringify(this.need)) return;
    this.need = need;
    this._fill();
  }

  _fill() {
    const { need } = this;
    const parts = [];
    if (need.diffs?.length) for (const change of need.diffs) parts.push(...this._diff(change));
    if (need.lines?.length) parts.push(toned(need.lines, "subject"));
    if (need.choices?.length) parts.push(...need.choices.map((choice, place) => this._choice(choice, place)));
    if (!parts.length && need.summary) parts.push(h("p", { class: "summary" }, need.summary));
    if (need.rule) parts.push(h("p", { class: "rule quiet" }, "always would store ", h("code", {}, need.rule)));
    if (need.text_is) parts.push(h("dl", { class: "effects" }, h("dt", {}, "Your text"), h("dd", {}, need.text_is)));
    if (need.attach_only) parts.push(h("p", { class: "tone-slow" }, "Answer it in its terminal."));
    this.body.replaceChildren(...parts);
    this._buttons();
  }

  _diff(change) {
    return [
      h("div", { class: "card-path" }, h("code", {}, change.path), change.note ? h("span", { class: "quiet" }, change.note) : null, counts(counted(change.lines))),
      diff(change.lines, { label: `the change of ${change.path || "the file"}` }),
    ];
  }

  _choice(choice, place) {
    const group = unique("choice");
    const several = choice.several;
    return h(
      "fieldset",
      { class: "options" },
      h("legend", {}, choice.question, several ? h("span", { class: "quiet" }, "  choose one or more") : null),
      choice.options.map((option, number) => {
        const box = h("input", { type: several ? "checkbox" : "radio", name: group, checked: this.chosen[place]?.has(number) });
        box.addEventListener("change", () => this.choose(place, number, box.checked));
        return h("label", { class: "option" }, box, h("span", { class: "option-label" }, option.label), h("kbd", {}, number + 1), option.about ? h("span", { class: "option-about quiet" }, option.about) : null);
      }),
    );
  }

  choose(place, number, on = true) {
    const { choices } = this.need;
    if (!choices?.[place]?.options[number]) return;
    if (!choices[place].several) this.chosen[place].clear();
    if (on) this.chosen[place].add(number);
    else this.chosen[place].delete(number);
    const boxes = this.body.querySelectorAll("fieldset")[place]?.querySelectorAll("input") ?? [];
    boxes.forEach((box, at) => (box.checked = this.chosen[place].has(at)));
    this._buttons();
  }

  /** A number key: an option of the first question that has no answer yet. */
  number(number) {
    const { choices } = this.need;
    if (!choices?.length) return false;
    let place = choices.findIndex((choice, at) => choice.several ? at === choices.length - 1 || !this.chosen[at].size : !this.chosen[at].size);
    if (place < 0) place = choices.length - 1;
    this.choose(place, number - 1, !(choices[place].several && this.chosen[place].has(number - 1)));
    return true;
  }

  get complete() {
    return this.chosen.every((numbers) => numbers.size > 0);
  }

  get labels() {
    const { choices } = this.need;
    const said = ({ value, label }) => value ?? label;
    return choices.flatMap((choice, place) => [...this.chosen[place]].sort((a, b) => a - b).map((number) => (choices.length > 1 ? `${place + 1}:${said(choice.options[number])}` : said(choice.options[number]))));
  }

  _buttons() {
    const { need } = this;
    const { verbs } = this._context;
    const buttons = [];
    const more = [];
    if (need.question && !need.attach_only) {
      if (need.choices?.length) {
        const send = this._answer("allow", { label: "Send the answer", key: "y", primary: true }, () => (this.complete ? { options: this.labels } : this._incomplete()));
        if (!this.complete) send.classList.add("waits-for-choice");
        buttons.push(this._answer("deny", { label: need.labels.deny, key: "n" }), send);
        more.push(this._textButton("Own words", need.text_with ?? "allow"));
      } else {
        const { allow, deny } = need.labels;
        buttons.push(this._answer("deny", { label: deny, key: "n" }), this._answer("allow", { label: allow, key: "y", primary: true }));
        if (need.read) buttons.unshift(this._read(need.read));
        more.push(this._textButton(capital(need.words ?? "deny with a reason"), need.text_with ?? "deny"));
      }
      if (need.rule) more.push(this._alwaysButton());
    } else if (!need.question) {
      if (need.live && need.session) buttons.push(this._replyButton());
      if (!need.live || need.group === "failed") buttons.push(verbs.button("restart", { id: need.id }, { label: "Restart", key: "r", primary: true, guard: this._context.guard, asks: need.live ? undefined : null, says: `${need.name}: restarted` }));
    }
    if (need.terminal) more.push(h("button", { type: "button", class: need.attach_only ? "button primary" : "button", onclick: () => this._context.go("terminal") }, "Terminal ", h("kbd", {}, "a")));
    if (need.mission !== false) {
      more.push(h("button", { type: "button", class: "button", onclick: () => this._context.go("log") }, "Log ", h("kbd", {}, "l")));
      more.push(h("button", { type: "button", class: "button", onclick: () => this._context.go("describe") }, "Describe ", h("kbd", {}, "d")));
    }
    this._more = more;
    const fold = h("div", { class: "card-more" }, more);
    const unfold = h("button", { type: "button", class: "button unfold", "aria-label": "More", "aria-expanded": "false" }, mark("more", "plain"));
    unfold.addEventListener("click", () => unfold.setAttribute("aria-expanded", String(this.element.classList.toggle("unfolded"))));
    this.foot.replaceChildren(h("div", { class: "card-actions" }, buttons, unfold), fold, ...(this._words ? [this._words] : []));
  }

  /** A link to what is read before it is answered. */
  _read([what, id, ...more]) {
    return what === "spec" ? h("a", { class: "button", href: href("spec", [id, ...more]) }, "Read") : h("a", { class: "button", href: href("m", [id, "changes"]) }, "Changes");
  }

  _incomplete() {
    this._context.toasts.say("Choose an option first.");
    return null;
  }

  _answer(behaviour, how, more = () => ({})) {
    const { need } = this;
    return this._context.verbs.button(
      "answer",
      () => {
        const extra = more();
        return extra === null ? null : { question: need.question, behaviour, ...extra };
      },
      { ...how, guard: this._context.guard, done: () => this._context.answered(need, behaviour), failed: (error) => this._context.failed(need, error) },
    );
  }

  _textButton(label, behaviour) {
    return h("button", { type: "button", class: "button", data: { words: behaviour }, onclick: () => this.words(label, behaviour) }, `${label} `, h("kbd", {}, "m"));
  }

  /** A box for words that go with an answer. */
  words(label = "Deny with a reason", behaviour = "deny") {
    const { need } = this;
    if (this._words) {
      this._words.querySelector("textarea").focus();
      return;
    }
    const name = unique("words");
    const denies = behaviour === "deny";
    const isPlain = need.labels.deny === "deny";
    const hint = denies ? (isPlain ? "what it should do instead" : "why") : "your answer";
    const box = h("textarea", { id: name, class: "field", rows: 3, placeholder: need.text_is ?? hint });
    const kept = draft(box, `answer:${need.key}`);
    const send = this._context.verbs.button("answer", () => (box.value.trim() ? { question: need.question, behaviour, message: box.value.trim() } : null), {
      label: !denies ? "Send these words" : isPlain ? "Deny with this reason" : need.labels.deny, key: "", primary: false, guard: this._context.guard,
      done: () => (kept.clear(), this._context.answered(need, behaviour, need.said)), failed: (error) => this._context.failed(need, error),
    });
    this._words = h("div", { class: "words" }, h("label", { for: name }, label), box, h("div", { class: "words-row" }, send, h("button", { type: "button", class: "button", onclick: () => this._closeWords() }, "Close")));
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send.click();
    });
    this.foot.append(this._words);
    box.focus();
  }

  _closeWords() {
    this._words?.remove();
    this._words = null;
  }

  _alwaysButton() {
    return this._context.verbs.button("answer", () => this._always(), { label: "Always …", key: "Y", guard: this._context.guard, done: () => this._context.answered(this.need, "always"), failed: (error) => this._context.failed(this.need, error) });
  }

  /** The rule is shown before it is stored. */
  async _always() {
    const { need } = this;
    const yes = await dialog("Always allow?", () => [h("p", {}, "This rule will be stored; from then on nobody is asked about what it matches:"), h("pre", { class: "command" }, need.rule)], {
      foot: (close) => [h("button", { type: "button", class: "button", data: { first: "" }, onclick: () => close(false) }, "Cancel"), h("button", { type: "button", class: "button primary", onclick: () => close(true) }, "Store the rule and allow")],
    });
    return yes ? { question: need.question, behaviour: "always" } : null;
  }

  _replyButton() {
    return h("button", { type: "button", class: "button primary", onclick: () => this.reply() }, "Reply ", h("kbd", {}, "m"));
  }

  /** A box for a message to whose turn is over. */
  reply() {
    const { need } = this;
    if (this._words) {
      this._words.querySelector("textarea").focus();
      return;
    }
    const name = unique("reply");
    const box = h("textarea", { id: name, class: "field", rows: 3, placeholder: `Message ${need.name} …` });
    const kept = draft(box, `message:${need.id}`);
    const send = this._context.verbs.button("send", () => (box.value.trim() ? { id: need.id, text: box.value } : null), { label: "Send", key: "", primary: false, about: () => box.value, done: (_answer, { text }) => (kept.clear(text), this._context.answered(need, "reply")) });
    this._words = h("div", { class: "words" }, h("label", { for: name }, `Message ${need.name}`), box, h("div", { class: "words-row" }, send, h("button", { type: "button", class: "button", onclick: () => this._closeWords() }, "Close")));
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send.click();
    });
    this.foot.append(this._words);
    box.focus();
  }

  /** Press the button with this key; false where there is none. */
  key(key) {
    const found = [...this.foot.querySelectorAll("button")].find((button) => [...button.querySelectorAll("kbd")].some((one) => one.textContent === key));
    if (!found) return false;
    found.click();
    return true;
  }
}
