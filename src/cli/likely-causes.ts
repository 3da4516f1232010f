/** What mostly stands behind a failure, by the kind of connection, and what to try next. */
import type { Connection, SerialConnection } from "../core/model.ts";
import { shellWord } from "../core/shell.ts";

/** Settings that most devices on lines have. */
export const COMMON = "--baud 9600,19200,38400 --parity none,even,odd";

/** What speaks the other framing, on a port where this one was tried. */
const FRAMED_OTHERWISE = {
  "rtu+tcp": "a gateway that speaks Modbus TCP (tcp://)",
  tcp: "a converter that passes RTU frames through (rtu+tcp://)",
};

/** How a connection says that it broke, and why. */
const ENDED = /^connection closed by the device before it answered \((?<cause>.*)\)$/s;

/** That a unit gave no answer to a request that was sent. */
export function silenceText(connection: Connection, unitId: number, detail: string): string {
  if (connection.kind === "serial" && detail.includes("went away")) {
    return `lost its line: ${detail}; was the adapter unplugged?`;
  }
  if (connection.kind === "tls" && ENDED.test(detail)) {
    return `ends the connection: ${detail.replace(ENDED, "$<cause>")}`;
  }
  const silent = `unit ${String(unitId)} is silent (${detail})`;
  switch (connection.kind) {
    case "serial":
      return (
        `is open, but ${silent}: a wrong unit id, other settings than ${settingsText(connection)}, ` +
        "A and B swapped, a missing termination, or a device without power"
      );
    case "rtu+tcp":
      return (
        `is connected, but ${silent}: a wrong unit id, other line settings in the converter, A and B ` +
        `swapped, a device without power, or ${FRAMED_OTHERWISE[connection.kind]}`
      );
    case "tcp":
      return (
        `is connected, but ${silent}: mostly a wrong unit id, a device that is off behind a gateway, ` +
        `or ${FRAMED_OTHERWISE[connection.kind]}`
      );
    default:
      return `is connected, but ${silent}: mostly a wrong unit id, or a device that is off behind a gateway`;
  }
}

/** What mostly stands behind a scan that found no unit. */
export function emptyScanCauses({ kind }: Connection): string {
  switch (kind) {
    case "serial":
      return "A and B swapped, other settings, no power, or units that take longer (--timeout)";
    case "rtu+tcp":
      return (
        "other unit ids, other line settings in the converter, A and B swapped, units that take longer " +
        `(--timeout), or ${FRAMED_OTHERWISE[kind]}`
      );
    case "tcp":
      return `other unit ids, slow devices behind a gateway, or ${FRAMED_OTHERWISE[kind]}`;
    default:
      return "other unit ids, or slow devices behind a gateway";
  }
}

/** The scheme of the other framing, where what came is known to be in it. */
export function otherFraming({ kind }: Connection, detail: string): string | undefined {
  if (kind !== "tcp" && kind !== "rtu+tcp") return undefined;
  const other = kind === "tcp" ? "rtu+tcp" : "tcp";
  return detail.includes(` ${other}://`) ? other : undefined;
}

/** That something came which is no answer to the request, or that others talk all the time. */
export function garbledText(connection: Connection, detail: string): string {
  if (connection.kind !== "serial" && connection.kind !== "rtu+tcp") {
    return `answered with something that is no Modbus/TCP answer to this request: ${detail}`;
  }
  if (detail.startsWith("no silence")) {
    return `is never silent (${detail}): another master, or noise on a line without bias and termination`;
  }
  if (detail.includes("late answer")) {
    return `got an answer that may not be its own (${detail}): a slow device; try again`;
  }
  const settings =
    connection.kind === "serial"
      ? `other settings than ${settingsText(connection)}`
      : "other line settings in the converter";
  return detail.startsWith("checksum")
    ? `got a damaged answer (${detail}): noise, a missing termination, two devices with one unit id, or ${settings}`
    : `got something that is no answer to this request (${detail}): ${settings}, two devices with one unit id, or noise`;
}

/** That there is no connection; a line says itself why. */
export function unreachableText({ kind }: Connection, detail: string): string {
  if (kind === "serial") return `can't be used: ${detail}`;
  if (detail.includes("ECONNREFUSED"))
    return "refuses the connection: nothing listens on this port; is it the right one, and is Modbus TCP switched on there?";
  if (/ENOTFOUND|EAI_AGAIN/.test(detail))
    return "has a host name that can't be resolved: misspelt, or the name server does not know it; try its address";
  return /EHOST|ENET|ETIMEDOUT|no connection within/.test(detail)
    ? `can't be connected (${detail}): wrong host, a firewall, ${kind === "tls" ? "no TLS on this port, " : ""}or the device is off`
    : `can't be connected: ${detail}`;
}

/** The command that tells more about a unit that gave no good answer, in the words that were typed; undefined when there is none. */
export function nextLook(
  { connection, typed = connection.url }: { connection: Connection; typed?: string },
  { unitId, reason, detail }: { unitId: number; reason: string; detail: string },
): string | undefined {
  const { kind } = connection;
  const unit = `--units ${String(unitId)}`;
  const other = otherFraming(connection, detail);
  if (other !== undefined) {
    return `edgepoll scan ${shellWord(`${other}${typed.slice(kind.length)}`)} ${unit}`;
  }
  if (reason === "bad_frame" && kind === "serial") {
    return `edgepoll scan ${shellWord(`serial://${connection.path}`)} ${unit} ${COMMON}`;
  }
  if (kind === "tls" && /tls\.(ca|cert)/.test(detail)) {
    return "edgepoll read GATEWAY/DEVICE, with a configuration whose gateway has these keys";
  }
  const isSilent = reason === "timeout" && !detail.includes("went away");
  if (!isSilent || kind === "tls" || kind === "simulator") return undefined;
  return `edgepoll scan ${shellWord(typed)}`;
}

/** How a line is spoken, in words. */
export function settingsText({ baud, parity, stopBits }: SerialConnection): string {
  const stop = stopBits === 1 ? "1 stop bit" : `${String(stopBits)} stop bits`;
  const bits = parity === "none" ? "no parity" : `${parity} parity`;
  return `${String(baud)} baud, ${bits} and ${stop}`;
}
