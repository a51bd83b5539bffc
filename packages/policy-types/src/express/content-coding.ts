import type { Transform } from "node:stream";
import { brotliDecompress, createBrotliDecompress, createGunzip, createInflate, gunzip, inflate } from "node:zlib";

/** Undoes one content coding in memory. Rejects an unknown coding, broken data and a result over `limitBytes`. */
export function decodeContent(bytes: Buffer, coding: string, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (error: Error | null, result: Buffer): void => (error === null ? resolve(result) : reject(error));
    const options = { maxOutputLength: limitBytes };
    switch (coding.trim().toLowerCase()) {
      case "identity":
        return resolve(bytes);
      case "gzip":
      case "x-gzip":
        return gunzip(bytes, options, settle);
      case "deflate":
        return inflate(bytes, options, settle);
      case "br":
        return brotliDecompress(bytes, options, settle);
      default:
        return reject(new Error("unknown content coding"));
    }
  });
}

/** A stream that undoes one content coding; `undefined` for an unknown one. */
export function contentDecoder(coding: string): Transform | undefined {
  switch (coding.trim().toLowerCase()) {
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress();
    default:
      return undefined;
  }
}
