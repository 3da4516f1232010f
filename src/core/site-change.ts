/** What another configuration changes in a node that runs. */
import { accountChange, schedulesOf } from "./account-change.ts";
import type { BrokerConfig, Gateway, Site } from "./model.ts";

/** What a reload does, and what it leaves to a restart. */
export interface SiteChange {
  /** Ids of gateways. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  /** Ids of schedules, such as `boiler-room@10000`, whose account begins or ends. */
  readonly opened: readonly string[];
  readonly closed: readonly string[];
  /** Keys that differ and hold only from the next start on. */
  readonly restart: readonly string[];
}

/** The data of a reply to `reload`. */
export interface Reloaded extends SiteChange {
  /** Hash of the configuration in force, as on `node/info`. */
  readonly config: string;
}

/** What is taken from the configuration once, at the start, by its key. */
const ONCE: readonly (readonly [key: string, of: (site: Site) => unknown])[] = [
  ["node", ({ node }) => node],
  ["stateDir", ({ stateDir }) => stateDir],
  ["mqtt.baseTopic", ({ baseTopic }) => baseTopic],
  ["mqtt.clientId", ({ clientId }) => clientId],
  ["mqtt.broker", ({ broker }) => (broker.kind === "embedded" ? broker.kind : broker.url)],
  ["mqtt.spool", ({ spool }) => spool],
  ["store.keep", ({ keep }) => keep],
  ["store.claimAhead", ({ claimAhead }) => claimAhead],
  ["log.level", ({ logLevel }) => logLevel],
];

/** Keys that say more of a broker, by where their values are. */
const OF_BROKER = {
  host: "mqtt.embedded.host",
  port: "mqtt.embedded.port",
  username: "mqtt.username",
  password: "mqtt.password",
} as const;

/** Of brokers of two kinds `mqtt.broker` says enough. */
function brokerKeys(before: BrokerConfig, after: BrokerConfig): string[] {
  if (before.kind !== after.kind) return [];
  const [old, now]: Readonly<Partial<Record<string, unknown>>>[] = [{ ...before }, { ...after }];
  return Object.entries(OF_BROKER)
    .filter(([part]) => old?.[part] !== now?.[part])
    .map(([, key]) => key);
}

/** Compares the configuration in force with another one. */
export function siteChange(before: Site, after: Site): SiteChange {
  const old = new Map(before.gateways.map((gateway) => [gateway.id, textOf(gateway)]));
  const kept = new Set(after.gateways.map(({ id }) => id));
  const { opens, closes } = accountChange(schedulesOf(before), after);
  const isChanged = (gateway: Gateway) =>
    old.has(gateway.id) && old.get(gateway.id) !== textOf(gateway);
  return {
    added: after.gateways.filter(({ id }) => !old.has(id)).map(({ id }) => id),
    removed: [...old.keys()].filter((id) => !kept.has(id)),
    changed: after.gateways.filter(isChanged).map(({ id }) => id),
    opened: opens,
    closed: closes,
    restart: [
      ...ONCE.filter(([, of]) => textOf(of(before)) !== textOf(of(after))).map(([key]) => key),
      ...brokerKeys(before.broker, after.broker),
    ],
  };
}

/** The configuration that is in force after a reload: what is taken once stays as it was. */
export function siteAfter(before: Site, after: Site, { restart }: SiteChange): Site {
  const { gateways, disabledGateways, withoutEffect, budget } = after;
  // The hash says which text the node runs with: this one only if all of it is in force.
  const hash = restart.length === 0 ? after.hash : before.hash;
  return { ...before, gateways, disabledGateways, withoutEffect, budget, hash };
}

/** Whether a gateway is configured as another one. */
export function sameGateway(one: Gateway, other: Gateway): boolean {
  return textOf(one) === textOf(other);
}

/** Two values are the same when their texts are: both were made by the same hands, in the same order. */
function textOf(value: unknown): string {
  // JSON has no word for what is not there, nor for the raw values of 64-bit integers.
  return JSON.stringify([value], (_, part: unknown) =>
    typeof part === "bigint" ? `${String(part)}n` : part,
  );
}
