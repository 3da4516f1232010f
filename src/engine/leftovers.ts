/** What a store holds of schedules that nobody polls any more, and the removal of what is safe to remove. */
import type { AuditFinding, Removed } from "../core/audit.ts";
import { count } from "../core/count.ts";
import { scheduleName } from "../core/model.ts";
import type { Clock, Store, Write } from "../core/ports.ts";
import {
  below,
  decodeClaim,
  decodeLedger,
  keys,
  numberOf,
  type AccountRecord,
  type AnsweredRecord,
  type Claim,
} from "../core/records.ts";
import type { Committer } from "./committer.ts";
import { pagesOf } from "./pages.ts";
import { Pruner } from "./pruner.ts";
import { isClosed } from "./restore.ts";
import { MEMORY } from "./transactions.ts";

/** What is in use. */
export interface LedgerScope {
  /** Schedules of the configuration; undefined when none is known. */
  readonly schedules: ReadonlySet<string> | undefined;
  /** Gateways of the configuration, without those that are not enabled. */
  readonly gateways: ReadonlySet<string>;
  /** Gateways with `enabled: false`: they keep what they have. */
  readonly disabled: ReadonlySet<string>;
  /** Whether a node runs, whose claims have their outcomes still to come. */
  readonly live: boolean;
}

/** A schedule with an account that is closed. */
export interface ClosedSchedule {
  readonly id: string;
  readonly gateway: string;
  readonly finding: AuditFinding;
}

/** What was found. */
export interface FoundLeftovers {
  /** What can't be removed. */
  readonly findings: readonly AuditFinding[];
  readonly closed: readonly ClosedSchedule[];
}

/** What it works with. */
export interface LeftoversWorld {
  readonly clock: Clock;
  readonly store: Store;
  readonly committer: Pick<Committer, "commit">;
}

/** See the head of this file. */
export class Leftovers {
  readonly #world: LeftoversWorld;
  readonly #pruner: Pruner;

  constructor(world: LeftoversWorld) {
    this.#world = world;
    this.#pruner = new Pruner(world);
  }

  /** Removes no further page. */
  close(): void {
    this.#pruner.end();
  }

