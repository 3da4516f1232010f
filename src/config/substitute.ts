/** Values from outside: `${ENV:NAME}`, `${ENV:NAME:-default}`, `${FILE:path}`, `${CRED:name}`. */

/** Where values from outside come from. */
export interface Outside {
  /** An environment variable by name, undefined if it is not set. */
  readonly env: (name: string) => string | undefined;
  /** The text of a file beside the configuration. Throws an error that says why it can't be read. */
  readonly file: (path: string) => string;
}

/** The text with its values in place, or what is wrong; a fault names the reference, never a value. */
export type Substituted = { readonly text: string } | { readonly fault: string };

const ALLOWED = "allowed are ${ENV:NAME}, ${ENV:NAME:-default}, ${FILE:path} and ${CRED:name}";

/** Whether a text holds something to be substituted. */
export function hasSubstitution(text: string): boolean {
  return text.includes("${");
}

/** Puts values into a text, once: what comes from outside is not looked through again. */
export function substitute(text: string, outside: Outside): Substituted {
  const faults: string[] = [];
  const replaced = text.replace(/\$\{([^}]*)(\}?)/g, (whole, reference: string, end: string) => {
    const value =
      end === "" ? { fault: "has ${ without the closing }" } : resolve(reference, outside);
    if ("text" in value) return value.text;
    faults.push(value.fault);
    return whole;
  });
  const [fault] = faults;
  return fault === undefined ? { text: replaced } : { fault };
}

function resolve(reference: string, outside: Outside): Substituted {
  const [, kind, rest = ""] = /^(ENV|FILE|CRED):(.+)$/s.exec(reference) ?? [];
  if (kind === "ENV") return variable(rest, outside);
  if (kind === "FILE") return file(rest, `\${FILE:${rest}}`, outside);
  if (kind === "CRED") return credential(rest, outside);
  return { fault: `has an unknown substitution; ${ALLOWED}` };
}

function variable(reference: string, { env }: Outside): Substituted {
  const [, name, , fallback] = /^([A-Za-z_][A-Za-z0-9_]*)(:-(.*))?$/s.exec(reference) ?? [];
  if (name === undefined) return { fault: `has a wrong variable name; ${ALLOWED}` };
  const value = env(name);
  // As in a shell, an empty variable counts as none where a default is given.
  if (fallback !== undefined && (value === undefined || value === "")) return { text: fallback };
  if (value !== undefined) return { text: value };
  return {
    fault: `needs the environment variable ${name}; set it, or give a default: \${ENV:${name}:-…}`,
  };
}

function credential(name: string, outside: Outside): Substituted {
  if (!/^[A-Za-z0-9_@-][A-Za-z0-9._@-]*$/.test(name)) {
    return { fault: "has a wrong credential name; it is a file name without a directory" };
  }
  const directory = outside.env("CREDENTIALS_DIRECTORY");
  if (directory === undefined || directory === "") {
    return {
      fault: `needs CREDENTIALS_DIRECTORY for \${CRED:${name}}; systemd sets it with LoadCredential=`,
    };
  }
  return file(`${directory}/${name}`, `\${CRED:${name}}`, outside);
}

function file(path: string, reference: string, outside: Outside): Substituted {
  try {
    // Editors and `echo` end a file with a line break that is not part of the secret.
    return { text: outside.file(path).replace(/\r?\n$/, "") };
  } catch (error) {
    return {
      fault: `needs ${reference}, which ${error instanceof Error ? error.message : "can't be read"}`,
    };
  }
}
