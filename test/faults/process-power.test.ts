/** Power cuts at random moments. EDGEPOLL_KILLS: how often, 200 unless given; EDGEPOLL_SEED: the same moments again. */
import { faultRow } from "../support/fault-row.ts";
import { killedInVain } from "../support/killed-verdict.ts";
import { killPlan } from "../support/killer.ts";
import { buildShim } from "../support/shim.ts";

faultRow(
  {
    id: "K2",
    fault: "the power is cut at random moments",
    done: "as K1, and with each of the 200 kills every file is cut to a random length between what was synced and what was written, some with garbage in place of what is gone, some logs with a page missing in what is left of their unsynced end",
    must: "no slot is polled twice, no stored reading is lost, every slot has one outcome, and at most one a schedule and cut is unknown",
  },
  (t) => killedInVain(t, { ...killPlan(), shim: buildShim(t) }),
  400_000,
);
