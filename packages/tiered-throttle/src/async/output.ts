import type { FileWriter } from "./files.ts";
import type { JobFile } from "./job.ts";

/** One NDJSON file as the work sees it. Await each call: the disk may be slower than the source. */
export interface JobOutput {
  write(resource: object): Promise<void>;
  /** Takes NDJSON as it comes, from another server. */
  append(chunks: AsyncIterable<Uint8Array>): Promise<void>;
}

export interface OutputParts {
  readonly open: () => Promise<FileWriter>;
  /** Told bytes before they are written. Throws when they are too many or not wanted any more. */
  readonly take: (bytes: number) => void;
  readonly describe: (count: number, bytes: number) => JobFile;
}

export interface OpenOutput {
  readonly output: JobOutput;
  finish(): Promise<JobFile>;
  abandon(): Promise<void>;
}

const NEWLINE = 0x0a;
/** Small lines are gathered up to this many bytes. */
const GATHERED = 64 * 1024;

export function createOutput({ open, take, describe }: OutputParts): OpenOutput {
  let gathered: Uint8Array[] = [];
  let size = 0;
  let count = 0;
  let bytes = 0;
  let endsLine = true;
  let file: FileWriter | undefined;
  let over = false;
  /** Calls that were not awaited take their turn all the same. */
  let last: Promise<void> = Promise.resolve();

  function inTurn(step: () => Promise<void>): Promise<void> {
    const done = last.then(() => {
      if (over) throw new Error("the output is closed");
      return step();
    });
    last = done.catch(() => undefined);
    return done;
  }

  async function put(chunk: Uint8Array): Promise<void> {
    if (chunk.length === 0) return;
    take(chunk.length);
    gathered.push(chunk);
    size += chunk.length;
    bytes += chunk.length;
    endsLine = chunk[chunk.length - 1] === NEWLINE;
    if (size >= GATHERED) await flush();
  }

  async function flush(): Promise<void> {
    const batch = Buffer.concat(gathered, size);
    gathered = [];
    size = 0;
    file ??= await open();
    await file.write(batch);
  }

  async function endLine(): Promise<void> {
    if (endsLine) return;
    count += 1;
    await put(Uint8Array.of(NEWLINE));
  }

  return {
    output: {
      write: (resource) =>
        inTurn(async () => {
          await put(Buffer.from(`${JSON.stringify(resource)}\n`));
          count += 1;
        }),
      append: (chunks) =>
        inTurn(async () => {
          for await (const chunk of chunks) {
            await put(chunk);
            for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) count += 1;
          }
          await endLine();
        }),
    },
    async finish() {
      if (bytes > 0) await inTurn(flush);
      over = true;
      await file?.finish();
      return describe(count, bytes);
    },
    async abandon() {
      over = true;
      await last;
      await file?.abandon();
    },
  };
}
