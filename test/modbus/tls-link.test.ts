import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { connect, createServer as createPlainServer, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { createServer, type TlsOptions } from "node:tls";
import { fileURLToPath } from "node:url";
import type { TlsFiles } from "../../src/core/model.ts";
import { Names } from "../../src/modbus/names.ts";
import { openTlsLink } from "../../src/modbus/tcp-link.ts";
import { createClock } from "../../src/system/clock.ts";
import { failureOf, holding, startTestSlave, wordsOf } from "./rig.ts";

/** ms, never reached. */
const LONG = 30_000;

/** What OpenSSL says of itself. */
const DUMP = /:error:|error:[0-9A-F]{8}|SSL routines|openssl\//;

const pathOf = (name: string): string =>
  fileURLToPath(new URL(`../support/certificates/${name}`, import.meta.url));
const CA = pathOf("authority.pem");
const OWN: TlsFiles = { ca: CA, cert: pathOf("node.pem"), key: pathOf("node.key") };

/** TLS in front of a slave; settles with its port. */
async function startGateway(t: TestContext, name: string, options: TlsOptions = {}) {
  const slave = await startTestSlave(1);
  t.after(() => slave.stop());
  const pair = {
    cert: readFileSync(pathOf(`${name}.pem`)),
    key: readFileSync(pathOf(`${name}.key`)),
  };
  const server = createServer({ ...pair, ca: readFileSync(CA), ...options }, (socket) => {
    const inner = connect(slave.ports[0] ?? 0, "127.0.0.1");
    for (const each of [socket, inner]) {
      each.on("error", () => undefined);
      each.on("close", () => {
        socket.destroy();
        inner.destroy();
      });
    }
    socket.pipe(inner).pipe(socket);
  });
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  // A TCP server's address is never the text that a pipe's is.
  return { slave, port: (server.address() as AddressInfo).port };
}

function openLink(t: TestContext, port: number, files: TlsFiles, host = "127.0.0.1") {
  const clock = createClock();
  const random = () => 0;
  const target = { host, port, names: new Names(clock) };
  const link = openTlsLink({ ...target, maxBackoff: 0, clock, random, files });
  t.after(() => link.close());
  return link;
}

test("reads over TLS, with a certificate of its own where the gateway wants one", async (t) => {
  const { slave, port } = await startGateway(t, "gateway", {
    requestCert: true,
    rejectUnauthorized: true,
  });
  const link = openLink(t, port, OWN);
  assert.deepEqual(wordsOf(await link.read(holding(5, 2), LONG)), [5, 6]);
  assert.deepEqual(wordsOf(await link.read(holding(7), LONG)), [7]);
  assert.equal(slave.connections(slave.ports[0] ?? 0).length, 1);
  assert.deepEqual(wordsOf(await openLink(t, port, OWN, "localhost").read(holding(5), LONG)), [5]);
});

test("over TLS doubt drops the connection, as without it", async (t) => {
  const { slave, port } = await startGateway(t, "gateway");
  const link = openLink(t, port, { ca: CA });
  await slave.script(slave.ports[0] ?? 0, [{ kind: "wrong-tid", requests: 1 }]);
  assert.equal(failureOf(await link.read(holding(5), LONG)).reason, "bad_frame");
  assert.deepEqual(wordsOf(await link.read(holding(6), LONG)), [6]);
});

const REFUSED: [string, string, TlsFiles, RegExp][] = [
  [
    "nobody here trusts",
    "gateway",
    {},
    /^the authority of the gateway's certificate is not .*tls\.ca \(/,
  ],
  [
    "is for another name",
    "elsewhere",
    { ca: CA },
    /^the gateway's certificate is for another name \(/,
  ],
  ["has expired", "expired", { ca: CA }, /^the gateway's certificate has expired, or the clock /],
];
for (const [what, name, files, detail] of REFUSED) {
  test(`a gateway whose certificate ${what} is not read, and the failure says so`, async (t) => {
    const { slave, port } = await startGateway(t, name);
    const failure = failureOf(await openLink(t, port, files).read(holding(5), LONG));
    assert.equal(failure.reason, "connect_failed");
    assert.match(failure.detail, detail);
    assert.doesNotMatch(failure.detail, DUMP);
    assert.equal(slave.log().length, 0);
  });
}

test("a gateway that wants a certificate says so, and files that are gone are named", async (t) => {
  const { port } = await startGateway(t, "gateway", {
    requestCert: true,
    rejectUnauthorized: true,
  });
  const without = failureOf(await openLink(t, port, { ca: CA }).read(holding(5), LONG));
  assert.match(
    without.detail,
    /the gateway wants a certificate of this node; name it as tls\.cert/,
  );
  const gone = { ca: pathOf("gone.pem") };
  const failure = failureOf(await openLink(t, port, gone).read(holding(5), LONG));
  assert.equal(failure.reason, "connect_failed");
  assert.match(failure.detail, /^tls\.ca can't be read: .*gone\.pem/);
});

test("what is no TLS is said in a sentence, whether it answers or hangs up, and so is a key of another", async (t) => {
  const talk = async (answer: (socket: Socket) => void) => {
    const server = createPlainServer((socket) => {
      socket
        .on("error", () => undefined)
        .once("data", () => {
          answer(socket);
        });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => server.close());
    // A TCP server's address is never the text that a pipe's is.
    const { port } = server.address() as AddressInfo;
    return failureOf(await openLink(t, port, {}).read(holding(5), LONG)).detail;
  };
  const answered = await talk((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  assert.match(answered, /^no TLS is spoken there; is it Modbus TCP without it \(tcp:\/\/\)\? \(/);
  const hungUp = await talk((socket) => socket.end());
  assert.match(hungUp, /^it hangs up at the first word of TLS; is it Modbus TCP without it/);
  const mixed = { ca: CA, cert: pathOf("node.pem"), key: pathOf("gateway.key") };
  const { port } = await startGateway(t, "gateway");
  const other = failureOf(await openLink(t, port, mixed).read(holding(5), LONG)).detail;
  assert.match(other, /^tls\.key is not the key of tls\.cert \(/);
  const noKey = { ca: CA, cert: pathOf("node.pem"), key: pathOf("node.pem") };
  const none = failureOf(await openLink(t, port, noKey).read(holding(5), LONG)).detail;
  assert.match(none, /^tls\.ca, tls\.cert or tls\.key can't be used: /);
  for (const detail of [answered, hungUp, other, none]) assert.doesNotMatch(detail, DUMP);
});
