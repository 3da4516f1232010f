/** `scan` of slaves from another code base: what answers, what it is, and a configuration of it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { Scan } from "../../src/core/scan.ts";
import { imageOf, mapOf, MARKER } from "../core/sunspec-images.ts";
import { startPython } from "../modbus/rig.ts";
import { startLineSlave } from "../support/line-slave.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { createPlace } from "./program.ts";

const PYMODBUS = fileURLToPath(new URL("../support/pymodbus-slave.py", import.meta.url));
const IMAGE = new URL("../config/register-images/eastron-sdm630.json", import.meta.url);

/** Unit 3 is a meter, unit 4 an inverter with a meter by SunSpec; 7 and 8 are there as well. */
function startUnits(t: TestContext, path = "", certificate: readonly string[] = []) {
  const { registers }: { registers: Record<string, string> } = JSON.parse(
    readFileSync(IMAGE, "utf8"),
  );
  const units = {
    3: { input: wordsAt(registers) },
    4: { holding: wordsAt({ 40000: mapOf(1, 103, 203) }) },
  };
  return startPython(t, [PYMODBUS, path, JSON.stringify(units), ...certificate]);
}

function wordsAt(registers: Readonly<Record<string, string>>): Record<string, number> {
  const words = Object.entries(registers).flatMap(([address, text]) =>
    text.split(" ").map((word, n) => [Number(address) + n, Number.parseInt(word, 16)] as const),
  );
  return Object.fromEntries(words);
}

test("units are found and described, and the configuration written of them is one", async (t) => {
  const { run, directory } = await createPlace(t);
  const url = `tcp://127.0.0.1:${String(await startUnits(t))}`;
  const file = join(directory, "found.yaml");
  const ended = await run("scan", url, "--units", "2-4,7", "--json", "--write-config", file);
  assert.equal(ended.code, 0, ended.stderr);
  const { units, complete, asked }: Scan = JSON.parse(ended.stdout);
  assert.deepEqual([complete, asked], [true, 4]);
  assert.deepEqual(
    units.map(({ unitId, answer, sunspec }) => [unitId, answer, sunspec?.address]),
    [
      [3, { exception: 2 }, undefined],
      [4, { exception: 2 }, 40_000],
      [7, { value: 1000 }, undefined],
    ],
  );
  const [meter, , plain] = units;
  const { profile, seen } = meter?.profiles[0] ?? {};
  assert.equal(profile, "eastron/sdm630");
  assert.deepEqual(Object.keys(seen ?? {}), [
    "voltage-l1",
    "voltage-l2",
    "voltage-l3",
    "frequency",
  ]);
  assert.deepEqual(plain?.profiles, [], "numbers that count up are no meter");
  assert.equal(plain.identification?.vendor, "Pymodbus");
  const [checked, again] = await Promise.all([
    ...[run("check", file), run("scan", url, "--units", "3", "--write-config", file)],
  ]);
  assert.equal(checked?.code, 0, checked?.stderr);
  assert.match(
    readFileSync(file, "utf8"),
    /- id: unit-3\n +unitId: 3\n +profile: eastron\/sdm630\n/,
  );
  assert.equal(again?.code, 74, "a file that is there is not replaced");
});

test("a device with SunSpec is named by its common model, with the models that it has", async (t) => {
  const { run, directory } = await createPlace(t);
  const url = `tcp://127.0.0.1:${String(await startUnits(t))}`;
  const file = join(directory, "found.yaml");
  const ended = await run("scan", url, "--units", "4", "--write-config", file);
  assert.equal(ended.code, 0, ended.stderr);
  const { Mn, Md, Vr } = imageOf(1).values;
  const name = [Mn, Md, Vr].map((value) => value?.[0]).join(" ");
  const models = "1 (common), 103 (inverter, three phases), 203 (meter, three phases, wye)";
  const said = ended.stdout.split("\n")[1] ?? "";
  assert.ok(said.includes(`${name} SunSpec at 40000: models ${models}`), ended.stdout);
  const next = `edgepoll read ${url}/4 --sunspec --write-profile FILE`;
  assert.ok(readFileSync(file, "utf8").includes(next));
  assert.equal((await run("check", file)).code, 0);
});

test("a map of SunSpec that breaks off is told as far as it goes", async (t) => {
  const { run } = await createPlace(t);
  const units = { 4: { holding: wordsAt({ 40000: `${MARKER} 0046 0001 0000 ffff` }) } };
  const port = await startPython(t, [PYMODBUS, "", JSON.stringify(units)]);
  const ended = await run("scan", `tcp://127.0.0.1:${String(port)}`, "--units", "4", "--json");
  const { units: found }: Scan = JSON.parse(ended.stdout);
  assert.deepEqual(found[0]?.sunspec, { address: 40_000, models: [{ id: 70, title: null }] });
});

