/** Types by the names that other programs and the manuals of devices have for them. */
import { POINT_TYPES, type PointType } from "../core/model.ts";
import { similar } from "./similar.ts";

const ELSEWHERE: Readonly<Record<string, PointType>> = {
  boolean: "bool",
  int: "int16",
  uint: "uint16",
  word: "uint16",
  dint: "int32",
  udint: "uint32",
  dword: "uint32",
  float: "float32",
  real: "float32",
  double: "float64",
  lreal: "float64",
};

/** The type that is meant by a word which is none, undefined if no guess is good. */
export function typeMeant(word: string): PointType | undefined {
  const name = word.toLowerCase();
  if (Object.hasOwn(ELSEWHERE, name)) return ELSEWHERE[name];
  const near = similar(word, POINT_TYPES);
  return POINT_TYPES.find((type) => type === near);
}
