import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { promisify } from "node:util";
import { Level } from "level";
import type { Validation } from "../../src/core/validation.ts";
import { createPlace, PROGRAM } from "./program.ts";

const shell = promisify(execFile);

test("version and help end with 0, an unknown command or option with 64 and one line", async (t) => {
  const { run } = await createPlace(t);
  const [version, help, command, option] = await Promise.all([
    ...[run("--version"), run("stop", "--help")],
    ...[run("strt"), run("status", "--bogus")],
  ]);
  assert.equal(version?.code, 0);
  assert.match(version.stdout, /^edgepoll\/\d/);
  assert.equal(help?.code, 0);
  assert.match(help.stdout, /\$ edgepoll stop \[options\][^]*--gateway <ID>/);
  assert.deepEqual([command?.code, option?.code], [64, 64]);
  assert.match(command?.stderr ?? "", /^edgepoll: .*did you mean start\? Next: .*--help\n$/);
  assert.match(option?.stderr ?? "", /^edgepoll: status has no option --bogus.*\n$/);
});

test("check tells the sizes of a configuration, and every mistake with 78", async (t) => {
  const { run, config, directory } = await createPlace(t);
  const wrong = join(directory, "wrong.yaml");
  writeFileSync(wrong, "node: x\ngatways: []\n");
  const [good, json, bad, option, both] = await Promise.all([
    ...[run("check", config), run("check", "--json", config), run("check", wrong)],
    ...[run("check", "--config", config), run("check", config, "--config", config)],
  ]);
  assert.deepEqual(option, good);
  assert.equal(both?.code, 64);
  assert.match(both.stderr, /check takes one FILE, as its argument or with --config\. Next: /);
  assert.equal(good?.code, 0);
  assert.match(good.stdout, /: ok {2}2 gateways, 2 devices, 2 points, 2 requests\n$/);
  const sizes: { points: number } = JSON.parse(json?.stdout ?? "");
  assert.equal(sizes.points, 2);
  assert.equal(bad?.code, 78);
  assert.equal(bad.stdout, "");
  assert.match(bad.stderr, /wrong\.yaml:2:1 {2}gatways is an unknown key; did you mean gateways\?/);
  assert.doesNotMatch(bad.stderr, /\n\s+at /);
});

test("a start is hinted at with a configuration to name where only the state directory was given", async (t) => {
  const { run, directory } = await createPlace(t);
  const node = ["--state-dir", directory];
  const commands = [["status"], ["start", "--gateway", "hall"], ["enable"], ["reload"]];
  for (const command of [...commands, ["stop", "--node"]]) {
    const { code, stdout, stderr } = await run(...command, ...node);
    assert.equal(code, 3);
    assert.match(stdout + stderr, /start (--node )?--config FILE --state-dir /);
  }
});

test("without a node: status 3, start --gateway 3, stop is written down, and the node obeys it", async (t) => {
  const { run, begin, node } = await createPlace(t);
  const status = await run("status", ...node);
  assert.equal(status.code, 3);
  assert.match(status.stdout, /^not running: .* Next: node .* start --config /);
  const start = await run("start", ...node, "--gateway", "hall");
  assert.equal(start.code, 3);
  assert.match(start.stderr, /Next: node .* start --node --config /);
  assert.equal((await run("enable", ...node)).code, 3);
  const stop = await run("stop", ...node, "--gateway", "roof");
  assert.deepEqual([stop.code, stop.stdout], [0, "roof  stopped\n"]);
  assert.match(stop.stderr, /^no node runs; written into /);
  const running = begin("start", ...node);
  assert.match(await running.line(/^stopped/), /roof since .* by cli/);
  const checked = await run("status", ...node, "--check");
  assert.deepEqual([checked.code, checked.stdout], [0, ""]);
  running.signal("SIGTERM");
  assert.equal((await running.ended).code, 0);
  const events = await run("events", ...node, "--json");
  const kinds = events.stdout
    .trimEnd()
    .split("\n")
    .map((line) => {
      const event: { kind: string } = JSON.parse(line);
      return event.kind;
    });
  // On a machine that is busy a simulated device may be late once.
  const others = kinds.filter((kind) => !kind.startsWith("device-"));
  assert.deepEqual(others, ["gateway-stopped", "node-started", "node-stopped"]);
});

