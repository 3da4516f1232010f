/** What a person is told whose device does not answer, or with something else: causes that fit the connection. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import { failureOf } from "../../src/cli/read-failure.ts";
import { refuseUnwritten } from "../../src/cli/write-failure.ts";
import { parseConnection } from "../../src/config/connection.ts";
import { startLineSlave, type LineFault } from "../support/line-slave.ts";
import { createPlace } from "./program.ts";

/** What is no cause on a line. */
const OF_NETWORKS = /host|firewall|Modbus.TCP|gateway/i;
const LINE = "serial:///dev/ttyX?baud=9600&parity=none";

/** A port where every request is answered with these bytes. */
async function startPort(t: TestContext, hex: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", () => socket.write(Buffer.from(hex, "hex")));
  });
  server.listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  // A TCP server's address is never the text that a pipe's is.
  return `127.0.0.1:${String((server.address() as AddressInfo).port)}/1`;
}

function connectionOf(url: string) {
  const parsed = parseConnection(url);
  if ("fault" in parsed) throw new Error(parsed.fault);
  return parsed.connection;
}

/** What is said of a read that got this. */
function told(url: string, reason: "timeout" | "bad_frame" | "connect_failed", detail: string) {
  const connection = connectionOf(url);
  const request = { unitId: 1, table: "holding", address: 0, count: 1 } as const;
  const asked = { where: connection.url, connection, typed: url };
  return failureOf({ ok: false, reason, detail }, request, asked);
}

test("on a line a silent unit and a damaged answer have the causes of lines, and a scan is next", async (t) => {
  const { run } = await createPlace(t);
  const said = async (fault: LineFault) => {
    const slave = await startLineSlave(t);
    await slave.fault(fault);
    const unit = `serial://${slave.path}?baud=9600&parity=none/1`;
    const { code, stderr } = await run("read", unit, "40001");
    assert.equal(code, 69, stderr);
    return stderr.replaceAll(slave.path, "/dev/ttyX");
  };
  const [silent, damaged] = await Promise.all([
    said({ kind: "silent" }),
    said({ kind: "bad-crc" }),
  ]);
  assert.match(
    silent,
    /unit 1 is silent \(no answer within 2000 ms\): a wrong unit id, other settings than 9600 baud, no parity and 2 stop bits, A and B swapped, a missing termination, or a device without power \(/,
  );
  assert.match(
    silent,
    /count 1\)\. Next: \S.* scan 'serial:\/\/\/dev\/ttyX\?baud=9600&parity=none' \(NO_ANSWER\)\n$/,
  );
  assert.match(damaged, /got a damaged answer \(checksum \d+ instead of \d+\): noise, /);
  assert.match(damaged, / scan serial:\/\/\/dev\/ttyX --units 1 --baud 9600,19200,38400 --parity /);
});

test("an answer in the other framing is known, and the scan that is next speaks it", async (t) => {
  const { run } = await createPlace(t);
  const [onTcp, onRtu] = await Promise.all([
    run("read", `tcp://${await startPort(t, "0103020007f986")}`, "40001"),
    run("read", `rtu+tcp://${await startPort(t, "0103000000050103020007")}`, "40001"),
  ]);
  assert.match(onTcp.stderr, /; this is an RTU frame, as on rtu\+tcp:\/\/ \(unit 1/);
  assert.match(onTcp.stderr, / scan rtu\+tcp:\/\/127\.0\.0\.1:\d+ --units 1 \(NO_ANSWER\)\n$/);
  assert.match(onRtu.stderr, /; this is a Modbus TCP frame, as on tcp:\/\/\)/);
  assert.match(onRtu.stderr, / scan tcp:\/\/127\.0\.0\.1:\d+ --units 1 \(NO_ANSWER\)\n$/);
});

test("nothing that is said of a line is about networks", () => {
  const lines = [
    told(LINE, "timeout", "no answer within 2000 ms"),
    told(LINE, "timeout", "the serial line went away before the device answered (EIO)"),
    told(LINE, "bad_frame", "checksum 1 instead of 2"),
    told(LINE, "bad_frame", "unit id 248 instead of 1"),
    told(LINE, "bad_frame", "it may be the late answer to an earlier request"),
    told(LINE, "bad_frame", "no silence on the line within 2000 ms: 12 bytes"),
    told(
      LINE,
      "connect_failed",
      "/dev/ttyX is in use by another program. Next: fuser -v /dev/ttyX",
    ),
  ];
  for (const line of lines) assert.doesNotMatch(line, OF_NETWORKS);
  assert.match(lines[1] ?? "", /was the adapter unplugged\? \(unit 1/);
  assert.match(lines[3] ?? "", /\(unit id 248 instead of 1\): other settings than 9600 baud/);
  assert.match(lines[4] ?? "", /got an answer that may not be its own .*; try again \(unit 1/);
  assert.match(lines[5] ?? "", /is never silent .*: another master, or noise/);
  assert.match(lines[6] ?? "", /stop=2 can't be used: .* Next: fuser -v \/dev\/ttyX$/);
});

test("silence on a network may be another framing; a line behind a converter has the causes of both", () => {
  const silence = "no answer within 2000 ms";
  const tcp = told("tcp://10.0.0.5", "timeout", silence);
  assert.match(tcp, /a converter that passes RTU frames through \(rtu\+tcp:\/\/\) \(unit 1/);
  assert.match(tcp, /\. Next: edgepoll scan tcp:\/\/10\.0\.0\.5$/);
  const rtu = told("rtu+tcp://10.0.0.5", "timeout", silence);
  assert.match(rtu, /A and B swapped, .* or a gateway that speaks Modbus TCP \(tcp:\/\/\)/);
  assert.doesNotMatch(told("tls://10.0.0.5", "timeout", silence), /Next: /);
});

test("a write that came to nothing has the same causes; one that may have been done has one command", () => {
  const connection = connectionOf(LINE);
  const failure = { ok: false, reason: "timeout", detail: "no answer within 2000 ms" } as const;
  const write = { unitId: 1, table: "holding", address: 0, words: [1] } as const;
  const refuse = (verdict: "unasked" | "unknown") => () => {
    refuseUnwritten({ verdict, function: 6, failure }, write, {
      ...{ connection, typed: LINE, next: "look again" },
    });
  };
  assert.throws(
    refuse("unasked"),
    /^UnavailableError: Nothing was .* Next: edgepoll scan 'serial:\S+parity=none'$/,
  );
  assert.throws(refuse("unknown"), /A and B swapped(?!.* Next: .* Next: ).* Next: look again$/);
});
