/** Devices that die on the fake clock, and what health says of them. */
import { Rig, type GatewayInShort, type RigParts } from "./rig.ts";

/** A device that is well and one that the tests let die; its breaker opens after 10 s. */
export const TWO: GatewayInShort = {
  ...{ id: "a", devices: { good: [1000], dead: [1000] }, phase: 0, retries: 0 },
  ...{ failureThreshold: 3, probe: { first: 30_000, max: 120_000 } },
};
/** Where the second of them lies. */
export const DEAD = "a/2";

interface Health {
  readonly state: string;
  readonly since: number;
  readonly reason?: string;
  readonly devices: readonly {
    readonly device: string;
    readonly online: boolean | null;
    readonly breaker: string;
    readonly failures: number;
    readonly since: number;
    readonly reason?: string;
    readonly nextProbe?: number;
  }[];
}

/** Health of a gateway, as retained. */
export function healthOf(rig: Rig, gateway = "a"): Health {
  // The topic carries health as JSON.
  return JSON.parse(rig.broker.retained(`polling/health/${gateway}`) ?? "{}") as Health;
}

/** Health of a device of gateway `a`. */
export function deviceOf(rig: Rig, device: string) {
  return healthOf(rig).devices.find((one) => one.device === device);
}

/** Times of requests to a unit, whole seconds of the test's clock. */
export function askedOf(rig: Rig, unitId: number): number[] {
  return rig.seen
    .filter(({ request }) => request.unitId === unitId)
    .map(({ time }) => Math.round(time / 1000));
}

/** A rig that runs. */
export async function started(gateway: GatewayInShort = TWO, more: Partial<RigParts> = {}) {
  const rig = new Rig({ gateways: [gateway], ...more });
  await rig.start();
  return rig;
}

/** A rig whose second device has been silent until its breaker opened. */
export async function opened(gateway: GatewayInShort = TWO): Promise<Rig> {
  const rig = await started(gateway);
  await rig.clock.advance(2500);
  rig.behave(DEAD, { kind: "silent" });
  while (deviceOf(rig, "dead")?.breaker !== "open") await rig.clock.advance(1000);
  return rig;
}

/** What lies between times, one after the other. */
export function gapBetween(times: readonly number[]): number[] {
  return times.slice(1).map((time, i) => time - (times[i] ?? 0));
}