test("with a node: status, stop and start by gateway, a second node 75, an unknown gateway 65", async (t) => {
  const { run, begin, node } = await createPlace(t);
  const running = begin("start", ...node);
  await running.line(/^watch it:/);
  const second = await run("start", ...node, "--node");
  assert.equal(second.code, 75);
  assert.match(second.stderr, /^edgepoll: .*pid \d+.*\n$/);
  const unknown = await run("stop", ...node, "--gateway", "hal");
  assert.equal(unknown.code, 65);
  assert.match(unknown.stderr, /there is no gateway hal; there are hall, roof\n$/);
  const stop = await run("stop", ...node, "--gateway", "hall", "--json");
  assert.deepEqual(JSON.parse(stop.stdout), {
    gateways: [{ gateway: "hall", state: "stopped", desired: "stopped", open: [] }],
  });
  const status = await run("status", ...node);
  assert.equal(status.code, 0);
  assert.match(status.stdout, /^test up .* {2}1 of 2 gateways running {2}broker embedded/);
  const one = await run("status", ...node, "--json", "--gateway", "hall");
  const told: { gateways: { state: string }[] } = JSON.parse(one.stdout);
  assert.deepEqual(
    told.gateways.map(({ state }) => state),
    ["stopped"],
  );
  const enable = await run("enable", ...node, "--gateway", "roof");
  assert.deepEqual([enable.code, enable.stdout], [0, "roof  running\n"]);
  const stranger = await run("enable", ...node, "--gateway", "roof", "--device", "nobody");
  assert.equal(stranger.code, 65);
  assert.match(stranger.stderr, /there is no device nobody on roof; there are \w+/);
  assert.equal((await run("enable", ...node, "--device", "No Body")).code, 64);
  const start = await run("start", ...node);
  assert.deepEqual([start.code, start.stdout], [0, "hall  running\nroof  running\n"]);
  running.signal("SIGINT");
  assert.equal((await running.ended).code, 0);
});

test("the lines under watch it work when pasted", async (t) => {
  const { run, begin, directory, node } = await createPlace(t);
  const running = begin("start", ...node);
  const status = (await running.line(/^ {2}node .* status/)).trim();
  const subscribe = (await running.line(/^ {2}mosquitto_sub/)).trim();
  const env = { ...process.env, RUNTIME_DIRECTORY: directory };
  const told = await shell("sh", ["-c", status], { env });
  assert.match(told.stdout, /2 of 2 gateways running/);
  const heard = await shell("sh", ["-c", `${subscribe} -C 1 -W 10`]);
  assert.match(heard.stdout, /^polling\//);
  assert.equal((await run("status", ...node)).code, 0);
});

test("a port that is taken ends the start with 69 and one line", async (t) => {
  const { run, node, port } = await createPlace(t);
  const holder = createServer().listen(port, "127.0.0.1");
  t.after(() => holder.close());
  await once(holder, "listening");
  const start = await run("start", ...node);
  assert.equal(start.code, 69);
  assert.equal(start.stdout, "");
  assert.match(start.stderr, new RegExp(`^edgepoll: .*${String(port)}.*\\n$`, "m"));
});

test("a simulator serves until a signal, and its mbpoll line works when pasted", async (t) => {
  const { begin, run } = await createPlace(t);
  const simulator = begin("simulate", "--port", "0");
  const line = (await simulator.line(/^ {2}mbpoll/)).trim();
  const read = await shell("sh", ["-c", line]);
  assert.match(read.stdout, /\[1\]:\s+2[23]\d/);
  simulator.signal("SIGINT");
  assert.equal((await simulator.ended).code, 0);
  assert.equal((await run("simulate", "energy-metre")).code, 64);
});

test("a reader that has gone is no error", async (t) => {
  const { begin, directory, run, node } = await createPlace(t);
  const running = begin("start", ...node, "--json");
  await running.line(/"node":"test"/);
  const status = [process.execPath, PROGRAM, "status", "--detailed", ...node].join(" ");
  const env = { ...process.env, RUNTIME_DIRECTORY: directory };
  const cut = await shell("sh", ["-c", `${status} | true`], { env });
  assert.equal(cut.stderr, "");
  assert.notEqual((await run("status", ...node)).code, 3, "the node goes on");
});

test("stop --node waits until a poll in flight has ended and the node has let go", async (t) => {
  const { begin, config, run, node, port } = await createPlace(t);
  // A device that never answers.
  const asked = new EventEmitter();
  const silent = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", () => asked.emit("request"));
  }).listen(0, "127.0.0.1");
  const request = once(asked, "request");
  t.after(() => silent.close());
  await once(silent, "listening");
  writeFileSync(config, JSON.stringify(silentSite(silent.address(), port)));
  const running = begin("start", ...node);
  await running.line(/^watch it:/);
  await request;
  const stop = await run("stop", "--node", ...node);
  assert.deepEqual([stop.code, stop.stderr], [0, ""]);
  const next = begin("start", "--node", ...node);
  await next.line(/^watch it:/);
  assert.equal((await running.ended).code, 0);
  assert.equal((await run("stop", "--node", ...node)).code, 0);
  assert.equal((await run("stop", "--node", ...node)).code, 3);
});

