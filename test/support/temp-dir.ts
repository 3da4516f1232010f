/** A directory for one test. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** Makes a directory with a short real path (sockets fit in it); it goes when the test ends. */
export function createTempDir(test: Pick<TestContext, "after">): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "ep-")));
  test.after(() => {
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  });
  return directory;
}
