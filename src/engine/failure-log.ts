/** Why requests fail, in the words of the link: the log has them, payloads only a reason of a closed list. */
import type { Answer, Log } from "../core/ports.ts";
import type { RequestResult } from "../core/reading.ts";
import type { DeviceResult } from "./poll-task.ts";
import type { Schedule, Slot } from "./schedule.ts";

interface Failed {
  readonly request: RequestResult["request"];
  readonly answer: Extract<Answer, { ok: false }>;
}

/** Says at level debug what a device's first failed request met: when the words change, and when all is answered again. */
export class FailureLog {
  readonly #log: Log;
  /** What was said last of the devices that fail, by schedule and device. */
  readonly #said = new Map<string, string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Takes what a poll brought; of devices that were not asked nothing is said. */
  polled(schedule: Schedule, slot: Slot, devices: readonly DeviceResult[]): void {
    for (const { device, results } of devices) {
      const failed = failedIn(results);
      // What is good costs nothing while nothing fails.
      if (failed === undefined && this.#said.size === 0) continue;
      const key = `${schedule.id}/${device.id}`;
      if (failed !== undefined) this.#failed(key, placeOf(schedule, slot, device.id), failed);
      else if (results.every(isGood) && this.#said.delete(key)) {
        this.#log.debug(placeOf(schedule, slot, device.id), "All requests are answered again.");
      }
    }
  }

  #failed(key: string, place: object, { request, answer }: Failed): void {
    const { reason, detail } = answer;
    if (this.#said.get(key) === detail) return;
    this.#said.set(key, detail);
    const { table, address } = request;
    this.#log.debug({ ...place, table, address, reason, detail }, "A request failed.");
  }
}

/** As in the identity of the reading. */
function placeOf({ gateway, interval }: Schedule, { seq }: Slot, device: string): object {
  return { gateway: gateway.id, device, interval, seq };
}

/** The first attempt that failed, be it that a later one was answered. */
function failedIn(results: readonly RequestResult[]): Failed | undefined {
  for (const { request, last, earlier } of results) {
    const answer = earlier[0] ?? last;
    if (typeof answer === "object" && !answer.ok) return { request, answer };
  }
  return undefined;
}

function isGood({ last }: RequestResult): boolean {
  return typeof last === "object" && last.ok;
}
