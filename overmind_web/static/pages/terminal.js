/** A mission's terminal: looked at, or typed into. */

import { h, fill } from "../lib/dom.js";
import { dialog } from "../lib/dialog.js";
import { sheet } from "../lib/sheet.js";
import { kept, keep, forget } from "../lib/store.js";
import { loadTerminal } from "../lib/xterm-load.js";
import { TerminalSocket } from "../lib/xterm-socket.js";
import { touchInput } from "../lib/xterm-touch.js";
import { widths } from "../lib/xterm-widths.js";
import { follow, textLinks } from "../lib/xterm-links.js";
import { actions } from "../lib/actions.js";

const SCROLLBACK = 5000; // rows that were seen pass, above the screen
const SMALLEST = 6; // pixels of a letter to which a wide screen is shrunk; beyond that it is panned
const REST = 100; // milliseconds that the place must keep its size before the program is told
const SIGNALLED = 128;
const NOT_SENT = "not sent: the terminal is being joined";
const coarse = matchMedia("(pointer: coarse)");

/** How a mission ended, in words. */
const end = ({ status, exit_code: code, why }) => [code === null || code === undefined ? status : `exited (${code})`, why].filter(Boolean).join(", ");

/**
 * @param {Object} place
 * @param {Object} context
 * @param {string[]} ids of the mission
 */
export function open(place, context, [id]) {
  return new TerminalPage(context, id);
}

class TerminalPage {
  constructor(context, id) {
    this._context = context;
    this._id = id;
    this._mode = "look";
    this._closed = false;
    this._writes = false;
    this._size = null;
    this._fits = kept("terminal-fits", true);
    this.words = document.createTextNode("");
    this.title = h("span", { class: "terminal-title quiet" });
    this.look = h("button", { type: "button", class: "button small", onclick: () => this._change() }, "Type");
    this.fitting = h("button", { type: "button", class: "button small", hidden: true, onclick: () => this._fit(!this._fits) });
    this.again = h("button", { type: "button", class: "button small", onclick: () => this._socket?.redraw() }, "Redraw");
    this.start = h("button", { type: "button", class: "button small primary", hidden: true, data: { verb: "restart" }, onclick: () => this._restart() }, "Start again");
    this.bar = h("div", { class: "terminal-bar" }, h("span", { class: "terminal-words", role: "status" }, this.words), this.title, h("span", { class: "grow" }), this.fitting, this.again, this.look, this.start);
    this.host = h("div", { class: "terminal-host" });
    this.over = h("div", { class: "terminal-over", hidden: true });
    this.place = h("div", { class: "terminal-place" }, this.host, this.over);
    this.touch = h("div", { class: "terminal-below" });
    this.element = h("div", { class: "terminal-page" }, this.bar, this.place, this.touch);
    this._state("loading …");
    this._dressed = () => this._dress();
    this._woken = () => {
      if (!document.hidden) this._socket?.check();
    };
    document.addEventListener("theme", this._dressed);
    document.addEventListener("visibilitychange", this._woken);
    for (const name of ["pageshow", "online"]) window.addEventListener(name, this._woken);
    this._resized = new ResizeObserver(() => {
      clearTimeout(this._resting);
      this._resting = setTimeout(() => this._measure(), REST);
    });
    this._unlayer = context.keys.layer("Terminal", [["i", "type in the terminal", () => this._type()], ["r", "start it again, once it has ended", () => this._restart()]]);
    this._begin();
  }

  async _begin() {
    try {
      const [{ Terminal, FitAddon }] = await Promise.all([loadTerminal(), sheet(new URL("../styles/terminal.css", import.meta.url).href)]);
      if (this._closed) return;
      this._make(Terminal, FitAddon);
    } catch (error) {
      this._state(`The terminal could not be loaded: ${error.message}`, "tone-bad");
    }
  }

