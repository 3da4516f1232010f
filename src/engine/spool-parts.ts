/** Parts of the spool in the hands of others: messages about to be committed, and a page held back. */
import type { Write } from "../core/ports.ts";
import { NOTHING, encodeSpooled, keys, type Spooled } from "../core/records.ts";
import type { SpoolEntry } from "./stream.ts";

/** Messages with their numbers, about to be committed. */
export class Appended {
  readonly #stream: string;
  readonly #entries: SpoolEntry[];
  readonly #confirm: (entries: readonly SpoolEntry[]) => void;

  constructor(
    stream: string,
    entries: SpoolEntry[],
    confirm: (entries: readonly SpoolEntry[]) => void,
  ) {
    this.#stream = stream;
    this.#entries = entries;
    this.#confirm = confirm;
  }

  get writes(): Write[] {
    return this.#entries.map(({ number, spooled }) => {
      return { key: keys.spool(this.#stream, number), value: encodeSpooled(spooled) };
    });
  }

  /** The messages can't be kept: this one takes the first number, nothing the others, so that no number is left out. */
  replace(message: Spooled): void {
    this.#entries.forEach(({ number }, i) => {
      this.#entries[i] = { number, spooled: i === 0 ? message : NOTHING };
    });
  }

  /** The commit succeeded: they can be handed out. */
  confirm(): void {
    this.#confirm(this.#entries);
  }
}

/** A page of a stream from which nothing is handed out until it is released. */
export class HeldPage {
  readonly stream: string;
  readonly entries: readonly SpoolEntry[];
  /** The one that follows them, when it was read. */
  readonly next: SpoolEntry | undefined;
  readonly release: () => void;
  readonly #replaced: (kept: readonly SpoolEntry[], dropped: number) => void;

  constructor(
    stream: string,
    entries: readonly SpoolEntry[],
    next: SpoolEntry | undefined,
    act: { replaced: (kept: readonly SpoolEntry[], dropped: number) => void; release: () => void },
  ) {
    this.stream = stream;
    this.entries = entries;
    this.next = next;
    this.#replaced = act.replaced;
    this.release = act.release;
  }

  /** What is to be committed: the messages take the page's last numbers, the others are deleted. */
  writes(messages: readonly Spooled[]): Write[] {
    const kept = new Map(this.#numbered(messages).map(({ number, spooled }) => [number, spooled]));
    return this.entries.map(({ number }) => {
      const key = keys.spool(this.stream, number);
      const spooled = kept.get(number);
      return spooled === undefined ? { key } : { key, value: encodeSpooled(spooled) };
    });
  }

  /** The commit succeeded. `dropped` counts the readings and events that are gone. */
  replaced(messages: readonly Spooled[], dropped: number): void {
    this.#replaced(this.#numbered(messages), dropped);
  }

  #numbered(messages: readonly Spooled[]): SpoolEntry[] {
    const places = this.entries.slice(this.entries.length - messages.length);
    return places.flatMap(({ number }, i) => {
      const spooled = messages[i];
      return spooled === undefined ? [] : [{ number, spooled }];
    });
  }
}

/** The message with the age, s, at which it is spooled. Written out: in the hot path a literal costs a tenth of one that is spread. */
export function stamped({ topic, retain, interval, slot, payload }: Spooled, age: number): Spooled {
  return { topic, retain, interval, slot, payload, age };
}

/** How many entries have so many bytes together. */
export function countOf(entries: readonly SpoolEntry[], bytes: number): number {
  let sum = 0;
  const end = entries.findIndex(({ spooled }) => (sum += encodeSpooled(spooled).length) >= bytes);
  return end < 0 ? entries.length : end + 1;
}
