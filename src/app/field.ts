/** Commands that speak Modbus without a node. */
import { modelDevice } from "../simulator/models.ts";
import { startSimulator } from "../simulator/tcp-server.ts";
import { anyUnit } from "../simulator/units.ts";
import { createClock } from "../system/clock.ts";

/** A simulated device behind a Modbus TCP server. */
export interface Simulated {
  readonly url: string;
  /** Lines that describe its registers. */
  readonly registers: readonly string[];
  close(): Promise<void>;
}

/** What an energy meter holds; addresses are 0-based. */
const REGISTERS = [
  "input    0  float32 ABCD  voltage V",
  "input    6  float32 ABCD  current A",
  "input   12  float32 ABCD  power W",
  "input   70  float32 ABCD  frequency Hz",
  "input   72  float32 ABCD  imported energy kWh",
  "holding  0  uint16        status",
  "holding  1  uint16        demand period, minutes",
  "discrete 0  bool          alarm",
  "coil     0  bool          relay",
];

/** Starts a simulated device. Throws `UnavailableError`, `PermissionError`. */
export async function simulate(options: {
  model: string;
  host: string;
  port: number;
}): Promise<Simulated> {
  const { host, model, port } = options;
  const clock = createClock();
  const units = anyUnit(modelDevice(model, model), () => clock.elapsed() / 1000);
  const simulator = await startSimulator({ host, port, units, clock });
  const named = host.includes(":") ? `[${host}]` : host;
  const url = `tcp://${named}:${String(simulator.port)}`;
  return { url, registers: REGISTERS, close: () => simulator.close() };
}
