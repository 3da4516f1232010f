/** Simulated units behind a TCP port or on a serial line. */
import { readLineFaults, readTcpFaults } from "../config/fault-script.ts";
import { frameSilence } from "../core/request-cost.ts";
import type { SerialConnection } from "../core/model.ts";
import { LineSimulator } from "../simulator/line-server.ts";
import { randomOf } from "../simulator/random.ts";
import { startSimulator, type Counts } from "../simulator/tcp-server.ts";
import { anyUnit, unitsOf, type Units } from "../simulator/units.ts";
import { createClock } from "../system/clock.ts";
import { openSerialEnd } from "./serial-end.ts";
import { subjectOf, type First, type Source } from "./subject.ts";
export { parseConnection } from "../config/connection.ts";
export type { First, Source } from "./subject.ts";

/** What to simulate, and where. */
export interface SimulateOptions {
  readonly source: Source;
  /** Ids of the units; undefined: any over TCP, 1 on a serial line. */
  readonly units: readonly number[] | undefined;
  /** The same seed shows the same values and the same chance; default the name of the source. */
  readonly seed: string | undefined;
  /** File with a fault script. */
  readonly faults: string | undefined;
  readonly where: { readonly host: string; readonly port: number } | SerialConnection;
}

/** Simulated units. */
export interface Simulated {
  readonly url: string;
  readonly units: readonly number[] | "any";
  /** What there is to read: a row for each point or run of registers. */
  readonly rows: readonly (readonly string[])[];
  /** What to try first. */
  readonly first: First;
  counts(): Counts;
  /** Rejects when the line goes away; never settles otherwise. */
  readonly lost: Promise<never>;
  close(): Promise<void>;
}

/** Starts them. Throws `UsageError`, `ConfigError`, `FileError`, `UnavailableError`, `PermissionError`. */
export async function simulate(options: SimulateOptions): Promise<Simulated> {
  const { source, faults, where } = options;
  const subject = subjectOf(source);
  const seed = options.seed ?? subject.name;
  const clock = createClock();
  const began = clock.elapsed();
  const seconds = () => (clock.elapsed() - began) / 1000;
  const isLine = "path" in where;
  const ids = options.units ?? (isLine ? [1] : undefined);
  const units: Units =
    ids === undefined
      ? anyUnit(subject.deviceOf(seed), seconds)
      : unitsOf(ids, (id) => subject.deviceOf(`${seed}/${String(id)}`), seconds);
  const parts = { units, clock, random: randomOf(seed) };
  const told = { units: ids ?? ("any" as const), rows: subject.rows, first: subject.first };
  if (isLine) {
    const scripts = faults === undefined ? [] : readLineFaults(faults, ids);
    return { ...told, ...(await onLine(where, { ...parts, scripts })) };
  }
  const scripts = faults === undefined ? [] : readTcpFaults(faults, ids);
  const { host } = where;
  const simulator = await startSimulator({ ...where, ...parts, scripts });
  const named = host.includes(":") ? `[${host}]` : host;
  return {
    ...told,
    url: `tcp://${named}:${String(simulator.port)}`,
    counts: () => simulator.counts(),
    lost: new Promise<never>(() => undefined),
    close: () => simulator.close(),
  };
}

type LineParts = Omit<ConstructorParameters<typeof LineSimulator>[0], "send" | "silence">;

async function onLine(connection: SerialConnection, parts: LineParts) {
  const waiting: { simulator?: LineSimulator } = {};
  const end = await openSerialEnd(connection, (bytes) => waiting.simulator?.received(bytes));
  const send = (bytes: Buffer): void => {
    end.send(bytes);
  };
  const simulator = new LineSimulator({ ...parts, send, silence: frameSilence(connection) });
  waiting.simulator = simulator;
  return {
    url: connection.url,
    counts: () => simulator.counts(),
    lost: end.lost,
    close: async () => {
      simulator.close();
      await end.close();
    },
  };
}