test("events --follow shows what happens, each event once, until a signal", async (t) => {
  const { begin, run, node } = await createPlace(t);
  const running = begin("start", ...node);
  await running.line(/^watch it:/);
  const follower = begin("events", "--follow", "--since", "1h", ...node);
  await follower.line(/node-started/);
  await run("stop", ...node, "--gateway", "hall");
  await follower.line(/hall was stopped by cli/);
  await run("start", ...node, "--gateway", "hall");
  await follower.line(/hall was started by cli/);
  await run("stop", "--node", ...node);
  await follower.line(/node-stopped .* stops, asked by cli/);
  const again = begin("start", ...node);
  await follower.line(/node-started/);
  await again.line(/^watch it:/);
  follower.signal("SIGTERM");
  const { code, stdout, stderr } = await follower.ended;
  assert.deepEqual([code, stderr], [0, "the node has ended; its next start is waited for\n"]);
  const kinds = stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split(/\s+/)[2]);
  assert.deepEqual(kinds.slice(0, 3), ["node-started", "gateway-stopped", "gateway-started"]);
  assert.deepEqual(kinds.slice(-2), ["node-stopped", "node-started"]);
});

function silentSite(address: AddressInfo | string | null, brokerPort: number): object {
  assert.ok(typeof address === "object" && address !== null);
  const points = [{ id: "x", table: "holding", address: 0, type: "uint16" }];
  const gateway = { id: "silent", connection: `tcp://127.0.0.1:${String(address.port)}` };
  const polled = { interval: "2s", timeout: "1s", retries: 0 };
  return {
    mqtt: { broker: "embedded", embedded: { port: brokerPort } },
    gateways: [{ ...gateway, ...polled, devices: [{ id: "plc", unitId: 1, points }] }],
  };
}

test("validate proves the ledger with a node and without one; a damaged record is a finding and exit 1", async (t) => {
  const { run, begin, node, directory } = await createPlace(t);
  const absent = await run("validate", ...node);
  assert.equal(absent.code, 3);
  const running = begin("start", ...node);
  await running.line(/^watch it:/);
  const live = await run("validate", ...node);
  assert.equal(live.code, 0, live.stdout + live.stderr);
  assert.match(live.stdout, /^gateway +interval +due +good .*\n[^]*every slot is accounted for: /);
  const unknown = await run("validate", ...node, "--gateway", "hal");
  assert.equal(unknown.code, 65);
  running.signal("SIGTERM");
  assert.equal((await running.ended).code, 0);
  const state = join(directory, "state");
  const [json, other] = await Promise.all([
    run("validate", ...node, "--json", "--since", "1h", "--gateway", "hall"),
    run("validate", ...node, "--since", "soon"),
  ]);
  const { schedules, findings }: Validation = JSON.parse(json.stdout);
  assert.deepEqual(
    [json.code, findings, schedules.map(({ gateway }) => gateway)],
    [0, [], ["hall"]],
  );
  assert.equal(other.code, 64);
  const database = new Level<string, Buffer>(join(state, "db"), { valueEncoding: "buffer" });
  const [key, value] = (await database.iterator({ gt: "outcome/" }).next()) ?? [];
  assert.ok(key !== undefined && value !== undefined);
  value[6] = (value[6] ?? 0) ^ 1;
  await database.put(key, value);
  await database.close();
  const damaged = await run("validate", ...node);
  assert.equal(damaged.code, 1);
  assert.match(
    damaged.stdout,
    /finding {2}The record "outcome.* wrong checksum[^]*next: node .* events --gateway hall --since 7d --config/,
  );
  assert.match(damaged.stdout, /2 findings, \d+ records read\n$/);
});
