/** The audit of what a broker retains, against Mosquitto, by the command line and without a node. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import mqtt from "mqtt";
import type { Audit } from "../../src/core/audit.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { startSubscriber } from "../support/subscriber.ts";
import { createPlace } from "./program.ts";

const POINT = { id: "x", table: "holding", address: 0, type: "uint16" };
/** What a node that ended in order leaves with its broker. */
const OWN = {
  "polling/node/state": "offline",
  "polling/health/hall": JSON.stringify({ node: "plant-a", gateway: "hall" }),
  "polling/availability/hall/unit": "online",
};
const GONE = {
  "polling/health/cellar": JSON.stringify({ node: "plant-a", gateway: "cellar" }),
  "polling/availability/cellar": "online",
};
/** A second node that was given the same base topic. */
const OTHER = JSON.stringify({
  ...{ node: "plant-b", version: "0.1.0", started: 1_795_400_000_000, pid: 4121 },
  ...{ clientId: "edgepoll-plant-b-x7f3q2", config: "sha256:00", gateways: ["roof"] },
});

test("retained topics of a gateway that is gone are found and cleared, those of the node stay, and another node is named", async (t) => {
  const { config, node, run } = await createPlace(t);
  const broker = await startMosquitto();
  t.after(() => broker.remove());
  const unit = { id: "unit", unitId: 1, points: [POINT] };
  const hall = { id: "hall", connection: "tcp://127.0.0.1:1", devices: [unit] };
  const site = { node: "plant-a", mqtt: { broker: broker.url }, gateways: [hall] };
  writeFileSync(config, JSON.stringify(site));
  const client = await mqtt.connectAsync(broker.url);
  t.after(() => client.endAsync(true));
  const retain = async (topics: Readonly<Record<string, string>>): Promise<void> => {
    for (const [topic, text] of Object.entries(topics))
      await client.publishAsync(topic, text, { qos: 1, retain: true });
  };
  const audit = async (...options: string[]): Promise<Audit> => {
    const { stdout, stderr } = await run("audit", ...options, "--json", ...node);
    assert.notEqual(stdout, "", stderr);
    // As `audit` of this version answers.
    return JSON.parse(stdout) as Audit;
  };
  const found = ({ findings }: Audit, kind: string) =>
    findings.filter((finding) => finding.kind === kind);
  // Written into the store: there is a state directory then.
  assert.equal((await run("stop", ...node)).code, 0);
  await retain({ ...OWN, ...GONE });

  const first = await audit();
  assert.deepEqual(
    found(first, "retained-topic").map(({ where }) => where),
    Object.keys(GONE).sort(),
  );
  const cleaned = await audit("--clean");
  assert.deepEqual(
    cleaned.removed
      .filter(({ kind }) => kind === "retained-topic")
      .map(({ where }) => where)
      .sort(),
    Object.keys(GONE).sort(),
  );
  assert.deepEqual(found(cleaned, "retained-topic"), []);
  const subscriber = await startSubscriber(t, { port: broker.port, version: "5" });
  await client.publishAsync("polling/end", "", { qos: 1 });
  await subscriber.first("the end", ({ topic }) => topic === "polling/end");
  const left = subscriber.log.map(({ topic }) => topic).filter((topic) => topic !== "polling/end");
  assert.deepEqual(left.sort(), Object.keys(OWN).sort());

  await retain({ "polling/node/info": OTHER, "polling/availability/roof": "online" });
  const second = await audit("--clean");
  const [other] = found(second, "other-node");
  assert.match(other?.text ?? "", /node plant-b \(client id edgepoll-plant-b-x7f3q2, pid 4121 /);
  assert.deepEqual(second.removed, [], "it may be the other node's");
});
