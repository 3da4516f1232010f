/** The schema of a profile: points that many devices of one model have. */
import type { z } from "zod";
import { merge, point } from "./schema-device.ts";
import { listOf, section } from "./schema-kinds.ts";

/** A profile file. */
export const profileSchema = section({
  merge: merge.optional().describe("Limits of the model's requests; those of a device go before."),
  points: listOf(point).describe("The values of the model, as those of a device."),
});

/** A profile as checked. */
export type ProfileSettings = z.output<typeof profileSchema>;
