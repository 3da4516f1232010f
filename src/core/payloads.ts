/** Payloads of the retained topics and of events; keys in the order in which they are published. */
import type { LatenessSummary } from "./lateness.ts";
import { intervalsOf, type Gateway, type Point, type Refusal, type Site } from "./model.ts";
import type { Counts } from "./outcome.ts";
import type { Reason } from "./reading.ts";
import { jsonOf } from "./types.ts";

/** State of a gateway, the first that holds: stopped, disabled, degraded, running. */
export type GatewayState = "running" | "degraded" | "disabled" | "stopped";

/** How a schedule fares. */
export interface ScheduleHealth {
  readonly interval: number;
  readonly epoch: number;
  readonly seq: number;
  /** Wall time, null while stopped. */
  readonly nextSlot: number | null;
  readonly counts: Counts;
  readonly late: LatenessSummary;
}

/** How a device fares. */
export interface DeviceHealth {
  readonly device: string;
  /** Its last poll had a good read; null before the first. */
  readonly online: boolean | null;
  readonly breaker: "closed" | "open" | "probing";
  /** Polls in a row without an answer. */
  readonly failures: number;
  readonly since: number;
  readonly reason?: Reason;
  /** Wall time from which on it is probed; absent unless the breaker is open, and with `probe: never`. */
  readonly nextProbe?: number;
  /** Registers that it refuses to have read with others; absent when none are known. */
  readonly refused?: readonly Refusal[];
}

/** `health/<gateway>`. */
export interface GatewayHealth {
  readonly node: string;
  readonly gateway: string;
  readonly state: GatewayState;
  readonly desired: "running" | "stopped";
  readonly since: number;
  readonly reason?: Reason;
  readonly online: boolean;
  readonly lastGood: number | null;
  /** Good slots of those due and not stopped; null when there were none. */
  readonly successRate: { readonly hour: number | null; readonly day: number | null };
  readonly schedules: readonly ScheduleHealth[];
  readonly devices: readonly DeviceHealth[];
}

/** `node/health`. */
export interface NodeHealth {
  readonly node: string;
  readonly uptime: number;
  readonly durable: boolean;
  readonly mqtt: {
    readonly version: 4 | 5;
    readonly refusalsInvisible: boolean;
    readonly commands: boolean;
    /** ms for which the broker has been away, and why; only while it is. */
    readonly away?: number;
    readonly reason?: string;
    /** The broker ends connections again and again: most likely another client has the client id; absent otherwise. */
    readonly contested?: true;
  };
  readonly spool: {
    readonly readings: number;
    readonly bytes: number;
    readonly oldest: number | null;
    readonly hoursUntilFull: number | null;
    readonly dropped: number;
    readonly quarantined: number;
  };
  readonly store: {
    readonly commit: { readonly p50: number; readonly p99: number };
    readonly bytes: number | null;
    readonly state: "ok" | "failing";
    /** What the store said, only while it fails. */
    readonly reason?: string;
  };
  readonly loopDelay: { readonly p50: number; readonly p99: number };
  readonly rss: number;
  readonly clock: "synced" | "unsure";
  readonly findings: number;
  /** Schedules that were found stalled and restarted, and errors in edgepoll itself, since the start; absent when there were none. */
  readonly restarts?: number;
  readonly errors?: number;
  readonly totals: {
    readonly good: number;
    readonly partial: number;
    readonly failed: number;
    readonly unknown: number;
    readonly missed: number;
  };
}

/** What events are about; docs/topics.md lists them for those who subscribe. */
export const EVENT_KINDS = [
  "node-started",
  "node-stopped",
  "gateway-started",
  "gateway-stopped",
  "reloaded",
  "reload-refused",
  "device-online",
  "device-offline",
  "device-open",
  "device-closed",
  "devices-enabled",
  "registers-refused",
  "registers-written",
  "facts-forgotten",
  "suspended",
  "clock-step",
  "broker-away",
  "broker-back",
  "connection-contested",
  "audit-cleaned",
  "findings",
  "schedules-restarted",
  "internal-error",
  "gateway-reset",
  "backed-up",
  "restored",
  "spool-full",
  "spool-expired",
  "disk-full",
  "store-full",
  "store-repaired",
  "store-migrated",
  "events-dropped",
  "events-left-out",
] as const;

/** What an event is about. */
export type EventKind = (typeof EVENT_KINDS)[number];

/** One line of the audit trail, as in `node/events`. */
export interface AuditEvent {
  readonly node: string;
  readonly at: number;
  readonly kind: EventKind;
  readonly gateway?: string;
  readonly device?: string;
  readonly by: string | null;
  readonly text: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** `meta/<gateway>`: what there is. */
export function metaOf(
  node: string,
  gateway: Gateway,
  phaseOf: (interval: number) => number,
): object {
  return {
    node,
    gateway: gateway.id,
    connection: gateway.connection.url,
    schedules: intervalsOf(gateway).map((interval) => ({ interval, phase: phaseOf(interval) })),
    devices: gateway.devices.map(({ id, unitId, points }) => {
      return { device: id, unitId, points: points.map(metaOfPoint) };
    }),
  };
}

function metaOfPoint(point: Point): object {
  const { id, unit, type, interval, decimals, enum: labels } = point;
  return {
    point: id,
    ...(unit === undefined ? {} : { unit }),
    type,
    json: jsonOf(point),
    interval,
    ...(decimals === undefined ? {} : { decimals }),
    ...(labels === undefined ? {} : { enum: labels }),
  };
}

/** `node/info`: who this is. */
export function infoOf(
  site: Site,
  self: { version: string; started: number; pid: number; clientId: string },
): object {
  return {
    node: site.node,
    version: self.version,
    started: self.started,
    pid: self.pid,
    clientId: self.clientId,
    config: `sha256:${site.hash}`,
    gateways: site.gateways.map((gateway) => gateway.id),
  };
}
