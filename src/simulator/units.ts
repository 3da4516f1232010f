/** The units behind one simulated endpoint. */
import type { Device } from "./device.ts";
import { Memory } from "./memory.ts";
import { answerTo } from "./pdu.ts";

/** Finds units; those that are not there are undefined. */
export interface Units {
  /** What a unit answers to a PDU. */
  answer(unitId: number, pdu: Buffer): Buffer | undefined;
  /** Lets every unit carry out what is addressed to all (Modbus over Serial Line 2.1). */
  broadcast(pdu: Buffer): void;
}

/** Units with these ids, each a device of its own. */
export function unitsOf(
  ids: readonly number[],
  deviceOf: (unitId: number) => Device,
  seconds: () => number,
): Units {
  const memories = new Map(ids.map((id) => [id, new Memory(deviceOf(id), seconds)]));
  return {
    answer: (unitId, pdu) => {
      const memory = memories.get(unitId);
      return memory === undefined ? undefined : answerTo(pdu, memory);
    },
    broadcast: (pdu) => {
      for (const memory of memories.values()) answerTo(pdu, memory);
    },
  };
}

/** One device under every id, as many TCP devices are. */
export function anyUnit(device: Device, seconds: () => number): Units {
  const memory = new Memory(device, seconds);
  return {
    answer: (_, pdu) => answerTo(pdu, memory),
    broadcast: (pdu) => void answerTo(pdu, memory),
  };
}
