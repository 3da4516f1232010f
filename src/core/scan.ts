/** What a scan finds. */
import type { Value } from "./decode.ts";

/** What a unit tells by SunSpec. */
export interface SunSpecFace {
  /** Of the mark. */
  readonly address: number;
  /** As its common model has them; absent where that is empty or not read. */
  readonly manufacturer?: string;
  readonly model?: string;
  readonly version?: string;
  readonly serial?: string;
  /** The models it has, in their order; the title is null of one that edgepoll does not read. */
  readonly models: readonly { readonly id: number; readonly title: string | null }[];
}

/** What is known of a unit. */
export interface Described {
  /** What it says by Read Device Identification; null when it says nothing. */
  readonly identification: {
    readonly vendor?: string;
    readonly product?: string;
    readonly revision?: string;
    readonly name?: string;
    readonly model?: string;
  } | null;
  /** Null without the mark of SunSpec. */
  readonly sunspec: SunSpecFace | null;
  /** Profiles that fit as far as was read, the one with the most values first, and what was seen. */
  readonly profiles: readonly {
    readonly profile: string;
    readonly seen: Readonly<Record<string, Value>>;
  }[];
}

/** A unit that answered. */
export interface FoundUnit extends Described {
  readonly unitId: number;
  /** With the settings in which it answered. */
  readonly connection: string;
  /** What it said to a read of holding register 0: its value, or the code of an exception. */
  readonly answer: { readonly value: number } | { readonly exception: number };
  /** ms. */
  readonly rtt: number;
}

/** What was found. */
export interface Scan {
  /** Whether all units were asked in all settings. */
  readonly complete: boolean;
  /** Requests to units that had not answered so far. */
  readonly asked: number;
  readonly units: readonly FoundUnit[];
  /** Units for which something came that is no answer: two with one id, noise, or other settings. */
  readonly garbled: readonly { unitId: number; connection: string; detail: string }[];
  /** Units that answered later than was waited for. */
  readonly slow: readonly { unitId: number; connection: string }[];
  /** Why it ended early, unless somebody ended it. */
  readonly trouble?: string;
}

/** Units from which on one answer for all is no accident. */
const MANY = 8;

/** Whether all of many units that were asked answer alike, as a device does that does not look at the unit id. */
export function isOneDevice(units: readonly FoundUnit[], asked: number): boolean {
  const faces = units.map(({ connection, answer, identification, sunspec, profiles }) => {
    const names = profiles.map(({ profile }) => profile);
    return JSON.stringify([connection, answer, identification, sunspec, names]);
  });
  return asked >= MANY && units.length === asked && new Set(faces).size === 1;
}

/** What a unit says it is, in a few words; empty when it says nothing. */
export function aboutOf({ identification, sunspec }: Described): string {
  const { vendor, product, revision, name } = identification ?? {};
  const { manufacturer, model, version } = sunspec ?? {};
  const words = [vendor, product, name, revision, manufacturer, model, version];
  const said = new Set(words.flatMap((word) => word ?? []));
  return [...said, ...(sunspec === null ? [] : [sunSpecText(sunspec)])].join(" ");
}

function sunSpecText({ address, models }: SunSpecFace): string {
  const mark = `SunSpec at ${String(address)}`;
  const all = models.map(({ id, title }) =>
    title === null ? String(id) : `${String(id)} (${title})`,
  );
  return all.length === 0 ? `${mark} without models` : `${mark}: models ${all.join(", ")}`;
}
