/** A file of its own kind beside the configuration: read, checked, mistakes named with their place. */
import type { z } from "zod";
import { ConfigError, FileError, messageOf } from "../core/errors.ts";
import type { Draft } from "./draft.ts";
import { examine } from "./examine.ts";
import type { Judge } from "./mistakes.ts";
import { readText } from "./read-text.ts";
import { report } from "./report.ts";
import { readYaml } from "./yaml-document.ts";

const MOST_BYTES = 2 ** 20;

/** The settings of a file. Throws `FILE_FAILED`, or `CONFIG_INVALID` with every mistake. */
export function readSettings<T>(
  path: string,
  schema: z.ZodType<T>,
  rules: (draft: Draft<T>, judge: Judge) => void,
): T {
  const file = readYaml(textOf(path));
  const examined = examine(file, schema, undefined, rules);
  if ("settings" in examined) return examined.settings;
  throw new ConfigError("CONFIG_INVALID", report(path, file, examined.faults));
}

function textOf(path: string): string {
  try {
    return readText(path, MOST_BYTES);
  } catch (error) {
    throw new FileError("FILE_FAILED", `${path} ${messageOf(error)}.`, error);
  }
}
