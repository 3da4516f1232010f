/** `write` against a slave from another code base, alone and through a node; mbpoll is the witness. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { startPython } from "../modbus/rig.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { createPlace } from "./program.ts";

const PYMODBUS = fileURLToPath(new URL("../support/pymodbus-slave.py", import.meta.url));

/** Registers of unit 7 as mbpoll reads them, by a 0-based address. */
function mbpoll(port: number, address: number, count: number): string[] {
  const what = ["-a", "7", "-t", "4:hex", "-0", "-r", String(address), "-c", String(count), "-1"];
  const args = ["-m", "tcp", "-p", String(port), ...what, "127.0.0.1"];
  const told = execFileSync("mbpoll", args, { encoding: "utf8" });
  return Array.from(told.matchAll(/^\[\d+\]:\s+0x(\w+)/gm), ([, word = ""]) => word);
}

test("write says the old value and the new one, and what it wrote is there for others", async (t) => {
  const { run } = await createPlace(t);
  const port = await startPython(t, [PYMODBUS]);
  const unit = `tcp://127.0.0.1:${String(port)}/7`;
  const float = await run("write", unit, "40011", "62.4", "--type", "float32", "--yes");
  assert.equal(float.code, 0, float.stderr);
  assert.match(float.stdout, /^\S+ \(03F2 03F3\) -> 62\.4 \(4279 999A\), read back\n$/);
  const negative = await run(
    "write",
    unit,
    "12",
    "-2.5",
    "--table",
    "holding",
    "--yes",
    "--json",
    "--type",
    "float32",
    "--order",
    "CDAB",
  );
  const told: { verdict: string; function: number; after: object } = JSON.parse(negative.stdout);
  assert.deepEqual([told.verdict, told.function], ["confirmed", 16]);
  assert.deepEqual(told.after, { value: -2.5, raw: "0000 C020" });
  const coil = await run("write", unit, "00004", "on", "--yes");
  assert.equal(coil.stdout, "false -> true, read back\n");
  assert.deepEqual(mbpoll(port, 10, 4), ["4279", "999A", "0000", "C020"]);
});

test("mistakes are named before anything is sent, refusals after", async (t) => {
  const { run } = await createPlace(t);
  const port = await startPython(t, [PYMODBUS]);
  const unit = `tcp://127.0.0.1:${String(port)}/7`;
  const cases: [string[], number, RegExp][] = [
    [[unit, "30003", "1", "--yes"], 64, /An input register can only be read/],
    [
      [unit, "40011", "1"],
      64,
      /Nothing was done\. To write 1 \(0001\) as uint16 to \S+: holding 10 \(400011\) of unit 7, which holds 1010 \(03F2\): .* 40011 1 --yes\n$/,
    ],
    [
      [unit, "40011", "1", "--type", "int16"],
      64,
      /To write 1 \(0001\) to \S+: holding 10 \(400011\) of unit 7, which holds 1010/,
    ],
    [[unit, "00004", "on"], 64, /To write true to \S+: coil 3 \(000004\)/],
    [[unit, "465537", "1", "--yes"], 64, /^edgepoll: "465537" would be address 65536 of holding;/],
    [
      [unit, "40011", "on", "--type", "bool"],
      64,
      /A register is no bool; uint16 is the whole of it/,
    ],
    [[unit, "40011", "21.5", "--yes"], 65, /uint16 holds whole numbers only\. \(VALUE_UNFIT\)/],
    [[unit, "40011", "warm", "--yes"], 64, /"warm" is no number/],
    [[unit, "40011", "1", "--type", "uint8", "--yes"], 64, /shares its register/],
    [[unit, "40011", "70000", "--yes"], 65, /uint16 holds 0 to 65535, not 70000\. \(VALUE_UNFIT\)/],
    [["hall/meter", "voltage", "1"], 64, /are not written in this version/],
    [["serial:///dev/ttyUSB0/0", "40001", "1"], 64, /Unit 0 of a line is a broadcast/],
    [
      [unit, "40300", "7", "--yes"],
      69,
      /^edgepoll: Nothing was written: .* exception 2: .*does not let it be written .*NO_ANSWER/,
    ],
  ];
  const ended = await Promise.all(cases.map(([words]) => run("write", ...words)));
  for (const [n, [words, code, text]] of cases.entries()) {
    assert.equal(ended.at(n)?.code, code, words.join(" "));
    assert.match(String(ended.at(n)?.stderr), text);
  }
  assert.deepEqual(mbpoll(port, 10, 1), ["03F2"]);
});

