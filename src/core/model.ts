/** The nouns of a site as the engine sees them: resolved, defaults filled, all durations in ms. */
import { intervalText } from "./interval-text.ts";

/** A Modbus data table; it decides the function code of a read (Modbus Application Protocol 4.3). */
export type Table = "coil" | "discrete" | "holding" | "input";

/**
 * Order of the bytes of a value that spans registers; ABCD is the order of the Modbus specification (4.2).
 *
 * DCBA and CDAB turn the order of the registers round, DCBA and BADC swap the two bytes of each:
 * HGFEDCBA, BADCFEHG and GHEFCDAB for 8 bytes, BA for DCBA and BADC in one register. The registers
 * of a text (`string`, `raw`) keep their order.
 */
export type Order = "ABCD" | "DCBA" | "BADC" | "CDAB";

/** The data types a point can have; `TYPES` says what each is. */
export const POINT_TYPES = [
  "bool",
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "float16",
  "float32",
  "float64",
  "bcd16",
  "bcd32",
  "string",
  "raw",
] as const;

/** One of `POINT_TYPES`. */
export type PointType = (typeof POINT_TYPES)[number];

/** A named value of a device. */
export interface Point {
  readonly id: string;
  readonly table: Table;
  /** 0-based protocol address, 0 to 65535. */
  readonly address: number;
  readonly type: PointType;
  readonly order: Order;
  /** Bit of a register, 0 (least significant) to 15; only for a bool in `holding` or `input`. */
  readonly bit?: number;
  /** Byte of a register, for int8 and uint8; without it the low one. */
  readonly byte?: "high" | "low";
  /** Registers that a string or raw spans, 1 to 125. */
  readonly length?: number;
  readonly scale?: number;
  /** 0-based address in the same table of a power of ten that scales the value as well, int16 from -10 to 10. */
  readonly scaleRegister?: number;
  readonly offset?: number;
  /** Digits kept after the decimal point of a number. */
  readonly decimals?: number;
  /** Smallest and largest plausible value; what lies outside is uncertain. */
  readonly min?: number;
  readonly max?: number;
  /** Raw values by which the device says that it has none; for 64-bit integers they are bigints. */
  readonly invalid?: readonly (number | bigint)[];
  /** Labels of raw values, by their decimal digits. */
  readonly enum?: Readonly<Record<string, string>>;
  /** Engineering unit, such as kW. */
  readonly unit?: string;
  /** ms between two slots of the schedule this point belongs to. */
  readonly interval: number;
}

/** Limits under which neighbouring points share a request. */
export interface MergeLimits {
  /** Unused registers (or bits) that may lie between two points of one request, when they take less time than another. */
  readonly maxGap: number;
  /** 1 to 125 (Modbus Application Protocol 6.3). */
  readonly maxRegisters: number;
  /** 1 to 2000 (Modbus Application Protocol 6.1). */
  readonly maxBits: number;
}

/** Registers or bits that a device refuses to have read within a longer request. */
export interface Refusal {
  readonly table: Table;
  /** 0-based. */
  readonly address: number;
  /** 0: no request may span the place before `address`. */
  readonly count: number;
  /** Code of the exception that the request got. */
  readonly exception: number;
}

/** One Modbus unit behind a gateway. */
export interface Device {
  readonly id: string;
  readonly unitId: number;
  /** Whether readings are published retained (those of the device's shortest interval). */
  readonly retain: boolean;
  readonly merge: MergeLimits;
  /** Found out while polling: no part of the configuration. */
  readonly refused?: readonly Refusal[];
  readonly points: readonly Point[];
}

/** How characters go over a serial line; there are always 8 data bits (Modbus over Serial Line 2.5.1). */
export interface LineSettings {
  /** Bits a second. */
  readonly baud: number;
  readonly parity: "none" | "even" | "odd";
  readonly stopBits: 1 | 2;
}

/** A connection to a host and port; the kind says what is spoken there. */
interface NetworkConnection<Kind> {
  readonly kind: Kind;
  readonly url: string;
  readonly host: string;
  readonly port: number;
}

/** A serial line of this machine. */
export interface SerialConnection extends LineSettings {
  readonly kind: "serial";
  /** With all settings, such as `serial:///dev/ttyUSB0?baud=9600&parity=even&stop=1`. */
  readonly url: string;
  /** Absolute path of the device, as configured. */
  readonly path: string;
}

/** Where a gateway is reached. `simulator` gateways get their host and port when the simulator listens. */
export type Connection =
  | NetworkConnection<"tcp">
  | NetworkConnection<"rtu+tcp">
  | NetworkConnection<"tls">
  | SerialConnection
  | { readonly kind: "simulator"; readonly url: string; readonly model: string };

/** Pauses that a slow device needs, ms. */
export interface Pauses {
  readonly afterConnect: number;
  readonly betweenRequests: number;
  /** Before another unit is asked; the longer of this and `betweenRequests` holds then. */
  readonly betweenUnits: number;
}

