/** What a unit that answers is: what it says of itself, the mark of SunSpec, the profiles that fit. */
import { shippedProfiles } from "../config/shipped.ts";
import type { Value } from "../core/decode.ts";
import { fitOf, trialOf, type Trial } from "../core/profile-fit.ts";
import type { Answer, ReadRequest } from "../core/ports.ts";
import type { Described } from "../core/scan.ts";
import { OBJECTS, type Identification } from "../modbus/identification.ts";

/** "SunS", and where it may stand (SunSpec Information Model Specification, 6.2). */
const SUNS: readonly number[] = [0x5375, 0x6e53];
const BASES: readonly number[] = [40_000, 0, 50_000];
/** Unanswered requests after which a unit is left alone. */
const MOST_UNANSWERED = 2;

type Place = Omit<ReadRequest, "unitId">;

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
  readonly #known = new Map<string, readonly number[] | undefined>();
  #unanswered = 0;

  constructor(ask: AskUnit) {
    this.#ask = ask;
  }

  async sunspec(): Promise<number | null> {
    for (const address of BASES) {
      const words = await this.#words({ table: "holding", address, count: SUNS.length });
      if (words?.every((word, n) => word === SUNS[n])) return address;
    }
    return null;
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
      if ((await this.#words(request)) === undefined) return undefined;
    }
    return fitOf(trial, (request) => this.#known.get(keyOf(request)));
  }

  async #words(place: Place): Promise<readonly number[] | undefined> {
    const key = keyOf(place);
    if (this.#known.has(key) || this.#unanswered >= MOST_UNANSWERED) return this.#known.get(key);
    const answer = await this.#ask.read(place);
    if (answer?.ok === false && answer.reason !== "exception") this.#unanswered++;
    const words = answer?.ok === true ? [...answer.words] : undefined;
    this.#known.set(key, words);
    return words;
  }
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
