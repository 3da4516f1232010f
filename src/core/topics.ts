/** Topic names: the only place that knows them. All below the base topic. */

/** The topics of a node under its base topic. */
export interface Topics {
  readonly base: string;
  readings(gateway: string, device: string): string;
  gaps(gateway: string): string;
  health(gateway: string): string;
  availability(gateway: string, device?: string): string;
  meta(gateway: string): string;
  readonly nodeState: string;
  readonly nodeInfo: string;
  readonly nodeHealth: string;
  readonly nodeEvents: string;
  /** Filter of all commands. */
  readonly commands: string;
  /** The verb of a command topic, undefined if it is none. */
  verbOf(topic: string): string | undefined;
  reply(verb: string): string;
  /** Filters of what a node retains, without what lies deeper below the base topic: that may be another node's. */
  readonly retained: readonly string[];
}

/** Builds the topics of a base topic. */
export function topicsOf(base: string): Topics {
  const commandPrefix = `${base}/cmd/`;
  return {
    base,
    readings: (gateway, device) => `${base}/readings/${gateway}/${device}`,
    gaps: (gateway) => `${base}/gaps/${gateway}`,
    health: (gateway) => `${base}/health/${gateway}`,
    availability: (gateway, device) =>
      `${base}/availability/${gateway}${device === undefined ? "" : `/${device}`}`,
    meta: (gateway) => `${base}/meta/${gateway}`,
    nodeState: `${base}/node/state`,
    nodeInfo: `${base}/node/info`,
    nodeHealth: `${base}/node/health`,
    nodeEvents: `${base}/node/events`,
    commands: `${commandPrefix}+`,
    verbOf: (topic) => {
      const verb = topic.startsWith(commandPrefix) ? topic.slice(commandPrefix.length) : "";
      return verb === "" || verb.includes("/") ? undefined : verb;
    },
    reply: (verb) => `${base}/reply/${verb}`,
    retained: [
      ...["node/state", "node/info", "node/health", "health/+", "meta/+"],
      ...["availability/+", "availability/+/+", "readings/+/+"],
    ].map((below) => `${base}/${below}`),
  };
}

/**
 * Why a reply may not be sent to this response topic, undefined if it may: no wildcards
 * [MQTT-3.3.2-14], no `$` topics, and below the base topic only under `reply/`.
 */
export function responseTopicFault(topics: Topics, topic: string): string | undefined {
  if (topic === "") return "is empty";
  if (/[+#\0]/.test(topic)) return "has wildcards";
  if (topic.startsWith("$")) return "begins with $";
  const below = topic === topics.base || topic.startsWith(`${topics.base}/`);
  if (below && !topic.startsWith(`${topics.base}/reply/`)) return "lies under the base topic";
  return undefined;
}
