/** The fault proxy, against plain sockets. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { startFaultProxy, type FaultProxy } from "./support/fault-proxy.ts";

/** A client and a server with the proxy between them. */
async function startPair(t: TestContext): Promise<{
  proxy: FaultProxy;
  client: Socket;
  server: Socket;
}> {
  const listening = createServer().listen(0, "127.0.0.1");
  await once(listening, "listening");
  const accepted = once(listening, "connection");
  // A TCP server's address is never the text that a pipe's is.
  const proxy = await startFaultProxy(t, (listening.address() as AddressInfo).port);
  const client = connect(proxy.port, "127.0.0.1");
  const [server] = (await accepted) as [Socket];
  t.after(() => {
    for (const socket of [client, server]) socket.destroy();
    listening.close();
  });
  return { proxy, client, server };
}

/** Settles with the next `length` bytes, as text. */
async function read(socket: Socket, length: number): Promise<string> {
  let text = "";
  while (text.length < length) text += String((await once(socket, "data"))[0]);
  return text;
}

test("bytes pass both ways and stand in the log", async (t) => {
  const { proxy, client, server } = await startPair(t);
  client.write("question");
  assert.equal(await read(server, 8), "question");
  server.write("answer");
  assert.equal(await read(client, 6), "answer");
  const lines = proxy.log.map((line) =>
    "bytes" in line ? `${line.direction} ${line.event} ${String(line.bytes)}` : line.event,
  );
  assert.deepEqual(lines, [
    "open",
    "up in question",
    "up out question",
    "down in answer",
    "down out answer",
  ]);
});

test("pieces are sliced, doubled, and swapped", async (t) => {
  const { proxy, client, server } = await startPair(t);
  proxy.damage("up", { slice: 1 });
  client.write("abc");
  assert.equal(await read(server, 3), "abc");
  const out = proxy.log.filter((line) => line.event === "out");
  assert.deepEqual(
    out.map((line) => String(line.bytes)),
    ["a", "b", "c"],
  );
  proxy.damage("up", { duplicate: true });
  client.write("d");
  assert.equal(await read(server, 2), "dd");
  proxy.damage("up", { swap: true });
  client.write("first");
  await proxy.until((log) => log.some((line) => line.event === "in" && line.bytes.length === 5));
  client.write("second");
  assert.equal(await read(server, 11), "secondfirst");
});

test("what is held goes on when the damage ends, in order", async (t) => {
  const { proxy, client, server } = await startPair(t);
  proxy.damage("down", { hold: true });
  server.write("held");
  await proxy.until((log) => log.some((line) => line.event === "in"));
  client.write("up");
  assert.equal(await read(server, 2), "up");
  assert.ok(!proxy.log.some((line) => line.event === "out" && line.direction === "down"));
  proxy.damage("down", {});
  server.write("after");
  assert.equal(await read(client, 9), "heldafter");
});

for (const how of ["fin", "rst"] as const) {
  test(`a connection is cut (${how}) at the byte that was asked for`, async (t) => {
    const { proxy, client, server } = await startPair(t);
    proxy.damage("down", { cut: { after: 5, how } });
    for (const socket of [client, server]) socket.on("error", () => undefined);
    // `once` would reject at the error that a reset brings first.
    const closed = new Promise((resolve) => client.once("close", resolve));
    server.write("0123456789");
    assert.equal(await read(client, 5), "01234");
    if (how === "fin") client.end();
    await closed;
    const out = proxy.log.filter((line) => line.event === "out");
    assert.deepEqual(
      out.map((line) => String(line.bytes)),
      ["01234"],
    );
  });
}

test("what is dropped never arrives, and neither does the end", async (t) => {
  const { proxy, client, server } = await startPair(t);
  proxy.damage("down", { drop: true });
  server.end("lost");
  await proxy.until((log) => log.some((line) => line.event === "fin"));
  client.write("still there");
  await proxy.until((log) => log.some((line) => line.event === "out"));
  assert.equal(client.readyState, "open");
  assert.equal(client.bytesRead, 0);
});

test("latency, bandwidth and loss delay by as much as they say", async (t) => {
  const { proxy, client, server } = await startPair(t);
  const outAfterIn = async (text: string): Promise<number> => {
    const from = proxy.log.length;
    client.write(text);
    await read(server, text.length);
    const own = proxy.log.slice(from);
    return (own.findLast((line) => line.event === "out")?.t ?? 0) - (own[0]?.t ?? Infinity);
  };
  // At least: a machine under load may take longer. A timer counts from the beginning of its turn.
  proxy.damage("up", { latency: 30 });
  assert.ok((await outAfterIn("a")) >= 20);
  proxy.damage("up", { bandwidth: 100 });
  assert.ok((await outAfterIn("abc")) >= 20);
  proxy.damage("up", { loss: { share: 1, stall: 30, random: () => 0 } });
  assert.ok((await outAfterIn("a")) >= 20);
});
