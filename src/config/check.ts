/** What a schema can't say: rules between keys. */
import type { MergeLimits } from "../core/model.ts";
import { checkEndpoints } from "./check-endpoint.ts";
import { reachedBy } from "./check-point.ts";
import { checkIds, checkPoints } from "./check-points.ts";
import type { Draft } from "./draft.ts";
import { mergeOf } from "./merge.ts";
import type { Judge } from "./mistakes.ts";
import type { Path } from "./places.ts";
import { probeFault, type ProbeSettings } from "./probe.ts";
import type { Profiles } from "./profiles.ts";
import type { ProfileSettings } from "./schema-profile.ts";
import type { Settings } from "./schema.ts";

type Gateway = Settings["gateways"][number];
type Device = Gateway["devices"][number];

/** Points of all devices, with those of profiles: what a node can plan in seconds and some 100 MB. */
const MOST_POINTS = 500_000;

/** Checks the rules between keys on what fits the schema. */
export function checkRules(settings: Draft<Settings>, judge: Judge, profiles: Profiles): void {
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
    checkGateway(gateway, path, judge, profiles);
  });
  checkCount(gateways, judge, profiles);
}

function checkProbe(path: Path, judge: Judge, own?: ProbeSettings, inherited?: ProbeSettings) {
  const fault = probeFault(own, inherited);
  if (fault !== undefined) judge.complain(path, fault);
}

function checkCount(
  gateways: readonly (Draft<Gateway> | undefined)[],
  judge: Judge,
  profiles: Profiles,
): void {
  const devices = gateways.flatMap((gateway) => gateway?.devices ?? []);
  const points = devices.reduce((sum, device) => {
    const shared = device?.profile === undefined ? 0 : profiles.countOf(device.profile);
    return sum + shared + (device?.points?.length ?? 0);
  }, 0);
  if (points <= MOST_POINTS) return;
  const text = `have ${String(points)} points together; a node takes at most ${String(MOST_POINTS)}. Split the site between several nodes`;
  judge.complain(["gateways"], text, "key");
}

function checkGateway(gateway: Draft<Gateway>, path: Path, judge: Judge, profiles: Profiles): void {
  const devices = gateway.devices ?? [];
  checkIds(devices, [...path, "devices"], judge);
  devices.forEach((device, index) => {
    if (device === undefined) return;
    const at = [...path, "devices", index];
    const profile = profileOf(device, at, judge, profiles);
    const merge = mergeOf(gateway.connection, device, profile, gateway);
    if (!judge.has([...at, "points"]) && !judge.has([...at, "profile"])) {
      judge.complain(at, "has no points and no profile; every device needs at least one point");
    }
    checkPoints(device.points ?? [], merge, [...at, "points"], judge);
    if (profile !== undefined) checkFit(profile, device, merge, [...at, "profile"], judge);
  });
}

/** The profile of a device; undefined without one, and when it is wrong, which is told. */
function profileOf(
  { profile: name }: Draft<Device>,
  path: Path,
  judge: Judge,
  profiles: Profiles,
): ProfileSettings | undefined {
  if (name === undefined) return undefined;
  const at = [...path, "profile"];
  const found = profiles.find(name, judge.source(at) ?? name);
  if ("fault" in found) judge.complain(at, found.fault);
  return "profile" in found ? found.profile.settings : undefined;
}

/** A point of a profile must fit into one request here, where the limits may be narrower than its own. */
function checkFit(
  { points }: ProfileSettings,
  device: Draft<Device>,
  { maxRegisters }: MergeLimits,
  path: Path,
  judge: Judge,
): void {
  const own = new Set(device.points?.map((point) => point?.id));
  for (const point of points) {
    const { id } = point;
    const registers = reachedBy(point);
    if (own.has(id) || registers <= maxRegisters) continue;
    const text =
      `has the point ${id}, which takes ${String(registers)} registers: ` +
      `merge.maxRegisters allows ${String(maxRegisters)} here`;
    judge.complain(path, text);
  }
}