  _make(Terminal, FitAddon) {
    const style = getComputedStyle(this.host);
    this._base = coarse.matches ? 12 : 13;
    const terminal = new Terminal({
      fontFamily: style.getPropertyValue("--mono") || "monospace",
      fontSize: this._base,
      scrollback: SCROLLBACK,
      allowProposedApi: true, // widths of characters
      screenReaderMode: true,
      minimumContrastRatio: 4.5,
      disableStdin: true,
      cursorBlink: false,
      cursorInactiveStyle: "outline",
      theme: this._theme(),
      linkHandler: { activate: (_event, text) => follow(text), allowNonHttpProtocols: false },
    });
    this.terminal = this.host.terminal = terminal;
    terminal.unicode.register(widths);
    terminal.unicode.activeVersion = widths.version;
    this._fitAddon = new FitAddon();
    terminal.loadAddon(this._fitAddon);
    terminal.registerLinkProvider(textLinks(terminal));
    terminal.onData((text) => this._send(text));
    terminal.onBinary((text) => this._send(Uint8Array.from(text, (letter) => letter.charCodeAt(0))));
    terminal.onTitleChange((title) => (this.title.textContent = title));
    terminal.onBell(() => this._flash());
    terminal.attachCustomKeyEventHandler((event) => this._key(event));
    terminal.open(this.host);
    terminal.textarea?.setAttribute("aria-label", "Terminal input");
    this._dress();
    this._resized.observe(this.place);
    this._join();
  }

  // the socket

  _join() {
    this._socket?.close();
    const own = this._own();
    this._cover(null);
    this.start.hidden = true;
    this.again.hidden = false;
    this._state(this._mode === "type" ? "joining …" : "looking …");
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const { base, key } = this._context;
    const connect = (path) => new WebSocket(new URL(`${base}${path}`, `${scheme}//${location.host}`), ["overmind.1", `key.${key()}`]);
    this._told = `${own}`;
    this._socket = new TerminalSocket(connect, this._id, this._mode, own, {
      open: () => null,
      bytes: (data, drawn) => this.terminal.write(data, drawn),
      size: (columns, rows) => this._sized(columns, rows),
      exit: (code) => this._ended(`exited (${code >= 0 ? code : SIGNALLED - code})`),
      item: (item) => this._item(item),
      lost: () => {
        this._writes = false;
        this._state("not connected, trying again …", "tone-slow");
      },
    });
  }

  _item(item) {
    switch (item.type) {
      case "run":
        this._writes = item.write;
        this._cover(null);
        this._mode_words();
        break;
      case "finishing":
        this._finishing(item.seconds);
        break;
      case "waiting":
        this._writes = false;
        this._state(`${item.status}, waiting for the next run`, "tone-slow");
        break;
      case "away":
        this._writes = false;
        this._state("joining again …", "tone-slow");
        break;
      case "severed":
        this._state("connection to the terminal lost, trying again …", "tone-bad");
        break;
      case "refused":
        this._state(item.full ? "not sent: the program reads nothing" : NOT_SENT, "tone-text");
        break;
      case "handing_back":
        this._handedBack(item.reason);
        break;
      case "detached":
        this._ended("detached");
        break;
      case "last":
        this._name = item.name;
        this._ended(end(item), true);
        break;
      case "failed":
        this._failed(item);
        break;
      default:
        this._ended(end(item), true);
    }
  }

  _send(data) {
    if (this._mode !== "type" || !data.length) return false;
    const sent = this._writes && this._socket.type(data);
    if (!sent) this._state(typeof data === "string" && TerminalSocket.tooMuch(data) ? "not sent: that is too much at once" : NOT_SENT, "tone-text");
    return sent;
  }

  // modes

  _type() {
    if (this._mode === "look" && !this.look.hidden) this._change();
  }

  _change(mode = this._mode === "type" ? "look" : "type") {
    this._mode = mode;
    this.terminal.options.disableStdin = mode !== "type" || coarse.matches;
    this.look.textContent = mode === "type" ? "Look" : "Type";
    this._box();
    this._join();
    if (mode === "type") (this._touchInput ?? this.terminal).focus();
    else this.look.focus();
  }

