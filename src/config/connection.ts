/** Where a gateway is reached, as written in `connection`. */
import { isIPv4, isIPv6 } from "node:net";
import type { Connection } from "../core/model.ts";
import { MODELS } from "../core/models.ts";
import { similar } from "./similar.ts";

/** The connection, or what is wrong with it and what is allowed; the text does not repeat the value. */
export type ParsedConnection = { readonly connection: Connection } | { readonly fault: string };

const MODBUS_PORT = 502;
const SCHEMES = ["tcp", "simulator"];
const LATER_SCHEMES = ["serial", "rtu+tcp", "tls"];
const TCP = /^(?:\[([^\]]+)\]|([A-Za-z0-9][A-Za-z0-9._-]{0,252}))(?::(\d{1,5}))?$/;

/** Reads `tcp://host[:port]` or `simulator://model`. */
export function parseConnection(text: string): ParsedConnection {
  const [, scheme, rest] = /^([a-z0-9+]+):\/\/(.*)$/is.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) {
    return { fault: "must be tcp://host:port or simulator://model" };
  }
  if (scheme === "tcp") return parseTcp(rest);
  if (scheme === "simulator") return parseSimulator(rest);
  if (LATER_SCHEMES.includes(scheme)) {
    return {
      fault: `names ${scheme}://, which is not in this version yet; tcp:// and simulator:// are`,
    };
  }
  return { fault: `must begin with tcp:// or simulator://${meant(scheme, SCHEMES, "://")}` };
}

function parseTcp(rest: string): ParsedConnection {
  const [, bracketed, name, portText] = TCP.exec(rest) ?? [];
  const host = bracketed ?? name;
  if (host === undefined) {
    return { fault: "must be tcp://host or tcp://host:port, an IPv6 address in brackets" };
  }
  if (bracketed !== undefined && !isIPv6(bracketed)) {
    return { fault: "must have an IPv6 address within the brackets" };
  }
  if (/^[\d.]+$/.test(host) && !isIPv4(host)) {
    return { fault: "must have a host name or an IPv4 address of four numbers from 0 to 255" };
  }
  const port = portText === undefined ? MODBUS_PORT : Number(portText);
  if (port < 1 || port > 65_535) return { fault: "must have a port from 1 to 65535" };
  const shown = bracketed === undefined ? host : `[${host}]`;
  return { connection: { kind: "tcp", url: `tcp://${shown}:${String(port)}`, host, port } };
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
