/** Walks through a device with SunSpec, and writes down what it found. */
import { writeFile } from "node:fs/promises";
import { FileError } from "../core/errors.ts";
import type { ReadRequest } from "../core/ports.ts";
import { walkSunSpec, type SunSpecWalk } from "../core/sunspec-walk.ts";
import type { SunSpecRead } from "../core/sunspec-registers.ts";
import { answerOf, type DirectAnswer } from "../engine/direct-answer.ts";
import { EndpointUse, type Manner } from "./endpoint-use.ts";
import { asFileError } from "./new-file.ts";
export { profileText } from "../config/sunspec-profile.ts";

/** Reads once, with the time-out in ms. */
export type Asking = (request: ReadRequest, timeout: number) => Promise<DirectAnswer>;

/**
 * Walks through a device over one connection, or through the node that owns its endpoint; `readBy` says
 * what an answer comes to. Throws `LockedError`, and what `readBy` throws.
 */
export async function walkEndpoint(
  manner: Manner,
  readBy: (ask: Asking) => SunSpecRead,
): Promise<SunSpecWalk | "silent" | undefined> {
  const use = await EndpointUse.of(manner, "read");
  return use.either(
    (link) => walkSunSpec(readBy(async (request, ms) => answerOf(await link.read(request, ms)))),
    (node) =>
      // As a node of this version answers.
      walkSunSpec(
        readBy((request, timeout) => node({ ...request, timeout }) as Promise<DirectAnswer>),
      ),
  );
}

/** Writes a file that is not there yet, for everybody to read. Throws `FileError`, `PermissionError`. */
export async function writeProfile(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: "wx" });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") {
      throw new FileError("FILE_FAILED", `There is a file ${path} already. Choose another name.`);
    }
    throw asFileError(error, path);
  }
}
