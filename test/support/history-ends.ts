/** What must be well again after a fault, and what no process may ever say. */
import type { Message, Told } from "./history-told.ts";
import type { History, ProcessSize, Violation } from "./history.ts";

/** ms within which a gateway is polled again, however short its interval. */
const SOON = 2000;
/** ms from the due time of a slot to the arrival of its reading: the longest back-off, and a poll. */
const HEARD = 15_000;
/** How much larger a process may be after a fault than before. */
const GROWTH = 1.2;
/** What stands in the log, or on stderr, when nobody caught an error. */
const UNCAUGHT = /an error nobody caught|^Uncaught |UnhandledPromiseRejection|^\s+throw /m;

/** I9 and I10. */
export function checkEnds(history: History, told: Told): Violation[] {
  const { healed = [], sizes = [], outputs = [], intervals } = history;
  return [
    ...healed.flatMap((at) => [...intervals].flatMap((one) => notBack(told, at, one))),
    ...sizes.flatMap(({ before, after }) => grown(before, after)),
    ...outputs.flatMap((output) => {
      const line = output.split("\n").find((one) => UNCAUGHT.test(one));
      return line === undefined ? [] : [anywhere(`I10 a process said: ${line.trim()}`)];
    }),
  ];
}

/** A gateway without a good reading of the slots that are due soon after a time. */
function notBack(
  told: Told,
  healed: number,
  [gateway, interval]: readonly [string, number],
): Violation[] {
  const end = healed + Math.max(SOON, 2 * interval);
  const isBack = ({ gateway: of, slot, outcome }: Message): boolean =>
    of === gateway && slot > healed && slot <= end && outcome === "good";
  const first = told.messages.find(isBack);
  if (first === undefined) {
    const near = told.messages.findLast((one) => one.gateway === gateway && one.slot <= end);
    const text = `I9 ${gateway} was not polled in the slots due within ${String(end - healed)} ms`;
    const { epoch = 0, from = 0, to = 0 } = near ?? {};
    return [{ text, gateway, epoch, from, to }];
  }
  const waited = (first.at ?? Infinity) - first.slot;
  if (waited <= HEARD) return [];
  const { epoch, from, to } = first;
  const text = `I9 ${gateway} epoch ${String(epoch)} seq ${String(from)} arrived after ${String(waited)} ms`;
  return [{ text, gateway, epoch, from, to }];
}

function grown(before: ProcessSize, after: ProcessSize): Violation[] {
  const wrong: string[] = [];
  if (after.rss > before.rss * GROWTH) {
    wrong.push(`I9 memory grew from ${String(before.rss)} to ${String(after.rss)} bytes`);
  }
  if (after.descriptors > before.descriptors) {
    const counts = `${String(before.descriptors)} to ${String(after.descriptors)}`;
    wrong.push(`I9 open descriptors grew from ${counts}`);
  }
  return wrong.map(anywhere);
}

function anywhere(text: string): Violation {
  return { text, gateway: "", epoch: 0, from: 0, to: Infinity };
}
