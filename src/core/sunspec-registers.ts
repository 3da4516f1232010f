/** The registers of a device, read in requests as long as it takes them; what it refuses stays out. */

/** One read of holding registers: their words, or that the device refused it (exceptions 2 and 3) or was silent. */
export type SunSpecRead = (
  address: number,
  count: number,
) => Promise<ArrayLike<number> | "refused" | "silent">;

/** Registers of one request (Modbus Application Protocol 6.3). */
const MOST_REGISTERS = 125;
/** Requests to one device: a map that refuses every register costs so many, and no more. */
const MOST_REQUESTS = 1000;

/** See the head of this file. */
export class SunSpecRegisters {
  readonly #read: SunSpecRead;
  readonly #words = new Map<number, number>();
  #limit = MOST_REGISTERS;
  #requests = 0;
  #isSilent = false;

  constructor(read: SunSpecRead) {
    this.#read = read;
  }

  /** Registers that the device takes in one request, as far as that was found out. */
  get limit(): number {
    return this.#limit;
  }

  /** The words from `from` up to `to` (exclusive), undefined when one was not read. */
  at(from: number, to: number): Uint16Array | undefined {
    const words = new Uint16Array(to - from);
    for (let address = from; address < to; address++) {
      const word = this.#words.get(address);
      if (word === undefined) return undefined;
      words[address - from] = word;
    }
    return words;
  }

  /** Reads once; keeps the words. */
  async ask(address: number, count: number): Promise<"read" | "refused" | "silent"> {
    if (this.#requests >= MOST_REQUESTS) return "silent";
    this.#requests++;
    const answer = await this.#read(address, count);
    if (typeof answer === "string") return answer;
    for (let n = 0; n < count; n++) this.#words.set(address + n, answer[n] ?? 0);
    return "read";
  }

  /** Reads all from `from` up to `to` that the device gives; whether that is all. After a silence nothing more. */
  async load(from: number, to: number): Promise<boolean> {
    let isAll = true;
    for (let address = from; address < to; ) {
      const count = Math.min(to - address, this.#limit);
      isAll = (await this.#part(address, count)) && isAll;
      address += count;
    }
    return isAll;
  }

  /** A refused stretch is halved: both halves read on their own tell of a limit, else of a register that is not there. */
  async #part(address: number, count: number): Promise<boolean> {
    const answer = this.#isSilent ? "silent" : await this.ask(address, count);
    if (answer === "read") return true;
    if (answer === "silent") this.#isSilent = true;
    if (answer === "silent" || count === 1) return false;
    const half = Math.ceil(count / 2);
    const first = await this.load(address, address + half);
    const second = await this.load(address + half, address + count);
    if (first && second && count <= this.#limit) await this.#narrow(address, half, count);
    return first && second;
  }

  /** Finds the longest request between one that was read and one that was refused. */
  async #narrow(address: number, read: number, refused: number): Promise<void> {
    let [longest, shortest] = [read, refused];
    while (shortest - longest > 1) {
      const count = (longest + shortest) >> 1;
      if ((await this.ask(address, count)) === "read") longest = count;
      else shortest = count;
    }
    this.#limit = longest;
  }
}
