/** What the witnesses say of nodes that were killed, all together. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { validateOffline } from "../../src/app/offline.ts";
import type { ScheduleRow } from "../../src/core/validation.ts";
import { checkHistory, type LedgerEntry, type Verdict } from "./history.ts";
import { killOften, type KilledHistory, type KillPlan } from "./killer.ts";

/** Kills as planned, checks every history, and says in a line what was seen. Throws with the smallest window of a violation. */
export async function killedInVain(t: TestContext, plan: KillPlan): Promise<string> {
  const began = performance.now();
  const killed = await killOften(t, plan);
  const sums = { kills: 0, early: 0, torn: 0, holed: 0, cut: 0 };
  const counts = { slots: 0, readings: 0, requests: 0, twice: 0, lost: 0 };
  const rest = { unknown: 0, missed: 0, duplicates: 0 };
  for (const one of killed) {
    const verdict = checkHistory(one.history);
    assert.deepEqual(
      verdict.violations.slice(0, 20),
      [],
      `seed ${String(plan.seed)}: ${verdict.window ?? ""}`,
    );
    await validated(one);
    sums.kills += one.history.kills;
    sums.early += one.early;
    sums.cut += one.cut.files;
    sums.torn += one.cut.torn;
    sums.holed += one.cut.holed;
    add(counts, verdict);
    add(rest, verdict);
  }
  t.diagnostic(`seed ${String(plan.seed)}, ${((performance.now() - began) / 1000).toFixed(1)} s`);
  assert.ok(counts.readings > 2 * sums.kills, "the nodes lived too briefly to show anything");
  const cut =
    plan.shim === undefined
      ? ""
      : `, ${String(sums.cut)} files cut, ${String(sums.torn)} of them torn, ${String(sums.holed)} with a hole`;
  return (
    `${String(sums.kills)} kills (${String(sums.early)} of them while it started${cut}), ` +
    [...Object.entries(counts), ...Object.entries(rest)]
      .map(([name, count]) => `${name} ${String(count)}`)
      .join(", ")
  );
}

function add(sums: Partial<Verdict["counts"]>, { counts }: Verdict): void {
  // The keys of an object of that type.
  for (const name of Object.keys(sums) as (keyof Verdict["counts"])[]) {
    sums[name] = (sums[name] ?? 0) + counts[name];
  }
}

/** edgepoll's own proof finds nothing, and counts what the independent reader of the ledger counts. */
async function validated({ history, stateDir }: KilledHistory): Promise<void> {
  const { findings, schedules } = await validateOffline(stateDir, { since: 0 });
  assert.deepEqual(findings, []);
  assert.equal(history.ledger.length, history.intervals.size, "each gateway has one account");
  for (const { gateway, due, ...counts } of schedules) {
    const account = history.ledger.find((one) => one.gateway === gateway);
    assert.deepEqual(talliedOf(account?.entries ?? []), { ...ofRow(counts), due }, gateway);
  }
}

type Row = Omit<ScheduleRow, "gateway" | "due">;

function ofRow({ good, partial, failed, unknown, missed }: Row): Record<string, number> {
  const sum = Object.values(missed).reduce((slots, of) => slots + of, 0);
  return { good, partial, failed, unknown, missed: sum };
}

function talliedOf(entries: readonly LedgerEntry[]): Record<string, number> {
  const names = ["good", "partial", "failed", "unknown", "missed", "due"];
  const sums: Record<string, number> = Object.fromEntries(names.map((name) => [name, 0]));
  for (const { from, to, outcome } of entries) {
    for (const name of [outcome.split(":")[0] ?? "", "due"]) {
      sums[name] = (sums[name] ?? 0) + to - from + 1;
    }
  }
  return sums;
}
