/** What a look at the machine saw of others at work, and which of it is a finding. */
import type { AuditFinding, WatchedEndpoint } from "./audit.ts";
import { nodeStartOf, pollerOf } from "./pollers.ts";
import { shellWord } from "./shell.ts";

/** A process that holds an endpoint. */
export interface EndpointHolder {
  readonly endpoint: WatchedEndpoint;
  /** Null: its files may not be seen, only that it is there. */
  readonly pid: number | null;
  /** Name of its user, or the number of one without a name. */
  readonly user: string;
  readonly command: string;
}

/** A job of cron that starts something this machine should know of. */
export interface SeenJob {
  readonly file: string;
  readonly line: number;
  readonly user: string;
  readonly command: string;
}

/** A unit that systemd starts by itself. */
export interface SeenUnit {
  readonly name: string;
  /** The file that says what it starts. */
  readonly file: string;
  /** `system`, or the user whose service manager starts it. */
  readonly manager: string;
  /** By what: a target, timer, path or socket. */
  readonly enabledBy: string;
  readonly user?: string;
  readonly commands: readonly string[];
  readonly environment: readonly string[];
}

/** See the head of this file. */
export interface MachineLook {
  readonly holders: readonly EndpointHolder[];
  readonly jobs: readonly SeenJob[];
  readonly units: readonly SeenUnit[];
  /** Programs that do not poll Modbus, by the name of their poller. */
  readonly harmless: readonly string[];
  readonly unseen: readonly string[];
}

/** What of it is a finding. */
export function machineFindings(look: MachineLook): AuditFinding[] {
  const isHarmless = (command: string) => {
    const name = pollerOf(command)?.name;
    return name !== undefined && look.harmless.includes(name);
  };
  const jobs = look.jobs.filter(({ command }) => !isHarmless(command));
  const units = look.units.map((unit) => {
    return { ...unit, commands: unit.commands.filter((command) => !isHarmless(command)) };
  });
  return [
    ...look.holders.map(holderFinding),
    ...enabledTwice(units),
    ...units.flatMap(unitFinding),
    ...jobs.flatMap(jobFinding),
  ];
}

function holderFinding({ endpoint, pid, user, command }: EndpointHolder): AuditFinding {
  const { name, gateways, tty } = endpoint;
  const who =
    pid === null
      ? `a process of ${user} (which one can't be seen without more rights)`
      : `${shortened(command)} (pid ${String(pid)}, user ${user})`;
  const does = tty === undefined ? "is connected to it" : "has it open";
  const harm =
    tty === undefined
      ? "two masters take each other's turns at a gateway, and many take only one connection"
      : "two masters on one line garble each other's answers";
  return {
    kind: "other-master",
    ...(gateways[0] === undefined ? {} : { gateway: gateways[0] }),
    where: name,
    text: `${name} (${gateways.join(", ")}): ${who} ${does}; ${harm}. Stop it unless it is meant to be there`,
    next: pid === null ? "sudo edgepoll audit" : `ps -o pid,user,lstart,args -p ${String(pid)}`,
  };
}

/** Nodes of one configuration or state directory that more than one unit starts. */
function enabledTwice(units: readonly SeenUnit[]): AuditFinding[] {
  const starts = units.flatMap((unit) => {
    const [start] = unit.commands.flatMap((command) => nodeStartOf(command) ?? []);
    if (start === undefined) return [];
    const config = start.config ?? configOf(unit.environment);
    return [{ unit, config: config ?? "", stateDir: start.stateDir }];
  });
  const isSame = (a: (typeof starts)[number], b: (typeof starts)[number]) =>
    a.config === b.config || (a.stateDir !== undefined && a.stateDir === b.stateDir);
  const told = new Set<SeenUnit>();
  return starts.flatMap((one) => {
    const same = starts.filter((other) => isSame(one, other)).map(({ unit }) => unit);
    if (same.length < 2 || told.has(one.unit)) return [];
    for (const unit of same) told.add(unit);
    return [twiceFinding(same, one.config)];
  });
}

function twiceFinding(units: readonly SeenUnit[], config: string): AuditFinding {
  const names = units.map(({ name, manager }) => `${name} (${managerWords(manager)})`);
  const of = config === "" ? "the same node" : `the node of ${config}`;
  const last = units.at(-1);
  return {
    kind: "enabled-twice",
    where: names.join(", "),
    text: `${names.join(" and ")} are enabled and all start ${of}: only the first gets it, the others fail again and again. Most likely it was installed twice; disable all but one`,
    next: last === undefined ? "" : disableLine(last),
  };
}

function unitFinding(unit: SeenUnit): AuditFinding[] {
  const command = unit.commands.find((one) => pollerOf(one) !== undefined);
  const poller = command === undefined ? undefined : pollerOf(command);
  if (poller === undefined || command === undefined) return [];
  const { name, file, manager, enabledBy } = unit;
  const text = `${name} (${managerWords(manager)}, enabled by ${enabledBy}) starts ${poller.name}: ${shortened(command)}. It may poll the same devices; disable it if edgepoll has taken its place`;
  return [{ kind: "poller-unit", where: file, text, next: disableLine(unit) }];
}

function jobFinding({ file, line, user, command }: SeenJob): AuditFinding[] {
  const where = `${file}:${String(line)}`;
  const poller = pollerOf(command);
  const isNode = nodeStartOf(command) !== undefined;
  if (!isNode && poller === undefined) return [];
  const harm = isNode
    ? "starts edgepoll: while a node runs that starts all gateways, also those that somebody stopped. Leave the start to systemd, with edgepoll start --node"
    : `starts ${poller?.name ?? ""}. It may poll the same devices; remove the line if edgepoll has taken its place`;
  const text = `${where} (as ${user}) ${harm}: ${shortened(command)}`;
  return [{ kind: "poller-cron", where, text, next: editLine(file, user) }];
}

function disableLine({ name, manager, enabledBy }: SeenUnit): string {
  const isStarter = /\.(timer|path|socket)$/.test(enabledBy);
  const unit = shellWord(isStarter ? enabledBy : name);
  return manager === "system"
    ? `sudo systemctl disable --now ${unit}`
    : `systemctl --user disable --now ${unit}`;
}

function managerWords(manager: string): string {
  return manager === "system" ? "of the system" : `of user ${manager}`;
}

function editLine(file: string, user: string): string {
  return /\/cron\/(crontabs|tabs)\/|\/spool\/cron\/[^/]+$/.test(file)
    ? `sudo crontab -u ${shellWord(user)} -e`
    : `sudoedit ${shellWord(file)}`;
}

function configOf(environment: readonly string[]): string | undefined {
  for (const line of environment) {
    const [, value] = /(?:^|[\s"'])EDGEPOLL_CONFIG=([^\s"']+)/.exec(line) ?? [];
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Command lines can hold anything, at any length. */
const LONGEST_COMMAND = 160;
const SECRETS = [
  /(--?\w*(?:pass|pw|secret|token)\w*[= ])[^\s]+/gi,
  // As the clients of Mosquitto have it.
  /(\s-P[ =]?)[^\s]+/g,
  /(:\/\/[^\s:/@]*:)[^\s@]+/g,
];

function shortened(command: string): string {
  const shown = SECRETS.reduce((text, secret) => text.replace(secret, "$1***"), command);
  return shown.length <= LONGEST_COMMAND ? shown : `${shown.slice(0, LONGEST_COMMAND)}…`;
}
