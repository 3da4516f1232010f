/** Backup of a node that runs, and what it is like to come back from one. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { PROGRAM } from "../cli/program.ts";
import { jsonOf, type Received } from "../support/subscriber.ts";
import { createPlant, type Plant } from "./plant.ts";

interface Told {
  readonly gateway: string;
  readonly epoch: number;
  readonly seq: number;
  readonly slot: number;
}

async function run(plant: Plant, ...args: string[]): Promise<{ code: unknown; text: string }> {
  const node = ["--state-dir", plant.files.stateDir];
  const child = spawn(process.execPath, [PROGRAM, ...args, ...node], {
    env: { ...process.env, RUNTIME_DIRECTORY: join(plant.files.config, "..") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (part: string) => (text += part));
  }
  const [code]: unknown[] = await once(child, "close");
  return { code, text };
}

function readingsIn(log: readonly Received[]): Told[] {
  return log
    .filter(({ topic }) => topic.startsWith("polling/readings/"))
    .map((message) => jsonOf<Told>(message));
}

test(
  "P1 P2: a backup of a node that runs is restored: new epochs, no slot polled twice, every slot accounted for",
  { timeout: 120_000 },
  async (t) => {
    const plant = await createPlant(t, "external");
    await plant.start();
    await plant.polled("one", 5);
    const file = join(plant.files.config, "..", "plant.backup");
    const made = await run(plant, "backup", file, "--json");
    assert.equal(made.code, 0, made.text);
    const head = JSON.parse(made.text) as { node: string; counts: Record<string, number> };
    assert.equal(head.node, "plant");
    assert.ok((head.counts["outcome"] ?? 0) >= 4);
    assert.match(
      (await run(plant, "events")).text,
      /backed-up .*a backup of \d+ records was made by cli/,
    );
    await plant.send("stop", "three");
    await plant.polled("one", 5);
    const running = await run(plant, "restore", file, "--yes");
    assert.equal(running.code, 75, running.text);
    assert.equal(await plant.node.stop(), 0);
    const before = readingsIn(plant.subscriber.log);
    assert.equal((await run(plant, "restore", file)).code, 64);
    const restored = await run(plant, "restore", file, "--yes", "--json");
    assert.equal(restored.code, 0, restored.text);
    const { aside, stopped } = JSON.parse(restored.text) as { aside: string; stopped: string[] };
    assert.match(aside, /before-restore-/);
    assert.deepEqual(stopped, ["three"], "who was stopped since the backup stays so");

    await plant.start();
    await plant.polled("one", 5);
    const after = readingsIn(plant.subscriber.log).filter(
      ({ epoch }) => !before.some((one) => one.epoch === epoch),
    );
    assert.equal(await plant.node.stop(), 0);
    assert.ok(after.length >= 5);
    const newest = Math.max(...before.map(({ epoch }) => epoch));
    assert.ok(after.every(({ epoch }) => epoch > newest));
    const slots = [...before, ...after].map(({ gateway, slot }) => `${gateway} ${String(slot)}`);
    const polled = new Set(slots);
    const twice = [...before, ...after].map(
      (one) => `${one.gateway} ${String(one.epoch)} ${String(one.seq)}`,
    );
    assert.equal(polled.size, new Set(twice).size, "a slot has one identity");
    const proof = await run(plant, "validate");
    assert.equal(proof.code, 0, proof.text);
    const events = await run(plant, "events");
    assert.match(events.text, /restored .*restored by cli .*plant\.backup/);
  },
);
