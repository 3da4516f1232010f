/** Links to serial lines. */
import type { SerialConnection } from "../core/model.ts";
import { characterTime, frameSilence } from "../core/request-cost.ts";
import { ConnectingLink, type LinkOptions } from "./connecting-link.ts";
import { Connection } from "./connection.ts";
import { Line, type LineManners } from "./line.ts";
import { RtuPort } from "./rtu-port.ts";
import { dialSerial } from "./serial-wire.ts";
import type { PortHost } from "./strict-port.ts";
import type { Dial } from "./wire.ts";

/** Which line, and what it needs. */
export interface SerialLinkOptions
  extends LinkOptions, Pick<LineManners, "maxAnswerTime" | "isSilent" | "waitUntil"> {
  readonly connection: SerialConnection;
}

/** A link to a serial line; opens it at the first read, and again when a read finds it gone. */
export function openSerialLink(options: SerialLinkOptions): ConnectingLink {
  return lineLink(options, dialSerial(options.connection));
}

/** A link to a line with these settings, whatever carries its bytes. */
export function lineLink(options: SerialLinkOptions, dial: Dial): ConnectingLink {
  const { connection, clock, maxAnswerTime, isSilent, waitUntil } = options;
  const line = new Line(clock, {
    silence: frameSilence(connection),
    character: characterTime(connection),
    dropsInDoubt: false,
    ...{ maxAnswerTime, isSilent, waitUntil },
  });
  const parts = { clock, dial, line, port: (host: PortHost) => new RtuPort(host) };
  return new ConnectingLink(
    {
      connect: (timeout) => new Connection(parts, timeout),
      line,
      stuck: `the driver of ${connection.path} does not come back from opening or closing it`,
    },
    options,
  );
}
