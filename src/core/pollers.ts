/** Programs that are known to poll Modbus devices, by their command lines. */

/** Where a program says whether it polls Modbus at all. */
export interface PollerConfig {
  /** Files; `~` is the home of its user, a `*` stands for a part of a file's name. */
  readonly files: readonly string[];
  readonly says: RegExp;
  /** What it says then. */
  readonly what: string;
}

/** A program. */
export interface Poller {
  readonly name: string;
  readonly command: RegExp;
  /** Programs that do much else are looked into. */
  readonly config?: PollerConfig;
}

/** A word of a command line that is a program, with or without its path, version or image name around it. */
function program(name: string): RegExp {
  return new RegExp(`(^|[\\s/"'=])${name}(\\.(py|js|sh|phar|exe))?(?=$|[\\s/:@"';&|])`, "i");
}

const POLLERS: readonly Poller[] = [
  ...["mbpoll", "mbusd", "modpoll", "modbus2mqtt", "modbus4mqtt", "mbtget", "mqmgateway"].map(
    (name) => ({ name, command: program(name) }),
  ),
  {
    name: "telegraf",
    command: program("telegraf"),
    config: {
      files: ["/etc/telegraf/telegraf.conf", "/etc/telegraf/telegraf.d/*.conf"],
      says: /^\s*\[\[\s*inputs\.modbus\s*\]\]/m,
      what: "[[inputs.modbus]]",
    },
  },
  {
    name: "Node-RED",
    command: program("node-red(-pi)?"),
    config: {
      files: ["~/.node-red/flows*.json"],
      says: /"type"\s*:\s*"modbus-(client|read|getter|flex-getter|write)/,
      what: "Modbus nodes in its flows",
    },
  },
  {
    name: "a queue worker of the earlier polling system",
    command: /\bartisan\s+(queue:(work|listen)|schedule:(run|work)|horizon|\S*(poll|modbus)\S*)/i,
  },
  // Whatever else is named after what it does.
  { name: "a program that is named after Modbus", command: /modbus/i },
];

/** The poller that a command line starts, undefined when it is none that is known. */
export function pollerOf(command: string): Poller | undefined {
  if (program("edgepoll").test(command)) return undefined;
  return POLLERS.find((poller) => poller.command.test(command));
}

/** How a command line starts a node of edgepoll. */
export interface NodeStart {
  readonly config?: string;
  readonly stateDir?: string;
}

/** What a command line says of the node it starts; undefined when it starts none. */
export function nodeStartOf(command: string): NodeStart | undefined {
  const words = command.split(/\s+/).map((word) => word.replace(/^["']|["']$/g, ""));
  const at = words.findIndex((word) => /(^|\/)edgepoll(\.js)?$/.test(word));
  if (at < 0 || words[at + 1] !== "start") return undefined;
  const valueOf = (option: string) => {
    const given = words.findIndex((word) => word === option || word.startsWith(`${option}=`));
    const word = words[given];
    if (word === undefined) return undefined;
    return word === option ? words[given + 1] : word.slice(option.length + 1);
  };
  const [config, stateDir] = [valueOf("--config"), valueOf("--state-dir")];
  return {
    ...(config === undefined ? {} : { config }),
    ...(stateDir === undefined ? {} : { stateDir }),
  };
}
