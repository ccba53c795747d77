// The socket of one terminal: the server's messages as calls, acknowledgements, and joining again after a loss.

const STEP = 16 << 10; // bytes after which what was drawn is acknowledged
const PIECE = 64 << 10; // bytes that are typed at once: the server takes no message above 1 MiB
const MOST_TYPED = 4 << 20; // bytes that it lets wait for a program
const FIRST_RETRY = 200, LAST_RETRY = 5000; // milliseconds
const SILENCE = 3000; // milliseconds that an answer to our own ping may take
const TRIED_AGAIN = new Set(["daemon_lost", "daemon_not_running", "daemon_starting", "busy", "timeout"]);

/**
 * A terminal's socket that lasts until `close` or until the server says that the stay is over.
 *
 * `connect(path)` opens a WebSocket with this login. `on` has `bytes(data, drawn)`, to be told by `drawn()` when they
 * stand on the screen; `size(columns, rows)`; `exit(code)`; `item(item)`; `lost()`; `open()`.
 */
export class TerminalSocket {
  #connect; #id; #mode; #size; #on;
  #socket = null;
  #closed = false;
  #over = false;
  #retry = FIRST_RETRY;
  #timer = 0;
  #silence = 0;

  constructor(connect, id, mode, size, on) {
    this.#connect = connect;
    this.#id = id;
    this.#mode = mode;
    this.#size = size;
    this.#on = on;
    this.#open();
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Whether so much can't be typed at once. */
  static tooMuch(text) {
    return text.length > MOST_TYPED || new TextEncoder().encode(text).length > MOST_TYPED;
  }

  /** Send what was typed; false when there is nowhere to send it, or too much; it is not kept. */
  type(text) {
    const data = typeof text === "string" ? new TextEncoder().encode(text) : text;
    if (!this.isOpen || data.length > MOST_TYPED) return false;
    for (let from = 0, to; from < data.length; from = to) {
      to = data.length - from < PIECE + 16 ? data.length : from + PIECE; // the end of a paste is not cut in two
      this.#socket.send(data.subarray(from, to));
    }
    return true;
  }

  /** The page's own place for the terminal has another size, in cells. */
  resize(columns, rows) {
    this.#size = [columns, rows];
    this.#say({ size: this.#size });
  }

  redraw() {
    this.#say({ redraw: true });
  }

  interrupt() {
    this.#say({ interrupt: true });
  }

  /** The page may have slept: ask whether anybody is there, and join again when nobody answers. */
  check() {
    if (this.#closed || this.#over) return;
    if (!this.isOpen) {
      this.#again(0);
      return;
    }
    this.#say({ ping: 1 });
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#socket?.close(), SILENCE);
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    this.#socket?.close();
  }

  #say(message) {
    if (this.isOpen) this.#socket.send(JSON.stringify(message));
  }

  #open() {
    const query = new URLSearchParams({ id: this.#id, mode: this.#mode, columns: this.#size[0], rows: this.#size[1] });
    const socket = this.#connect(`tty?${query}`);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    let received = 0, drawn = 0, acknowledged = 0;
    const draw = (count) => {
      drawn += count;
      if (drawn - acknowledged >= STEP || drawn === received) {
        acknowledged = drawn;
        if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ ack: drawn }));
      }
    };
    socket.addEventListener("open", () => this.#on.open());
    socket.addEventListener("message", (event) => {
      if (socket !== this.#socket || this.#closed) return;
      if (typeof event.data === "string") {
        this.#item(JSON.parse(event.data));
        return;
      }
      const view = new DataView(event.data);
      const kind = view.getUint8(0);
      if (kind === 1) {
        const data = new Uint8Array(event.data, 1);
        received += data.length;
        this.#on.bytes(data, () => draw(data.length));
      } else if (kind === 2) this.#on.size(view.getUint16(1), view.getUint16(3));
      else if (kind === 3) this.#on.exit(view.getInt32(1));
    });
    socket.addEventListener("close", () => {
      clearTimeout(this.#silence);
      if (socket !== this.#socket || this.#closed || this.#over) return;
      this.#on.lost();
      this.#again(this.#retry * (0.5 + Math.random()));
      this.#retry = Math.min(this.#retry * 2, LAST_RETRY);
    });
  }

  #again(delay) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (!this.#closed && !this.#over && !this.isOpen) this.#open();
    }, delay);
  }

  #item(item) {
    if (item.type === "pong") {
      clearTimeout(this.#silence);
      return;
    }
    if (item.type === "run") this.#retry = FIRST_RETRY;
    if (item.type === "failed" && TRIED_AGAIN.has(item.error)) return; // the socket ends now, and is opened again
    if (["ended", "last", "handing_back", "detached", "failed"].includes(item.type)) this.#over = true;
    this.#on.item(item);
  }
}
