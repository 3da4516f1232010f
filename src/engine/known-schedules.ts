/** The schedules that a store knows of, as its small records tell them. */
import {
  below,
  decodeClaim,
  keys,
  type AccountRecord,
  type Claim,
  type GatewayRecord,
  type TotalRecord,
} from "../core/records.ts";
import type { LedgerReading } from "./ledger-reading.ts";

/** One schedule. */
export interface KnownSchedule {
  readonly id: string;
  readonly gateway: string;
  readonly interval: number;
  readonly claim: Claim | undefined;
  readonly kept: AccountRecord | undefined;
  readonly total: TotalRecord | undefined;
  /** Whether its gateway was commanded to stop. */
  readonly stopped: boolean;
}

/** All schedules by id. Claims are read first: what they say is settled is on disk by then. */
export async function knownSchedules(reading: LedgerReading): Promise<KnownSchedule[]> {
  const claims = await reading.all(keys.claims, decodeClaim);
  // As written by the ledger: the checksum is right.
  const accounts = await reading.all(keys.accounts, (text) => JSON.parse(text) as AccountRecord);
  // As written by retention: the checksum is right.
  const totals = await reading.all(keys.totals, (text) => JSON.parse(text) as TotalRecord);
  // As written by the gateways: the checksum is right.
  const gateways = await reading.all(keys.gateways, (text) => JSON.parse(text) as GatewayRecord);
  const ids = new Set([...claims.keys(), ...accounts.keys(), ...totals.keys()]);
  for await (const id of recorded(reading)) ids.add(id);
  return [...ids].sort().map((id) => {
    const [gateway = "", interval = ""] = id.split("@");
    const stopped = gateways.get(gateway)?.desired === "stopped";
    const [claim, kept, total] = [claims.get(id), accounts.get(id), totals.get(id)];
    return { id, gateway, interval: Number(interval), claim, kept, total, stopped };
  });
}

/** The schedules that have outcomes, whatever else there is of them. */
async function* recorded(reading: LedgerReading): AsyncGenerator<string> {
  const { to } = below(keys.outcomesAll);
  for (let from: string = keys.outcomesAll; ; ) {
    const key = await reading.firstKey({ from, to });
    if (key === undefined) return;
    const id = key.split("/")[1] ?? "";
    yield id;
    from = below(keys.outcomesOf(id)).to;
  }
}
