/** What `ServerResponse.write` and `end` are called with. */
export type WriteArguments = readonly [chunk?: unknown, encoding?: unknown, callback?: unknown];

/** Reads the arguments of `end`, all of which may be left out. */
export function lastChunk(args: WriteArguments): {
  readonly bytes: Buffer;
  readonly callback: (() => void) | undefined;
} {
  const [chunk, encoding] = args;
  const callback = args.find((argument): argument is () => void => typeof argument === "function");
  const isAbsent = chunk === undefined || chunk === null || typeof chunk === "function";
  return { bytes: isAbsent ? EMPTY : toBuffer(chunk, encoding), callback };
}

/** A piece of a body as bytes. Throws for what Node would not take either. */
export function toBuffer(chunk: unknown, encoding: unknown): Buffer {
  if (Buffer.isBuffer(chunk)) return chunk;
  if (typeof chunk === "string") return Buffer.from(chunk, isEncoding(encoding) ? encoding : "utf8");
  if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw new TypeError("a response chunk is a string, Buffer or Uint8Array");
}

function isEncoding(encoding: unknown): encoding is BufferEncoding {
  return typeof encoding === "string" && Buffer.isEncoding(encoding);
}

const EMPTY = Buffer.alloc(0);
