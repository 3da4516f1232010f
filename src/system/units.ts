/** The units that systemd starts by itself, read from its files (systemd.unit(5)). */
import { basename, dirname, join } from "node:path";
import type { SeenUnit } from "../core/machine.ts";
import { unitFacts, type UnitFacts } from "../core/unit-file.ts";
import type { Tree } from "./tree.ts";
import type { User } from "./users.ts";

/** Folders of a service manager, those of the administrator first. */
interface Manager {
  readonly name: string;
  /** Where units are enabled. */
  readonly enabling: readonly string[];
  /** Where units lie beside these. */
  readonly further: readonly string[];
}

const SYSTEM: Manager = {
  name: "system",
  enabling: ["/etc/systemd/system", "/run/systemd/system"],
  further: ["/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"],
};
const OF_ALL_USERS = ["/etc/systemd/user", "/run/systemd/user"];

function managerOf({ name, home }: User): Manager {
  return {
    name,
    enabling: [`${home}/.config/systemd/user`, ...OF_ALL_USERS],
    further: [`${home}/.local/share/systemd/user`, "/usr/lib/systemd/user", "/lib/systemd/user"],
  };
}

/** All units that are enabled, of the system and of these users. */
export async function unitsOf(tree: Tree, users: readonly User[]): Promise<SeenUnit[]> {
  const found = await enabledBy(tree, SYSTEM);
  for (const user of users) {
    // A user without units of their own has those that are for all, which are told once.
    const folder = `${user.home}/.config/systemd/user`;
    if ((await tree.names(folder)).length > 0)
      found.push(...(await enabledBy(tree, managerOf(user))));
  }
  return found;
}

async function enabledBy(tree: Tree, manager: Manager): Promise<SeenUnit[]> {
  const found = new Map<string, SeenUnit>();
  for (const folder of manager.enabling) {
    for (const target of await tree.names(folder)) {
      if (!/\.(wants|requires)$/.test(target)) continue;
      for (const name of await tree.names(join(folder, target))) {
        const link = await tree.link(join(folder, target, name));
        const by = target.replace(/\.\w+$/, "");
        const unit = await seenUnit(tree, manager, { name, by, link });
        if (unit !== undefined && !found.has(unit.name)) found.set(unit.name, unit);
      }
    }
  }
  return [...found.values()];
}

/** The service that is started by what is enabled: itself, or that of a timer, path or socket. */
async function seenUnit(
  tree: Tree,
  manager: Manager,
  { name, by, link }: { name: string; by: string; link: string | undefined },
): Promise<SeenUnit | undefined> {
  const loaded = await load(tree, manager, name, link);
  if (loaded === undefined) return undefined;
  const { file, facts } = loaded;
  if (name.endsWith(".service")) {
    const { commands, environment, user } = facts;
    const own = user === undefined ? {} : { user };
    return { name, file, manager: manager.name, enabledBy: by, ...own, commands, environment };
  }
  if (!/\.(timer|path|socket)$/.test(name)) return undefined;
  const started = facts.starts ?? name.replace(/\.\w+$/, ".service");
  if (!started.endsWith(".service")) return undefined;
  return seenUnit(tree, manager, { name: started, by: name, link: undefined });
}

/** What a unit's file and its drop-ins say; undefined when it is masked or not there. */
async function load(
  tree: Tree,
  { enabling, further }: Manager,
  name: string,
  link: string | undefined,
): Promise<{ file: string; facts: UnitFacts } | undefined> {
  const template = name.replace(/@[^.]*\./, "@.");
  const instance = /@([^.]*)\./.exec(name)?.[1] ?? "";
  const folders = [...enabling, ...further];
  const names = [...new Set([name, template])];
  const places = names.flatMap((one) => folders.map((folder) => join(folder, one)));
  const linked = link === undefined ? [] : [join(dirname(places[0] ?? ""), basename(link)), link];
  for (const file of [...places, ...linked]) {
    if ((await tree.link(file)) === "/dev/null") return undefined;
    const text = await tree.text(file);
    if (text === undefined) continue;
    const dropIns = await dropInsOf(tree, folders, names);
    return { file, facts: unitFacts([text, ...dropIns], instance) };
  }
  return undefined;
}

async function dropInsOf(
  tree: Tree,
  folders: readonly string[],
  names: readonly string[],
): Promise<string[]> {
  const byName = new Map<string, string>();
  // The folder of the administrator has the last word on a drop-in of the same name.
  for (const folder of [...folders].reverse()) {
    for (const unit of names) {
      for (const name of await tree.names(join(folder, `${unit}.d`))) {
        const text = await tree.text(join(folder, `${unit}.d`, name));
        if (name.endsWith(".conf") && text !== undefined) byName.set(name, text);
      }
    }
  }
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
}
