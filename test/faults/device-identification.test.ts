/** Rows of the fault table: devices that say what they are without end. */
import assert from "node:assert/strict";
import { describe } from "node:test";
import { identify } from "../../src/modbus/identification.ts";
import { page, startMaster, startScripted } from "../modbus/identification-peers.ts";
import { faultRow } from "../support/fault-row.ts";

describe("devices that say what they are without end", () => {
  faultRow(
    {
      id: "D13",
      fault: "identification (FC 43) that never ends",
      done: "the device says in each page that more follows, always one object further on; then always the same object",
      must: "at most 16 further pages are asked for, and what came is kept; no progress ends it at once",
    },
    async (t) => {
      const endless = await startScripted(t, (object) => page({ [object]: "more" }, object + 1));
      const found = await identify(await startMaster(t, endless.port, 1));
      assert.ok("objects" in found && found.objects.size === 17);
      assert.match(String(found.cutShort), /after 16 further pages/);
      assert.equal(endless.requests.length, 17);
      const round = await startScripted(t, () => page({ 0: "again" }, 0));
      const same = await identify(await startMaster(t, round.port, 1));
      assert.ok("cutShort" in same && same.cutShort !== undefined);
      assert.equal(round.requests.length, 1);
      return `17 requests for 17 objects, then none; the same page again: 1 request`;
    },
  );
});
