/** What a unit that answers is: what it says of itself, the mark of SunSpec, the profiles that fit. */
import { shippedProfiles } from "../config/shipped.ts";
import type { Value } from "../core/decode.ts";
import { fitOf, trialOf, type Trial } from "../core/profile-fit.ts";
import type { Answer, ReadRequest } from "../core/ports.ts";
import type { Described, SunSpecFace } from "../core/scan.ts";
import { walkSunSpec, type SunSpecWalk } from "../core/sunspec-walk.ts";
import { OBJECTS, type Identification } from "../modbus/identification.ts";

/** Unanswered requests after which a unit is left alone. */
const MOST_UNANSWERED = 2;

/** What of the common model is told. */
const NAMES: readonly string[] = ["manufacturer", "model", "version", "serial"];

type Place = Omit<ReadRequest, "unitId">;

/** Words, or that there are none. */
type Said = readonly number[] | "refused" | "silent";

/** How the unit is asked; undefined when the scan is over. */
export interface AskUnit {
  identify(): Promise<Identification | { readonly ok: false; readonly detail: string } | undefined>;
  read(place: Place): Promise<Answer | undefined>;
}

/** Asks a unit what it is; one that leaves two requests unanswered is asked no more. */
export async function lookAt(ask: AskUnit): Promise<Described> {
  const told = await ask.identify();
  const reader = new Reader(ask);
  const sunspec = await reader.sunspec();
  const fits = sunspec === null ? await reader.profiles() : [];
  const identification = told !== undefined && "objects" in told ? namesIn(told) : null;
  return { identification, sunspec, profiles: fits };
}

/** Reads nothing twice. */
class Reader {
  readonly #ask: AskUnit;
  readonly #known = new Map<string, Said>();
  #unanswered = 0;

  constructor(ask: AskUnit) {
    this.#ask = ask;
  }

  /** The chain of its models, of which only the common one is read. */
  async sunspec(): Promise<Described["sunspec"]> {
    const walk = await walkSunSpec(
      (address, count) => this.#said({ table: "holding", address, count }),
      "common",
    );
    return walk === undefined || walk === "silent" ? null : faceOf(walk);
  }

  async profiles(): Promise<Described["profiles"]> {
    const fits: { profile: string; seen: Readonly<Record<string, Value>> }[] = [];
    for (const trial of trials()) {
      const seen = await this.#fit(trial);
      if (seen !== undefined) fits.push({ profile: trial.profile, seen });
    }
    const weight = (seen: object) => Object.keys(seen).length;
    return fits.sort((a, b) => weight(b.seen) - weight(a.seen));
  }

  async #fit(trial: Trial): Promise<Readonly<Record<string, Value>> | undefined> {
    for (const request of trial.requests) {
      if (typeof (await this.#said(request)) === "string") return undefined;
    }
    return fitOf(trial, (request) => {
      const said = this.#known.get(keyOf(request));
      return typeof said === "string" ? undefined : said;
    });
  }

  async #said(place: Place): Promise<Said> {
    const key = keyOf(place);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#unanswered >= MOST_UNANSWERED) return "silent";
    const said = saidIn(await this.#ask.read(place));
    if (said === "silent") this.#unanswered++;
    this.#known.set(key, said);
    return said;
  }
}

function saidIn(answer: Answer | undefined): Said {
  if (answer?.ok === true) return [...answer.words];
  return answer?.reason === "exception" ? "refused" : "silent";
}

function faceOf({ base, models }: SunSpecWalk): SunSpecFace {
  const common = models.find(({ model }) => model?.kind === "common")?.values ?? [];
  const entries = common.flatMap(({ point: { id }, decoded }): [string, string][] =>
    NAMES.includes(id) && decoded !== undefined && "value" in decoded
      ? [[id, String(decoded.value)]]
      : [],
  );
  return {
    address: base,
    ...Object.fromEntries(entries),
    models: models.map(({ id, model }) => ({ id, title: model?.title ?? null })),
  };
}

function trials(): readonly Trial[] {
  return shippedProfiles().flatMap(({ name, points }) => trialOf(name, points) ?? []);
}

function keyOf({ table, address, count }: Place): string {
  return `${table} ${String(address)} ${String(count)}`;
}

function namesIn({ objects }: Identification): NonNullable<Described["identification"]> {
  const names = {
    ...{ vendor: OBJECTS.vendor, product: OBJECTS.productCode, revision: OBJECTS.revision },
    ...{ name: OBJECTS.productName, model: OBJECTS.model },
  };
  const entries = Object.entries(names).flatMap(([key, id]) => {
    // Some fill up with zeros.
    const text = objects.get(id)?.replace(/[\0\s]+$/, "") ?? "";
    return text === "" ? [] : [[key, text] as const];
  });
  return Object.fromEntries(entries);
}
