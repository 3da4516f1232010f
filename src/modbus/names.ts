/** The addresses of hosts that are known by name. */
import dns, { type LookupAddress } from "node:dns";
import { isIP } from "node:net";
import type { Clock } from "../core/ports.ts";

/** ms for which an address is used without asking again. */
const FRESH = 60_000;

/** Told the addresses of a host, or why there are none. */
export type Found = (error: Error | null, addresses: readonly LookupAddress[]) => void;

interface Known {
  readonly addresses: readonly LookupAddress[];
  readonly since: number;
}

/**
 * Looks up names, one at a time. The system's lookup can't be called back, and half of the few
 * threads it runs on is all that lookups of the whole process may take (libuv's slow work): a name
 * server that is silent must leave some for the broker.
 */
export class Names {
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();
  /** Hosts whose last lookup failed; the others go first. */
  readonly #failed = new Set<string>();
  /** Who waits, by host, in the order in which the hosts were asked for. */
  readonly #waiting = new Map<string, Found[]>();
  #isBusy = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The last addresses of a host, of any age. */
  last(host: string): readonly LookupAddress[] | undefined {
    return this.#known.get(host)?.addresses;
  }

  /** Looks a host up, and falls back on its last addresses when that fails. */
  find(host: string, found: Found): void {
    const family = isIP(host);
    const known = this.#known.get(host);
    if (family !== 0) {
      found(null, [{ address: host, family }]);
    } else if (known !== undefined && this.#clock.elapsed() - known.since < FRESH) {
      found(null, known.addresses);
    } else {
      const others = this.#waiting.get(host);
      if (others === undefined) this.#waiting.set(host, [found]);
      else others.push(found);
      this.#next();
    }
  }

  #next(): void {
    if (this.#isBusy) return;
    const hosts = [...this.#waiting.keys()];
    const host = hosts.find((each) => !this.#failed.has(each)) ?? hosts[0];
    if (host === undefined) return;
    this.#isBusy = true;
    dns.lookup(host, { all: true }, (error, addresses) => {
      this.#isBusy = false;
      this.#settle(host, error, addresses);
      this.#next();
    });
  }

  #settle(host: string, error: Error | null, addresses: readonly LookupAddress[]): void {
    const waiting = this.#waiting.get(host) ?? [];
    this.#waiting.delete(host);
    if (error === null) {
      this.#failed.delete(host);
      this.#known.set(host, { addresses, since: this.#clock.elapsed() });
    } else {
      this.#failed.add(host);
    }
    const last = this.last(host);
    for (const found of waiting) found(last === undefined ? error : null, last ?? []);
  }
}
