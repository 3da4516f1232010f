/** Unit files of systemd, as far as they say what is started (systemd.syntax(7), systemd.service(5)). */

/** What a unit starts. */
export interface UnitFacts {
  readonly commands: readonly string[];
  readonly user?: string;
  /** The unit that a timer, path or socket starts. */
  readonly starts?: string;
  /** Assignments for the processes of the service. */
  readonly environment: readonly string[];
}

/** What the texts of a unit and its drop-ins say together; `instance` is what stands for `%i` in them. */
export function unitFacts(texts: readonly string[], instance: string): UnitFacts {
  let commands: string[] = [];
  let environment: string[] = [];
  let user: string | undefined;
  let starts: string | undefined;
  for (const [key, value] of texts.flatMap(assignments)) {
    const filled = value.replace(/%[iI]/g, instance);
    // An empty value takes back what was given before.
    if (key === "ExecStart") commands = filled === "" ? [] : [...commands, commandOf(filled)];
    if (key === "Environment") environment = filled === "" ? [] : [...environment, filled];
    if (key === "User") user = filled === "" ? undefined : filled;
    if (key === "Unit") starts = filled;
  }
  return {
    ...{ commands, environment },
    ...(user === undefined ? {} : { user }),
    ...(starts === undefined ? {} : { starts }),
  };
}

/** `key=value` of a text, lines that end in a backslash joined. */
function assignments(text: string): [string, string][] {
  const lines = text.replace(/\\\n\s*/g, " ").split("\n");
  return lines.flatMap((line): [string, string][] => {
    const [, key, value] = /^\s*([A-Za-z]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    return key === undefined || value === undefined ? [] : [[key, value]];
  });
}

/** Without the characters in front that change how it is run. */
function commandOf(value: string): string {
  return value.replace(/^[-@:+!|]+/, "");
}
