/** An audit's looks at a machine where nobody else is. */
import type { AuditLooks } from "../../src/engine/audit.ts";

/** Sees nothing. */
export const NO_LOOKS: AuditLooks = {
  machine: () => {
    const look = { holders: [], jobs: [], units: [], harmless: [], unseen: [] };
    return Promise.resolve({ look, endpoints: [] });
  },
  files: () => Promise.resolve([]),
  removeFile: () => Promise.resolve(false),
};
