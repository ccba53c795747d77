/** What can be asked of missions, wherever they are shown: one place for its words, and for several at once. */

import { words, now } from "./time.js";
import { confirm } from "./dialog.js";

const DONE = { stop: "stopped", kill: "killed", restart: "restarted", rm: "removed", interrupt: "interrupted", freeze: "frozen", thaw: "goes on", rename: "renamed", update: "changed", signal: "signal sent", detach: "nobody is attached" };
const NOTHING = { interrupt: "no turn in progress" };
/** What is said where an operation found nothing to do. */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** Whether something was done: an interruption ends a turn only where there is one. */
const did = (answer) => answer?.interrupted !== false;

/** What a form gave, about this mission; null where it was left. */
const about = (given, { id }) => given && { id, ...given };

/**
 * @param {{verbs: Object, toasts: Object}} context
 */
export function actions({ verbs, toasts }) {
  const stands = (state) => (state === "asks" ? " asks" : ` is ${state}`);
  /** What would end, and how long it ran. */
  const sentences = (missions) => missions.slice(0, 8).map((one) => `${one.name}${one.state ? stands(one.state) : ""}${one.since ? ` for ${words(now() - one.since)}` : ""}.`).concat(missions.length > 8 ? [`And ${missions.length - 8} more.`] : []);

  return {
    /**
     * Ask for one operation about missions; about several after one question, with one sentence about all.
     *
     * @param {string} verb
     * @param {Array<{id: string, name: string, state: string, since?: number}>} missions
     * @param {Object} how as of `verbs.press`
     */
    async press(verb, missions, how = {}) {
      if (!missions.length) return;
      const row = verbs.row(verb) ?? {};
      if (missions.length === 1) {
        const [one] = missions;
        const over = ["stopped", "crashed", "killed", "succeeded", "failed", "timed out", "lost"].includes(one.state.replace(/ \(.*/, ""));
        const asks = over && verb === "restart" ? null : () => sentences(missions);
        const args = typeof how.args === "function" ? async () => about(await how.args(), one) : { id: one.id, ...how.args };
        await verbs.press(verb, args, { title: `${capital(how.label ?? row.label ?? verb)} ${one.name}?`, ...how, asks, says: how.says ?? ((answer) => `${one.name}: ${did(answer) ? (DONE[verb] ?? "done") : NOTHING[verb]}`) });
        return;
      }
      const refusal = how.guard?.();
      if (refusal) {
        toasts.say(refusal);
        return;
      }
      if (row.asks && !(await confirm(`${capital(row.label ?? verb)} ${missions.length} missions?`, [...sentences(missions), ...verbs.hanging(verb, missions.map(({ id }) => id)), ...(row.questions ?? [])], row.label ?? verb))) return;
      const failed = [];
      const answers = [];
      await Promise.all(
        missions.map((one) =>
          verbs.press(verb, { id: one.id, ...how.args }, { asks: null, says: null, failed: (error) => (failed.push(`${one.name}: ${error.error}`), true), done: (answer) => answers.push(answer) }),
        ),
      );
      const done = answers.filter(did).length;
      const said = done || !NOTHING[verb] ? `${DONE[verb] ?? verb} ${done} of ${missions.length}` : NOTHING[verb];
      verbs.tell([said, ...failed.slice(0, 3)].join(" · "), answers, { wrong: failed.length > 0 });
      how.done?.();
    },
  };
}
