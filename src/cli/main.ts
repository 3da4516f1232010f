/** The command line; runs when imported. */
import { callerOf } from "./caller.ts";
import { processOutput } from "./output.ts";
import { paintFor } from "./paint.ts";
import { run } from "./run.ts";

// Each look at the live environment is a call into the system, and the YAML parser looks once per token.
process.env = { ...process.env };
const { argv, env, execArgv, stdout } = process;
const out = processOutput();
const caller = callerOf({
  script: argv[1] ?? "",
  nodeOptions: execArgv,
  cwd: process.cwd(),
  searchPath: env["PATH"] ?? "",
});
const context = { out, paint: paintFor(stdout, env), caller };
const code = await run(argv.slice(2), context, env["EDGEPOLL_DEBUG"] === "1");
await out.flush();
process.exit(code);
