/** What a schema can't say: rules between keys. */
import type { MergeLimits } from "../core/model.ts";
import { checkEndpoints } from "./check-endpoint.ts";
import { checkPoint } from "./check-point.ts";
import type { Draft } from "./draft.ts";
import type { Judge } from "./mistakes.ts";
import type { Path } from "./places.ts";
import { probeFault, type ProbeSettings } from "./probe.ts";
import type { Settings } from "./schema.ts";

type Gateway = Settings["gateways"][number];
type Device = Gateway["devices"][number];

/** The limits of a request when nothing is configured (Modbus Application Protocol 6.1 and 6.3). */
const MERGE: MergeLimits = { maxGap: 8, maxRegisters: 125, maxBits: 2000 };

/** Checks the rules between keys on what fits the schema. */
export function checkRules(settings: Draft<Settings>, judge: Judge): void {
  const gateways = settings.gateways ?? [];
  const probe = settings.defaults?.probe;
  checkProbe(["defaults", "probe"], judge, probe);
  checkIds(gateways, ["gateways"], judge);
  checkEndpoints(gateways, ["gateways"], judge);
  const { warn, refuse } = settings.budget ?? {};
  if (warn !== undefined && typeof refuse === "number" && warn > refuse) {
    judge.complain(
      ["budget", "warn"],
      `must not be above budget.refuse, which is ${String(refuse)}`,
    );
  }
  gateways.forEach((gateway, index) => {
    if (gateway === undefined) return;
    const path = ["gateways", index];
    if (gateway.probe !== undefined) checkProbe([...path, "probe"], judge, gateway.probe, probe);
    checkGateway(gateway, path, judge);
  });
}

function checkProbe(path: Path, judge: Judge, own?: ProbeSettings, inherited?: ProbeSettings) {
  const fault = probeFault(own, inherited);
  if (fault !== undefined) judge.complain(path, fault);
}

function checkGateway(gateway: Draft<Gateway>, path: Path, judge: Judge): void {
  const devices = gateway.devices ?? [];
  checkIds(devices, [...path, "devices"], judge);
  devices.forEach((device, index) => {
    if (device === undefined) return;
    checkDevice(device, mergeOf(gateway, device), [...path, "devices", index], judge);
  });
}

function checkDevice(device: Draft<Device>, merge: MergeLimits, path: Path, judge: Judge): void {
  if (!judge.has([...path, "points"]) && !judge.has([...path, "profile"])) {
    judge.complain(path, "has no points, of which every device needs at least one");
  }
  const points = device.points ?? [];
  checkIds(points, [...path, "points"], judge);
  points.forEach((point, index) => {
    if (point !== undefined) checkPoint(point, merge, [...path, "points", index], judge);
  });
}

/** The limits of a device's requests: its own, else the gateway's, else those of Modbus. */
export function mergeOf(
  gateway: { readonly merge?: Draft<Gateway>["merge"] },
  device: { readonly merge?: Draft<Device>["merge"] },
): MergeLimits {
  return {
    maxGap: device.merge?.maxGap ?? gateway.merge?.maxGap ?? MERGE.maxGap,
    maxRegisters: device.merge?.maxRegisters ?? gateway.merge?.maxRegisters ?? MERGE.maxRegisters,
    maxBits: device.merge?.maxBits ?? gateway.merge?.maxBits ?? MERGE.maxBits,
  };
}

function checkIds(
  entries: readonly ({ readonly id?: string | undefined } | undefined)[],
  path: Path,
  judge: Judge,
): void {
  const seen = new Map<string, number>();
  entries.forEach((entry, index) => {
    if (entry?.id === undefined) return;
    const first = seen.get(entry.id);
    if (first === undefined) seen.set(entry.id, index);
    else {
      const text = `must differ from the id of entry ${String(first + 1)} of the same list`;
      judge.complain([...path, index, "id"], text);
    }
  });
}
