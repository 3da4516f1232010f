/** Whether somebody listens. */
import { connect } from "node:net";

/** Whether a process accepts connections at a socket; in doubt, after a second, it does. */
export function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    let answered = true;
    socket.setTimeout(1000, () => socket.destroy());
    socket.on("connect", () => socket.destroy());
    socket.on("error", (error: NodeJS.ErrnoException) => {
      answered = error.code !== "ECONNREFUSED" && error.code !== "ENOENT";
    });
    socket.on("close", () => {
      resolve(answered);
    });
  });
}
