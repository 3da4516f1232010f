/** The devices that are simulated by name. */
import { UnavailableError } from "../core/errors.ts";
import { MODELS, type Model } from "../core/models.ts";
import type { Device } from "./device.ts";
import { energyMeter } from "./energy-meter.ts";

const DEVICES: Readonly<Record<Model, (seed: string) => Device>> = {
  "energy-meter": energyMeter,
};

/** A device of a model; those of different seeds show different values. Throws `MODEL_UNKNOWN`. */
export function modelDevice(name: string, seed: string): Device {
  const known = MODELS.find((model) => model === name);
  if (known !== undefined) return DEVICES[known](seed);
  throw new UnavailableError(
    "MODEL_UNKNOWN",
    `There is no simulated device "${name}". Known: ${MODELS.join(", ")}.`,
  );
}
