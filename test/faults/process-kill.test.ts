/** SIGKILL at random moments. EDGEPOLL_KILLS: how often, 200 unless given; EDGEPOLL_SEED: the same moments again. */
import { faultRow } from "../support/fault-row.ts";
import { killedInVain } from "../support/killed-verdict.ts";
import { killPlan } from "../support/killer.ts";

faultRow(
  {
    id: "K1",
    fault: "killed at random moments",
    done: "nodes of 20 gateways each are killed with SIGKILL 200 times together, from their first ms to some slots of work, and at last left alone",
    must: "no slot is polled twice, no stored reading is lost, every slot has one outcome, and at most one a schedule and kill is unknown",
  },
  (t) => killedInVain(t, killPlan()),
  400_000,
);
