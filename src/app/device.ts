/** One device of a site, as it goes over the control socket. */
import { rawOf } from "../config/check-type.ts";
import type { Gateway, Point, Site } from "../core/model.ts";

/** What there is, as `gateway/device`, and the gateway with only the device that was asked for. */
export interface ToldDevice {
  readonly names: readonly string[];
  readonly gateway?: Gateway;
}

/** A device of a site by its name, `gateway/device`. */
export function deviceIn({ gateways }: Pick<Site, "gateways">, name: string): ToldDevice {
  const all = gateways.flatMap((gateway) =>
    gateway.devices.map((device) => ({ name: `${gateway.id}/${device.id}`, gateway, device })),
  );
  const names = all.map((each) => each.name);
  const found = all[names.indexOf(name)];
  if (found === undefined) return { names };
  return { names, gateway: { ...found.gateway, devices: [found.device] } };
}

/** The same without raw values that JSON has no number for. */
export function plainDevice(told: ToldDevice): unknown {
  return withInvalid(told, ({ invalid }) => invalid?.map(String));
}

/** What `plainDevice` made, as it was. */
export function revived(told: ToldDevice): ToldDevice {
  // `plainDevice` has made texts of them.
  return withInvalid(told, ({ invalid, type }) =>
    invalid?.map((written) => rawOf(String(written), type)),
  ) as ToldDevice;
}

function withInvalid(told: ToldDevice, change: (point: Point) => unknown): unknown {
  const devices = told.gateway?.devices.map((device) => ({
    ...device,
    points: device.points.map((point) =>
      point.invalid === undefined ? point : { ...point, invalid: change(point) },
    ),
  }));
  return devices === undefined ? told : { ...told, gateway: { ...told.gateway, devices } };
}
