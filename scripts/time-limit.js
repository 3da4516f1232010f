// Loaded into every test file: ends it when it hangs. The runner's own limit holds for single tests
// only on newer Node.js, and a handle left open would keep the whole run waiting for ever.

const FILE_LIMIT_MS = 180_000;

// Only the runner's children have this; the runner itself may take as long as all files together.
if (process.env["NODE_TEST_CONTEXT"] !== undefined) {
  setTimeout(() => {
    const file = process.argv[1] ?? "The test file";
    const open = process.getActiveResourcesInfo().join(", ");
    console.error(`${file} is not done after ${String(FILE_LIMIT_MS)} ms. Open: ${open}`);
    process.exit(1);
  }, FILE_LIMIT_MS).unref();
}