  /** Looks through the claims. Records that can't be read are left to `validate`. */
  async find(scope: LedgerScope): Promise<FoundLeftovers> {
    const findings: AuditFinding[] = [];
    const closed: ClosedSchedule[] = [];
    for await (const page of pagesOf(this.#world.store, below(keys.claims), PASS_OVER)) {
      for (const { key, value } of page) {
        const id = key.slice(keys.claims.length);
        const [gateway = ""] = id.split("@");
        const claim = decodeClaim(value);
        const kept = await this.#account(id);
        const inUse = scope.schedules?.has(id);
        if (isClosed(claim, kept)) {
          if (inUse === true || scope.disabled.has(gateway)) continue;
          closed.push({ id, gateway, finding: await this.#closedFinding(id, gateway, claim) });
        } else if (inUse === false) findings.push(leftFinding(id, gateway));
        else if (!scope.live) findings.push(...(await this.#open(id, claim, kept)));
      }
    }
    return { findings, closed };
  }

  /**
   * Removes what is kept of a closed schedule: outcomes into the total first, as retention does, then the
   * account with its claim, so that the ledger holds at every moment. What waits for the broker stays.
   * Undefined when the schedule has come back meanwhile.
   */
  async remove(
    { id, gateway }: ClosedSchedule,
    scope: () => LedgerScope,
  ): Promise<Removed | undefined> {
    const { store, committer } = this.#world;
    const text = await store.get(keys.claim(id));
    const kept = await this.#account(id);
    if (text === undefined || kept === undefined || !isClosed(decodeClaim(text), kept)) return;
    const { epoch, claimed } = decodeClaim(text);
    const before = this.#pruner.removed;
    await this.#pruner.outcomes(id, { epoch, at: claimed });
    await this.#pruner.all(below(keys.hoursOf(id)));
    const records = this.#pruner.removed - before;
    const [left] = await store.range({ ...below(keys.outcomesOf(id)), limit: 1, ...PASS_OVER });
    const lastOfGateway = await this.#isLastOf(id, gateway);
    const { schedules, gateways } = scope();
    if (left !== undefined || schedules?.has(id) === true) return;
    const writes: Write[] = [keys.claim(id), keys.account(id), keys.total(id)].map((key) => {
      return { key };
    });
    if (lastOfGateway && !gateways.has(gateway)) writes.push({ key: keys.gateway(gateway) });
    await committer.commit([...writes, { key: keys.gone(id), value: String(epoch) }]);
    const { good, partial, failed, unknown } = kept.counts;
    const counts = `good ${String(good)}, partial ${String(partial)}, failed ${String(failed)}, unknown ${String(unknown)}`;
    const was = `account of ${scheduleName(id)}: ${count(kept.at, "slot")} of epoch ${String(epoch)} (${counts}), ${count(records, "record")}`;
    return { kind: "closed-schedule", where: id, text: was };
  }

  /** Removes answers to commands that are older than they are remembered. */
  async removeTransactions(isRemembered: (transaction: string) => boolean): Promise<Removed[]> {
    const { clock, store, committer } = this.#world;
    let removed = 0;
    for await (const page of pagesOf(store, below(keys.commandsAll), PASS_OVER)) {
      const expired = page.filter(({ key, value }) => {
        // As written by Transactions: the store has checked its checksum.
        const { at } = JSON.parse(value) as AnsweredRecord;
        const transaction = decodeURIComponent(key.slice(keys.commandsAll.length));
        return clock.wall() - at > MEMORY && !isRemembered(transaction);
      });
      removed += expired.length;
      if (expired.length > 0) await committer.commit(expired.map(({ key }) => ({ key })));
    }
    if (removed === 0) return [];
    const text = `${String(removed)} answers to commands, older than the ten minutes for which they count`;
    return [{ kind: "expired-transaction", where: keys.commandsAll, text }];
  }

  async #account(id: string): Promise<AccountRecord | undefined> {
    const text = await this.#world.store.get(keys.account(id));
    // As written by the ledger: the store has checked its checksum.
    return text === undefined ? undefined : (JSON.parse(text) as AccountRecord);
  }

  async #isLastOf(id: string, gateway: string): Promise<boolean> {
    // Intervals are digits, and `:` comes behind them.
    const [from, to] = [keys.claim(`${gateway}@`), keys.claim(`${gateway}@:`)];
    const claims = await this.#world.store.range({ from, to, ...PASS_OVER });
    return claims.every(({ key }) => key === keys.claim(id));
  }

  async #closedFinding(id: string, gateway: string, { slot }: Claim): Promise<AuditFinding> {
    const waiting = await this.#waiting(gateway);
    const rest =
      waiting === 0
        ? ""
        : `; ${count(waiting, "message")} of ${gateway} still ${waiting === 1 ? "waits" : "wait"} for the broker and will be delivered`;
    const text = `${scheduleName(id)} has left the configuration; its account, up to ${new Date(slot).toISOString()}, is still kept${rest}`;
    const next = "edgepoll audit --clean";
    return { kind: "closed-schedule", gateway, where: id, text, next };
  }

  /** Messages of a gateway in the spool: their numbers have no gaps. */
  async #waiting(gateway: string): Promise<number> {
    const range = { ...below(keys.spoolStream(gateway)), limit: 1, ...PASS_OVER };
    const [first] = await this.#world.store.range(range);
    const [last] = await this.#world.store.range({ ...range, reverse: true });
    if (first === undefined || last === undefined) return 0;
    return numberOf(last.key) - numberOf(first.key) + 1;
  }

  /** Slots that were claimed by a process that is gone, and have no outcome. */
  async #open(id: string, claim: Claim, kept: AccountRecord | undefined): Promise<AuditFinding[]> {
    const { epoch, claimed, settled } = claim;
    const first = Math.max(settled, kept?.epoch === epoch ? kept.at : 0) + 1;
    if (first > claimed) return [];
    const open = new Set(Array.from({ length: claimed - first + 1 }, (_, i) => first + i));
    const { from } = below(keys.outcomes(id, epoch));
    const start = keys.outcome(id, epoch, first);
    const range = { from, to: start, limit: 1, reverse: true, ...PASS_OVER };
    // A run that began before may reach that far.
    const records = await this.#world.store.range(range);
    const to = keys.outcome(id, epoch, claimed + 1);
    for await (const page of pagesOf(this.#world.store, { from: start, to }, PASS_OVER))
      records.push(...page);
    for (const { key, value } of records) {
      const record = decodeLedger(key, value);
      const last = record.kind === "run" ? record.run.to : record.seq;
      for (let seq = numberOf(key); seq <= Math.min(last, claimed); seq++) open.delete(seq);
    }
    return open.size === 0 ? [] : [openFinding(id, [...open])];
  }
}

/** Records that can't be read are the validation's to tell. */
const PASS_OVER = { damaged: () => undefined };

function openFinding(id: string, open: readonly number[]): AuditFinding {
  const [gateway = ""] = id.split("@");
  const [first = 0] = open;
  const last = open.at(-1) ?? first;
  const one = first === last;
  const which = one ? `seq ${String(first)} is` : `seq ${String(first)} to ${String(last)} are`;
  const [records, polls] = one ? ["records it", "polls it"] : ["records them", "polls them"];
  const text = `${scheduleName(id)}: ${which} claimed and without an outcome: the node that claimed them died. The next start ${records} as unknown and never ${polls} again`;
  return { kind: "orphaned-claim", gateway, where: id, text, next: "edgepoll start --node" };
}

function leftFinding(id: string, gateway: string): AuditFinding {
  const text = `${scheduleName(id)} is not in the configuration, and its account is open: no node has started since it left. The next start closes it`;
  return { kind: "orphaned-claim", gateway, where: id, text, next: "edgepoll start --node" };
}
