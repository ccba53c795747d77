/** The queue: whose turn it is, and why not yet. */

import { h } from "../lib/dom.js";
import { ask, line as field, wholeNumber } from "../lib/ask.js";
import { open_ } from "./quests.js";

export function open(place, context) {
  const pause = context.verbs.button("queue_pause", () => ({ paused: true }), { label: "Pause", key: "", says: "queue paused: what runs goes on" });
  const resume = context.verbs.button("queue_resume", () => ({ paused: false }), { label: "Resume", key: "", says: "queue resumed", primary: true });
  const slots = context.verbs.button("queue_slots", async () => {
    const given = await ask("Slots of the queue", [["slots", "Quests that run at once", field({ value: String(page.facts.slots ?? 1), inputmode: "numeric" }), true, wholeNumber("Slots")]], "Set");
    return given && { slots: Number(given.slots) };
  }, { label: "Slots", key: "", says: (answer) => `${answer.slots} at once` });
  resume.hidden = true;
  const line = (facts, text) => {
    pause.hidden = Boolean(facts.paused);
    resume.hidden = !facts.paused;
    return h("span", {}, facts.paused ? h("b", { class: "tone-slow" }, "paused · ") : null, text);
  };
  const page = open_(place, context, "queue", "Queue", { tools: () => [slots, pause, resume], how: { line } });
  const drop = context.keys.layer("queue", [["H", "pause or resume the queue", () => (pause.hidden ? resume : pause).click()]]);
  const { close } = page;
  page.close = () => (drop(), close.call(page));
  return page;
}
