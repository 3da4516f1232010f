/** A node that reads its configuration again. The witness is the slave's log. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import type { AuditEvent } from "../../src/core/payloads.ts";
import { jsonOf } from "../support/subscriber.ts";
import { createPlant } from "./plant.ts";

interface Written {
  gateways: { id: string; timeout?: string; interval?: string }[];
}

test(
  "P1 P2: a reload removes and changes gateways, and the others miss no slot",
  { timeout: 120_000 },
  async (t) => {
    const plant = await createPlant(t, "external", { interval: "500ms" });
    await plant.start();
    await plant.polled("one", 2);
    const text = readFileSync(plant.files.config, "utf8");
    // As the plant has written it.
    const site = JSON.parse(text) as Written;
    writeFileSync(plant.files.config, text.replace('"unitId"', '"unidId"'));
    const refused = await plant.ask("reload", {});
    assert.equal(refused.error?.code, "config_refused");
    assert.match(refused.error.message, /unidId is an unknown key; did you mean unitId/);
    await plant.polled("three", 1);

    const gateways = site.gateways.filter(({ id }) => id !== "three");
    for (const gateway of gateways) if (gateway.id === "two") gateway.timeout = "100ms";
    writeFileSync(plant.files.config, JSON.stringify({ ...site, gateways }));
    const { data } = await plant.ask("reload", {});
    // The data of `reload`.
    const { removed, changed, closed } = data as Record<string, string[]>;
    assert.deepEqual(
      { removed, changed, closed },
      { removed: ["three"], changed: ["two"], closed: ["three@500"] },
    );
    const gone = plant.polls("three");
    await Promise.all([plant.polled("one", 4), plant.polled("two", 4)]);
    assert.equal(plant.polls("three"), gone);
    const gaps = plant.subscriber.log.filter(({ topic }) => topic === "polling/gaps/one");
    // A busy machine may cost a slot, the reload none.
    const reasons = gaps.map(({ payload }) => (JSON.parse(payload) as { reason: string }).reason);
    assert.deepEqual(
      reasons.filter((reason) => reason !== "late" && reason !== "busy"),
      [],
    );
    assert.equal(await plant.node.stop(), 0, plant.node.output());
  },
);

test(
  "SIGHUP has the configuration read again, and a refused one changes nothing",
  { timeout: 120_000 },
  async (t) => {
    const plant = await createPlant(t, "external", { interval: "500ms" });
    await plant.start();
    const told = (kind: string) =>
      plant.subscriber.first(kind, ({ topic, payload }) => {
        return topic === "polling/node/events" && payload.includes(`"kind":"${kind}"`);
      });
    const text = readFileSync(plant.files.config, "utf8");
    writeFileSync(plant.files.config, text.replace('"unitId"', '"unidId"'));
    plant.node.signal("SIGHUP");
    const refused = jsonOf<AuditEvent>(await told("reload-refused"));
    assert.equal(refused.by, "signal (SIGHUP)");
    assert.match(refused.text, /edgepoll.yaml:\d+:5 .* has no unitId/);
    await plant.node.said(/"level":"error".*did you mean unitId/);
    await plant.polled("three", 2);
    // As the plant has written it.
    const site = JSON.parse(text) as Written;
    const gateways = site.gateways.filter(({ id }) => id !== "three");
    writeFileSync(plant.files.config, JSON.stringify({ ...site, gateways }));
    plant.node.signal("SIGHUP");
    const reloaded = jsonOf<AuditEvent>(await told("reloaded"));
    assert.equal(reloaded.by, "signal (SIGHUP)");
    assert.deepEqual(reloaded.data?.["removed"], ["three"]);
    await plant.polled("one", 2);
    assert.equal(await plant.node.stop(), 0, plant.node.output());
    const stopped = jsonOf<AuditEvent>(await told("node-stopped"));
    assert.equal(stopped.by, "signal (SIGTERM)");
  },
);
