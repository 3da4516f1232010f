/** A TCP socket as a wire. */
import { connect, type LookupFunction, type Socket, type TcpNetConnectOpts } from "node:net";
import type { Dial, Wire, WireEvents } from "./wire.ts";

const KEEP_ALIVE_AFTER = 10_000;
/** More than any answer takes. */
const READ_BUFFER = 512;

/** Where a socket goes. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** Resolves a host that is a name. */
  readonly lookup: LookupFunction;
}

/** Connects to a host and port. */
export function dialTcp(target: Target): Dial {
  return (events, timeout) => {
    const socket = connect(socketOptions(target, events, timeout));
    let isOpen = false;
    socket.once("connect", () => {
      isOpen = true;
      events.opened();
    });
    return socketWire(socket, events, () => {
      // With a reset, what a device answers when it wakes later fails on its side too. A socket
      // still connecting would first finish its connect in order to be reset.
      if (isOpen) socket.resetAndDestroy();
      else socket.destroy();
    });
  };
}

/** Options of `net.connect` that `tls.connect` takes as well. */
export function socketOptions(
  { host, port, lookup }: Target,
  events: WireEvents,
  timeout: number,
): TcpNetConnectOpts {
  return {
    host,
    port,
    lookup,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_AFTER,
    // Of a name with several addresses the second must get its chance within the deadline.
    autoSelectFamilyAttemptTimeout: Math.max(10, Math.ceil(timeout / 2)),
    onread: {
      buffer: Buffer.allocUnsafe(READ_BUFFER),
      callback: (count, buffer) => events.received(buffer.subarray(0, count)),
    },
  };
}

/** A socket as a wire; `drop` frees it. */
export function socketWire(socket: Socket, events: WireEvents, drop: () => void): Wire {
  socket.on("error", (error) => {
    events.lost(error);
  });
  socket.once("end", () => {
    events.ended();
  });
  return {
    gone: "connection closed by the device before it answered",
    closed: new Promise((resolve) =>
      socket.once("close", () => {
        resolve();
      }),
    ),
    send: (frame) => {
      socket.write(frame);
    },
    // Before immediates are called the event loop has looked at all sockets.
    clear: () => new Promise((resolve) => setImmediate(resolve)),
    release: () => {
      socket.end();
    },
    drop,
  };
}
