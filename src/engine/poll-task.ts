/** What a poll is given, and what it gives back. */
import type { Pauses } from "../core/model.ts";
import type { DevicePlan, Plan } from "../core/plan.ts";
import type { Clock, Link } from "../core/ports.ts";
import type { RequestResult } from "../core/reading.ts";
import type { Choice } from "./breakers.ts";
import type { Lane } from "./lane.ts";

/** What a poll has to do and with what. */
export interface PollTask {
  readonly plan: Plan;
  readonly link: Link;
  readonly lane: Lane;
  readonly clock: Clock;
  readonly interval: number;
  /** ms, of one request. */
  readonly timeout: number;
  readonly retries: number;
  readonly pause: Pauses | undefined;
  /** Whether the connection is closed when the poll has ended. */
  readonly closeAfterPoll: boolean;
  /** Elapsed time at which the slot is due. */
  readonly due: number;
  /** Devices whose last poll got no answer: asked last, and once. */
  readonly silent: ReadonlySet<string>;
  /** Who is not asked, and who is probed: after all others, and once. */
  readonly choice: Choice;
}

/** The results of one device, in the order of its plan. */
export interface DeviceResult {
  readonly device: DevicePlan["device"];
  /** What it was to this poll. */
  readonly role: "polled" | "probed" | "left-out";
  readonly results: readonly RequestResult[];
  /** Elapsed time at which its last request was settled. */
  readonly settledAt: number;
}

/** The results of all devices, and the elapsed time of the first byte sent, null if none was. */
export interface PollResult {
  readonly devices: readonly DeviceResult[];
  readonly sentAt: number | null;
  /** What the link threw, which it never does unless it has a bug; it stopped the poll. */
  readonly thrown?: unknown;
}
