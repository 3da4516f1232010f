/** Reads a part of the store in pages, so that memory is bounded and others get their turn in between. */
import type { Entry, Range, Store } from "../core/ports.ts";

/** Records read at once. */
const PAGE = 500;

/** How a part of the store is read. */
export interface Paging {
  /** Settles when the next page may be read. */
  readonly pause?: () => Promise<void>;
  /** As in `Range`. */
  readonly damaged?: (key: string, why: string) => void;
}

/** The records of a range, page by page. */
export async function* pagesOf(
  store: Store,
  { from, to }: Pick<Range, "from" | "to">,
  { pause, damaged }: Paging = {},
): AsyncGenerator<readonly Entry[]> {
  for (let next = from; ; ) {
    /** Keys that could not be read count as read, or the page would look like the last one. */
    const bad: string[] = [];
    const told =
      damaged === undefined
        ? {}
        : {
            damaged: (key: string, why: string) => {
              bad.push(key);
              damaged(key, why);
            },
          };
    const page = await store.range({ from: next, to, limit: PAGE, ...told });
    yield page;
    if (page.length + bad.length < PAGE) return;
    next = `${[page.at(-1)?.key ?? "", bad.at(-1) ?? ""].sort()[1] ?? ""}\0`;
    await pause?.();
  }
}
