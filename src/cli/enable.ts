/** `enable`: has devices that are left out probed in the next slots. */
import { isId } from "../core/command.ts";
import { NoNodeError } from "../core/errors.ts";
import { wrong } from "./arguments.ts";
import { changedLines } from "./changed.ts";
import type { Command, Given, Option } from "./command.ts";
import {
  CONFIG,
  GATEWAYS,
  JSON_FLAG,
  STATE_DIR,
  gatewaysOf,
  sameNode,
  toStart,
  whereOf,
} from "./node-options.ts";
import { printable } from "./printable.ts";
import { dataOf, type Changed } from "./reply.ts";

const DEVICES: Option = {
  name: "device",
  value: "ID",
  many: true,
  about: "Only this device; repeat it or write a,b for several",
};

const FORGET: Option = {
  name: "forget",
  about: "Also forget what polls found out about them: registers that they refuse are read again",
};

/** The command. */
export const enable: Command = {
  name: "enable",
  about: "Probe devices that are left out in the next slots",
  options: [GATEWAYS, DEVICES, FORGET, CONFIG, STATE_DIR, JSON_FLAG],
  run: async (given, { out, paint, caller }) => {
    const gateways = gatewaysOf(given, caller);
    const devices = devicesOf(given, caller);
    const { askNode } = await import("../app/remote.ts");
    const { locateState } = await import("../app/site.ts");
    const stateDir = locateState(whereOf(given));
    const payload = {
      gateway: gateways ?? "*",
      ...(devices === undefined ? {} : { device: devices }),
      ...(given.flags.has("forget") ? { forget: true } : {}),
    };
    try {
      // As a node of this version answers.
      const changed = dataOf(await askNode(stateDir, "enable", payload)) as Changed;
      if (given.flags.has("json")) out.line(JSON.stringify(changed));
      else for (const line of changedLines(changed, paint)) out.line(line);
      return 0;
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
      const next = `${caller} start --node${toStart(sameNode(given))}`;
      throw new NoNodeError("NODE_ABSENT", `No node runs on ${stateDir}. Next: ${next}`, error);
    }
  },
};

function devicesOf(given: Given, caller: string): readonly string[] | undefined {
  const ids = given.values.get("device");
  const odd = ids?.find((id) => !isId(id));
  if (odd === undefined) return ids;
  throw wrong(
    `"${printable(odd)}" can't be the id of a device`,
    `${caller} status --detailed${sameNode(given)}`,
  );
}
