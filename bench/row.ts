/** One measured run, as it stands in the JSON. */
import type { Account } from "./account.ts";
import type { PollerName } from "./pollers.ts";
import type { Quantiles } from "./quantiles.ts";

/** A run of one poller with one workload. Times in ms. */
export interface Row {
  readonly workload: string;
  readonly poller: PollerName;
  readonly run: number;
  readonly gateways: number;
  readonly seconds: number;
  /** From the start of the process until it said that it was ready. */
  readonly ready: number;
  /** Polls that the slave saw begin in the measured time; those of silent devices with their retries. */
  readonly polls: number;
  readonly pollsPerSecond: number;
  readonly requestsPerPoll: number;
  /** Of one core. */
  readonly cpuPercent: number;
  readonly cpuPerPoll: number;
  /** In MB (10⁶ bytes): at the end, and at most since the start. */
  readonly rss: number;
  readonly rssPeak: number;
  readonly switchesPerPoll: number;
  /** That reached the block layer, and that were handed to write calls (files and sockets). */
  readonly diskBytesPerPoll: number;
  readonly writtenBytesPerPoll: number;
  /** Null when there was no C compiler to count them with. */
  readonly syncsPerPoll: number | null;
  /** Slots of the devices that answer at once, on the grid that fits the slave's log best. */
  readonly slots: { readonly due: number; readonly missed: number; readonly doubled: number };
  /** Distance from that grid. */
  readonly gridError: Quantiles;
  /** Against the published slot; of edgepoll only. */
  readonly late: { readonly told: Quantiles; readonly seen: Quantiles } | null;
  readonly account: Account | null;
  readonly messagesPerSecond: number;
  readonly lost: number;
  readonly twice: number;
  readonly bad: number;
  /** From the request at a device that answers at once to the message at the subscriber. */
  readonly endToEnd: Quantiles;
  /** Slots of the devices that answer late and never (W4), as `slots`. */
  readonly slowSlots: { readonly due: number; readonly missed: number; readonly doubled: number };
  readonly deadSlots: { readonly due: number; readonly missed: number; readonly doubled: number };
  /** What processes not of the bench used, in percent of a core: the poller's, and the others. */
  readonly foreignPercent: { readonly poller: number; readonly others: number };
  /** How long the poller's threads were ready and had to wait for a core, in percent of the time. */
  readonly waitedPercent: number;
}
