/** How this process was called, so that the lines it prints work when pasted. */
import path from "node:path";
import { shellWord } from "../core/shell.ts";

/** The call of a Node process. */
export interface Call {
  /** Absolute path of the script, links not resolved. */
  readonly script: string;
  /** Options of Node itself. */
  readonly nodeOptions: readonly string[];
  readonly cwd: string;
  /** The variable PATH. */
  readonly searchPath: string;
}

/** The words that call edgepoll the same way again: `edgepoll`, `npx edgepoll` or `node bin/edgepoll.js`. */
export function callerOf({ script, nodeOptions, cwd, searchPath }: Call): string {
  const folder = path.dirname(script);
  if (path.basename(script) === "edgepoll") {
    if (folder.endsWith(path.join("node_modules", ".bin"))) return "npx edgepoll";
    if (searchPath.split(path.delimiter).includes(folder)) return "edgepoll";
  }
  return ["node", ...nodeOptions, nearer(script, cwd)].map(shellWord).join(" ");
}

/** The path as seen from the working directory when it is below that. */
function nearer(script: string, cwd: string): string {
  const relative = path.relative(cwd, script);
  const below = !relative.startsWith("..") && !path.isAbsolute(relative);
  return below && cwd !== path.parse(cwd).root ? relative : script;
}
