/** A link for each kind of connection. */
import type { Connection, Gateway } from "../core/model.ts";
import type { Clock } from "../core/ports.ts";
import type { ConnectingLink } from "../modbus/connecting-link.ts";
import type { Names } from "../modbus/names.ts";
import { openSerialLink } from "../modbus/serial-link.ts";
import { openRtuTcpLink, openTcpLink, openTlsLink } from "../modbus/tcp-link.ts";
import { exactWait } from "../system/exact-wait.ts";
import { random } from "../system/random.ts";

/** A connection as it is made: a simulator is a host and port by then. */
export type Reachable = Exclude<Connection, { kind: "simulator" }>;

/** What links work with, and what belongs to their endpoint. */
export interface LinkParts {
  readonly tls: Gateway["tls"] | undefined;
  readonly maxAnswerTime: number | undefined;
  /** Whether a line without ids is known to have been left silent. */
  readonly isSilent: boolean;
  readonly clock: Clock;
  readonly names: Names;
  /** Longest wait between failed connects, ms. */
  readonly maxBackoff: number;
  /** ms that a device needs after a connect before it is asked. */
  readonly afterConnect: number;
}

/** The link to an endpoint; it connects when it is first read from. */
export function openLink(connection: Reachable, parts: LinkParts): ConnectingLink {
  const { clock, names, maxBackoff, afterConnect, maxAnswerTime, isSilent, tls = {} } = parts;
  const common = { clock, maxBackoff, afterConnect, random };
  const line = { ...common, maxAnswerTime, isSilent, waitUntil: exactWait(clock) };
  if (connection.kind === "serial") return openSerialLink({ ...line, connection });
  const { kind, host, port } = connection;
  const target = { host, port, names };
  if (kind === "rtu+tcp") return openRtuTcpLink({ ...line, ...target });
  if (kind === "tls") return openTlsLink({ ...common, ...target, files: tls });
  return openTcpLink({ ...common, ...target });
}
