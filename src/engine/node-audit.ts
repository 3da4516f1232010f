/** The audit of a node that runs: what is in use is what it polls, and its own connection clears topics. */
import type { Site } from "../core/model.ts";
import type { Bus, Clock, Store } from "../core/ports.ts";
import { ownTopics } from "../core/retained-topics.ts";
import type { Topics } from "../core/topics.ts";
import { Audit, type AuditLooks } from "./audit.ts";
import type { Committer } from "./committer.ts";
import type { Gateways } from "./gateways.ts";
import type { Journal } from "./journal.ts";
import type { LedgerScope } from "./leftovers.ts";
import type { Publisher } from "./publisher.ts";
import type { Current } from "./reload.ts";
import type { Transactions } from "./transactions.ts";
import type { InTurn } from "./turns.ts";

/** ms for which the broker's acknowledgements of cleared topics are waited for, and between two looks. */
const PATIENCE = 5000;
const LOOK_AGAIN = 50;

/** What it is put together from. */
export interface NodeAuditWorld {
  readonly current: Current;
  readonly clock: Clock;
  readonly store: Store;
  readonly bus: Bus;
  readonly topics: Topics;
  readonly committer: Committer;
  readonly journal: Journal;
  readonly gateways: Gateways;
  readonly publisher: Publisher;
  readonly transactions: Transactions;
  readonly self: { readonly started: number; readonly clientId: string };
  readonly looks: AuditLooks;
  readonly inTurn: InTurn;
}

/** The audit of a node. */
export function nodeAudit(world: NodeAuditWorld): Audit {
  const { current, bus, topics, gateways, transactions, self } = world;
  const { clock, store, committer, journal, looks, inTurn } = world;
  const configured = () => [...gateways.all].map(({ gateway }) => gateway);
  return new Audit({
    ...{ clock, store, committer, journal, looks, inTurn, topics, gateways: configured },
    scope: () => scopeOf(gateways, current.site),
    owner: () => ({
      node: current.site.node,
      broker: current.site.broker,
      ...{ clientId: self.clientId, started: self.started },
      own: ownTopics(
        topics,
        [...gateways.all].map(({ gateway }) => gateway),
      ),
    }),
    retained: (filters) => bus.retained(filters),
    clear: (gone) => clear(world, gone),
    isRemembered: (transaction) => transactions.answered(transaction) !== undefined,
  });
}

function scopeOf(gateways: Gateways, { disabledGateways }: Site): LedgerScope {
  const schedules = [...gateways.all].flatMap((running) => running.schedules);
  return {
    schedules: new Set(schedules.map(({ id }) => id)),
    gateways: new Set(gateways.ids),
    disabled: new Set(disabledGateways),
    live: true,
  };
}

async function clear(
  { publisher, clock }: Pick<NodeAuditWorld, "publisher" | "clock">,
  topics: readonly string[],
): Promise<string[]> {
  for (const topic of topics) publisher.retain(topic, "");
  const until = clock.elapsed() + PATIENCE;
  while (topics.some((topic) => publisher.retains(topic)) && clock.elapsed() < until)
    await new Promise<void>((resolve) => clock.timer(LOOK_AGAIN, resolve));
  return topics.filter((topic) => !publisher.retains(topic));
}
