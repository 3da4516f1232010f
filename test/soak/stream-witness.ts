/** An independent subscriber that follows half a million messages without keeping them: `mosquitto_sub`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** What was seen of the readings and gaps of all gateways. */
export interface Account {
  readings: number;
  /** Readings that say they come late. */
  replayed: number;
  /** Slots told in gaps, by reason. */
  readonly gaps: Map<string, number>;
  /** Messages that were there before. */
  duplicates: number;
  /** A seq that is in no message when a later one comes, or one that comes after a later one. */
  readonly faults: string[];
  /** Last seq and epoch, by gateway; seqs from 1 to there are all told. */
  readonly last: Map<string, { epoch: number; seq: number }>;
  /** How late the polls began whose slot was due after `lateFrom`, a wall time, ms. */
  readonly late: number[];
  lateFrom: number;
  /** When the first and the last replayed reading came, ms of this process's monotonic clock. */
  firstReplayed: number;
  lastReplayed: number;
}

/** A subscriber that keeps the account. */
export interface StreamWitness {
  readonly account: Account;
  /** Settles when the account meets a condition, looked at after every message. Rejects after `patience` ms without a message. */
  until(met: (account: Account) => boolean, patience: number): Promise<void>;
  stop(): Promise<void>;
}

interface Payload {
  readonly gateway: string;
  readonly epoch: number;
  /** Of a reading. */
  readonly seq: number;
  readonly slot: number;
  readonly late: number | null;
  /** Of a gap. */
  readonly from?: number;
  readonly to: number;
  readonly reason: string;
  readonly replayed?: boolean;
}

/** Subscribes with QoS 1 to all readings and gaps; settles when the broker has taken that. */
export async function startStreamWitness(port: number): Promise<StreamWitness> {
  const topics = ["-t", "polling/readings/#", "-t", "polling/gaps/#"];
  const where = ["-h", "127.0.0.1", "-p", String(port), "-V", "5", "-q", "1"];
  const child = spawn(
    "stdbuf",
    ["-oL", "mosquitto_sub", ...where, ...topics, "-F", "m\t%p", "-d"],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const exited = once(child, "exit");
  const account: Account = {
    ...{ readings: 0, replayed: 0, duplicates: 0, firstReplayed: 0, lastReplayed: 0 },
    ...{ gaps: new Map(), faults: [], last: new Map(), late: [] },
    lateFrom: Infinity,
  };
  const watchers = new Set<() => void>();
  await new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith("Subscribed")) resolve();
      if (!line.startsWith("m\t")) return;
      // Readings and gaps as published; a field that is missing shows as a fault.
      follow(account, JSON.parse(line.slice(2)) as Payload);
      for (const look of watchers) look();
    });
  });
  return {
    account,
    until: (met, patience) =>
      new Promise((resolve, reject) => {
        let timer: NodeJS.Timeout | undefined;
        const look = (): void => {
          clearTimeout(timer);
          timer = setTimeout(() => {
            watchers.delete(look);
            reject(new Error(`nothing came for ${String(patience)} ms: ${summaryOf(account)}`));
          }, patience);
          if (!met(account)) return;
          clearTimeout(timer);
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    stop: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** The account in a line. */
export function summaryOf(account: Account): string {
  const { readings, replayed, duplicates, faults, gaps } = account;
  const told = [...gaps].map(([reason, slots]) => `${String(slots)} ${reason}`).join(", ");
  return (
    `${String(readings)} readings (${String(replayed)} replayed), gaps: ${told || "none"}, ` +
    `${String(duplicates)} duplicates, ${String(faults.length)} missing or out of order`
  );
}

function follow(account: Account, message: Payload): void {
  const { gateway, epoch, replayed, late } = message;
  const isGap = message.from !== undefined;
  const from = message.from ?? message.seq;
  const to = isGap ? message.to : message.seq;
  const before = account.last.get(gateway);
  const last = before?.epoch === epoch ? before.seq : 0;
  if (to <= last) {
    account.duplicates += 1;
    return;
  }
  if (from !== last + 1) {
    account.faults.push(`${gateway} seq ${String(from)} came after ${String(last)}`);
  }
  account.last.set(gateway, { epoch, seq: to });
  if (isGap) {
    account.gaps.set(message.reason, (account.gaps.get(message.reason) ?? 0) + to - from + 1);
    return;
  }
  account.readings += 1;
  if (late !== null && message.slot > account.lateFrom) account.late.push(late);
  if (replayed !== true) return;
  account.replayed += 1;
  account.lastReplayed = performance.now();
  if (account.replayed === 1) account.firstReplayed = account.lastReplayed;
}
