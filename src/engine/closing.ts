/** The end of a node's engine: polls end, outcomes are written, and what waits is published for a while. */
import type { Bus, Clock } from "../core/ports.ts";
import type { Committer } from "./committer.ts";
import type { Gateways } from "./gateways.ts";
import type { Journal } from "./journal.ts";
import type { Ledger } from "./ledger.ts";
import type { Publisher } from "./publisher.ts";
import { stoppedEvent, type Why } from "./start-note.ts";
import { within } from "./within.ts";

/** ms that a disk which fails is still tried at the end of the process. */
const LAST_WRITE = 10_000;
/** ms for which the spool is still published at the end of the process. */
const LAST_PUBLISH = 3000;

/** What is to be closed, and with what. */
export interface Closing {
  readonly node: string;
  readonly why: Why | undefined;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly committer: Committer;
  readonly gateways: Gateways;
  readonly journal: Journal;
  readonly ledger: Ledger;
  readonly publisher: Publisher;
  /** Closed when all polls have ended. */
  readonly watches: readonly { close(): void }[];
  /** Closed, and so says offline, when nothing more is to be published. */
  readonly reporter: { close(): void };
}

/** Ends polls, writes outcomes, publishes for at most 3 s, and says offline. */
export async function closeEngine(closing: Closing): Promise<void> {
  const { node, why, clock, bus, committer, gateways, journal, ledger, publisher } = closing;
  const published = async () => {
    if (bus.state.connected) await within(clock, LAST_PUBLISH, publisher.drained());
  };
  await gateways.close();
  for (const watch of closing.watches) watch.close();
  await within(clock, LAST_WRITE, ledger.written());
  committer.end();
  await within(clock, LAST_WRITE, journal.note(stoppedEvent(node, why)));
  await within(clock, LAST_WRITE, keepAll(closing));
  await published();
  closing.reporter.close();
  await published();
  const last = committer.commit([]).catch(() => undefined);
  await within(clock, LAST_WRITE, last);
}

async function keepAll({ gateways, committer, ledger }: Closing): Promise<void> {
  const all = [...gateways.all];
  committer.later(all.map((running) => gateways.keep(running)));
  const schedules = all.flatMap((running) => running.schedules);
  const closing = schedules.map((each) => ledger.close(each, false));
  await Promise.all(closing).catch(() => undefined);
}
