import { type AuditLog, createAuditLog, startHeartbeat } from "./audit-log.ts";
import type { RenderOptions } from "./balp/event.ts";
import { type GeoReader, locator } from "./balp/geo.ts";
import { GEOLOCATION_UNREADABLE, readGeoDatabase } from "./geolocation.ts";
import type { Ledger, LedgerState } from "./ledger.ts";
import { given, type Opening, opening } from "./opening.ts";
import type { ParsedOptions } from "./options.ts";
import { createRecorder, type Recorder } from "./recorder.ts";

/** What stands behind the middleware: the ledger, opened or being opened, and everything that is written into it. */
export interface Trail extends AuditLog {
  readonly recorder: Recorder;
  status(): LedgerState["status"] | "opening";
  rendering(): RenderOptions;
  ready(): Promise<void>;
  close(): Promise<void>;
}

export function createTrail(options: ParsedOptions): Trail {
  const { ledger, source, namingFor, geolocation, heartbeatSeconds } = options;
  let rendering: RenderOptions = { source, namingFor };
  let stopHeartbeat = (): void => undefined;
  const use = (reader: GeoReader): void => {
    rendering = { ...rendering, locate: locator(reader) };
  };
  if (typeof geolocation === "object") use(geolocation);
  const prepare = async (): Promise<void> => {
    if (typeof geolocation === "string") use(await readGeoDatabase(geolocation));
  };

  const recorder = createRecorder(options, () => store.current());
  const log = createAuditLog(() => store.ready(), { source, namingFor });
  const began = (opened: Ledger): void => {
    stopHeartbeat = startHeartbeat(opened, log, heartbeatSeconds);
  };
  const store: Opening = typeof ledger === "string" ? fromFolder(ledger) : fromOwner(ledger);

  return {
    recorder,
    record: (kind, facts) => log.record(kind, facts),
    rendering: () => rendering,
    status: () => store.current()?.state().status ?? "opening",
    async ready() {
      await store.ready();
    },
    async close() {
      stopHeartbeat();
      await recorder.flush();
      // A ledger that cannot record its end is closed all the same.
      if (typeof ledger === "string" && store.current() !== undefined)
        await log.record("audit-stop").catch(() => undefined);
      await store.close();
    },
  };

  function fromFolder(folder: string): Opening {
    return opening({
      folder,
      prepare,
      onFailed: (code, reason) => recorder.failed(code, 0, reason),
      onOpen(opened) {
        recorder.recovered();
        log.record("audit-start").catch(() => undefined);
        began(opened);
      },
    });
  }

  function fromOwner(owned: Ledger): Opening {
    began(owned);
    prepare().catch(() => recorder.failed(GEOLOCATION_UNREADABLE, 0));
    return given(owned);
  }
}
