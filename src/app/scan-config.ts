/** A configuration of what a scan has found, to begin with. */
import { writeFile } from "node:fs/promises";
import { FileError } from "../core/errors.ts";
import { aboutOf, isOneDevice, type FoundUnit, type Scan } from "../core/scan.ts";
import { shellWord } from "../core/shell.ts";
import { printable } from "../system/printable.ts";
import { asFileError } from "./new-file.ts";
export { refuseNoPlace } from "./new-file.ts";

/** What a scan can't know, as comments that hold once they are taken in. */
const TO_FILL_IN = [
  "# node: plant-a # its name in topics and readings; default: the host name",
  "# stateDir: ./state # its ledger and spool, relative to this file; default: the system's",
  "# mqtt:",
  "#   broker: mqtt://broker.example:1883 # default: one inside, on port 1883 of this machine alone",
];

/** Writes it into a file that is not there yet. Throws `FileError`, `PermissionError`. */
export async function writeScanConfig(path: string, scan: Scan, asked: number): Promise<void> {
  try {
    await writeFile(path, configText(scan, asked), { flag: "wx" });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") {
      throw new FileError("FILE_FAILED", `There is a file ${path} already. Choose another name.`);
    }
    throw asFileError(error, path);
  }
}

/** The text: one gateway, for those on one line must agree on its settings. Throws nothing; there is at least one unit. */
export function configText({ units, complete }: Scan, asked: number): string {
  const connection = commonest(units.map((unit) => unit.connection));
  const isOne = isOneDevice(units, asked);
  const here = units.filter((unit) => unit.connection === connection);
  const others = units.filter((unit) => unit.connection !== connection);
  const devices = isOne ? here.slice(0, 1) : here;
  return [
    "# Found by edgepoll scan: look it over, and check the profiles against the name plates.",
    ...(complete ? [] : ["# The scan was ended before all units were asked."]),
    ...TO_FILL_IN,
    "gateways:",
    "  - id: scanned",
    `    connection: ${JSON.stringify(connection)}`,
    "    interval: 10s",
    "    devices:",
    ...(isOne
      ? [
          "      # All units that were asked answer alike: most likely one device that does not look at the id.",
        ]
      : []),
    ...devices.flatMap(deviceLines),
    ...others.map((unit) => {
      const said = `unit ${String(unit.unitId)} answers at ${unit.connection}`;
      return `      # ${printable(said)}: one line has one setting, so that is not here.`;
    }),
    "",
  ].join("\n");
}

function deviceLines(unit: FoundUnit): string[] {
  const { unitId, profiles } = unit;
  const [best, ...others] = profiles;
  const about = aboutOf(unit);
  const says = about === "" ? "says nothing of itself" : about;
  const seen = Object.entries(best?.seen ?? {}).map(([id, value]) => `${id} ${String(value)}`);
  const fits = best === undefined ? [] : [`fits as far as was read: ${seen.join(", ")}`];
  const also = others.map(({ profile }) => `${profile} fits as well`);
  return [
    `      # ${printable([says, ...fits, ...also].join("; "))}`,
    `      - id: unit-${String(unitId)}`,
    `        unitId: ${String(unitId)}`,
    ...(best === undefined ? placeholder(unit) : [`        profile: ${best.profile}`]),
  ];
}

/** A device needs a point; this one is to be replaced. */
function placeholder({ unitId, connection, answer, sunspec }: FoundUnit): string[] {
  const what =
    "exception" in answer ? `, which it refused with exception ${String(answer.exception)}` : "";
  const address = sunspec?.address ?? 0;
  const name = sunspec === null ? `register-${String(address)}` : "sunspec-mark";
  const note = sunspec === null ? `the register that was asked for${what}` : "the mark of SunSpec";
  const target = printable(shellWord(`${connection}/${String(unitId)}`));
  const next =
    sunspec === null
      ? []
      : [`          # A profile: edgepoll read ${target} --sunspec --write-profile FILE`];
  return [
    "        points:",
    `          # No profile fits. Put in its points: this is ${note}.`,
    ...next,
    `          - { id: ${name}, table: holding, address: ${String(address)}, type: uint16 }`,
  ];
}

function commonest(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  const [first] = [...counts].sort(([, a], [, b]) => b - a);
  return first?.[0] ?? "";
}
