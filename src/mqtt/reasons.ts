/** Why a connection ended or did not come about, in words. */
import mqtt from "mqtt";

/** CONNACK codes that mean "not this protocol version": MQTT 3.1.1 (3.2.2.3), MQTT 5 (3.2.2.2). */
const VERSION_REFUSALS: readonly unknown[] = [0x01, 0x84];
const REFUSED = "Connection refused: ";

const SYSTEM: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  ENOTFOUND: "host name unknown",
  EAI_AGAIN: "host name can't be resolved now",
  ETIMEDOUT: "time-out of the connect",
};

/** Whether the broker refused a connect because it does not speak the protocol version. */
export function refusesVersion(error: Error): boolean {
  return error.message.startsWith(REFUSED) && VERSION_REFUSALS.includes(codeOf(error));
}

/** An error of the connection, such as `not authorized (CONNACK 5)` or `connection refused`. */
export function reasonOf(error: Error): string {
  const code = codeOf(error);
  if (error.message.startsWith(REFUSED)) {
    return `${error.message.slice(REFUSED.length).toLowerCase()} (CONNACK ${String(code)})`;
  }
  const known = typeof code === "string" ? SYSTEM[code] : undefined;
  // Node gives no message of its own to a connect that failed on several addresses.
  return known ?? (error.message === "" ? String(code) : error.message);
}

/** Reason codes of a DISCONNECT that may be due to what we sent, and not to the broker's own affairs (MQTT 5, 3.14.2.1). */
const OBJECTIONS: readonly unknown[] = [0x80, 0x81, 0x82, 0x83, 0x87, 0x90, 0x95, 0x97, 0x99, 0x9a];

/** Whether the broker may have ended the connection because of a message of ours, by its DISCONNECT. */
export function isObjection(code: number | undefined): boolean {
  return OBJECTIONS.includes(code);
}

/** Whether the other side ended the connection without a word. */
export function isReset(error: Error): boolean {
  return ["ECONNRESET", "EPIPE"].includes(String(codeOf(error)));
}

/** A DISCONNECT the broker sent (MQTT 5, 3.14), such as `ended by the broker: session taken over`. */
export function reasonOfDisconnect(code: number | undefined): string {
  const words: Readonly<Record<number, string>> = mqtt.ReasonCodes;
  const word = words[code ?? 0] ?? "";
  return word === "" ? "ended by the broker" : `ended by the broker: ${word.toLowerCase()}`;
}

function codeOf(error: Error): unknown {
  return "code" in error ? error.code : undefined;
}
