/** A TCP proxy that does damage on the way, with a log of all that passed, both directions. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { Pipe, type Damage } from "./fault-proxy-pipe.ts";

/** `up`: from the client to the server, `down`: back. */
export type Direction = "up" | "down";

/** One line of the wire log; `t` is CLOCK_MONOTONIC in ms, `conn` numbers the connections from 1. */
export type WireLine = { readonly t: number; readonly conn: number } & (
  | { readonly event: "open" | "close" }
  /** The side that `direction` comes from has ended its connection. */
  | { readonly event: "fin" | "rst"; readonly direction: Direction }
  /** What came into the proxy, and what of it went out. */
  | { readonly event: "in"; readonly direction: Direction; readonly bytes: Buffer }
  | { readonly event: "out"; readonly direction: Direction; readonly bytes: Buffer }
);

/** A proxy that runs. */
export interface FaultProxy {
  readonly port: number;
  readonly log: readonly WireLine[];
  /** Replaces what is done in a direction, now and on connections to come; `{}`: nothing. What was held goes on. */
  damage(direction: Direction, damage: Damage): void;
  /** Ends every connection, both sides. */
  cut(how: "fin" | "rst"): void;
  /** Settles when the log so far meets a condition. */
  until(met: (log: readonly WireLine[]) => boolean): Promise<void>;
}

interface Pair {
  readonly sides: readonly [Socket, Socket];
  readonly pipes: Readonly<Record<Direction, Pipe>>;
}

/** Starts a proxy in front of a port of the loopback address; it ends with the test. */
export async function startFaultProxy(
  test: Pick<TestContext, "after">,
  target: number,
): Promise<FaultProxy> {
  const log: WireLine[] = [];
  const watchers = new Set<() => void>();
  const pairs = new Set<Pair>();
  const damages: Record<Direction, Damage> = { up: {}, down: {} };
  let connections = 0;
  const note = (line: Unstamped<WireLine>): void => {
    log.push({ t: performance.now(), ...line });
    for (const look of watchers) look();
  };

  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const conn = (connections += 1);
    const device = connect({ port: target, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    note({ conn, event: "open" });
    const pipe = (direction: Direction, from: Socket, to: Socket): Pipe =>
      new Pipe({ from, to, damage: damages[direction] }, (event, bytes) => {
        if (event === "in") note({ conn, event, direction, bytes });
        else if (event === "out") note({ conn, event, direction, bytes });
        else note({ conn, event, direction });
      });
    const up = pipe("up", client, device);
    const down = pipe("down", device, client);
    const pair: Pair = { sides: [client, device], pipes: { up, down } };
    pairs.add(pair);
    void Promise.all([closed(client), closed(device)]).then(() => {
      pairs.delete(pair);
      note({ conn, event: "close" });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  test.after(async () => {
    for (const { sides } of pairs) for (const side of sides) side.destroy();
    server.close();
    await once(server, "close");
  });
  return {
    // A TCP server's address is never the text that a pipe's is.
    port: (server.address() as AddressInfo).port,
    log,
    damage: (direction, damage) => {
      damages[direction] = damage;
      for (const { pipes } of pairs) pipes[direction].suffer(damage);
    },
    cut: (how) => {
      for (const { sides } of pairs) {
        for (const side of sides) {
          if (how === "fin") side.end();
          else side.resetAndDestroy();
        }
      }
    },
    until: (met) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!met(log)) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
  };
}

type Unstamped<Line> = Line extends unknown ? Omit<Line, "t"> : never;

/** Settles when a socket is closed, be it by an error. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => {
      resolve();
    });
  });
}
