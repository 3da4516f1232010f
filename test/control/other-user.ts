/** Asks a control socket as the user nobody. */
import { askControl } from "../../src/control/client.ts";

process.setuid?.(65534);
askControl(process.argv[2] ?? "", "status", {}).then(
  () => process.send?.({ name: "none", text: "answered" }),
  (error: unknown) => {
    const known = error instanceof Error ? error : new Error(String(error));
    process.send?.({ name: known.name, text: known.message });
  },
);
