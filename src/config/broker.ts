/** Where the broker is, as written in `mqtt`. */
import { isIPv4 } from "node:net";

const SCHEMES = ["mqtt:", "ws:"];
const LATER_SCHEMES = ["mqtts:", "wss:"];
const ALLOWED = "must be embedded, mqtt://host:port or ws://host:port/path";

/** What is wrong with `mqtt.broker`, undefined if nothing; the text does not repeat the value. */
export function brokerFault(text: string): string | undefined {
  if (text === "embedded") return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || /\s/.test(text)) return ALLOWED;
  if (LATER_SCHEMES.includes(url.protocol)) {
    return `names ${url.protocol}//, which is not in this version yet; mqtt:// and ws:// are`;
  }
  if (!SCHEMES.includes(url.protocol) || url.hostname === "") return ALLOWED;
  if (url.username !== "" || url.password !== "") {
    return "must not hold a user or password; put them into mqtt.username and mqtt.password";
  }
  if (url.port === "0") return "must have a port from 1 to 65535";
  const path = url.protocol === "mqtt:" && url.pathname !== "" && url.pathname !== "/";
  return path || url.search !== "" || url.hash !== "" ? ALLOWED : undefined;
}

/** Whether only this machine can reach what listens on `host`. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

/** What is wrong with `mqtt.baseTopic`, undefined if nothing. */
export function baseTopicFault(text: string): string | undefined {
  if (text === "" || text.length > 200) return "must be a topic of 1 to 200 characters";
  // Control characters are not allowed in topics [MQTT-1.5.4-2 and its note].
  if (/[+#]|\p{Cc}/u.test(text)) return "must not hold + or # or control characters";
  if (text.startsWith("$")) return "must not begin with $, which is the broker's own";
  if (text.split("/").includes("")) {
    return "must not begin or end with / or hold //, which make empty levels";
  }
  return undefined;
}
