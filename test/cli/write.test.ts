/** `write` against a slave from another code base, alone and through a node; mbpoll is the witness. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { startPython } from "../modbus/rig.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { createPlace, PROGRAM } from "./program.ts";

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

/** How a device takes writes. */
interface Manner {
  /** What it holds after one. */
  readonly takes: (value: number) => number;
  /** Whether it answers them; it answers reads. */
  readonly answers: boolean;
  /** Whether it is read by exceptions once it has been written. */
  readonly hides?: boolean;
}

/** A device with one register, which holds 3. */
async function startRegister(t: TestContext, { takes, answers, hides = false }: Manner) {
  const writes: string[] = [];
  let value = 3;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (frame: Buffer) => {
      if (frame.readUInt8(7) === 6) {
        writes.push(frame.subarray(7).toString("hex"));
        value = takes(frame.readUInt16BE(10));
        if (answers) socket.write(frame);
        return;
      }
      const isHidden = hides && writes.length > 0;
      const pdu = isHidden ? [0x83, 2] : [3, 2, value >> 8, value & 255];
      const head = [...frame.subarray(0, 5), pdu.length + 1, frame.readUInt8(6)];
      socket.write(Buffer.from([...head, ...pdu]));
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
  const [deaf, dead] = await Promise.all([
    startRegister(t, { takes: (value) => value, answers: false }),
    startRegister(t, { takes: () => 3, answers: false }),
  ]);
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

test("an answered write that the device does not hold, or that can't be read back, ends with 1", async (t) => {
  const { run } = await createPlace(t);
  const [limiting, hiding] = await Promise.all([
    startRegister(t, { takes: (value) => Math.min(value, 5), answers: true }),
    startRegister(t, { takes: (value) => value, answers: true, hides: true }),
  ]);
  const [limited, hidden] = await Promise.all([
    run("write", limiting.unit, "40001", "9", "--yes"),
    run("write", hiding.unit, "40001", "9", "--yes"),
  ]);
  assert.equal(limited.code, 1, limited.stderr);
  assert.equal(
    limited.stdout,
    "3 (0003) -> 9 (0009) as uint16, answered by the device, but it holds 5 (0005)\n" +
      "It may round or limit the value, or take it over later; or another order or type is right.\n",
  );
  assert.equal(hidden.code, 1, hidden.stderr);
  assert.match(
    hidden.stdout,
    /^3 \(0003\) -> 9 \(0009\) as uint16, answered by the device, but not read back: \S.*\n$/,
  );
  assert.deepEqual([limiting.writes, hiding.writes], [["0600000009"], ["0600000009"]]);
});

/** Runs its words at a terminal of their own, and ends as they do. */
const AT_TERMINAL =
  "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

/** The command at a terminal, which is answered when it asks: its exit code and what stood there. */
async function answered(t: TestContext, answer: string, directory: string, ...args: string[]) {
  const env = {
    ...process.env,
    RUNTIME_DIRECTORY: directory,
    NO_COLOR: "1",
    FORCE_COLOR: undefined,
  };
  const words = ["-c", AT_TERMINAL, process.execPath, PROGRAM, ...args];
  const child = spawn("/usr/bin/python3", words, { stdio: ["pipe", "pipe", "inherit"], env });
  t.after(() => child.kill("SIGKILL"));
  let shown = "";
  let isAsked = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    if (isAsked || !shown.includes("[y/N] ")) return;
    isAsked = true;
    child.stdin.write(answer);
  });
  const [code] = await once(child, "close");
  // Without what moves the cursor.
  return { code: Number(code), shown: shown.replace(/\p{Cc}\[\d*[A-Z]/gu, "").replace(/\r/g, "") };
}

test("at a terminal it asks with what is there, and only a yes writes", async (t) => {
  const { directory } = await createPlace(t);
  const port = await startPython(t, [PYMODBUS]);
  const write = ["write", `tcp://127.0.0.1:${String(port)}/7`, "40011", "21"];
  const no = await answered(t, "\n", directory, ...write);
  assert.equal(no.code, 64);
  assert.match(
    no.shown,
    /^tcp:\S+: holding 10 \(400011\) of unit 7 holds 1010 \(03F2\)\. Write 21 \(0015\) as uint16\? \[y\/N\] \n+nothing was written\n$/,
  );
  assert.deepEqual(mbpoll(port, 10, 1), ["03F2"]);
  const yes = await answered(t, "y\n", directory, ...write);
  assert.equal(yes.code, 0, yes.shown);
  assert.match(yes.shown, /\[y\/N\] y\n+1010 \(03F2\) -> 21 \(0015\) as uint16, read back\n$/);
  assert.deepEqual(mbpoll(port, 10, 1), ["0015"]);
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
