// Which folder of src/ may import what. ESLint and test/architecture.test.ts both read this table.

/**
 * @typedef {object} Layer
 * @property {readonly string[]} imports Other folders, or files without their ending (`control/client`).
 * @property {readonly string[]} npm Packages.
 * @property {boolean} node Whether `node:*` is allowed.
 * @property {readonly string[]} [values] Files of which more than types may be used; all when absent.
 * @property {boolean} [clock] Whether it may read clocks, start timers and draw random numbers.
 * @property {boolean} [process] Whether it may use `process`.
 * @property {boolean} [console] Whether it may print.
 */

/** Key: folder of src/. @type {Readonly<Record<string, Layer>>} */
export const LAYERS = {
  core: { imports: [], npm: [], node: false },
  engine: { imports: ["core"], npm: [], node: false },
  modbus: { imports: ["core"], npm: ["modbus-serial", "serialport"], node: true },
  mqtt: { imports: ["core"], npm: ["mqtt", "aedes"], node: true },
  store: { imports: ["core"], npm: ["level"], node: true },
  system: { imports: ["core"], npm: ["pino"], node: true, clock: true, process: true },
  control: { imports: ["core"], npm: [], node: true },
  http: { imports: ["core"], npm: [], node: true },
  // Shares no codec with what it answers.
  simulator: {
    ...{ imports: ["core"], npm: [], node: true },
    values: ["core/errors", "core/models"],
  },
  config: { imports: ["core"], npm: ["zod", "yaml"], node: true },
  app: {
    imports: [
      ...["core", "engine", "config", "modbus", "mqtt", "store"],
      ...["system", "control", "http", "simulator"],
    ],
    npm: [],
    node: true,
  },
  cli: {
    imports: ["app", "config", "control/client", "core"],
    npm: ["cac"],
    node: true,
    process: true,
    console: true,
  },
};

/** Globals that read a clock or start a timer; outside src/system/ a `Clock` is passed in. */
export const CLOCK_GLOBALS = ["setTimeout", "setInterval", "performance"];

/** Object and property of calls that do the same, or that give another result each time. */
export const CLOCK_PROPERTIES = [
  ["Date", "now"],
  ["Math", "random"],
  ["AbortSignal", "timeout"],
];

/** Modules that offer the same under another name. */
export const CLOCK_MODULES = ["node:timers", "node:timers/promises", "node:perf_hooks"];

/** Limits of size, in lines. */
export const MAX_FILE_LINES = 300;
export const MAX_FUNCTION_LINES = 60;
