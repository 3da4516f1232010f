/** Commands as they come in over MQTT or the control socket, and their replies. */

/** The verbs of this version. */
export const VERBS = ["start", "stop", "enable", "status", "validate", "audit", "reload"] as const;

/** One of `VERBS`. */
export type Verb = (typeof VERBS)[number];

/** Verbs that are part of the interface and not in this version. */
const LATER = ["poll", "read", "write"];

/** Keys that every command may have, and those of single verbs beside them. */
const KEYS = ["gateway", "transaction", "expiresAt"];
const OWN_KEYS: Partial<Record<Verb, readonly string[]>> = {
  enable: ["device", "forget"],
  validate: ["since"],
  audit: ["clean"],
};

/** Verbs that are for all gateways when they name none. */
const FOR_ALL: readonly Verb[] = ["status", "validate", "audit", "reload"];

/** Longest transaction, characters. */
const LONGEST_TRANSACTION = 128;

const ID = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** Why a command was not carried out. */
export type Refusal =
  | "malformed"
  | "unknown_key"
  | "unknown_verb"
  | "not_supported"
  | "gateway_required"
  | "gateway_unknown"
  | "gateway_disabled"
  | "device_unknown"
  | "expired"
  | "busy"
  | "config_refused"
  | "store_failed"
  | "internal";

/** A command that can be carried out. */
export interface Command {
  readonly verb: Verb;
  /** Ids, or all. */
  readonly gateways: readonly string[] | "*";
  /** Devices of these gateways; without them all are meant. */
  readonly devices?: readonly string[];
  /** Of `enable`: what polls found out about them is forgotten. */
  readonly forget?: boolean;
  readonly transaction?: string;
  /** Wall time in ms. */
  readonly expiresAt?: number;
  /** Wall time in ms; of `validate`. */
  readonly since?: number;
  /** Whether what is safe to remove is to be removed; of `audit`. */
  readonly clean?: boolean;
}

/** Raised inside command handling; becomes the error of the reply. */
export class Refused extends Error {
  readonly code: Refusal;

  constructor(code: Refusal, message: string) {
    super(message);
    this.code = code;
  }
}

/** The answer to a command. */
export interface Reply {
  readonly node: string;
  readonly status: "ok" | "error";
  readonly data?: unknown;
  readonly error?: { readonly code: Refusal; readonly message: string };
  readonly transaction?: string;
}

/** Whether the text is an id of a gateway, device or point. */
export function isId(text: string): boolean {
  return ID.test(text);
}

/** Gateways that are named to somebody who named none of them. */
const MOST_LISTED = 20;

/** The gateways a command is for. Throws `Refused` for one that is not configured or not enabled. */
export function targetsOf(
  wanted: Command["gateways"],
  known: readonly string[],
  disabled: readonly string[],
): string[] {
  if (wanted === "*") return [...known];
  for (const id of wanted) {
    if (known.includes(id)) continue;
    if (disabled.includes(id)) {
      throw new Refused("gateway_disabled", `${id} has "enabled: false" in the configuration`);
    }
    throw new Refused(
      "gateway_unknown",
      `there is no gateway ${id}; there ${known.length === 1 ? "is" : "are"} ${listed(known)}`,
    );
  }
  return [...wanted];
}

/** Ids, the first of many. */
function listed(ids: readonly string[]): string {
  const rest = ids.length - MOST_LISTED;
  const shown = ids.slice(0, MOST_LISTED).join(", ");
  return rest > 0 ? `${shown} and ${String(rest)} more` : shown;
}

/** The verb of its name; throws `Refused`. */
export function verbOf(name: string): Verb {
  const verb = VERBS.find((known) => known === name);
  if (verb !== undefined) return verb;
  if (LATER.includes(name)) throw new Refused("not_supported", `${name} is not in this version`);
  throw new Refused("unknown_verb", `there is no command "${name}"; there are ${VERBS.join(", ")}`);
}

