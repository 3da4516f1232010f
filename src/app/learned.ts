/** A site as its node would poll it: with what earlier polls found out about its devices. */
import { existsSync } from "node:fs";
import { EdgepollError } from "../core/errors.ts";
import type { Gateway, Refusal, Site } from "../core/model.ts";
import type { GatewayHealth } from "../core/payloads.ts";
import { configurationOf, withRefusals } from "../core/refusals.ts";
import { gatewaysOffline } from "./offline.ts";
import { askNode } from "./remote.ts";

/** Registers that a device of a gateway refuses. */
type Refused = (gateway: Gateway, device: string) => readonly Refusal[];

/** Asks the node of the site's state directory, or reads its store when none runs; as configured when neither can tell. */
export async function asLearned(site: Site): Promise<Site> {
  if (!existsSync(site.stateDir)) return site;
  const refused = (await fromNode(site.stateDir)) ?? (await fromStore(site.stateDir));
  if (refused === undefined) return site;
  const gateways = site.gateways.map((gateway) =>
    withRefusals(gateway, (device) => refused(gateway, device)),
  );
  return { ...site, gateways };
}

async function fromNode(stateDir: string): Promise<Refused | undefined> {
  const told = await unlessRefused(askNode(stateDir, "status", {}));
  if (told === undefined) return undefined;
  // As a node of this version answers.
  const { gateways = [] } = (told as { data?: { gateways?: readonly GatewayHealth[] } }).data ?? {};
  return ({ id }, device) => {
    const devices = gateways.find(({ gateway }) => gateway === id)?.devices ?? [];
    return devices.find((each) => each.device === device)?.refused ?? [];
  };
}

async function fromStore(stateDir: string): Promise<Refused | undefined> {
  const records = await unlessRefused(gatewaysOffline(stateDir));
  if (records === undefined) return undefined;
  return (gateway, id) => {
    const learned = records.get(gateway.id)?.devices[id]?.learned;
    const device = gateway.devices.find((each) => each.id === id);
    if (learned === undefined || device === undefined) return [];
    return learned.of === configurationOf(gateway, device) ? learned.refused : [];
  };
}

/** What only adds to a plan must not keep it from being shown. */
async function unlessRefused<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof EdgepollError) return undefined;
    throw error;
  }
}
