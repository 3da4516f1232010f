/** `read --sunspec`: what a device tells by SunSpec, and a profile made of it. */
import type { DirectAnswer } from "../app/read.ts";
import { UnavailableError } from "../core/errors.ts";
import type { ReadRequest } from "../core/ports.ts";
import { referenceOf } from "../core/reference.ts";
import { isAboutRegisters } from "../core/refusals.ts";
import type { FoundModel, FoundValue, SunSpecWalk } from "../core/sunspec-walk.ts";
import { columns } from "./columns.ts";
import { valueOf, type Context, type Given, type Option } from "./command.ts";
import { listening } from "./listening.ts";
import type { Output } from "./output.ts";
import { printable } from "./printable.ts";
import { failureOf } from "./read-failure.ts";
import { rawOf } from "./read-rows.ts";
import { TIMEOUT, type Unit } from "./registers.ts";

/** Walks through a device. */
export const SUNSPEC: Option = {
  name: "sunspec",
  about: "All that the device tells by SunSpec, in place of an ADDRESS",
};
/** Keeps what was found. */
export const WRITE_PROFILE: Option = {
  name: "write-profile",
  value: "FILE",
  about: "With --sunspec: write a profile of what it found, for `profile:` of a device",
};

/** Walks through the device and shows what it found. Throws `UnavailableError`, `FileError`. */
export async function readSunSpec(target: Unit, given: Given, context: Context): Promise<number> {
  const { profileText, writeProfile } = await import("../app/sunspec.ts");
  const { out } = context;
  const walk = await walkOf(target, out);
  const file = valueOf(given, "write-profile");
  const text = file === undefined ? undefined : profileText(walk, titleOf(walk, printable));
  if (given.flags.has("json")) out.line(JSON.stringify(jsonOf(target, walk)));
  else for (const line of linesOf(target, walk)) out.line(printable(line));
  if (file === undefined) return 0;
  if (text === undefined) {
    const why = "the device has no value that could be polled, so that no profile was written";
    throw new UnavailableError("NO_ANSWER", `${target.connection.url}: ${why}`);
  }
  await writeProfile(file, text);
  const next = `a device takes it with profile: ${file} (a path from its configuration)`;
  out.note(printable(`${file} is written; ${next}`));
  return 0;
}

async function walkOf({ connection, unitId, typed }: Unit, out: Output): Promise<SunSpecWalk> {
  const { walkEndpoint } = await import("../app/sunspec.ts");
  let silence = "";
  const manner = { connection, timeout: TIMEOUT, listens: listening(out) };
  const walk = await walkEndpoint(manner, (ask) => async (address, count) => {
    const request: ReadRequest = { unitId, table: "holding", address, count };
    const first = await ask(request, TIMEOUT);
    const answer = isTimeout(first) ? await ask(request, TIMEOUT) : first;
    if (answer.ok) return answer.words;
    if (isAboutRegisters(answer.exception)) return "refused";
    const text = failureOf(answer, request, { where: connection.url, connection, typed });
    if (!isTimeout(answer)) throw new UnavailableError("NO_ANSWER", text);
    silence = text;
    return "silent";
  });
  if (walk === "silent") throw new UnavailableError("NO_ANSWER", silence);
  if (walk !== undefined) return walk;
  const text = `${connection.url} has no SunSpec marker at holding 40000, 0 or 50000 of unit ${String(unitId)}`;
  const why = "it may have to be switched on in the device, or answer under another unit id";
  throw new UnavailableError("NO_ANSWER", `${text}: ${why}`);
}

function isTimeout(answer: DirectAnswer): boolean {
  return !answer.ok && answer.reason === "timeout";
}

/** Maker, model and the like of a device, as its first common model has them. */
function titleOf({ models }: SunSpecWalk, shown: (text: string) => string): string {
  const common = models.find(({ model }) => model?.kind === "common");
  const [maker, model, options, version, serial] = (common?.values ?? []).map(valueText);
  const named = [maker, model, options].filter(Boolean).join(" ");
  const parts = [
    named === "" ? "A device that says nothing of itself" : named,
    ...(version ? [`version ${version}`] : []),
    ...(serial ? [`serial ${serial}`] : []),
  ];
  return shown(parts.join(", "));
}

/** A value as text; empty when there is none. */
function valueText({ decoded }: FoundValue): string {
  return decoded !== undefined && "value" in decoded ? String(decoded.value) : "";
}

function linesOf({ connection, unitId }: Unit, walk: SunSpecWalk): string[] {
  const { base, models, notes, maxRegisters } = walk;
  const place = `holding ${String(base)} (${referenceOf("holding", base)})`;
  const rows = models.map(({ id, model, address, length }) => {
    return [String(id), model?.title ?? "not read by edgepoll", String(address), String(length)];
  });
  return [
    `${connection.url}/${String(unitId)}  ${titleOf(walk, (text) => text)}`,
    `SunSpec at ${place}`,
    "",
    ...columns([["model", "what it is", "address", "registers"], ...rows]),
    ...models.flatMap(modelLines),
    ...[...notes, ...limitNotes(maxRegisters)].flatMap((note, n) => [
      ...(n === 0 ? [""] : []),
      `note  ${note}`,
    ]),
  ];
}

function limitNotes(maxRegisters: number): string[] {
  return maxRegisters < 125
    ? [`the device refuses requests of more than ${String(maxRegisters)} registers`]
    : [];
}

function modelLines({ id, address, model, values }: FoundModel): string[] {
  if (model === undefined || values.length === 0) return [];
  const head = ["point", "SunSpec", "address", "raw", "factor", "value"];
  const there = values.filter((value) => valueText(value) !== "");
  const absent = values.filter((value) => valueText(value) === "");
  const rows = there.map((value) => {
    const { point, name, words, factor } = value;
    const raw = words === undefined || point.type === "string" ? "" : rawOf(words, 0, point);
    const power = factor === undefined ? "" : String(factor);
    const text = `${valueText(value)} ${point.unit ?? ""}`.trimEnd();
    return [point.id, name, String(point.address), raw, power, text];
  });
  const none = absent.map(({ point }) => point.id).join(", ");
  return [
    "",
    `${model.title}, model ${String(id)} at ${String(address)}`,
    ...(rows.length === 0 ? [] : columns([head, ...rows])),
    ...(none === "" ? [] : [`without a value: ${none}`]),
  ];
}

function jsonOf({ connection, unitId }: Unit, walk: SunSpecWalk): object {
  const models = walk.models.map(({ id, address, length, model, values }) => ({
    ...{ id, title: model?.title ?? null, address, length },
    values: values.map(({ name, point, decoded, factor }) => ({
      ...{ point: point.id, name, address: point.address },
      ...(factor === undefined ? {} : { factor }),
      ...(decoded !== undefined && "value" in decoded ? decoded : { value: null }),
      ...(point.unit === undefined ? {} : { unit: point.unit }),
    })),
  }));
  const { base, notes, maxRegisters } = walk;
  return { url: connection.url, unitId, base, maxRegisters, notes, models };
}
