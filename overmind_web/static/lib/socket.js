/**
 * The one connection of a tab. It opens its panes again after each loss, so that nothing can be missed or stale; it notices a phone that
 * slept; it never gives up; a press whose answer was lost is sent again where twice is as once.
 */

import { synchronise } from "./time.js";

const SILENCE = 13_000;
/** Milliseconds without a word from the server, which sends one each 10 s, after which a visible page takes it for lost. */
const ANSWER = 3_000;
/** Milliseconds within which it answers a question of ours. */
const OPENING = 1_000;
/** Milliseconds after which a socket that is being opened is given up for a new one, when the page is looked at again. */
const FIRST_RETRY = 200;
const LAST_RETRY = 5_000;
const PRESSED = "button, a, summary, label, input";
/** What stays as it is while a finger is on it: drawn anew between down and up, it would get no click. */
const HELD = 10_000;
/** Milliseconds for which it stays at most. */
const CLICK = 60;
/** Milliseconds after the finger has left within which the click comes. */

/** A press that was refused, or whose answer nobody will get. */
export class Refused extends Error {
  /** `fields`: what else the refusal says, such as the file of a project that is not trusted. */
  constructor(error, message, fields = {}) {
    super(message);
    this.name = "Refused";
    this.error = error;
    this.fields = fields;
  }
}

/** A delay before the next try: doubled each time, up to 5 s, with jitter so that many tabs don't knock at once. */
export function delay(tries, random = Math.random) {
  return Math.min(LAST_RETRY, FIRST_RETRY * 2 ** Math.min(tries, 10)) * (0.7 + 0.6 * random());
}

export class Connection extends EventTarget {
  /**
   * @param {string} url of `/ws`
   * @param {() => string|null} key of the login
   * @param {() => Promise<boolean>} refused whether the login has ended
   */
  constructor(url, key, refused) {
    super();
    this._url = url;
    this._key = key;
    this._refused = refused;
    this._panes = new Map();
    this._presses = new Map();
    this._number = 0;
    this._tries = 0;
    this._heard = 0;
    this._socket = null;
    this._retry = null;
    this._asked = null;
    this._look = null;
    this._held = null;
    this._begun = false;
    this.ended = false;
    this.live = false;
    this.hello = null;
    this.head = null;
    this.up = { ok: true, message: "" };
    const look = () => this._seen();
    document.addEventListener("visibilitychange", look);
    window.addEventListener("pageshow", look);
    window.addEventListener("online", look);
    document.addEventListener("pointerdown", (event) => this._hold(event), { capture: true, passive: true });
    for (const type of ["pointerup", "pointercancel"]) document.addEventListener(type, () => this._release(CLICK), { capture: true, passive: true });
    setInterval(() => this._listen(), 1000);
  }

  /** Whether actions can be asked for now. */
  get ready() {
    return this.live && this.up.ok;
  }

  open() {
    clearTimeout(this._retry);
    this._begun = true;
    if (this.ended || this._socket || this._key() === null) return; // `pageshow` may come before the login has
    const socket = new WebSocket(this._url, ["overmind.1", `key.${this._key()}`]);
    this._socket = socket;
    this._heard = performance.now();
    socket.onmessage = (event) => this._message(socket, event);
    socket.onclose = () => this._lost(socket, "closed");
    socket.onerror = () => {};
  }

  /** Begin anew with the key of another login: nothing of the one before counts. */
  renew() {
    clearTimeout(this._retry);
    this._drop();
    for (const press of this._presses.values()) press.reject(new Refused("lost", "Another login took its place before the answer: look whether it was done."));
    this._presses.clear();
    this.ended = this.live = false;
    this.hello = this.head = null;
    this._tries = 0;
  }

  /** End it: the login is over. */
  end(error) {
    this.ended = true;
    clearTimeout(this._retry);
    this._drop();
    this._tell("ended", { error });
  }

  /**
   * Open a pane. It is opened again by itself after each loss.
   *
   * @param {string} view
   * @param {Object} args
   * @param {Object} on what is called with its messages, by their `t`: `rows`, `content`, `failed`, `lines`, `more` …; `lost` when the connection is
   * @param {Object} more members of the message that opens it: `from`, `to`, `at`
   */
  pane(view, args, on, more = {}) {
    const pane = new Pane(this, (this._number += 1), view, args, on, more);
    this._panes.set(pane.number, pane);
    if (this.live) this.send(pane.opening());
    return pane;
  }

  /** What a pane shows at first; null where it can't be had now. */
  once(view, args = {}) {
    return new Promise((resolve) => {
      const ended = (content) => (pane.close(), resolve(content));
      const pane = this.pane(view, args, { content: ({ content }) => ended(content), failed: () => ended(null), lost: () => ended(null) });
      if (!this.live) ended(null);
    });
  }

  /** Whether something was asked for that has no answer yet. */
  get pressing() {
    return this._presses.size > 0;
  }

  forget(pane) {
    if (this._panes.delete(pane.number) && this.live) this.send({ t: "close", p: pane.number });
  }

  /**
   * Ask for an operation.
   *
   * @param {string} verb
   * @param {Object} args
   * @param {{repeatable?: boolean, item?: (item: any) => void}} [how]
   * @returns {Promise<any>} what it answered; rejects with `Refused`
   */
  press(verb, args, how = {}) {
    if (!this.live) return Promise.reject(new Refused("lost", "Not connected: nothing was done."));
    const n = (this._number += 1);
    const message = { t: "do", n, verb, args };
    return new Promise((resolve, reject) => {
      this._presses.set(n, { message, resolve, reject, again: Boolean(how.repeatable), item: how.item });
      this.send(message);
    });
  }