test("units behind a converter and behind TLS are found like all others", async (t) => {
  const certificates = fileURLToPath(new URL("../support/certificates/", import.meta.url));
  const own = [join(certificates, "gateway.pem"), join(certificates, "gateway.key")];
  const ca = join(certificates, "authority.pem");
  const path = join(createTempDir(t), "ttyPYMODBUS");
  const [converter, tls] = await Promise.all([startUnits(t, path), startUnits(t, "", own)]);
  const trusting = await createPlace(t, { NODE_EXTRA_CA_CERTS: ca });
  const { run } = await createPlace(t);
  const units = ["--units", "3,7", "--timeout", "2500"];
  const [far, safe, doubted] = await Promise.all([
    run("scan", `rtu+tcp://127.0.0.1:${String(converter)}`, ...units),
    trusting.run("scan", `tls://127.0.0.1:${String(tls)}`, ...units),
    run("scan", `tls://127.0.0.1:${String(tls)}`, ...units),
  ]);
  for (const { code, stdout, stderr } of [far, safe]) {
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^3 +(?:rtu\+tcp|tls):\S+ +exception 2 .*Pymodbus PM .*eastron\/sdm630/m);
    assert.match(stdout, /^7 +(?:rtu\+tcp|tls):\S+ +value /m);
  }
  assert.equal(doubted.code, 69);
  assert.match(doubted.stderr, /so nothing was asked: .*certificate/);
});

test("a unit that answers too late is told apart from one that is not there", async (t) => {
  const { run } = await createPlace(t);
  const slave = await startLineSlave(t);
  await slave.fault({ kind: "delay", ms: 2100 });
  const line = `serial://${slave.path}`;
  const ended = await run("scan", line, "--units", "5", "--timeout", "2000");
  assert.equal(ended.code, 69);
  assert.match(
    ended.stderr,
    /^unit 5 at .*: an answer came after more than 2000 ms, too late to be/m,
  );
  assert.match(ended.stderr, /1 request went out, and answers came too late to be used\. Next: /);
  assert.match(ended.stderr, /Next: \S.* scan \S+ --units 5 --timeout 3000 /);
  assert.doesNotMatch(ended.stderr, /swapped/);
});

test("on a line settings are tried in turn, and an interrupt ends it with what was found", async (t) => {
  const { begin } = await createPlace(t);
  const path = join(createTempDir(t), "ttyPYMODBUS");
  await startUnits(t, path);
  const settings = ["--baud", "9600,19200", "--parity", "none"];
  const scan = begin(
    "scan",
    `serial://${path}`,
    "--units",
    "7,100",
    ...settings,
    "--timeout",
    "9000",
  );
  await scan.note(/^unit 7 at .*baud=9600&parity=none&stop=2: value, Pymodbus/);
  scan.signal("SIGINT");
  const { code, stdout, stderr } = await scan.ended;
  assert.equal(code, 1, stderr);
  assert.match(stdout, /^7 +serial:\S+baud=9600&parity=none&stop=2 +value .*Pymodbus PM/m);
  assert.match(stdout, /It was ended before all units were asked\.\n$/);
});

test("a configuration that can't be written is refused before anything is asked", async (t) => {
  const { run, directory, config } = await createPlace(t);
  const url = `tcp://127.0.0.1:${String(await startUnits(t))}`;
  const missing = join(directory, "nowhere");
  const cases: [string, RegExp][] = [
    [join(missing, "found.yaml"), /there is no folder \S+nowhere; make it first\. \(FILE_FAILED\)/],
    [join(config, "found.yaml"), /something on the way to it is a file\. \(FILE_FAILED\)/],
    [config, /There is a file \S+edgepoll\.yaml already\. Choose another name\./],
  ];
  for (const [file, said] of cases) {
    const ended = await run("scan", url, "--units", "7", "--write-config", file);
    assert.equal(ended.code, 74, ended.stderr);
    assert.match(ended.stderr, said);
    assert.doesNotMatch(ended.stderr, /asking|unit 7/);
    assert.equal(ended.stdout, "");
  }
  assert.ok(!existsSync(missing));
});

test("what was found is told also when its configuration can't be written in the end", async (t) => {
  const { begin, directory } = await createPlace(t);
  const url = `tcp://127.0.0.1:${String(await startUnits(t))}`;
  const file = join(directory, "found.yaml");
  const options = ["--units", "7,100", "--timeout", "9000", "--write-config", file];
  const scan = begin("scan", url, ...options);
  await scan.note(/^unit 7 at tcp:/);
  writeFileSync(file, "of somebody else");
  scan.signal("SIGINT");
  const { code, stdout, stderr } = await scan.ended;
  assert.equal(code, 74, stderr);
  assert.match(stdout, /^7 +tcp:\S+ +value /m);
  assert.match(stderr, /There is a file \S+found\.yaml already/);
  assert.equal(readFileSync(file, "utf8"), "of somebody else");
});

