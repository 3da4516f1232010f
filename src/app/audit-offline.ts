/** The audit of a state directory without a node: what is in use is what the configuration says. */
import { existsSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import type { Audit as AuditData, Unseen } from "../core/audit.ts";
import { ConfigError } from "../core/errors.ts";
import { intervalsOf, scheduleId, type Site } from "../core/model.ts";
import { keys, type NodeRecord } from "../core/records.ts";
import { ownTopics, type BrokerLook } from "../core/retained-topics.ts";
import type { Clock, Store } from "../core/ports.ts";
import { topicsOf } from "../core/topics.ts";
import { Audit } from "../engine/audit.ts";
import type { LedgerScope } from "../engine/leftovers.ts";
import { turns } from "../engine/turns.ts";
import { auditLooks } from "./audit-looks.ts";
import { openParts } from "./offline.ts";
import { withReading } from "./reading.ts";
import { locateState, readSite, type Where } from "./site.ts";
import { withStore } from "./with-store.ts";

/** Looks at a state directory, and with `clean` removes. Throws `LockedError`, `StateDirectoryError`, `StoreError`. */
export async function auditOffline(
  where: Where,
  stateDir: string,
  clean: boolean,
  by: string,
): Promise<AuditData> {
  const { site, unseen } = siteOf(where, stateDir);
  return opened(stateDir, clean, async (store) => {
    const kept = await keptNode(store);
    const node = site?.node ?? kept?.node ?? "offline";
    const { clock, committer, journal } = await openParts(store, node);
    const topics = topicsOf(site?.baseTopic ?? "polling");
    const clientId = clientIdOf(site, kept);
    const broker = brokerOf(site, clientId ?? `edgepoll-${node}`, clock);
    const gateways = site?.gateways ?? [];
    const audit = new Audit({
      ...{ clock, store, committer, journal, topics, ...broker, inTurn: turns() },
      looks: auditLooks(realpathSync(stateDir), clock),
      gateways: () => gateways,
      scope: () => scopeOf(site),
      owner: () => ({ node, clientId, broker: site?.broker, own: ownTopics(topics, gateways) }),
      isRemembered: () => false,
    });
    const found = await audit.run({ clean }, by);
    return { ...found, unseen: [...unseen, ...found.unseen] };
  });
}

function opened<T>(
  stateDir: string,
  clean: boolean,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  if (!clean) return withReading(stateDir, work);
  return withStore({ stateDir, node: "offline", create: false }, work);
}

/** The configuration, when it is that of the state directory. */
function siteOf(
  where: Where,
  stateDir: string,
): { site: Site | undefined; unseen: readonly Unseen[] } {
  try {
    const isNamed = where.config !== undefined;
    // One that lies about need not be that of the directory.
    if (!isNamed && where.stateDir !== undefined && !isSame(locateState({}), stateDir)) {
      return without(`the configuration that is found here is not that of ${stateDir}`);
    }
    return { site: readSite(where).site, unseen: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // Of many mistakes the first will do, and not the line it stands in.
    const [first = ""] = error.message.split("\n");
    return without(error.code === "CONFIG_MISSING" ? "no configuration is found here" : first);
  }
}

function without(why: string): { site: undefined; unseen: readonly Unseen[] } {
  const text = `endpoints, the broker, and what has left the configuration: ${why}; name it with --config`;
  return { site: undefined, unseen: [{ part: "configuration", text }] };
}

function isSame(one: string, other: string): boolean {
  const real = (path: string) => (existsSync(path) ? realpathSync(path) : resolve(path));
  return real(one) === real(other);
}

function scopeOf(site: Site | undefined): LedgerScope {
  const ids = site?.gateways.flatMap((gateway) =>
    intervalsOf(gateway).map((interval) => scheduleId(gateway.id, interval)),
  );
  return {
    schedules: ids === undefined ? undefined : new Set(ids),
    gateways: new Set(site?.gateways.map(({ id }) => id)),
    disabled: new Set(site?.disabledGateways),
    live: false,
  };
}

async function keptNode(store: Store): Promise<NodeRecord | undefined> {
  const text = await store.get(keys.node);
  // As written by a node: the store has checked its checksum.
  return text === undefined ? undefined : (JSON.parse(text) as NodeRecord);
}

function clientIdOf(site: Site | undefined, kept: NodeRecord | undefined): string | undefined {
  if (site?.clientId !== undefined) return site.clientId;
  return site === undefined || kept === undefined
    ? undefined
    : `edgepoll-${site.node}-${kept.suffix}`;
}

/** The way to an external broker, over connections that last as long as they are needed. */
function brokerOf(
  site: Site | undefined,
  clientId: string,
  clock: Clock,
): {
  retained: (filters: readonly string[]) => Promise<BrokerLook>;
  clear: (topics: readonly string[]) => Promise<readonly string[]>;
} {
  if (site === undefined || site.broker.kind === "embedded") {
    // Of an embedded broker nothing is retained while no node runs; without a configuration it is said already.
    const nothing = { topics: [], unseen: [] };
    return { retained: () => Promise.resolve(nothing), clear: () => Promise.resolve([]) };
  }
  const { url, username, password } = site.broker;
  const options = {
    ...{ url, clientId, clock },
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
  return {
    retained: async (filters) => {
      const { lookAtRetained } = await import("../mqtt/retained-look.ts");
      return lookAtRetained(options, filters);
    },
    clear: async (topics) => {
      const { clearRetained } = await import("../mqtt/retained-look.ts");
      try {
        await clearRetained(options, topics);
      } catch {
        // What the broker did not take is found again.
        return [];
      }
      return topics;
    },
  };
}