/** The object of a command's payload: JSON, or a bare gateway id. Throws `Refused`. */
export function fieldsOf(payload: string): Record<string, unknown> {
  const text = payload.trim();
  if (text === "") {
    throw new Refused(
      "malformed",
      'the payload is empty; send {"gateway":"ID"}, or {"gateway":"*"} for all',
    );
  }
  if (isId(text)) return { gateway: text };
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    throw new Refused("malformed", "the payload is neither a JSON object nor a gateway id");
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    throw new Refused("malformed", "the payload is not a JSON object");
  }
  // A JSON object that is no array has string keys.
  return fields as Record<string, unknown>;
}

/** The transaction of a payload, if it has a usable one: a reply echoes it even when the rest is wrong. */
export function transactionOf(fields: Record<string, unknown>): string | undefined {
  // Any object can be looked at by key.
  const { transaction } = fields as { transaction?: unknown };
  const usable =
    typeof transaction === "string" &&
    transaction !== "" &&
    transaction.length <= LONGEST_TRANSACTION;
  return usable ? transaction : undefined;
}

/** Checks the fields of a command; throws `Refused`. */
export function commandOf(verb: Verb, fields: Record<string, unknown>): Command {
  refuseStrangers(verb, fields);
  const transaction = transactionOf(fields);
  if (fields["transaction"] !== undefined && transaction === undefined) {
    throw new Refused("malformed", "transaction must be a text of 1 to 128 characters");
  }
  const expiresAt = timeOf(fields, "expiresAt");
  const since = timeOf(fields, "since");
  const clean = flagOf(fields, "clean");
  const device = fields["device"];
  return {
    verb,
    gateways: gatewaysOf(verb, fields["gateway"]),
    ...(device === undefined ? {} : { devices: idsOf("device", device) }),
    ...forgetOf(fields),
    ...(transaction === undefined ? {} : { transaction }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(since === undefined ? {} : { since }),
    ...(clean === undefined ? {} : { clean }),
  };
}

function forgetOf({ forget }: { readonly forget?: unknown }): { forget?: boolean } {
  if (forget === undefined) return {};
  if (typeof forget === "boolean") return { forget };
  throw new Refused("malformed", "forget must be true or false");
}

function timeOf(fields: Record<string, unknown>, key: string): number | undefined {
  const time = fields[key];
  if (time === undefined || (typeof time === "number" && Number.isFinite(time))) return time;
  throw new Refused("malformed", `${key} must be a time in ms since 1970`);
}

function flagOf(fields: Record<string, unknown>, key: string): boolean | undefined {
  const flag = fields[key];
  if (flag === undefined || typeof flag === "boolean") return flag;
  throw new Refused("malformed", `${key} must be true or false`);
}

function gatewaysOf(verb: Verb, gateway: unknown): readonly string[] | "*" {
  if (gateway === undefined && FOR_ALL.includes(verb)) return "*";
  if (gateway === undefined) {
    throw new Refused(
      "gateway_required",
      `${verb} needs "gateway": an id, a list of ids, or "*" for all`,
    );
  }
  return gateway === "*" ? "*" : idsOf("gateway", gateway);
}

function idsOf(key: "gateway" | "device", value: unknown): readonly string[] {
  const ids: unknown[] = Array.isArray(value) ? value : [value];
  if (ids.length === 0 || !ids.every((id): id is string => typeof id === "string" && isId(id))) {
    const all = key === "gateway" ? ', or "*" for all' : "";
    throw new Refused("malformed", `${key} must be an id, or a list of ids${all}`);
  }
  return [...new Set(ids)];
}

function refuseStrangers(verb: Verb, fields: Record<string, unknown>): void {
  const known = [...KEYS, ...(OWN_KEYS[verb] ?? [])];
  if (verb === "reload" && fields["gateway"] !== undefined && fields["gateway"] !== "*") {
    const text = "reload takes the whole configuration; leave gateway out";
    throw new Refused("not_supported", text);
  }
  const stranger = Object.keys(fields).find((key) => !known.includes(key));
  if (stranger === undefined) return;
  const text = `there is no key "${stranger}"; ${verb} takes ${known.join(", ")}`;
  throw new Refused("unknown_key", text);
}
