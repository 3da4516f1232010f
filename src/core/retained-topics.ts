/** What the broker holds under a base topic: what of it is of nobody any more, and who else writes there. */
import type { AuditFinding } from "./audit.ts";
import type { BrokerConfig, Gateway } from "./model.ts";
import { shellWord } from "./shell.ts";
import type { Topics } from "./topics.ts";

/** A retained message, as far as it matters here. */
export interface RetainedTopic {
  readonly topic: string;
  /** The node that wrote it, when it says. */
  readonly node?: string;
  /** Of `node/info`: which process. */
  readonly writer?: { readonly clientId: string; readonly started: number; readonly pid: number };
  /** Of short texts such as `online`. */
  readonly text?: string;
}

/** What was read. */
export interface BrokerLook {
  readonly topics: readonly RetainedTopic[];
  readonly unseen: readonly string[];
}

/** Whose base topic it is. */
export interface BrokerOwner {
  readonly node: string;
  readonly clientId: string | undefined;
  /** Of the process that runs; without one no process should. */
  readonly started?: number;
  /** The broker as configured; undefined when no configuration is known. */
  readonly broker: BrokerConfig | undefined;
  /** Topics that are retained by this node. */
  readonly own: ReadonlySet<string>;
}

/** What of it is a finding, and which topics may be cleared. */
export interface RetainedVerdict {
  readonly findings: readonly AuditFinding[];
  readonly gone: readonly string[];
}

const LONGEST_TEXT = 16;

/** The topics that a node with these gateways retains, or may. */
export function ownTopics(topics: Topics, gateways: readonly Gateway[]): Set<string> {
  return new Set([
    ...[topics.nodeState, topics.nodeInfo, topics.nodeHealth],
    ...gateways.flatMap(({ id, devices }) => [
      ...[topics.health(id), topics.meta(id), topics.availability(id)],
      ...devices.map((device) => topics.availability(id, device.id)),
      ...devices.filter(({ retain }) => retain).map((device) => topics.readings(id, device.id)),
    ]),
  ]);
}

/** What matters of a retained message. */
export function retainedTopicOf(topic: string, payload: string): RetainedTopic {
  const fields = objectOf(payload);
  const { node, clientId, started, pid } = fields;
  const isWriter =
    typeof clientId === "string" && typeof started === "number" && typeof pid === "number";
  return {
    topic,
    ...(typeof node === "string" ? { node } : {}),
    ...(isWriter ? { writer: { clientId, started, pid } } : {}),
    ...(payload.length <= LONGEST_TEXT ? { text: payload } : {}),
  };
}

/** Looks what was read over. */
export function retainedVerdict(
  { topics: found }: BrokerLook,
  topics: Topics,
  owner: BrokerOwner,
): RetainedVerdict {
  const others = otherNodes(found, topics, owner);
  const strangers = found.filter(({ topic, node }) => {
    return !owner.own.has(topic) && (node === undefined || node === owner.node);
  });
  // Where another node is at work, a topic that does not say whose it is may be that one's.
  const gone = strangers.filter(({ node }) => node !== undefined || others.length === 0);
  return {
    findings: [...others, ...gone.map(({ topic }) => goneFinding(topic))],
    gone: gone.map(({ topic }) => topic),
  };
}

function otherNodes(
  found: readonly RetainedTopic[],
  topics: Topics,
  owner: BrokerOwner,
): AuditFinding[] {
  const info = found.find(({ topic }) => topic === topics.nodeInfo);
  const state = found.find(({ topic }) => topic === topics.nodeState)?.text;
  const who = writerOf(info, owner, state);
  const names = new Set(found.flatMap(({ node }) => node ?? []));
  names.delete(owner.node);
  if (who === undefined && names.size === 0) return [];
  const named = who ?? [...names].map((name) => `node ${name}`).join(", ");
  const left = found.find(({ node }) => node !== undefined && node !== owner.node)?.topic;
  const past =
    left === undefined
      ? ""
      : `. If that node is gone for good, clear what it left: mosquitto_pub${addressOf(owner.broker)} -r -n -t ${shellWord(left)}`;
  const text =
    `${named} publishes below ${topics.base} too: its state and that of ${owner.node} overwrite each other, ` +
    "and each carries out the other's commands. Most likely a configuration was copied: " +
    `give each node its own mqtt.baseTopic, such as ${topics.base}/${owner.node}${past}`;
  const next = "edgepoll config explain mqtt.baseTopic";
  return [{ kind: "other-node", where: topics.base, text, next }];
}

/** The options of mosquitto_pub that name the broker. */
function addressOf(broker: BrokerConfig | undefined): string {
  if (broker === undefined) return "";
  const { host, port } = broker.kind === "embedded" ? broker : hostAndPort(broker.url);
  return ` -h ${shellWord(host)} -p ${String(port)}`;
}

function hostAndPort(url: string): { host: string; port: string } {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? "1883" : port };
}

/** The other process that wrote who it is, in words. */
function writerOf(
  info: RetainedTopic | undefined,
  { node, clientId, started }: BrokerOwner,
  state: string | undefined,
): string | undefined {
  const { writer } = info ?? {};
  if (info?.node === undefined || writer === undefined) return undefined;
  const is = `node ${info.node} (client id ${writer.clientId}, pid ${String(writer.pid)} of its machine, started ${new Date(writer.started).toISOString()})`;
  const isOther = info.node !== node || (clientId !== undefined && writer.clientId !== clientId);
  if (isOther) return is;
  if (started !== undefined) return writer.started === started ? undefined : is;
  // No node runs here, and the broker has not heard that it ended.
  return state === "online" ? is : undefined;
}

function goneFinding(topic: string): AuditFinding {
  const text =
    `${topic} is retained by the broker and belongs to nothing in the configuration: ` +
    "subscribers take it for the present. Most likely its gateway was renamed or removed while no node ran " +
    "(the next start clears it then), or it was left by another state directory";
  return { kind: "retained-topic", where: topic, text, next: "edgepoll audit --clean" };
}

function objectOf(payload: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(payload);
    // Any object can be looked at by key.
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
