/** How long after a failure the file is written anew, in milliseconds. */
const MEND_MS = 1000;

export interface EntryWriterParts<Entry> {
  /** Puts an entry in force. */
  readonly put: (entry: Entry) => void;
  /** Writes one line. */
  readonly append: (entry: Entry) => Promise<void>;
  /** Writes down all that is in force, in place of what is there. */
  readonly writeAnew: () => Promise<void>;
  readonly unavailable: (cause?: unknown) => Error;
}

export interface EntryWriter<Entry> {
  /** Resolves when it is on disk. */
  write(entry: Entry): Promise<void>;
  /** False from a failure until all that is in force is on disk, and after the end. */
  readonly isWell: boolean;
  /** After the last write. */
  close(): Promise<void>;
}

/**
 * Writes entries one at a time, in order. A write that failed may have left half a line, and the next one would stand behind it:
 * the file is then written anew, by the next entry or after a while, until the disk takes it (F3).
 */
export function createEntryWriter<Entry>(parts: EntryWriterParts<Entry>): EntryWriter<Entry> {
  const { put, append, writeAnew, unavailable } = parts;
  let isOpen = true;
  let isWhole = true;
  let mending: NodeJS.Timeout | undefined;
  let last: Promise<void> = Promise.resolve();

  function inTurn(step: () => Promise<void>): Promise<void> {
    const done = last.then(step);
    last = done.catch(() => undefined);
    return done;
  }

  async function write(entry: Entry): Promise<void> {
    if (!isOpen) throw unavailable();
    // In force at once: should the disk refuse, it counts for this process all the same.
    put(entry);
    await toDisk(isWhole ? () => append(entry) : writeAnew);
  }

  async function toDisk(step: () => Promise<void>): Promise<void> {
    try {
      await step();
      isWhole = true;
    } catch (cause) {
      isWhole = false;
      mending ??= setTimeout(mend, MEND_MS).unref();
      throw unavailable(cause);
    }
  }

  function mend(): void {
    mending = undefined;
    inTurn(async () => {
      if (isOpen && !isWhole) await toDisk(writeAnew);
    }).catch(() => undefined);
  }

  return {
    write: (entry) => inTurn(() => write(entry)),
    get isWell() {
      return isOpen && isWhole;
    },
    async close() {
      await last;
      isOpen = false;
      clearTimeout(mending);
    },
  };
}
