/** All streams of the spool: which have something to hand out, and how much waits in them. */
import { Stream } from "./stream.ts";

/** See the head of this file. */
export class Streams {
  readonly #all = new Map<string, Stream>();
  /** Streams with something to hand out, in the order of their turns. */
  readonly #ready: Stream[] = [];
  #messages = 0;
  #bytes = 0;

  /** Messages that wait, and their size in characters. */
  get waiting(): { readonly messages: number; readonly bytes: number } {
    return { messages: this.#messages, bytes: this.#bytes };
  }

  get all(): Iterable<Stream> {
    return this.#all.values();
  }

  /** The stream of that name, a new one that begins with number `first` when there is none. */
  of(name: string, first = 1): Stream {
    let stream = this.#all.get(name);
    if (stream === undefined) this.#all.set(name, (stream = new Stream(name, first)));
    return stream;
  }

  /** Takes the stream whose turn it is, but for those of `but`; it has no other until it is queued again. */
  next(but: ReadonlyMap<string, unknown>): Stream | undefined {
    const stream = this.#ready.find(({ name }) => !but.has(name));
    if (stream !== undefined) this.unqueue(stream);
    return stream;
  }

  /** Has its turn after all others, if it has something to hand out. */
  queue(stream: Stream): void {
    if (!stream.ready || stream.isQueued) return;
    stream.isQueued = true;
    this.#ready.push(stream);
  }

  /** Has no turn until it is queued again. */
  unqueue(stream: Stream): void {
    if (!stream.isQueued) return;
    stream.isQueued = false;
    this.#ready.splice(this.#ready.indexOf(stream), 1);
  }

  /** So many messages and characters more, or fewer, wait in a stream. */
  count(stream: Stream, messages: number, bytes: number): void {
    stream.messages += messages;
    stream.bytes += bytes;
    this.#messages += messages;
    this.#bytes += bytes;
  }
}