  _mode_words() {
    const size = this._size ? `${this._size[0]}x${this._size[1]}` : "";
    if (this._mode !== "type") this._state(`looking · ${size}`);
    else if (!this._writes) this._state(`takes no input · ${size}`);
    else this._state(`typing · ${size}${coarse.matches ? "" : " · ctrl-\\ leaves"}`, "tone-good");
  }

  /** Whether xterm.js may have a key. Every one but ctrl-\ is the program's; who looks types nothing. */
  _key(event) {
    if (this._mode === "type") {
      if (event.ctrlKey && !event.altKey && !event.metaKey && (event.key === "\\" || event.code === "Backslash")) {
        event.preventDefault();
        if (event.type === "keydown") this._change("look");
        return false;
      }
      return true;
    }
    if (event.type === "keydown" && event.key === "i" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      this._type();
    } else if (event.type === "keydown" && event.key === "Escape") this.terminal.blur();
    return false;
  }

  /** The box and the bar of keys, where a finger types. */
  _box() {
    this._touchInput = null;
    if (this._mode !== "type" || !coarse.matches) {
      fill(this.touch);
      return;
    }
    const name = `terminal:${this._id}`;
    const draft = {
      get text() {
        return kept(name, "");
      },
      set text(value) {
        if (value) keep(name, value);
        else forget(name);
      },
    };
    this._touchInput = touchInput({
      modes: () => ({ bracketed: this.terminal.modes.bracketedPasteMode, application: this.terminal.modes.applicationCursorKeysMode }),
      send: (text) => this._send(text),
      draft,
    });
    fill(this.touch, this._touchInput.element);
  }

  // sizes

  /** Columns and rows that the page has room for, at letters of the usual size. */
  _own() {
    const proposed = this._fitAddon.proposeDimensions();
    if (!proposed || !Number.isFinite(proposed.cols)) return [80, 24];
    const scale = this.terminal.options.fontSize / this._base;
    const within = (value, least) => Math.min(Math.max(Math.floor(value * scale), least), 1000);
    return [within(proposed.cols, 2), within(proposed.rows, 1)];
  }

  _measure() {
    if (this._closed || !this.terminal || !this.host.checkVisibility()) return;
    const own = this._own();
    if (`${own}` !== this._told) {
      this._told = `${own}`;
      this._socket?.resize(...own);
    }
    this._scale();
  }

  _sized(columns, rows) {
    this._size = [columns, rows];
    this.terminal.resize(columns, rows);
    this._scale();
    this._mode_words();
  }

  /** A screen that is wider than the place gets smaller letters, or is panned. */
  _scale() {
    if (!this._size) return;
    const [columns] = this._own();
    const wide = this._size[0] > columns;
    this.fitting.hidden = !wide;
    this.fitting.textContent = this._fits ? "Full size" : "Fit";
    const size = wide && this._fits ? Math.max(SMALLEST, Math.floor((this._base * columns * 4) / this._size[0]) / 4) : this._base;
    if (this.terminal.options.fontSize !== size) this.terminal.options.fontSize = size;
  }

  _fit(fits) {
    this._fits = fits;
    keep("terminal-fits", fits);
    this._scale();
  }

  // what stands there

  _state(text, tone = "quiet") {
    this.words.parentElement.className = `terminal-words ${tone}`;
    if (this.words.data !== text) this.words.data = text;
    this.look.hidden = !this.terminal || this._context.socket.hello?.read_only === true;
  }

  _cover(nodes) {
    fill(this.over, nodes ?? []);
    this.over.hidden = nodes === null;
  }

  /** Its program has ended: the screen stays as it was left. `over`: the mission has, too, and can be started again. */
  _ended(words, over = false) {
    this._writes = false;
    const may = over && this._context.verbs.allowed("restart");
    this._state(may ? `${words} · r starts it again` : words);
    this.start.hidden = !may;
    if (over) this.look.hidden = this.again.hidden = true;
  }

