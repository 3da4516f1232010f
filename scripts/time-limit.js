// Loaded into every test file: ends it when it hangs. The runner's own limit holds for single tests
// only on newer Node.js, and a handle left open would keep the whole run waiting for ever.

const FILE_LIMIT_MS = 180_000;
// Those that start hundreds of processes: a minute on a quiet machine with two cores.
const LONG_FILE = /process-(?:kill|power)\.test\.ts$/;
const LONG_FILE_LIMIT_MS = 420_000;

// Only the runner's children have this; the runner itself may take as long as all files together.
if (process.env["NODE_TEST_CONTEXT"] !== undefined) {
  const file = process.argv[1] ?? "The test file";
  const limit = LONG_FILE.test(file) ? LONG_FILE_LIMIT_MS : FILE_LIMIT_MS;
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().join(", ");
    console.error(`${file} is not done after ${String(limit)} ms. Open: ${open}`);
    process.exit(1);
  }, limit).unref();
}
