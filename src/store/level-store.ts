/** The store on disk. */
import { dirname } from "node:path";
import { type EdgepollError, StoreError, messageOf } from "../core/errors.ts";
import type { Clock, Entry, Range, Store, Write } from "../core/ports.ts";
import {
  FIRST_KEY,
  asStoreError,
  openDatabase,
  readFormat,
  readFrame,
  refuseDamaged,
  writeFormat,
  type Database,
} from "./database.ts";
import { damage } from "./damage.ts";
import { decodeFrame, encodeFrame } from "./frame.ts";
import { markClosed, markInUse, wasInUse } from "./in-use.ts";
import { newer, raiseMarker } from "./marker.ts";
import { FORMAT, migrate } from "./migrate.ts";
import { prepare, type Place } from "./prepare.ts";

/** ms a close may take. */
const CLOSE_LIMIT = 5000;
/** Records of a page of a scan. */
const PAGE = 500;

/** How to open a store. */
export interface LevelStoreOptions {
  /** Make a new database where there never was one. */
  readonly create: boolean;
  /** Bounds the close. */
  readonly clock: Pick<Clock, "timer">;
}

/**
 * Opens the database of a state directory, `<directory>/db`.
 * Throws `LockedError`, `StateDirectoryError`, `PermissionError` or `StoreError`.
 */
export async function openLevelStore(
  directory: string,
  options: LevelStoreOptions,
): Promise<Store> {
  try {
    const place = await prepare(directory, options.create);
    return await openStoreAt(place, options.clock);
  } catch (error) {
    throw asStoreError(error, `open the store in ${directory}`);
  }
}

/** Opens the database that lies at a place. Throws as `openLevelStore`. */
export async function openStoreAt(place: Place, clock: LevelStoreOptions["clock"]): Promise<Store> {
  const { path, id } = place;
  refuseDamaged(path, wasInUse(path));
  markInUse(path);
  const database = await openDatabase(path, id);
  const store = new LevelStore(place, database, clock);
  try {
    await bringUp(store, database, place);
    return store;
  } catch (error) {
    // Not in order: whoever opens it next looks at all of it.
    await database.close();
    throw error;
  }
}

/** Migrates what an older edgepoll has written. */
async function bringUp(store: Store, database: Database, { path, format }: Place): Promise<void> {
  const found = await readFormat(database);
  if (found === undefined && format > 1) throw damage(`${path} lost its format.`);
  const from = found ?? 1;
  if (from > FORMAT) throw newer(dirname(path), from);
  if (from === FORMAT && format === FORMAT) return;
  // Before the marker says that a format should be there.
  await writeFormat(database, from);
  raiseMarker(dirname(path));
  await migrate(store, from, (format) => writeFormat(database, format));
}

interface Waiting {
  readonly batch: readonly Write[];
  readonly sync: boolean;
  readonly settle: (error?: EdgepollError) => void;
}

class LevelStore implements Store {
  readonly #place: Place;
  readonly #clock: Pick<Clock, "timer">;
  #database: Database;
  #closing: Promise<void> | undefined;
  /** Set after a failed write: LevelDB would fail for ever on that handle, even when the disk is well again. */
  #doubted = false;
  #reopening: Promise<void> | undefined;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  readonly #reading = new Set<Promise<unknown>>();

  constructor(place: Place, database: Database, clock: Pick<Clock, "timer">) {
    this.#place = place;
    this.#database = database;
    this.#clock = clock;
  }

  write(batch: readonly Write[], sync: boolean): Promise<void> {
    if (this.#closing) return Promise.reject(closed());
    if (batch.some((one) => one.key < FIRST_KEY)) {
      return Promise.reject(new StoreError("STORE_FAILED", "Keys below '\"' belong to the store."));
    }
    return new Promise((resolve, reject) => {
      const settle = (error?: EdgepollError): void => {
        if (error) reject(error);
        else resolve();
      };
      this.#waiting.push({ batch: [...batch], sync, settle });
      this.#writing ??= this.#writeAll();
    });
  }

  get(key: string): Promise<string | undefined> {
    return this.#read(async () => {
      const frame = await readFrame(this.#database, key);
      return frame && decodeFrame(key, frame);
    });
  }

