// Loaded into a node with --import: opening a line that has a FIFO beside it takes a thread of the pool and does
// not return until somebody writes to that, as with a driver that hangs.
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { SerialPort } from "serialport";

const openLine = SerialPort.binding.open.bind(SerialPort.binding);

Object.assign(SerialPort.binding, {
  /** @param {{ path: string, baudRate: number }} options */
  open: async (options) => {
    const fifo = `${options.path}.fifo`;
    if (existsSync(fifo)) await (await open(fifo, "r")).close();
    return openLine(options);
  },
});
