/** Rows of the fault table: devices that say what they are without end. */
import assert from "node:assert/strict";
import { describe } from "node:test";
import { page, startScripted } from "../modbus/identification-peers.ts";
import { openLink, TIMEOUT } from "../modbus/rig.ts";
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
      const found = await openLink(t, endless.port).link.identify(1, TIMEOUT);
      assert.ok("objects" in found && found.objects.size === 17);
      assert.match(String(found.cutShort), /after 16 further pages/);
      assert.equal(endless.requests.length, 17);
      const round = await startScripted(t, () => page({ 0: "again" }, 0));
      const same = await openLink(t, round.port).link.identify(1, TIMEOUT);
      assert.ok("cutShort" in same && same.cutShort !== undefined);
      assert.equal(round.requests.length, 1);
      return `17 requests for 17 objects, then none; the same page again: 1 request`;
    },
  );
});
