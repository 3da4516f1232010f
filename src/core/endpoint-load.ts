/** What all schedules take of the time of an endpoint: one request at a time goes there. */
import { roundInterval } from "./interval-text.ts";
import { endpointName, intervalsOf, type Connection, type Gateway, type Site } from "./model.ts";
import { outlineSchedule, type Outline } from "./plan.ts";
import type { ReadRequest } from "./ports.ts";
import { ASSUMED_ROUND_TRIP, requestBytes, requestTime } from "./request-cost.ts";

/** A schedule with its requests. */
export interface Scheduled {
  readonly gateway: Gateway;
  readonly interval: number;
  readonly plan: Outline;
}

/** What a schedule takes of its endpoint. */
export interface ScheduleLoad {
  readonly gateway: string;
  readonly interval: number;
  readonly requests: number;
  readonly bytes: number;
  /** Of one poll. */
  readonly ms: number;
  /** Percent of the interval. */
  readonly load: number;
  /** The shortest usual interval (ms) with which the endpoint stays within `budget.warn` when the others stay as they are; null when there is none. */
  readonly shortest: number | null;
}

/** How an endpoint stands against the budget. */
export type Verdict = "ok" | "tight" | "too much";

/** What all schedules take of an endpoint. */
export interface EndpointLoad {
  /** Such as `tcp://box:502` or `/dev/ttyUSB0 9600 8E1`. */
  readonly endpoint: string;
  readonly connection: Connection;
  readonly schedules: readonly ScheduleLoad[];
  /** Percent of its time. */
  readonly load: number;
  /** ms when all schedules are due at once. */
  readonly together: number;
  readonly verdict: Verdict;
}

/** All schedules of a site. */
export function schedulesOf(site: Site): Scheduled[] {
  return site.gateways.flatMap((gateway) =>
    intervalsOf(gateway).map((interval) => {
      return { gateway, interval, plan: outlineSchedule(gateway, interval) };
    }),
  );
}

/** ms of one poll: its requests, the pauses behind them, and a connect when each poll makes its own. */
export function pollTime({ gateway, plan }: Pick<Scheduled, "gateway" | "plan">): number {
  return (
    connectTime(gateway) +
    sum(
      plan.devices.map(({ requests }) => {
        const last = requests.at(-1);
        const rest = requests.slice(0, -1).map((request) => timeOf(gateway, request));
        return sum(rest) + (last === undefined ? 0 : lastTimeOf(gateway, last));
      }),
    )
  );
}

function connectTime({ connection, closeAfterPoll, pause }: Gateway): number {
  if (closeAfterPoll !== true) return 0;
  const connect = connection.kind === "serial" ? 0 : ASSUMED_ROUND_TRIP;
  return connect + (pause?.afterConnect ?? 0);
}

/** Another unit follows on the last request of a device, where there is another. */
function lastTimeOf(gateway: Gateway, request: ReadRequest): number {
  const { connection, pause, devices } = gateway;
  if (pause === undefined || devices.length === 1) return timeOf(gateway, request);
  const longer = Math.max(pause.betweenRequests, pause.betweenUnits);
  return requestTime(connection, request, longer);
}

/** ms of one request of a gateway with the pause behind it. */
export function timeOf({ connection, pause }: Gateway, request: ReadRequest): number {
  return requestTime(connection, request, pause?.betweenRequests);
}

/** How an endpoint is called in tables: its URL, or the path of a line and its settings. */
export function endpointLabel(gateway: Gateway): string {
  const { connection } = gateway;
  if (connection.kind === "simulator") return endpointName(gateway);
  if (connection.kind !== "serial") return connection.url.toLowerCase();
  const { path, baud, parity, stopBits } = connection;
  return `${path} ${String(baud)} 8${(parity[0] ?? "").toUpperCase()}${String(stopBits)}`;
}

/** The load of every endpoint, in the order in which the configuration first names them. */
export function endpointLoads(
  scheduled: readonly Scheduled[],
  budget: Site["budget"],
): EndpointLoad[] {
  const groups = new Map<string, Scheduled[]>();
  for (const each of scheduled) {
    const name = endpointName(each.gateway);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [each]);
    else group.push(each);
  }
  return [...groups.values()].flatMap((members) => {
    const [first] = members;
    return first === undefined ? [] : [loadOf(first.gateway, members, budget)];
  });
}

function loadOf(
  gateway: Gateway,
  members: readonly Scheduled[],
  budget: Site["budget"],
): EndpointLoad {
  const times = members.map(pollTime);
  const shares = members.map(({ interval }, i) => (100 * (times[i] ?? 0)) / interval);
  const total = sum(shares);
  const schedules = members.map((member, i) => {
    const ms = times[i] ?? 0;
    const others = total - (shares[i] ?? 0);
    return scheduleLoad(member, ms, shortestOf(ms, budget.warn - others));
  });
  const load = tenth(total);
  return {
    endpoint: endpointLabel(gateway),
    connection: gateway.connection,
    schedules,
    load,
    together: Math.round(sum(times)),
    verdict: verdictOf(load, budget, gateway.connection.kind === "serial"),
  };
}

function scheduleLoad(member: Scheduled, ms: number, shortest: number | null): ScheduleLoad {
  const { gateway, interval, plan } = member;
  const requests = plan.devices.flatMap((device) => device.requests);
  const bytes = sum(requests.map((request) => requestBytes(gateway.connection, request)));
  const load = tenth((100 * ms) / interval);
  return {
    ...{ gateway: gateway.id, interval, requests: requests.length, bytes },
    ...{ ms: tenth(ms), load, shortest },
  };
}

function shortestOf(ms: number, room: number): number | null {
  return room <= 0 ? null : roundInterval((100 * ms) / room);
}

/** What a serial line may refuse, other endpoints only have no time for. */
function verdictOf(load: number, { warn, refuse }: Site["budget"], serial: boolean): Verdict {
  const most = serial && refuse !== "never" ? refuse : 100;
  if (load > most) return "too much";
  return load > warn ? "tight" : "ok";
}

/** To one digit behind the point. */
export function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The sum of some numbers. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
