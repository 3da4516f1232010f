/** What the process finds around itself. */
import { homedir, platform } from "node:os";

/** The facts that paths depend on; a test gives its own. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
  readonly root: boolean;
  readonly platform: string;
}

/** The surroundings of this process. */
export function surroundings(): Surroundings {
  return {
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    root: process.getuid?.() === 0,
    platform: platform(),
  };
}