/** A device with one register that takes writes as it is told, and answers none of them. */
async function startDeaf(t: TestContext, takes: boolean) {
  const writes: string[] = [];
  let value = 3;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (frame: Buffer) => {
      if (frame.readUInt8(7) === 6) {
        writes.push(frame.subarray(7).toString("hex"));
        if (takes) value = frame.readUInt16BE(10);
      } else {
        const answer = [
          ...frame.subarray(0, 5),
          5,
          frame.readUInt8(6),
          3,
          2,
          value >> 8,
          value & 255,
        ];
        socket.write(Buffer.from(answer));
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  // A TCP server's address is never the text that a pipe's is.
  const { port } = server.address() as AddressInfo;
  return { unit: `tcp://127.0.0.1:${String(port)}/1`, writes };
}

test("a write whose answer is lost is sent once, and what the device holds is told", async (t) => {
  const { run } = await createPlace(t);
  const [deaf, dead] = await Promise.all([startDeaf(t, true), startDeaf(t, false)]);
  const [done, undone] = await Promise.all([
    ...[
      run("write", deaf.unit, "40001", "9", "--yes"),
      run("write", dead.unit, "40001", "9", "--yes"),
    ],
  ]);
  assert.equal(done?.code, 0, done?.stderr);
  assert.match(
    done.stdout,
    /^3 \(0003\) -> 9 \(0009\) as uint16, read back; its answer was lost: no answer within/,
  );
  assert.equal(undone?.code, 69);
  assert.match(
    undone.stderr,
    /not known whether .* It still holds what it held before; .*sent once.* Next: .* read tcp:\/\/127\.0\.0\.1:\d+\/1 400001 --type uint16 .*WRITE_UNKNOWN/,
  );
  assert.deepEqual([deaf.writes, dead.writes], [["0600000009"], ["0600000009"]]);
});

test("through the node that owns the endpoint, and on its audit trail", async (t) => {
  const { run, begin, node, config, port: broker } = await createPlace(t);
  const path = join(createTempDir(t), "ttyPYMODBUS");
  await startPython(t, [PYMODBUS, path]);
  const points = [{ id: "setpoint", table: "holding", address: 10, type: "uint16" }];
  const gateway = {
    id: "line",
    connection: `serial://${path}?baud=19200`,
    interval: "20s",
    timeout: "8s",
  };
  const site = {
    node: "test",
    mqtt: { broker: "embedded", embedded: { port: broker } },
    gateways: [{ ...gateway, devices: [{ id: "plc", unitId: 7, points }] }],
  };
  writeFileSync(config, JSON.stringify(site));
  const alone = await run("write", `serial://${path}/7`, "40011", "20", "--yes");
  assert.equal(alone.stdout, "1010 (03F2) -> 20 (0014) as uint16, read back\n", alone.stderr);
  const running = begin("start", ...node);
  await running.line(/^watch it:/);
  const through = await run("write", `serial://${path}/7`, "40011", "21", "--yes");
  assert.equal(through.stdout, "20 (0014) -> 21 (0015) as uint16, read back\n", through.stderr);
  const refused = await run("write", `serial://${path}/7`, "40300", "1", "--yes");
  assert.equal(refused.code, 69);
  const trail = await run("events", "--json", ...node);
  const events = trail.stdout.split("\n").filter((line) => line.includes("registers-written"));
  // As `node/events` says.
  const told = events.map((line) => JSON.parse(line) as Record<"by" | "gateway" | "text", string>);
  assert.deepEqual(
    told.map(({ text }) => text),
    [
      "the write of holding 10 (400011) of unit 7, 0014 -> 0015, was read back",
      "the write of holding 299 (400300) of unit 7, ? -> 0001, was refused",
    ],
  );
  assert.ok(told.every(({ by, gateway: id }) => by.startsWith("cli") && id === "line"));
});
