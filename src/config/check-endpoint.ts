/** Rules between gateways that name the same endpoint: they share its lane, and what belongs to it. */
import { endpointName, isLine, type Connection } from "../core/model.ts";
import { parseConnection } from "./connection.ts";
import type { Draft } from "./draft.ts";
import type { Judge } from "./mistakes.ts";
import type { Path } from "./places.ts";
import type { Settings } from "./schema.ts";

type Gateway = Draft<Settings["gateways"][number]>;

interface Placed {
  readonly gateway: Gateway;
  readonly connection: Connection;
  readonly path: Path;
}

/** Units of a serial line that are one device each; 0 is for all, 248 up are reserved (Modbus over Serial Line 2.2). */
const LAST_UNIT = 247;

/** Checks units and, where gateways share an endpoint, that they agree on it; `enabled: false` is not there. */
export function checkEndpoints(
  gateways: readonly (Gateway | undefined)[],
  path: Path,
  judge: Judge,
): void {
  const first = new Map<string, Placed>();
  gateways.forEach((gateway, index) => {
    const connection = gateway === undefined ? undefined : connectionOf(gateway);
    if (gateway === undefined || connection === undefined) return;
    const placed = { gateway, connection, path: [...path, index] };
    if (isLine(connection)) checkUnits(placed, judge);
    if (gateway.enabled === false || connection.kind === "simulator") return;
    const name = endpointName({ id: "", connection });
    const other = first.get(name);
    if (other === undefined) first.set(name, placed);
    else checkAgreement(placed, other, judge);
  });
}

function connectionOf({ connection }: Gateway): Connection | undefined {
  const parsed = connection === undefined ? undefined : parseConnection(connection);
  return parsed !== undefined && "connection" in parsed ? parsed.connection : undefined;
}

function checkUnits({ gateway, path }: Placed, { complain }: Judge): void {
  gateway.devices?.forEach((device, index) => {
    const unit = device?.unitId;
    if (unit === undefined || (unit >= 1 && unit <= LAST_UNIT)) return;
    const why =
      unit === 0 ? "0 is for all devices at once, and none answers" : "the rest is reserved";
    const text = `must be from 1 to ${String(LAST_UNIT)} on a serial line, not ${String(unit)}: ${why}`;
    complain([...path, "devices", index, "unitId"], text);
  });
}

/** What belongs to an endpoint and not to one of its gateways, as written. */
function belongings({ gateway, connection }: Placed): readonly (readonly [Path, string])[] {
  const { pause, closeAfterPoll, maxAnswerTime } = gateway;
  const ms = (value: number | undefined) => `${String(value ?? 0)} ms`;
  const answer = maxAnswerTime === undefined ? "left to its default" : ms(maxAnswerTime);
  return [
    [["connection"], spoken(connection)],
    [["pause", "afterConnect"], ms(pause?.afterConnect)],
    [["pause", "betweenRequests"], ms(pause?.betweenRequests)],
    [["pause", "betweenUnits"], ms(pause?.betweenUnits)],
    [["closeAfterPoll"], String(closeAfterPoll ?? false)],
    [["maxAnswerTime"], answer],
  ];
}

function spoken(connection: Connection): string {
  return connection.kind === "serial"
    ? connection.url.slice(connection.url.indexOf("?") + 1).replaceAll("&", " ")
    : `${connection.kind}://`;
}

function checkAgreement(placed: Placed, other: Placed, judge: Judge): void {
  const theirs = belongings(other);
  belongings(placed).forEach(([key, here], index) => {
    const there = theirs[index]?.[1];
    if (there === undefined || here === there) return;
    const whose = `${judge.name(other.path)} (${judge.place([...other.path, ...key])})`;
    const text = `must be as in ${whose}, which has the same endpoint: ${there} there, ${here} here`;
    judge.complain([...placed.path, ...key], text);
  });
}
