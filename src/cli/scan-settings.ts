/** The settings of a line that are tried. */
import { parseConnection } from "../config/connection.ts";
import type { SerialConnection } from "../core/model.ts";
import { wrong } from "./arguments.ts";

/** What was given; undefined: as the connection says. */
export interface WantedSettings {
  readonly bauds: readonly string[] | undefined;
  readonly parities: readonly string[] | undefined;
}

/** The line in each of the settings, speed by speed. Throws `UsageError`; stop bits that `url` names hold for all. */
export function settingsOf(
  { path, baud, parity }: SerialConnection,
  url: string,
  { bauds, parities }: WantedSettings,
  example: string,
): readonly [SerialConnection, ...SerialConnection[]] {
  const [, stop] = /[?&](stop=[12])/.exec(url) ?? [];
  const more = stop === undefined ? "" : `&${stop}`;
  const all = (bauds ?? [String(baud)]).flatMap((speed) =>
    (parities ?? [parity]).map((each) => {
      const parsed = parseConnection(`serial://${path}?baud=${speed}&parity=${each}${more}`);
      if ("connection" in parsed && parsed.connection.kind === "serial") return parsed.connection;
      const fault = "fault" in parsed ? parsed.fault : "must be a line";
      throw wrong(`A line at baud ${speed} with parity ${each}: it ${fault}`, example);
    }),
  );
  const [first, ...others] = all;
  if (first === undefined) throw wrong("There are no settings to try", example);
  return [first, ...others];
}
