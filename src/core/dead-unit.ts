/** What it costs that a device does not answer. */
import { SHORTEST_ROW } from "./breaker.ts";
import { pollTime, sum, tenth, type EndpointLoad } from "./endpoint-load.ts";
import {
  intervalsOf,
  isLine,
  maxAnswerTimeOf,
  timeoutOf,
  type Device,
  type Gateway,
  type Probe,
} from "./model.ts";
import { outlineSchedule } from "./plan.ts";

/** What it costs that a device does not answer. */
export interface DeadUnit {
  readonly gateway: string;
  readonly device: string;
  /** ms of one attempt, in the schedule where it hurts most. */
  readonly timeout: number;
  /** ms for which a line is kept silent after that, because the answer could still come; 0 where answers carry ids. */
  readonly quiet: number;
  readonly attempts: number;
  /** ms of the poll in which it falls silent, and of each further one: then it is asked once, and last. */
  readonly first: number;
  readonly later: number;
  readonly interval: number;
  /** Polls in a row without an answer after which its breaker opens, and ms that they take. */
  readonly polls: number;
  readonly lasts: number;
  /** How far apart its probes are then, each as dear as a later poll. */
  readonly probe: Probe;
  /** Percent of the endpoint's time, all schedules of the device together, until its breaker opens. */
  readonly load: number;
  /** Percent that this endpoint is then busy. */
  readonly withOthers: number;
}

/** The devices of a gateway, each as if it alone were dead. `shared` is the load of its endpoint. */
export function deadUnits(gateway: Gateway, shared: EndpointLoad | undefined): DeadUnit[] {
  return gateway.devices.flatMap((device) => {
    const alone = { ...gateway, devices: [device] };
    const intervals = intervalsOf(alone);
    const [interval] = intervals;
    if (interval === undefined) return [];
    const timeout = timeoutOf(gateway, interval);
    const quiet = quietOf(gateway, interval);
    const attempt = timeout + quiet;
    const attempts = attemptsOf(gateway.retries, attempt, interval);
    const load = sum(
      intervals.map((each) => (100 * (timeoutOf(gateway, each) + quietOf(gateway, each))) / each),
    );
    const others = Math.max(0, (shared?.load ?? 0) - answeredLoad(gateway, device, intervals));
    return {
      ...{ gateway: gateway.id, device: device.id, timeout, quiet, attempts, interval },
      ...{ first: attempts * attempt, later: attempt, load: tenth(load) },
      ...rowOf(gateway, interval),
      probe: gateway.probe,
      withOthers: tenth(others + load),
    };
  });
}

/** In its quickest schedule alone; others make the row no longer. */
function rowOf(gateway: Gateway, interval: number): Pick<DeadUnit, "polls" | "lasts"> {
  const polls = Math.max(gateway.failureThreshold, Math.ceil(SHORTEST_ROW / interval) + 1);
  return { polls, lasts: (polls - 1) * interval };
}

/** On a line without ids nothing may be asked while a late answer can still come. */
function quietOf(gateway: Gateway, interval: number): number {
  if (!isLine(gateway.connection)) return 0;
  return Math.max(0, maxAnswerTimeOf(gateway, interval) - timeoutOf(gateway, interval));
}

/** Percent that the device takes while it answers. */
function answeredLoad(gateway: Gateway, device: Device, intervals: readonly number[]): number {
  return sum(
    intervals.map((interval) => {
      const plan = outlineSchedule({ ...gateway, devices: [device] }, interval);
      return (100 * pollTime({ gateway, plan })) / interval;
    }),
  );
}

/** A retry is made only when it still fits before the next slot. */
function attemptsOf(retries: number, attempt: number, interval: number): number {
  return 1 + Math.max(0, Math.min(retries, Math.floor(interval / attempt) - 1));
}
