/** Where a gateway is reached, as written in `connection`. */
import { isIPv4, isIPv6 } from "node:net";
import type { Connection } from "../core/model.ts";
import { MODELS } from "../core/models.ts";
import { parseSerial } from "./serial-connection.ts";
import { similar } from "./similar.ts";

/** The connection, or what is wrong with it and what is allowed; the text does not repeat the value. */
export type ParsedConnection = { readonly connection: Connection } | { readonly fault: string };

/** Registered ports of Modbus and of Modbus over TLS (Modbus/TCP Security 2.3). */
const PORTS = { tcp: 502, "rtu+tcp": 502, tls: 802 } as const;
const SCHEMES = ["tcp", "rtu+tcp", "tls", "serial", "simulator"];
const NETWORK = /^(?:\[([^\]]+)\]|([A-Za-z0-9][A-Za-z0-9._-]{0,252}))(?::(\d{1,5}))?$/;

/** What `connection` may be. */
export const CONNECTION =
  "must be tcp://host:port, rtu+tcp://host:port, tls://host:port, serial:///dev/…?baud=9600 or " +
  "simulator://model";

/** Reads a connection; the port is 502 unless given, 802 for TLS. */
export function parseConnection(text: string): ParsedConnection {
  const [, scheme, rest] = /^([a-z0-9+]+):\/\/(.*)$/is.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) return { fault: CONNECTION };
  if (scheme === "tcp" || scheme === "rtu+tcp" || scheme === "tls") {
    return parseNetwork(scheme, rest);
  }
  if (scheme === "serial") return parseSerial(rest);
  if (scheme === "simulator") return parseSimulator(rest);
  const schemes = SCHEMES.map((known) => `${known}://`);
  const list = `${schemes.slice(0, -1).join(", ")} or ${schemes.at(-1) ?? ""}`;
  return { fault: `must begin with ${list}${meant(scheme, SCHEMES, "://")}` };
}

function parseNetwork(kind: keyof typeof PORTS, rest: string): ParsedConnection {
  const [, bracketed, name, portText] = NETWORK.exec(rest) ?? [];
  const host = bracketed ?? name;
  if (host === undefined) {
    const settings = rest.includes("?") ? "; settings such as baud belong to serial://" : "";
    const form = `must be ${kind}://host or ${kind}://host:port, an IPv6 address in brackets`;
    return { fault: form + settings };
  }
  if (bracketed !== undefined && !isIPv6(bracketed)) {
    return { fault: "must have an IPv6 address within the brackets" };
  }
  if (/^[\d.]+$/.test(host) && !isIPv4(host)) {
    return { fault: "must have a host name or an IPv4 address of four numbers from 0 to 255" };
  }
  const port = portText === undefined ? PORTS[kind] : Number(portText);
  if (port < 1 || port > 65_535) return { fault: "must have a port from 1 to 65535" };
  const shown = bracketed === undefined ? host : `[${host}]`;
  return { connection: { kind, url: `${kind}://${shown}:${String(port)}`, host, port } };
}

function parseSimulator(model: string): ParsedConnection {
  if (!MODELS.some((known) => known === model)) {
    const models = MODELS.join(", ");
    return { fault: `must name a simulated device: ${models}${meant(model, MODELS, "")}` };
  }
  return { connection: { kind: "simulator", url: `simulator://${model}`, model } };
}

function meant(word: string, words: readonly string[], suffix: string): string {
  const guess = similar(word, words);
  return guess === undefined ? "" : ` (did you mean ${guess}${suffix}?)`;
}
