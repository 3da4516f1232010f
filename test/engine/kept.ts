/** Holds what a dead process left on disk of its devices to what it had told of them. */
import { decodeLedger, type DeviceRecord, type GatewayRecord } from "../../src/core/records.ts";
import { messagesOf, type Told } from "./checker.ts";
import type { Rig } from "./rig.ts";

/** A gateway with one schedule: its polls follow one another, so that the last reading is the last word. */
export interface Watched {
  readonly id: string;
  readonly interval: number;
  readonly devices: readonly string[];
}

/** What the disk has of devices that their last readings do not bear out, as a kill at this moment would leave it. */
export function keptFaultsOf(rig: Rig, gateways: readonly Watched[]): string[] {
  const told = messagesOf(rig, []);
  return gateways.flatMap(({ id, interval, devices }) => {
    const last = lastPolled(rig, `${id}@${String(interval)}`);
    if (last === undefined) return [];
    const kept = recordsOf(rig, id);
    const readings = (told.get(`${id}@${String(interval)}/${String(last.epoch)}`) ?? []).filter(
      ({ seq }) => seq === last.seq,
    );
    return devices.flatMap((device) =>
      faultsOfDevice(
        kept[device],
        readings.find((one) => one.device === device),
      ).map((fault) => `${id}/${device} after ${String(last.seq)}: ${fault}`),
    );
  });
}

/** The devices of a gateway on disk. */
export function recordsOf(rig: Rig, gateway: string): Readonly<Record<string, DeviceRecord>> {
  const text = rig.disk(`gateway/${gateway}`).get(`gateway/${gateway}`);
  // As written by Gateways.
  return text === undefined ? {} : (JSON.parse(text) as GatewayRecord).devices;
}

/** The last slot whose outcome tells what came of it; undefined when a poll since then left none. */
function lastPolled(rig: Rig, schedule: string): { epoch: number; seq: number } | undefined {
  for (const [key, value] of [...rig.disk(`outcome/${schedule}/`)].reverse()) {
    const record = decodeLedger(key, value);
    if (record.kind === "poll") return { epoch: Number(key.split("/")[2]), seq: record.seq };
    if (record.run.absence.outcome === "unknown") return undefined;
  }
  return undefined;
}

function faultsOfDevice(kept: DeviceRecord | undefined, last: Told | undefined): string[] {
  if (last === undefined || last.reason === "stopped") return [];
  if (kept === undefined) return ["nothing is kept"];
  const { breaker, online, reason } = kept;
  if (last.reason === "breaker_open") {
    if (breaker === undefined) return ["was left out, and its breaker is not kept"];
    const waits = breaker.state === "probing" || breaker.nextProbe !== null;
    return waits && breaker.openedBy !== null && !online ? [] : [`kept as ${JSON.stringify(kept)}`];
  }
  if (typeof last.rtt === "number" && breaker !== undefined) return ["answered, and is left out"];
  const isGood = last.quality !== "bad";
  const why = isGood ? null : last.reason;
  // A bad reading whose points differ has no reason of its own.
  if (online === isGood && (why === undefined || why === reason)) return [];
  return [`was told as ${String(last.quality)} ${String(why)}, kept as ${JSON.stringify(kept)}`];
}
