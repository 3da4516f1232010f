/** `check`: looks a configuration over; touches no device. */
import type { Checked } from "../app/check.ts";
import type { Where } from "../app/site.ts";
import type { Site } from "../core/model.ts";
import { accountLines } from "./account-lines.ts";
import { wrong } from "./arguments.ts";
import { valueOf, type Command, type Context, type Given, type Option } from "./command.ts";
import { planLines } from "./plan.ts";
import { CONFIG, JSON_FLAG, STATE_DIR } from "./node-options.ts";
import { printable } from "./printable.ts";
import { sizesText, withoutEffectText } from "./sizes.ts";

const PLAN: Option = {
  name: "plan",
  about: "Also what it costs: requests, time on the line, dead devices, disk; nothing is contacted",
};

/** The command. */
export const check: Command = {
  name: "check",
  argument: "FILE",
  about: "Check a configuration; exit 78 on mistakes",
  options: [PLAN, CONFIG, STATE_DIR, JSON_FLAG],
  run: async (given, { out, paint, caller }) => {
    const { accountsOf, asLearned, planSite } = await import("../app/check.ts");
    const { path, site, warnings, requests } = await checked(given, { out, paint, caller });
    const { node, withoutEffect } = site;
    const sizes = { ...countsOf(site), requests };
    const plan = given.flags.has("plan") ? planSite(await asLearned(site)) : undefined;
    const accounts = await accountsOf(site);
    if (given.flags.has("json")) {
      const found = { path, node, ...sizes, warnings, withoutEffect, accounts, plan };
      out.line(JSON.stringify(found));
      return 0;
    }
    out.line(`${printable(path)}: ${paint("green", "ok")}  ${sizesText(sizes)}`);
    for (const warning of warnings) out.line(paint("yellow", `warning  ${printable(warning)}`));
    if (withoutEffect.length > 0) {
      out.line(`no effect  ${printable(withoutEffectText(withoutEffect))}`);
    }
    for (const line of accountLines(accounts)) out.line(line);
    if (plan !== undefined) for (const line of planLines(plan, paint)) out.line(line);
    return 0;
  },
};

/** Where only the budget is exceeded the plan says by what: it comes before the mistakes. */
async function checked(given: Given, { out, paint, caller }: Context): Promise<Checked> {
  const { asLearned, checkConfig, overBudget, planSite } = await import("../app/check.ts");
  try {
    return checkConfig(whereOf(given, caller));
  } catch (error) {
    const site =
      given.flags.has("plan") && !given.flags.has("json") ? overBudget(error) : undefined;
    if (site === undefined) throw error;
    for (const line of planLines(planSite(await asLearned(site)), paint)) out.line(line);
    out.line("");
    throw error;
  }
}

/** The file that is named, as the argument or as elsewhere with --config, and the state directory. */
function whereOf(given: Given, caller: string): Where {
  const [named, stateDir] = [valueOf(given, "config"), valueOf(given, "state-dir")];
  const config = named ?? given.argument;
  if (named === undefined || given.argument === undefined) {
    return {
      ...(config === undefined ? {} : { config }),
      ...(stateDir === undefined ? {} : { stateDir }),
    };
  }
  throw wrong("check takes one FILE, as its argument or with --config", `${caller} check --help`);
}

function countsOf({ gateways }: Site) {
  const devices = gateways.flatMap((gateway) => gateway.devices);
  const points = devices.flatMap((device) => device.points);
  return { gateways: gateways.length, devices: devices.length, points: points.length };
}
