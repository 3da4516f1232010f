/** A directory for one test. */
import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** A file system in memory, on which a sync takes no time. */
const MEMORY = "/dev/shm";

/** Makes a directory with a short real path (sockets fit in it); it goes when the test ends. */
export function createTempDir(test: Pick<TestContext, "after">, base = tmpdir()): string {
  const directory = realpathSync(mkdtempSync(join(base, "ep-")));
  test.after(() => {
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  });
  return directory;
}

/** The same in memory where the system has that, for what syncs very often. */
export function createMemoryDir(test: Pick<TestContext, "after">): string {
  return createTempDir(test, existsSync(MEMORY) ? MEMORY : tmpdir());
}
