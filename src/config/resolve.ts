/** From checked settings to the site the engine works with. */
import type { BrokerConfig, Connection, Device, Gateway, Point, Site } from "../core/model.ts";
import { placeOf } from "./check-point.ts";
import type { PointSettings } from "./check-point.ts";
import { rawOf } from "./check-type.ts";
import { parseConnection } from "./connection.ts";
import { mergeOf } from "./merge.ts";
import { probeOf } from "./probe.ts";
import type { Profiles } from "./profiles.ts";
import type { Settings } from "./schema.ts";
import { absoluteFiles } from "./tls-files.ts";
import { EdgepollError } from "../core/errors.ts";

type GatewaySettings = Settings["gateways"][number];
type DeviceSettings = GatewaySettings["devices"][number];

/** What a site has beside its settings. */
export interface Surroundings {
  readonly node: string;
  readonly stateDir: string;
  readonly hash: string;
  readonly withoutEffect: readonly string[];
  readonly profiles: Profiles;
  /** That of the configuration file. */
  readonly directory: string;
}

/** Fills in what settings inherit. Throws `INTERNAL` for settings that were not checked. */
export function resolveSite(
  settings: Settings,
  { profiles, directory, ...surroundings }: Surroundings,
): Site {
  const { mqtt, store, log, defaults } = settings;
  const enabled = settings.gateways.filter((gateway) => gateway.enabled);
  const disabled = settings.gateways.filter((gateway) => !gateway.enabled);
  return {
    ...surroundings,
    baseTopic: mqtt.baseTopic,
    ...given({ clientId: mqtt.clientId, claimAhead: store.claimAhead }),
    broker: brokerOf(mqtt),
    spool: mqtt.spool,
    budget: settings.budget,
    keep: store.keep,
    logLevel: log.level,
    gateways: enabled.map((gateway) => gatewayOf(gateway, defaults, profiles, directory)),
    disabledGateways: disabled.map(({ id }) => id),
  };
}

function brokerOf(mqtt: Settings["mqtt"]): BrokerConfig {
  const { broker, username, password, embedded } = mqtt;
  if (broker === "embedded") return { kind: "embedded", host: embedded.host, port: embedded.port };
  return { kind: "external", url: broker, ...given({ username, password }) };
}

function gatewayOf(
  gateway: GatewaySettings,
  defaults: Settings["defaults"],
  profiles: Profiles,
  directory: string,
): Gateway {
  const interval = gateway.interval ?? defaults.interval;
  return {
    id: gateway.id,
    connection: connectionOf(gateway),
    timeout: { ...given({ configured: gateway.timeout }), default: defaults.timeout },
    retries: gateway.retries ?? defaults.retries,
    failureThreshold: gateway.failureThreshold ?? defaults.failureThreshold,
    probe: probeOf(gateway.probe, defaults.probe),
    ...given({ phase: gateway.phase, maxAnswerTime: gateway.maxAnswerTime, pause: gateway.pause }),
    ...given({ closeAfterPoll: gateway.closeAfterPoll }),
    ...(gateway.tls === undefined ? {} : { tls: absoluteFiles(gateway.tls, directory) }),
    devices: gateway.devices.map((device) => deviceOf(device, gateway, interval, profiles)),
  };
}

function connectionOf(gateway: GatewaySettings): Connection {
  const parsed = parseConnection(gateway.connection);
  if ("connection" in parsed) return parsed.connection;
  throw new EdgepollError("INTERNAL", `Gateway ${gateway.id} was not checked: ${parsed.fault}.`);
}

function deviceOf(
  device: DeviceSettings,
  gateway: GatewaySettings,
  inherited: number,
  profiles: Profiles,
): Device {
  const interval = device.interval ?? inherited;
  return {
    id: device.id,
    unitId: device.unitId,
    retain: device.retain,
    merge: mergeOf(gateway.connection, device, profiles.of(device)?.settings, gateway),
    points: profiles.pointsOf(device).map((point) => pointOf(point, interval)),
  };
}

/** A point, with the interval it inherits. Throws `INTERNAL` when it was not checked. */
export function pointOf(point: PointSettings, inherited: number): Point {
  const { id, type, order, bit, byte, length, scale, scaleRegister, offset, decimals, unit } =
    point;
  const place = placeOf(point);
  if (place === undefined) throw new EdgepollError("INTERNAL", `Point ${id} was not checked.`);
  const { min, max, enum: labels } = point;
  const invalid = point.invalid?.map((written) => rawOf(written, type));
  return {
    ...{ id, ...place, type, order, interval: point.interval ?? inherited },
    ...given({ bit, byte, length, scale, scaleRegister, offset, decimals, min, max, invalid }),
    ...given({ enum: labels, unit }),
  };
}

/** The keys that have a value: absent and undefined are not the same in the model. */
function given<T extends object>(keys: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(keys).filter(([, value]) => value !== undefined);
  // Only entries of `keys` are left, none of them undefined.
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
