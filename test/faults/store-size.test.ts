/** A store that is large: what a start, a proof and giving room back make of it. Large numbers: test/soak/store-size.ts. */
import assert from "node:assert/strict";
import { faultRow } from "../support/fault-row.ts";
import { measureFull } from "../soak/full-node.ts";
import { createTempDir } from "../support/temp-dir.ts";

faultRow(
  {
    id: "K14",
    fault: "many outcomes on record, and many readings that wait",
    done: "5,000 outcomes and 20,000 waiting readings of 50 gateways are written as a node writes them; a node is started on them without a broker, validate reads them, then what waited is deleted and the room given back",
    must: "every account goes on, all that waits is there, validate finds nothing, the room comes back; 100,000 outcomes and a million readings are in npm run soak",
  },
  async (t) => {
    const seen = await measureFull(t, createTempDir(t), { rows: 5000, waiting: 20_000 });
    assert.equal(seen.due, 20_000);
    assert.deepEqual(seen.findings, []);
    assert.ok(seen.waits >= 20_000, `${String(seen.waits)} wait`);
    assert.equal(seen.goesOn, 50, "every account goes on");
    assert.ok(seen.left < seen.bytes / 4, `${String(seen.left)} of ${String(seen.bytes)} bytes`);
    const text = Object.entries(seen.figures).map(([what, value]) => `${what} ${value}`);
    return text.join("; ");
  },
);
