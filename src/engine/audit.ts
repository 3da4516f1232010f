/** The audit: looks for what is left over and who else is at work, and removes what is safe to remove. */
import { arrangeFindings, type Audit as AuditData } from "../core/audit.ts";
import type { AuditFinding, Removed, Unseen, WatchedEndpoint } from "../core/audit.ts";
import { messageOf } from "../core/errors.ts";
import { machineFindings, type MachineLook } from "../core/machine.ts";
import type { Gateway } from "../core/model.ts";
import {
  retainedVerdict,
  type BrokerLook,
  type BrokerOwner,
  type RetainedVerdict,
} from "../core/retained-topics.ts";
import type { Topics } from "../core/topics.ts";
import type { Journal } from "./journal.ts";
import { Leftovers, type LedgerScope, type LeftoversWorld } from "./leftovers.ts";
import type { InTurn } from "./turns.ts";

/** Removed of a kind at once: a reply has an end. What is left is found again. */
const MOST_REMOVED = 200;
/** Lines of what was removed that go on the audit trail. */
const MOST_TOLD = 50;

/** The parts of the world that only the composition knows; each look takes some seconds at most. */
export interface AuditLooks {
  /** Others on this machine, at the endpoints of these gateways and beside. */
  machine(
    gateways: readonly Gateway[],
  ): Promise<{ look: MachineLook; endpoints: readonly WatchedEndpoint[] }>;
  /** Files that a process which died left behind. */
  files(): Promise<readonly AuditFinding[]>;
  /** Removes one of them; false when it is in use again. */
  removeFile(finding: AuditFinding): Promise<boolean>;
}

/** What is wanted. */
export interface AuditQuery {
  /** Whether what is safe to remove is removed. */
  readonly clean: boolean;
  /** Of findings that are of one gateway only those of these are wanted; undefined: all. */
  readonly targets?: readonly string[];
}

/** What an audit works with. */
export interface AuditWorld extends LeftoversWorld {
  readonly journal: Journal;
  readonly topics: Topics;
  readonly looks: AuditLooks;
  /** Work on the store that must not run beside a validation, in its turn. */
  readonly inTurn: InTurn;
  /** Gateways of the configuration; none when none is known. */
  readonly gateways: () => readonly Gateway[];
  /** What is in use at this moment. */
  readonly scope: () => LedgerScope;
  readonly owner: () => BrokerOwner;
  /** What the broker retains. Rejects when it can't be asked. */
  readonly retained: (filters: readonly string[]) => Promise<BrokerLook>;
  /** Clears topics; gives back those that are cleared, after some seconds at most. */
  readonly clear: (topics: readonly string[]) => Promise<readonly string[]>;
  /** Whether the answer to a transaction is still given again. */
  readonly isRemembered: (transaction: string) => boolean;
}

/** See the head of this file. */
export class Audit {
  readonly #world: AuditWorld;
  readonly #leftovers: Leftovers;

  constructor(world: AuditWorld) {
    this.#world = world;
    this.#leftovers = new Leftovers(world);
  }

  /** Removes no more. */
  close(): void {
    this.#leftovers.close();
  }

  /** Looks, and with `clean` removes on behalf of `by`. Rejects with `StoreError`. */
  async run({ clean, targets }: AuditQuery, by: string): Promise<AuditData> {
    const { looks, scope, gateways } = this.#world;
    const [machine, broker, files] = await Promise.all([
      looks.machine(gateways()),
      this.#broker(),
      looks.files(),
    ]);
    const isWanted = ({ gateway }: { gateway?: string }) =>
      gateway === undefined || (targets?.includes(gateway) ?? true);
    const left = await this.#leftovers.find(scope());
    const closed = left.closed.filter(isWanted);
    const all = [
      ...machineFindings(machine.look),
      ...broker.findings,
      ...left.findings,
      ...files,
      ...closed.map(({ finding }) => finding),
    ].filter(isWanted);
    const removed = clean ? await this.#clean({ broker, files, closed }) : [];
    if (removed.length > 0) await this.#note(removed, by);
    const gone = new Set(removed.map(({ kind, where }) => `${kind} ${where}`));
    const unseen = machine.look.unseen.map((text): Unseen => ({ part: "machine", text }));
    return {
      ...arrangeFindings(all.filter(({ kind, where }) => !gone.has(`${kind} ${where}`))),
      removed,
      unseen: [...unseen, ...broker.unseen],
      endpoints: machine.endpoints,
    };
  }

  async #broker(): Promise<RetainedVerdict & { unseen: readonly Unseen[] }> {
    const { topics, retained, owner } = this.#world;
    try {
      const look = await retained(topics.retained);
      const unseen = look.unseen.map((text): Unseen => ({ part: "broker", text }));
      return { ...retainedVerdict(look, topics, owner()), unseen };
    } catch (error) {
      const text = `what the broker retains, and other nodes there: ${messageOf(error)}`;
      return { findings: [], gone: [], unseen: [{ part: "broker", text }] };
    }
  }

  async #clean({ broker, files, closed }: Found): Promise<Removed[]> {
    const { clear, looks, scope, isRemembered, inTurn } = this.#world;
    const removed: Removed[] = [];
    const gone = broker.gone.slice(0, MOST_REMOVED);
    if (gone.length > 0) {
      for (const where of await clear(gone)) {
        const text = `${where}: retained by the broker`;
        removed.push({ kind: "retained-topic", where, text });
      }
    }
    for (const finding of files.slice(0, MOST_REMOVED)) {
      const { kind, where, text } = finding;
      if (await looks.removeFile(finding)) removed.push({ kind, where, text });
    }
    for (const schedule of closed.slice(0, MOST_REMOVED)) {
      const one = await inTurn(() => this.#leftovers.remove(schedule, scope));
      if (one !== undefined) removed.push(one);
    }
    return [...removed, ...(await this.#leftovers.removeTransactions(isRemembered))];
  }

  async #note(removed: readonly Removed[], by: string): Promise<void> {
    const told = removed.slice(0, MOST_TOLD).map(({ kind, text }) => `${kind} ${text}`);
    const rest = removed.length - told.length;
    const text = `audit by ${by} removed ${countsOf(removed)}`;
    const data = { removed: told, ...(rest > 0 ? { more: rest } : {}) };
    await this.#world.journal.note({ kind: "audit-cleaned", by, text, data });
  }
}

interface Found {
  readonly broker: RetainedVerdict;
  readonly files: readonly AuditFinding[];
  readonly closed: Awaited<ReturnType<Leftovers["find"]>>["closed"];
}

const WORDS: Readonly<Partial<Record<Removed["kind"], string>>> = {
  "retained-topic": "retained topics",
  "stale-socket": "stale sockets",
  "leftover-file": "leftover files",
  "closed-schedule": "closed schedules",
  "expired-transaction": "kinds of old answers",
};

/** Such as `closed schedules: 2, stale sockets: 1`. */
function countsOf(removed: readonly Removed[]): string {
  const kinds = [...new Set(removed.map(({ kind }) => kind))];
  return kinds
    .map((kind) => {
      const count = removed.filter((one) => one.kind === kind).length;
      return `${WORDS[kind] ?? kind}: ${String(count)}`;
    })
    .join(", ");
}