  /** What this tab looks at: the supervisor calls somebody else about all other missions. */
  look(about) {
    this._look = { t: "look", ...about };
    this.send(this._look);
  }

  send(message) {
    if (this._socket?.readyState === WebSocket.OPEN) this._socket.send(JSON.stringify(message));
  }

  _message(socket, event) {
    if (socket !== this._socket || typeof event.data !== "string") return;
    this._heard = performance.now();
    const message = JSON.parse(event.data);
    if (message.p !== undefined) {
      if (this._held) this._held.push(message);
      else this._panes.get(message.p)?.take(message);
      return;
    }
    const act = this[`_on_${message.t}`];
    if (act) act.call(this, message);
  }

  _hold(event) {
    if (!(event.target instanceof Element) || !event.target.closest(PRESSED)) return;
    this._draw();
    this._held = [];
    this._release(HELD);
  }

  _release(wait) {
    clearTimeout(this._releasing);
    if (this._held) this._releasing = setTimeout(() => this._draw(), wait);
  }

  _draw() {
    const held = this._held ?? [];
    this._held = null;
    for (const message of held) this._panes.get(message.p)?.take(message);
  }

  _on_hello(message) {
    synchronise(message.now);
    const fresh = this.hello === null || this.hello.version !== message.version;
    this.hello = message;
    this.live = true;
    this._tries = 0;
    for (const pane of this._panes.values()) this.send(pane.opening());
    if (this._look) this.send(this._look);
    for (const press of this._presses.values()) this.send(press.message);
    this._tell("live", { fresh });
  }

  _on_ping() {
    this.send({ t: "pong" });
  }

  /** The answer to our question. Nothing else is one: what the server sent before it fell silent may be read after we asked. */
  _on_pong() {
    this._asked = null;
  }

  _on_head(message) {
    this.head = message;
    this._tell("head", message);
  }

  _on_up(message) {
    this.up = { ok: message.ok, message: message.message ?? "" };
    this._tell("up", this.up);
  }

  _on_ring(message) {
    this._tell("ring", message);
  }

  /** The login is over, or the server did not understand us: then it is a loss like another, and the login stays. */
  _on_bye(message) {
    if (message.error === "invalid") this._lost(this._socket, "invalid");
    else this.end(message.error ?? "unauthorized");
  }

  _on_item(message) {
    this._presses.get(message.n)?.item?.(message.item);
  }

  _on_did(message) {
    const press = this._presses.get(message.n);
    if (!press) return;
    this._presses.delete(message.n);
    if (message.error) press.reject(new Refused(message.error, message.message ?? message.error, message));
    else press.resolve(message.ok);
  }

  _drop() {
    const socket = this._socket;
    this._socket = this._asked = null;
    this._held &&= []; // its panes are opened anew
    if (socket) {
      socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  /** @param {WebSocket|null} socket @param {string} why */
  _lost(socket, why) {
    if (socket !== this._socket || this.ended) return;
    const opened = this.live;
    this._drop();
    this.live = false;
    for (const [n, press] of this._presses) {
      if (press.again) continue;
      this._presses.delete(n);
      press.reject(new Refused("lost", "The connection was lost before the answer: look whether it was done before you press again."));
    }
    for (const pane of this._panes.values()) pane.take({ t: "lost" });
    this._tell("lost", { why });
    const wait = why === "invalid" ? LAST_RETRY : opened ? FIRST_RETRY * Math.random() : delay(this._tries);
    this._tries += 1;
    this._retry = setTimeout(() => this._again(opened), wait);
  }

  async _again(opened) {
    if (!opened && (await this._refused())) {
      this.end("unauthorized");
      return;
    }
    this.open();
  }

  /** It is looked at again: ask at once whether the other end is still there; what has been silent for too long is not. */
  _seen() {
    if (document.hidden || this.ended || !this._begun) return;
    if (this._socket && performance.now() - this._heard > (this.live ? SILENCE : OPENING)) this._lost(this._socket, "silent");
    if (!this._socket) {
      this._tries = 0;
      clearTimeout(this._retry);
      this.open();
    } else if (this.live && this._asked === null) {
      this._asked = performance.now();
      this.send({ t: "ping" });
      setTimeout(() => this._listen(), ANSWER + 50);
    }
  }

  _listen() {
    if (!this._socket || document.hidden) return;
    const at = performance.now();
    const late = this._asked !== null && at - Math.max(this._asked, this._heard) > ANSWER; // much may be on its way before the answer
    if (late || at - this._heard > SILENCE) this._lost(this._socket, "silent");
  }

  _tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

class Pane {
  constructor(connection, number, view, args, on, more) {
    this._connection = connection;
    this.number = number;
    this.view = view;
    this.args = args;
    this._on = on;
    this.more = more;
  }

  opening() {
    return { t: "open", p: this.number, view: this.view, args: this.args, ...this.more };
  }

  take(message) {
    this._on[message.t]?.(message);
  }

  /** Show something else in the same place: it is opened anew. */
  set(args, more = {}) {
    this._connection.send({ t: "close", p: this.number });
    this._connection._panes.delete(this.number);
    this.number = this._connection._number += 1;
    this._connection._panes.set(this.number, this);
    this.args = args;
    this.more = { ...this.more, ...more };
    if (this._connection.live) this._connection.send(this.opening());
  }

  window(from, to) {
    this.more = { ...this.more, from, to };
    this.send({ t: "window", from, to });
  }

  send(message) {
    if (this._connection.live) this._connection.send({ ...message, p: this.number });
  }

  close() {
    this._connection.forget(this);
  }
}