  range(range: Range): Promise<Entry[]> {
    return this.#read(async () => {
      const from = range.from < FIRST_KEY ? FIRST_KEY : range.from;
      const { limit = -1, reverse = false, damaged } = range;
      const found = await this.#database
        .iterator({ gte: from, lt: range.to, limit, reverse })
        .all();
      return found.flatMap(([key, frame]) => entryOf(key, frame, damaged));
    });
  }

  async *scan({ from, to }: Pick<Range, "from" | "to">): AsyncGenerator<readonly Entry[]> {
    const options = { gte: from < FIRST_KEY ? FIRST_KEY : from, lt: to };
    // An iterator reads what there was when it was made.
    const iterator = await this.#read(() => Promise.resolve(this.#database.iterator(options)));
    try {
      for (;;) {
        const page = await this.#read(() => iterator.nextv(PAGE));
        if (page.length === 0) return;
        yield page.map(([key, frame]) => ({ key, value: decodeFrame(key, frame) }));
      }
    } finally {
      await iterator.close();
    }
  }

  compact({ from, to }: Pick<Range, "from" | "to">): Promise<void> {
    return this.#read(() => this.#database.compactRange(from, to));
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeInTime();
    return this.#closing;
  }

  /** Writes that wait go together, in their order: one batch in flight, so the disk sets the pace. */
  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      const error = await this.#writeGroup(group);
      for (const one of group) one.settle(error);
    }
    this.#writing = undefined;
  }

  async #writeGroup(group: readonly Waiting[]): Promise<EdgepollError | undefined> {
    try {
      if (this.#doubted) await this.#reopened();
      // Chained: an array of operations is copied by the library, each of them, for hooks we don't have.
      const batch = this.#database.batch();
      for (const { key, value } of group.flatMap((one) => one.batch)) {
        if (value === undefined) batch.del(key);
        else batch.put(key, encodeFrame(key, value));
      }
      await batch.write({ sync: group.some((one) => one.sync) });
      return undefined;
    } catch (error) {
      this.#doubted = true;
      return asFailure(error, `write to ${this.#place.path}`);
    }
  }

  async #read<T>(run: () => Promise<T>): Promise<T> {
    if (this.#closing) throw closed();
    try {
      if (this.#doubted) await this.#reopened();
      const result = run();
      this.#reading.add(result);
      try {
        return await result;
      } finally {
        this.#reading.delete(result);
      }
    } catch (error) {
      throw asFailure(error, `read from ${this.#place.path}`);
    }
  }

  async #reopened(): Promise<void> {
    this.#reopening ??= this.#reopen();
    try {
      await this.#reopening;
    } finally {
      this.#reopening = undefined;
    }
  }

  async #reopen(): Promise<void> {
    await Promise.allSettled(this.#reading);
    await this.#database.close();
    refuseDamaged(this.#place.path, false);
    this.#database = await openDatabase(this.#place.path, this.#place.id);
    this.#doubted = false;
  }

  async #closeInTime(): Promise<void> {
    let cancel = (): void => undefined;
    const late = new Promise<never>((_, reject) => {
      cancel = this.#clock.timer(CLOSE_LIMIT, () => {
        reject(new StoreError("STORE_FAILED", `${this.#place.path} did not close in 5 s.`));
      });
    });
    try {
      await Promise.race([this.#closeAll(), late]);
    } catch (error) {
      throw asFailure(error, `close ${this.#place.path}`);
    } finally {
      cancel();
    }
  }

  async #closeAll(): Promise<void> {
    await this.#writing;
    await Promise.allSettled([...this.#reading, this.#reopening]);
    await this.#database.close();
    markClosed(this.#place.path);
  }
}

function entryOf(key: string, frame: Buffer, damaged: Range["damaged"]): Entry[] {
  try {
    return [{ key, value: decodeFrame(key, frame) }];
  } catch (error) {
    if (damaged === undefined) throw error;
    damaged(key, messageOf(error));
    return [];
  }
}

/** The port rejects with `StoreError` alone; another edgepoll that took the database meanwhile is its cause. */
function asFailure(error: unknown, deed: string): StoreError {
  const failure = asStoreError(error, deed);
  if (failure instanceof StoreError) return failure;
  return new StoreError("STORE_FAILED", failure.message, failure);
}

function closed(): StoreError {
  return new StoreError("STORE_FAILED", "The store is closed.");
}
