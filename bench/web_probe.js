/* Runs in each page before its own scripts: counts what its sockets carry, and says when something stands on the screen. */
(() => {
  const probe = { bytes: 0, frames: 0, sent: 0, did: 0, heard: [], rows: 0, keys: [], drawn: 0 };
  globalThis.probe = probe;

  globalThis.WebSocket = class extends WebSocket {
    constructor(...words) {
      super(...words);
      this.addEventListener("message", ({ data }) => {
        probe.bytes += typeof data === "string" ? data.length : data.byteLength;
        probe.frames += 1;
        if (typeof data === "string" && data.includes('"t":"did"')) probe.did = performance.now();
      });
    }

    send(data) {
      if (typeof data === "string" && data.startsWith('{"ack":')) probe.drawn = JSON.parse(data).ack;
      super.send(data);
    }
  };

  const channel = new MessageChannel();
  let behind = [];
  channel.port1.onmessage = () => {
    const told = behind;
    behind = [];
    for (const tell of told) tell(performance.now());
  };

  /** When the next frame has been painted, by `performance.now()`. */
  probe.painted = () =>
    new Promise((resolve) => {
      requestAnimationFrame(() => {
        behind.push(resolve);
        channel.port2.postMessage(0);
      });
    });

  /** Wait, frame by frame, until `look` finds something on the screen; when that was. */
  probe.until = async (look, patience = 60_000) => {
    const began = performance.now();
    for (;;) {
      const at = await probe.painted();
      if (look()) return at;
      if (at - began > patience) throw new Error(`it is not shown: ${look}`);
    }
  };

  const first = new MutationObserver(() => {
    if (!document.querySelector(".table .row")) return;
    first.disconnect();
    probe.painted().then((at) => (probe.rows = at));
  });
  first.observe(document, { childList: true, subtree: true });

  addEventListener(
    "keydown",
    (event) => {
      const { timeStamp } = event;
      probe.key = timeStamp;
      probe.painted().then((at) => probe.keys.push(at - timeStamp));
    },
    { capture: true },
  );

  /** Note when the state of a row reads this, by the clock that processes share. */
  probe.arm = (id, word) => {
    probe.changed = new Promise((resolve) => {
      const look = () => {
        const cell = document.querySelector(`.row[data-id="${id}"] .c-state`);
        if (cell?.textContent !== word) return;
        watch.disconnect();
        resolve({ at: performance.now(), clock: (performance.timeOrigin + performance.now()) / 1000 });
      };
      const watch = new MutationObserver(look);
      watch.observe(document.querySelector(".table"), { childList: true, subtree: true, characterData: true });
      look();
    });
  };

  /** Drag the scroll bar of the table to a share of its length; milliseconds until rows fill what is in view. */
  probe.jump = async (share) => {
    const table = document.querySelector(".table");
    const box = table.getBoundingClientRect();
    const top = box.top + table.querySelector(".table-head").offsetHeight;
    const filled = () => {
      let height = 0;
      for (const row of table.querySelectorAll(".table-space .row, .table-space .group-row")) {
        const at = row.getBoundingClientRect();
        height += Math.max(0, Math.min(at.bottom, box.bottom) - Math.max(at.top, top));
      }
      return height > (box.bottom - top) * 0.95;
    };
    const began = performance.now();
    table.scrollTop = share * (table.scrollHeight - table.clientHeight);
    return (await probe.until(filled)) - began;
  };

  /** Frames of this page from now on, until `stop()` says how many there were and in how many milliseconds. */
  probe.count = () => {
    const began = performance.now();
    let frames = 0;
    let on = true;
    const next = () => {
      frames += 1;
      if (on) requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
    probe.stop = () => {
      on = false;
      return { frames, milliseconds: performance.now() - began };
    };
  };

  /** The text of a terminal, of ours or of shellinabox or ttyd. */
  probe.screen = () => {
    const screen = document.querySelector(".xterm-rows") ?? document.querySelector("#console") ?? document.body;
    return screen.textContent.replaceAll("\u00a0", " ").trimEnd();
  };

  /** Arm for a key: milliseconds from it until this stands at the end of the screen. */
  probe.echo = (text) => {
    probe.key = 0;
    probe.echoed = probe.until(() => probe.key && probe.screen().endsWith(text)).then((at) => at - probe.key);
  };
})();
