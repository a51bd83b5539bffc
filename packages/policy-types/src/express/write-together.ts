import { Socket } from "node:net";
import { gatherInto } from "./gather.ts";

type Done = (error?: Error | null) => void;

/**
 * From now on what is written into the socket is handed to the system when the code that runs has run, together with what
 * was written into other sockets meanwhile. Between the controls of two requests a write costs more than twice what it costs
 * behind another write: the system's code and ours drive each other out of the processor's caches, and each reader is woken
 * on its own. Who listens for the ends of writes is told behind all of them.
 *
 * To whoever uses the socket nothing is different: what was written before it is destroyed is still sent, and async contexts
 * are kept. What is no socket of the system is left as it is.
 */
export function writeTogether(socket: Socket): void {
  if (together.has(socket) || !(socket instanceof Socket)) return;
  together.add(socket);
  const write = socket._write.bind(socket);
  const writeMany = socket._writev?.bind(socket);
  const destroy = socket._destroy.bind(socket);
  // A stream hands on nothing before it has heard of what it handed on last.
  let held: (() => void) | undefined;

  const letGo = (): void => {
    const writeHeld = held;
    held = undefined;
    writeHeld?.();
  };
  socket._write = (chunk: unknown, encoding: BufferEncoding, done: Done) => {
    held = () => write(chunk, encoding, behindAll(done));
    afterThis(letGo);
  };
  if (writeMany !== undefined) {
    socket._writev = (chunks: { chunk: unknown; encoding: BufferEncoding }[], done: Done) => {
      held = () => writeMany(chunks, behindAll(done));
      afterThis(letGo);
    };
  }
  socket._destroy = (error: Error | null, done: Done) => {
    letGo();
    destroy(error, done);
  };
}

const together = new WeakSet<Socket>();
const afterThis = gatherInto((doAll) => process.nextTick(doAll));

function behindAll(done: Done): Done {
  return (error) => process.nextTick(done, error);
}
