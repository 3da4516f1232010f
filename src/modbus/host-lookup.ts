/** The lookups of one link: at most one at a time, and none that holds up what can do without. */
import type { LookupFunction } from "node:net";
import type { Found, Names } from "./names.ts";

/** Looks up the host of a link. */
export class HostLookup {
  readonly #names: Names;
  readonly #host: string;
  #lookingUp = false;

  constructor(names: Names, host: string) {
    this.#names = names;
    this.#host = host;
  }

  /** Why no connect may begin now. */
  refusal(): string | undefined {
    const isLost = this.#lookingUp && !this.#names.last(this.#host);
    return isLost ? `${this.#host} is still being looked up` : undefined;
  }

  /** While an earlier lookup is without an answer, the last addresses are all there is. */
  readonly lookup: LookupFunction = (host, options, found) => {
    const answer: Found = (error, addresses) => {
      const [first] = addresses;
      if (first === undefined) found(error ?? new Error(`${host} has no address`), "");
      else if (options.all === true) found(null, [...addresses]);
      else found(null, first.address, first.family);
    };
    if (this.#lookingUp) {
      answer(null, this.#names.last(host) ?? []);
      return;
    }
    this.#lookingUp = true;
    this.#names.find(host, (error, addresses) => {
      this.#lookingUp = false;
      answer(error, addresses);
    });
  };
}
