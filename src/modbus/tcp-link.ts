/** Links to endpoints on the network: Modbus TCP, the same over TLS, and RTU frames over TCP. */
import type { TlsFiles } from "../core/model.ts";
import { ConnectingLink, type LinkOptions } from "./connecting-link.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import { HostLookup } from "./host-lookup.ts";
import { Line, type LineManners } from "./line.ts";
import type { Names } from "./names.ts";
import { RtuPort } from "./rtu-port.ts";
import { StrictPort, type Port, type PortHost } from "./strict-port.ts";
import { dialTcp, type Target } from "./tcp-wire.ts";
import { dialTls } from "./tls-wire.ts";
import type { Dial } from "./wire.ts";

/** The silence that is kept above 19,200 baud (Modbus over Serial Line 2.5.1.1); the way to the line adds to it. */
const SILENCE = 1.75;

/** Where a link goes, and what it needs. */
export interface TcpLinkOptions extends LinkOptions {
  readonly host: string;
  readonly port: number;
  readonly names: Names;
}

/** What a line behind a converter needs besides. */
export type RtuTcpLinkOptions = TcpLinkOptions &
  Pick<LineManners, "maxAnswerTime" | "isSilent" | "waitUntil">;

/** A link to a Modbus TCP endpoint; connects at the first read, and again when a read finds it lost. */
export function openTcpLink(options: TcpLinkOptions): ConnectingLink {
  return networkLink(options, dialTcp, { port: withIds(options) });
}

/** The same over TLS. The files are read at each connect, so that renewed certificates count. */
export function openTlsLink(
  options: TcpLinkOptions & { readonly files: TlsFiles },
): ConnectingLink {
  const { files } = options;
  return networkLink(options, (target) => dialTls(target, files), { port: withIds(options) });
}

/** A link to a line behind a converter that passes bytes through. */
export function openRtuTcpLink(options: RtuTcpLinkOptions): ConnectingLink {
  const { clock, maxAnswerTime, isSilent, waitUntil } = options;
  const manners = { silence: SILENCE, character: 0, dropsInDoubt: true };
  const line = new Line(clock, { ...manners, maxAnswerTime, isSilent, waitUntil });
  return networkLink(options, dialTcp, { port: (host) => new RtuPort(host), line });
}

function networkLink(
  options: TcpLinkOptions,
  dialTo: (target: Target) => Dial,
  framing: Pick<ConnectionOptions, "port" | "line">,
): ConnectingLink {
  const { host, port, names, clock } = options;
  const lookup = new HostLookup(names, host);
  const dial = dialTo({ host, port, lookup: lookup.lookup });
  return new ConnectingLink(
    {
      connect: (timeout) => new Connection({ clock, dial, ...framing }, timeout),
      line: framing.line,
      refusal: () => lookup.refusal(),
      stuck: "the old socket does not close",
    },
    options,
  );
}

/** Ids go on from connection to connection, so that an answer from an old one never fits a new one. */
function withIds({ random }: LinkOptions): (host: PortHost) => Port {
  let next = Math.floor(random() * 0x10000);
  const takeId = (): number => {
    const id = next;
    next = (id + 1) & 0xffff;
    return id;
  };
  return (host) => new StrictPort(host, takeId);
}
