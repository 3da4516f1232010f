/** The bus with a broker of its own. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
import { PermissionError, UnavailableError } from "../../src/core/errors.ts";
import type { Bus, Log } from "../../src/core/ports.ts";
import { createEmbeddedBus } from "../../src/mqtt/embedded-bus.ts";
import { listen } from "../../src/mqtt/listen.ts";
import { createClock } from "../../src/system/clock.ts";
import { freePort } from "../support/mosquitto.ts";
import { busSuite } from "./bus.suite.ts";
import { messageTo, opened, recordingLog, startBusProcess, subscribe } from "./peers.ts";

const LIMIT = { timeout: 20_000 };

function embedded(port: number, log: Log = recordingLog().log, host = "127.0.0.1"): Bus {
  return createEmbeddedBus({
    ...{ host, port, log },
    commandFilter: "test/cmd/+",
    will: messageTo("test/node/state", "offline", { retain: true }),
    clock: createClock(),
  });
}

busSuite("embedded", async (log) => {
  const port = await freePort();
  const bus = embedded(port, log);
  return {
    bus,
    url: `mqtt://127.0.0.1:${String(port)}`,
    processArguments: ["embedded", String(await freePort())],
    remove: () => bus.close(),
  };
});

/** A test with a bus that is open on a free port. */
function withBus(body: (bus: Bus, port: number) => Promise<void>) {
  return async (t: TestContext): Promise<void> => {
    const port = await freePort();
    const bus = embedded(port);
    t.after(() => bus.close());
    await opened(bus);
    await body(bus, port);
  };
}

function urlOf(port: number): string {
  return `mqtt://127.0.0.1:${String(port)}`;
}

async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

describe("embedded: opening", LIMIT, () => {
  it("names the process that holds the port, and the setting that moves it", async (t) => {
    const port = await freePort();
    const holder = startBusProcess(t, "embedded", String(port), "hold");
    assert.equal(await holder.lines.next(), "online");
    await assert.rejects(embedded(port).open(), (error: unknown) => {
      assert.ok(error instanceof UnavailableError);
      assert.equal(error.code, "PORT_TAKEN");
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${String(port)}`));
      assert.match(error.message, new RegExp(`\\(pid ${String(holder.process.pid)}\\)`));
      assert.match(error.message, /mqtt\.embedded\.port/);
      return true;
    });
  });

  it("says so when the address is not one of this machine", async () => {
    await assert.rejects(embedded(await freePort(), undefined, "192.0.2.1").open(), {
      code: "ADDRESS_UNAVAILABLE",
      message: /192\.0\.2\.1.*mqtt\.embedded\.host/,
    });
  });

  it("says so when the port is not for this user", async () => {
    const server = createServer();
    server.listen = () => {
      const error = new Error("listen EACCES: permission denied 127.0.0.1:80");
      queueMicrotask(() => server.emit("error", Object.assign(error, { code: "EACCES" })));
      return server;
    };
    await assert.rejects(listen(server, "127.0.0.1", 80, createClock()), (error: unknown) => {
      assert.ok(error instanceof PermissionError);
      assert.match(error.message, /127\.0\.0\.1:80.*mqtt\.embedded\.port/);
      return true;
    });
  });

  it(
    "shows subscribers that the node is offline until it says otherwise",
    withBus(async (_bus, port) => {
      const { inbox, close } = await subscribe(urlOf(port), "test/node/state");
      assert.equal((await inbox.next()).payload.toString(), "offline");
      await close();
    }),
  );
});

describe("embedded: clients", LIMIT, () => {
  it(
    "that have not logged in are cut off by close",
    withBus(async (bus, port) => {
      const socket = await openSocket(port);
      socket.resume();
      // Who came later was answered: the socket was accepted.
      await (await subscribe(urlOf(port))).close();
      const before = performance.now();
      await bus.close();
      assert.ok(performance.now() - before < 1000);
    }),
  );

  it(
    "get all that is published at once, also when QoS and retain are mixed",
    withBus(async (bus, port) => {
      const { inbox, close } = await subscribe(urlOf(port), "test/x");
      const kinds = [{ retain: true }, { qos: 0 }, {}, { qos: 0, retain: true }] as const;
      const sent = Array.from({ length: 40 }, (_, i) =>
        messageTo("test/x", String(i), kinds[i % 4]),
      );
      await Promise.all(sent.map((message) => bus.publish(message)));
      for (const { payload } of sent) {
        assert.equal((await inbox.next()).payload.toString(), payload);
      }
      await close();
    }),
  );

  it(
    "are turned away beyond 256 connections, and the others go on",
    withBus(async (bus, port) => {
      const { inbox, close } = await subscribe(urlOf(port), "test/x");
      const sockets = await Promise.all(Array.from({ length: 255 }, () => openSocket(port)));
      const tooMany = await openSocket(port);
      if (!tooMany.closed) await once(tooMany, "close");
      // One that was let in is only cut off when its login does not come, and the first before the last.
      assert.equal(sockets[0]?.closed, false);
      await bus.publish(messageTo("test/x", "still here"));
      assert.equal((await inbox.next()).payload.toString(), "still here");
      sockets.forEach((socket) => socket.destroy());
      await close();
    }),
  );

  it(
    "that send garbage are dropped without harm",
    withBus(async (bus, port) => {
      for (const bytes of [
        "GET / HTTP/1.1\r\n\r\n",
        "\xff\xff\xff\xff\xff\xff",
        "\x10\x02\x00\x09",
      ]) {
        const socket = await openSocket(port);
        socket.end(Buffer.from(bytes, "latin1"));
        socket.resume();
        if (!socket.closed) await once(socket, "close");
      }
      await bus.publish(messageTo("test/x", "still here"));
    }),
  );

  it(
    "get no persistent session: nothing is queued for one that is away",
    withBus(async (bus, port) => {
      const options = { clean: false, clientId: "historian" };
      const first = await subscribe(urlOf(port), "test/readings/#", options);
      await first.close();
      await bus.publish(messageTo("test/readings/x", "while away"));
      const again = await subscribe(urlOf(port), "test/readings/#", options);
      await bus.publish(messageTo("test/readings/x", "while here"));
      assert.equal((await again.inbox.next()).payload.toString(), "while here");
      await again.close();
    }),
  );

  it(
    "without an id are refused unless their session is clean",
    withBus(async (_bus, port) => {
      // CONNECT of MQTT 3.1.1, keepalive 60, an empty id; the flags byte asks for a clean session or not.
      const connectPacket = (flags: string): Buffer =>
        Buffer.from(`100c00044d515454 04 ${flags} 003c 0000`.replaceAll(" ", ""), "hex");
      for (const [flags, answer] of [
        ["00", "20020002"],
        ["02", "20020000"],
      ] as const) {
        const socket = await openSocket(port);
        socket.write(connectPacket(flags));
        const [bytes] = (await once(socket, "data")) as [Buffer];
        assert.equal(bytes.toString("hex"), answer);
        socket.destroy();
      }
    }),
  );

  it(
    "may not publish below $SYS",
    withBus(async (_bus, port) => {
      const { client } = await subscribe(urlOf(port));
      await new Promise<void>((closed) => {
        client.once("close", closed);
        client.publish("$SYS/x", "forged");
      });
    }),
  );
});