/** Files with certificates for `tls://`, PEM; absolute paths. */
export interface TlsFiles {
  /** Authority of the other side's certificate; without it those that Node.js trusts. */
  readonly ca?: string;
  /** Certificate of this node, and its private key. */
  readonly cert?: string;
  readonly key?: string;
}

/** When a device that is left out is asked again: the distances of probes in ms, or never by itself. */
export type Probe = "never" | { readonly first: number; readonly max: number };

/** One Modbus endpoint as configured: the unit of start, stop and health. */
export interface Gateway {
  readonly id: string;
  readonly connection: Connection;
  /** Time-out of one request by interval of the schedule, ms; use `timeoutOf`. */
  readonly timeout: { readonly configured?: number; readonly default: number };
  /** Further attempts of a request within its slot. */
  readonly retries: number;
  /** Polls in a row without an answer, over 10 s at least, after which a device is left out. */
  readonly failureThreshold: number;
  readonly probe: Probe;
  /** ms into the interval at which slots lie; undefined: from a hash of the id. */
  readonly phase?: number;
  /** ms after a request was sent for which its answer can still come; use `maxAnswerTimeOf`. */
  readonly maxAnswerTime?: number;
  readonly pause?: Pauses;
  /** Whether the connection is closed when a poll has ended. */
  readonly closeAfterPoll?: boolean;
  readonly tls?: TlsFiles;
  readonly devices: readonly Device[];
}

/** What the broker section of the configuration says, secrets resolved. */
export type BrokerConfig =
  | { readonly kind: "embedded"; readonly host: string; readonly port: number }
  | {
      readonly kind: "external";
      readonly url: string;
      readonly username?: string;
      readonly password?: string;
    };

/** How long the past is kept, ms of elapsed time, and how much of it. */
export interface Keep {
  readonly outcomes: number;
  readonly audit: number;
  readonly hourly: number;
  readonly maxBytes: number;
}

/** A whole configuration, resolved. */
export interface Site {
  readonly node: string;
  /** Absolute path. */
  readonly stateDir: string;
  readonly baseTopic: string;
  readonly clientId?: string;
  readonly broker: BrokerConfig;
  readonly spool: { readonly maxBytes: number; readonly maxAge: number };
  readonly keep: Keep;
  /** How far ahead slots are claimed, ms; undefined: as long as a commit takes. */
  readonly claimAhead?: number;
  /** Percent of an endpoint's time that warns, and that is refused on a serial line. */
  readonly budget: { readonly warn: number; readonly refuse: number | "never" };
  readonly logLevel: "debug" | "info" | "warn" | "error";
  readonly gateways: readonly Gateway[];
  /** Gateways with `enabled: false`: as if not there, but commands name the reason. */
  readonly disabledGateways: readonly string[];
  /** sha256 of the configuration text, hex. */
  readonly hash: string;
  /** Keys that were given but have no effect in this version. */
  readonly withoutEffect: readonly string[];
}

/** The intervals of a gateway, shortest first; each is one schedule. */
export function intervalsOf(gateway: Gateway): number[] {
  const all = gateway.devices.flatMap((device) => device.points.map((point) => point.interval));
  return [...new Set(all)].sort((a, b) => a - b);
}

/** Time-out of one request of a schedule in ms: as configured, else the smaller of the default and half the interval. */
export function timeoutOf(gateway: Gateway, interval: number): number {
  return gateway.timeout.configured ?? Math.min(gateway.timeout.default, interval / 2);
}

/** ms for which an answer can still come: as configured, else twice the time-out. */
export function maxAnswerTimeOf(gateway: Gateway, interval: number): number {
  return longestAnswer(gateway.maxAnswerTime, timeoutOf(gateway, interval));
}

/** ms for which an answer can still come to a request with this time-out. */
export function longestAnswer(configured: number | undefined, timeout: number): number {
  return configured ?? 2 * timeout;
}

/** Whether requests go over a line without ids, on which a late answer can't be told from another. */
export function isLine({ kind }: Connection): boolean {
  return kind === "serial" || kind === "rtu+tcp";
}

/** Name of the endpoint of a gateway: gateways of the same name share one. A simulator is one of its own. */
export function endpointName({ id, connection }: Pick<Gateway, "id" | "connection">): string {
  if (connection.kind === "serial") return connection.path;
  if (connection.kind === "simulator") return `${connection.url} (${id})`;
  return `${connection.host.toLowerCase()}:${String(connection.port)}`;
}

/** Id of a schedule in keys and data, such as `boiler-room@10000`. */
export function scheduleId(gateway: string, interval: number): string {
  return `${gateway}@${String(interval)}`;
}

/** The schedule of an id as people are told of it, such as `boiler-room@10s`. */
export function scheduleName(id: string): string {
  const [gateway = "", interval] = id.split("@");
  return `${gateway}@${intervalText(Number(interval))}`;
}