test("a unit that answered in one setting is not asked in the next, nor one that is named twice", async (t) => {
  const { run } = await createPlace(t);
  const path = join(createTempDir(t), "ttyPYMODBUS");
  await startUnits(t, path);
  const settings = ["--baud", "9600,19200", "--parity", "none", "--json"];
  const ended = await run("scan", `serial://${path}`, "--units", "7,7-8,7", ...settings);
  assert.equal(ended.code, 0, ended.stderr);
  const { units, asked }: Scan = JSON.parse(ended.stdout);
  assert.deepEqual(
    units.map(({ unitId, connection }) => [unitId, /baud=(\d+)/.exec(connection)?.[1]]),
    [
      [7, "9600"],
      [8, "9600"],
    ],
  );
  assert.equal(asked, 2);
});

test("what is no answer is named and counts for nothing", async (t) => {
  const { run } = await createPlace(t);
  const slave = await startLineSlave(t);
  await slave.fault({ kind: "bad-crc" });
  const ended = await run("scan", `serial://${slave.path}`, "--units", "1", "--timeout", "300");
  assert.equal(ended.code, 69, ended.stderr);
  assert.match(
    ended.stderr,
    /^unit 1 at serial:\S+: something came that is no answer \(checksum .*\); two devices with one id/m,
  );
  assert.match(ended.stderr, /No unit answers at serial:/);
});

test("one device that answers for all is told as one, and a gateway without the unit as none", async (t) => {
  const { run, begin } = await createPlace(t);
  const served = async (...more: string[]) => {
    const simulated = begin("simulate", "--port", "0", "--json", ...more);
    const { url }: { url: string } = JSON.parse(await simulated.line(/^\{/));
    return url;
  };
  const [any, one] = await Promise.all([served(), served("--unit", "2")]);
  const [alike, alone] = await Promise.all([
    run("scan", any, "--units", "1-8"),
    run("scan", one, "--units", "1-3", "--json"),
  ]);
  assert.match(alike.stdout, /^Every unit asked answers alike: most likely one device/m);
  // The others get exception 11, which is the gateway's.
  const { units, asked }: Scan = JSON.parse(alone.stdout);
  assert.deepEqual([units.map(({ unitId }) => unitId), asked], [[2], 3]);
});

test("a device that goes away ends the scan with what was found, and exit 1", async (t) => {
  const { run } = await createPlace(t);
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (frame: Buffer) => {
      const [unit, code] = [frame.readUInt8(6), frame.readUInt8(7)];
      if (unit === 1) {
        socket.write(Buffer.from([...frame.subarray(0, 5), 3, unit, code | 128, 1]));
      } else {
        server.close();
        socket.destroy();
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  // A TCP server's address is never the text that a pipe's is.
  const { port } = server.address() as AddressInfo;
  const ended = await run("scan", `tcp://127.0.0.1:${String(port)}`, "--units", "1-4");
  assert.equal(ended.code, 1, ended.stderr);
  assert.match(ended.stderr, /^ended early: .*ECONNREFUSED/m);
  assert.match(ended.stdout, /^1 +tcp:\S+ +exception 1 /m);
  assert.match(ended.stdout, /It was ended before all units were asked\.\n$/);
});

test("nothing there, nobody to ask, a node that polls, and mistakes are told apart", async (t) => {
  const { run, begin, node, config, port: broker } = await createPlace(t);
  const url = `tcp://127.0.0.1:${String(await startUnits(t))}`;
  const points = [{ id: "a", table: "holding", address: 10, type: "uint16" }];
  const devices = [{ id: "plc", unitId: 7, points }];
  const gateways = [{ id: "plant", connection: url, interval: "60s", devices }];
  const mqtt = { broker: "embedded", embedded: { port: broker } };
  writeFileSync(config, JSON.stringify({ node: "test", mqtt, gateways }));
  const empty = await run("scan", url, "--units", "1,2", "--timeout", "100");
  assert.equal(empty.code, 69);
  assert.match(empty.stderr, /No unit answers at tcp:.*: 2 requests went out\. .* Next: /);
  const running = begin("start", ...node);
  await running.line(/^watch it:/);
  const cases: [string[], number, RegExp][] = [
    [[url], 75, /edgepoll test \(pid \d+\) polls 127\.0\.0\.1:\d+ already/],
    [["tcp://127.0.0.1:1"], 69, /can't be connected, so nothing was asked: .*ECONNREFUSED/],
    [[url, "--baud", "9600"], 64, /are for serial:\/\/ lines/],
    [[url, "--units", "9-3"], 64, /--units takes ids from 0 to 255/],
    [["serial:///dev/ttyX", "--units", "248"], 64, /--units takes ids from 1 to 247/],
    [["serial:///dev/ttyX", "--baud", "9601"], 64, /did you mean 9600\?/],
    [[url, "--timeout", "soon"], 64, /--timeout takes ms/],
  ];
  const ended = await Promise.all(cases.map(([words]) => run("scan", ...words)));
  for (const [n, [words, code, text]] of cases.entries()) {
    assert.equal(ended.at(n)?.code, code, `${words.join(" ")}: ${String(ended.at(n)?.stderr)}`);
    assert.match(String(ended.at(n)?.stderr), text);
  }
  assert.doesNotMatch(String(ended[0]?.stderr), /asking/, "nothing is asked behind a node's back");
});