  /** Start it again, and join its terminal. */
  _restart() {
    if (this.start.hidden) return false;
    actions(this._context).press("restart", [{ id: this._id, name: this._name ?? this._id, state: "stopped" }], { done: () => this._closed || this._join() });
    return true;
  }

  _finishing(seconds) {
    this._state(`finishing its turn (${Math.round(seconds)} s) …`, "tone-calm");
    this._cover([
      h("p", {}, "Its turn ends first, then its terminal is here."),
      h("div", { class: "terminal-choices" },
        h("button", { type: "button", class: "button", onclick: () => this._change("look") }, "Cancel"),
        h("button", { type: "button", class: "button", onclick: () => this._socket.interrupt() }, "Interrupt the turn now")),
    ]);
  }

  _handedBack(reason) {
    this._writes = false;
    this._state(reason ? `could not start here: ${reason}` : "running without a terminal", reason ? "tone-bad" : "quiet");
    if (this._mode === "type") {
      this._mode = "look";
      this.look.textContent = "Type";
      this._box();
    }
    this._headless();
  }

  async _failed({ error, message }) {
    this._writes = false;
    this._state("no terminal", error === "invalid" ? "quiet" : "tone-bad");
    this._cover([h("p", {}, message)]);
    if (error === "invalid" && this._mode === "look") await this._headless(message);
  }

  /** A mission without a terminal: an agent that can have one is given it only after a word on what happens. */
  async _headless(message = "It runs without a terminal.") {
    const rows = await this._context.socket.press("ps", { ids: [this._id] }).catch(() => []);
    const row = (Array.isArray(rows) ? rows : (rows.missions ?? [])).find((one) => one.id === this._id);
    if (this._closed || !row?.provider || this._context.socket.hello?.read_only) return;
    this.look.hidden = true;
    this._cover([
      h("p", {}, message),
      h("button", { type: "button", class: "button primary", onclick: () => this._ask(row) }, "Type in its terminal …"),
    ]);
  }

  async _ask(row) {
    const agreed = await dialog(`Give ${row.name} a terminal?`, () => [
      h("p", {}, "It works without a terminal now. A turn that it is in ends first. Then its session goes on here, and you type into it."),
      h("p", {}, "When you leave, it goes on without a terminal again."),
    ], {
      foot: (close) => [
        h("button", { type: "button", class: "button", data: { first: "" }, onclick: () => close(false) }, "Cancel"),
        h("button", { type: "button", class: "button primary", onclick: () => close(true) }, "Give it a terminal"),
      ],
    });
    if (agreed && !this._closed) this._change("type");
  }

  _flash() {
    this.place.classList.add("terminal-bell");
    setTimeout(() => this.place.classList.remove("terminal-bell"), 200);
  }

  _theme() {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(`--${name}`).trim();
    return {
      background: of("page"), foreground: of("text"), cursor: of("key"), cursorAccent: of("page"), selectionBackground: of("glow"),
      black: of("cursor"), red: of("bad"), green: of("good"), yellow: of("slow"), blue: of("calm"), magenta: of("wait"), cyan: of("key"), white: of("text"),
      brightBlack: of("off"), brightRed: of("bad"), brightGreen: of("good"), brightYellow: of("slow"), brightBlue: of("calm"), brightMagenta: of("wait"), brightCyan: of("key"), brightWhite: of("text"),
    };
  }

  _dress() {
    if (this.terminal) this.terminal.options.theme = this._theme();
  }

  shown() {
    this._measure();
  }

  close() {
    this._closed = true;
    clearTimeout(this._resting);
    this._unlayer();
    this._resized.disconnect();
    document.removeEventListener("theme", this._dressed);
    document.removeEventListener("visibilitychange", this._woken);
    for (const name of ["pageshow", "online"]) window.removeEventListener(name, this._woken);
    this._socket?.close();
    this.terminal?.dispose();
  }
}
