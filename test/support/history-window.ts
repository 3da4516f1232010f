/** The smallest part of a history that shows what is wrong. */
import { requestName, type Served } from "./history-wire.ts";
import type { History, Violation } from "./history.ts";

/** Slots shown before and after those of the violation. */
const BESIDE = 2;

/** What ledger, subscriber and slave say of the slots of the smallest violation and of those beside them, a line each. */
export function windowOf(
  history: History,
  served: Served,
  violations: readonly Violation[],
): string | undefined {
  const smallest = violations.toSorted((a, b) => a.to - a.from - (b.to - b.from))[0];
  if (smallest === undefined) return undefined;
  const { gateway, epoch, from, to, text } = smallest;
  const slots = served.slots.get(gateway) ?? [];
  const shown = slots.filter(
    (slot) => slot.epoch === epoch && slot.seq >= from - BESIDE && slot.seq <= to + BESIDE,
  );
  const lines = shown.map((slot) => {
    const requests = served.polls.get(slot)?.requests ?? [];
    const wire = requests.map(requestName).join(", ");
    return (
      `seq ${String(slot.seq)} due ${String(slot.due)}: ledger ${slot.kept ?? "nothing"}, ` +
      `told ${slot.message?.outcome ?? "nothing"}, slave ${wire || "nothing"}`
    );
  });
  const interval = history.intervals.get(gateway) ?? 0;
  const placed = new Set([...served.polls.values()].flatMap(({ requests }) => requests));
  const start = (shown[0]?.due ?? Infinity) - interval;
  const end = (shown.at(-1)?.due ?? -Infinity) + interval;
  const others = history.requests.filter(
    (one) => one.gateway === gateway && !placed.has(one) && one.at >= start && one.at <= end,
  );
  return [text, ...lines, ...others.map((one) => `of no slot: ${requestName(one)}`)].join("\n");
}
