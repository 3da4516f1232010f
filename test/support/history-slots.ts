/** The slots of a gateway as ledger and messages tell them together, in the order in which they were due. */
import type { Message } from "./history-told.ts";
import type { History } from "./history.ts";

/** One slot, and who says what of it. */
export interface SeenSlot {
  readonly gateway: string;
  readonly epoch: number;
  readonly seq: number;
  /** Nominal due time, ms; undefined when no message of its epoch tells one. */
  readonly due: number | undefined;
  /** As in the ledger; undefined when it has none. */
  readonly kept: string | undefined;
  readonly message: Message | undefined;
}

/** All slots by gateway. */
export function slotsOf(
  history: Pick<History, "intervals" | "ledger">,
  messages: readonly Message[],
): Map<string, SeenSlot[]> {
  const slots = new Map<string, SeenSlot[]>();
  for (const [gateway, interval] of history.intervals) {
    const told = messages.filter((message) => message.gateway === gateway);
    const accounts = history.ledger.filter((account) => account.gateway === gateway);
    const epochs = new Set([...told, ...accounts].map(({ epoch }) => epoch));
    const own = [...epochs].sort((a, b) => a - b);
    slots.set(
      gateway,
      own.flatMap((epoch) => {
        const entries = accounts.filter((account) => account.epoch === epoch);
        const outcomes = entries.flatMap((account) => account.entries);
        const inEpoch = told.filter((message) => message.epoch === epoch);
        return ofEpoch({ gateway, epoch, interval, outcomes, told: inEpoch });
      }),
    );
  }
  return slots;
}

interface Epoch {
  readonly gateway: string;
  readonly epoch: number;
  readonly interval: number;
  readonly outcomes: History["ledger"][number]["entries"];
  readonly told: readonly Message[];
}

function ofEpoch({ gateway, epoch, interval, outcomes, told }: Epoch): SeenSlot[] {
  const kept = new Map(
    outcomes.flatMap((entry) => seqsOf(entry).map((seq) => [seq, entry.outcome])),
  );
  const messages = new Map(told.flatMap((one) => seqsOf(one).map((seq) => [seq, one])));
  const seqs = [...new Set([...kept.keys(), ...messages.keys()])].sort((a, b) => a - b);
  let anchor: Message | undefined;
  return seqs.map((seq) => {
    const message = messages.get(seq);
    anchor = message ?? anchor ?? told[0];
    const due = anchor === undefined ? undefined : anchor.slot + (seq - anchor.from) * interval;
    return { gateway, epoch, seq, due, kept: kept.get(seq), message };
  });
}

function seqsOf({ from, to }: { from: number; to: number }): number[] {
  return Array.from({ length: to - from + 1 }, (_, n) => from + n);
}
