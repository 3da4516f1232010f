/** A look at the machine for others that may poll the same devices; nothing is changed. */
import { homedir } from "node:os";
import { realpath } from "node:fs/promises";
import type { WatchedEndpoint } from "../core/audit.ts";
import type { MachineLook } from "../core/machine.ts";
import { pollerOf, type PollerConfig } from "../core/pollers.ts";
import type { Clock } from "../core/ports.ts";
import { jobsOf } from "./cron.ts";
import { Processes } from "./processes.ts";
import { Tree } from "./tree.ts";
import { unitsOf } from "./units.ts";
import { usersOf, type User } from "./users.ts";

/** ms a look may take. */
const PATIENCE = 5000;

/** What is looked for. */
export interface MachineQuery {
  readonly endpoints: readonly WatchedEndpoint[];
  /** Processes that may hold the endpoints. */
  readonly own: readonly number[];
  readonly clock: Pick<Clock, "elapsed">;
  /** Where the tree of the system begins; for tests. */
  readonly root?: string;
  readonly platform?: string;
}

/** Looks; never rejects, and takes 5 s at most. */
export async function lookAtMachine(query: MachineQuery): Promise<MachineLook> {
  const { endpoints, own, clock, root = "/", platform = process.platform } = query;
  if (platform !== "linux") {
    const unseen = ["processes, cron and units: that is only known of Linux"];
    return { holders: [], jobs: [], units: [], harmless: [], unseen };
  }
  const tree = new Tree(root, clock, PATIENCE);
  const users = await usersOf(tree);
  const jobs = await jobsOf(tree);
  const units = await unitsOf(tree, users);
  const commands = [
    ...jobs.map(({ command, user }) => ({ command, user })),
    ...units.flatMap(({ commands, user, manager }) => {
      const runner = user ?? (manager === "system" ? "root" : manager);
      return commands.map((command) => ({ command, user: runner }));
    }),
  ];
  const known = commands.filter(({ command }) => pollerOf(command) !== undefined);
  const { harmless, unseen } = await harmlessOf(tree, users, known);
  const refused = [...tree.refused];
  const ttys = await realPathsOf(endpoints);
  const processes = new Processes(tree, users, { endpoints, ttys, own });
  const holders = await processes.find();
  const nameless = endpoints.filter(({ addresses }) => addresses?.length === 0);
  const unresolved = nameless.map(
    ({ name }) => `connections to ${name}: its name can't be resolved`,
  );
  const closed =
    refused.length === 0 ? [] : [`${refused.join(", ")}: that takes more rights than these`];
  return {
    holders,
    jobs,
    units,
    harmless,
    unseen: [...processes.unseen, ...unresolved, ...closed, ...unseen],
  };
}

/** Programs that do much else and are not told to poll Modbus. */
async function harmlessOf(
  tree: Tree,
  users: readonly User[],
  started: readonly { command: string; user: string }[],
): Promise<{ harmless: string[]; unseen: string[] }> {
  const harmless: string[] = [];
  const unseen: string[] = [];
  for (const { command, user } of started) {
    const poller = pollerOf(command);
    if (poller?.config === undefined || harmless.includes(poller.name)) continue;
    const home = users.find(({ name }) => name === user)?.home ?? homedir();
    const texts = await textsOf(tree, poller.config, home);
    if (texts.some((text) => poller.config?.says.test(text))) continue;
    harmless.push(poller.name);
    const files = poller.config.files.map((file) => file.replace("~", home));
    if (texts.length === 0)
      unseen.push(`whether ${poller.name} polls Modbus: ${files.join(", ")} can't be read`);
  }
  return { harmless, unseen };
}

async function textsOf(tree: Tree, { files }: PollerConfig, home: string): Promise<string[]> {
  const texts: string[] = [];
  for (const file of files.map((one) => one.replace("~", home))) {
    const folder = file.slice(0, file.lastIndexOf("/"));
    const [before = "", after = ""] = file.slice(folder.length + 1).split("*");
    const names = file.includes("*") ? await tree.names(folder) : [before];
    for (const name of names.filter((one) => one.startsWith(before) && one.endsWith(after))) {
      const text = await tree.text(`${folder}/${name}`);
      if (text !== undefined) texts.push(text);
    }
  }
  return texts;
}

async function realPathsOf(endpoints: readonly WatchedEndpoint[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { tty } of endpoints) {
    if (tty !== undefined) found.set(tty, await realpath(tty).catch(() => tty));
  }
  return found;
}
