/** Works on a state directory without a node. Holds the same locks as one. */
import { targetsOf } from "../core/command.ts";
import type { AuditEvent } from "../core/payloads.ts";
import type { Store } from "../core/ports.ts";
import { below, keys, type GatewayRecord, type NodeRecord } from "../core/records.ts";
import type { Validation } from "../core/validation.ts";
import { Age } from "../engine/age.ts";
import { Committer } from "../engine/committer.ts";
import { Journal, readAudit, type AuditQuery } from "../engine/journal.ts";
import { Spool } from "../engine/spool.ts";
import { validateStore, type ValidateQuery } from "../engine/validate.ts";
import { createClock } from "../system/clock.ts";
import { createLog } from "../system/logger.ts";
import { ensureStateDir } from "../system/paths.ts";
import { withReading } from "./reading.ts";
import { readSite, type Where } from "./site.ts";
import { withStore } from "./with-store.ts";

/** What a start or stop came to, as in the reply of a node. */
export interface DesiredStates {
  readonly gateways: readonly { gateway: string; state: string; desired: string; open: string[] }[];
}

/** Writes into the store which gateways are to run, for the next node. Throws `LockedError`, `ConfigError`, `Refused`. */
export async function commandOffline(
  where: Where,
  verb: "start" | "stop",
  gateways: readonly string[] | "*",
  by: string,
): Promise<DesiredStates> {
  const desired = verb === "start" ? "running" : "stopped";
  const wanted = await (where.stateDir !== undefined && where.config === undefined
    ? desireKnown(where.stateDir, gateways, desired, by)
    : desireConfigured(where, gateways, desired, by));
  const state = desired;
  return { gateways: wanted.map(({ gateway, open }) => ({ gateway, state, desired, open })) };
}

/** A gateway that was written, and its devices whose breaker stays open. */
interface Written {
  readonly gateway: string;
  readonly open: string[];
}

type Desired = GatewayRecord["desired"];
type Wanted = readonly string[] | "*";

/** For the gateways of the configuration. */
async function desireConfigured(
  where: Where,
  gateways: Wanted,
  desired: Desired,
  by: string,
): Promise<Written[]> {
  const { site } = readSite(where);
  const known = site.gateways.map(({ id }) => id);
  const wanted = targetsOf(gateways, known, site.disabledGateways);
  const { stateDir, node } = site;
  ensureStateDir(stateDir);
  return withStore({ stateDir, node, create: true }, (store) =>
    desire(store, node, wanted, desired, by),
  );
}

/** For the gateways that the state directory knows: a configuration that lies about need not be its own. */
async function desireKnown(
  stateDir: string,
  gateways: Wanted,
  desired: Desired,
  by: string,
): Promise<Written[]> {
  return withStore({ stateDir, node: "offline", create: false }, async (store) => {
    const wanted = targetsOf(gateways, await knownGateways(store), []);
    return desire(store, await nodeOf(store), wanted, desired, by);
  });
}

/** What is kept of each gateway, by its id. Throws `LockedError`, `StateDirectoryError`, `StoreError`. */
export async function gatewaysOffline(stateDir: string): Promise<Map<string, GatewayRecord>> {
  return withReading(stateDir, async (store) => {
    const entries = await store.range(below(keys.gateways));
    return new Map(
      entries.map(({ key, value }) => {
        // As written by a node: the store has checked its checksum.
        return [key.slice(keys.gateways.length), JSON.parse(value) as GatewayRecord];
      }),
    );
  });
}

/** Reads the audit trail of a state directory. */
export async function eventsOffline(stateDir: string, query: AuditQuery): Promise<AuditEvent[]> {
  return withReading(stateDir, (store) => readAudit(store, query));
}

/** The gateways that a state directory knows. */
export async function gatewayIdsOffline(stateDir: string): Promise<string[]> {
  return withReading(stateDir, knownGateways);
}

/** The same of a store that is open. */
export async function knownGateways(store: Store): Promise<string[]> {
  const claims = await store.range(below(keys.claims));
  const ids = claims.map(({ key }) => key.slice(keys.claims.length).split("@")[0] ?? "");
  const kept = await store.range(below(keys.gateways));
  return [...new Set([...ids, ...kept.map(({ key }) => key.slice(keys.gateways.length))])];
}

/** Proves the ledger of a state directory. Throws `LockedError`, `StateDirectoryError`, `StoreError`. */
export async function validateOffline(
  stateDir: string,
  query: Pick<ValidateQuery, "since" | "gateways">,
): Promise<Validation> {
  return withReading(stateDir, async (store) => {
    const world = { store, pause: () => Promise.resolve() };
    const { validation } = await validateStore(world, query);
    const known = [...new Set(validation.schedules.map(({ gateway }) => gateway))];
    if (query.gateways !== undefined) targetsOf(query.gateways, known, []);
    return validation;
  });
}

/** The parts of an engine that work on a store without a node. */
export async function openParts(store: Store, node: string) {
  const clock = createClock();
  const log = createLog("error");
  const committer = new Committer(store, clock, log);
  const age = new Age(clock);
  await age.load(store);
  const spool = new Spool(store, log, age);
  await spool.load();
  const written = { node, clock, log, store, committer, spool };
  const journal = new Journal({ ...written, spooled: () => undefined, stamping: age.stamping });
  return { clock, committer, spool, journal };
}

/** The name of the node that a store belongs to. */
export async function nodeOf(store: Store): Promise<string> {
  const text = await store.get(keys.node);
  // As written by a node: the store has checked its checksum.
  const kept = text === undefined ? undefined : (JSON.parse(text) as NodeRecord);
  return kept?.node ?? "offline";
}

async function desire(
  store: Store,
  node: string,
  gateways: readonly string[],
  desired: GatewayRecord["desired"],
  by: string,
): Promise<Written[]> {
  const written: Written[] = [];
  const { clock, committer, journal } = await openParts(store, node);
  for (const gateway of gateways) {
    const text = await store.get(keys.gateway(gateway));
    // As written by a node: the store has checked its checksum.
    const kept = text === undefined ? undefined : (JSON.parse(text) as GatewayRecord);
    written.push({ gateway, open: openOf(kept) });
    if ((kept?.desired ?? "running") === desired) continue;
    const since = Math.round(clock.wall());
    const record: GatewayRecord = { desired, since, by, devices: kept?.devices ?? {} };
    await committer.commit([{ key: keys.gateway(gateway), value: JSON.stringify(record) }]);
    const done = desired === "running" ? "started" : "stopped";
    const happened = `${gateway} was ${done} by ${by}, without a node`;
    await journal.note({ kind: `gateway-${done}`, gateway, by, text: happened });
  }
  return written;
}

function openOf(kept: GatewayRecord | undefined): string[] {
  const devices = Object.entries(kept?.devices ?? {});
  return devices.filter(([, { breaker }]) => breaker?.state === "open").map(([id]) => id);
}
