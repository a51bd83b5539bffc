import { type AuditLog, createAuditLog, startHeartbeat } from "./audit-log.ts";
import type { RenderOptions } from "./balp/event.ts";
import { type GeoReader, locator } from "./balp/geo.ts";
import { createCrowding } from "./crowding.ts";
import { GEOLOCATION_UNREADABLE, readGeoDatabase } from "./geolocation.ts";
import type { Ledger } from "./ledger.ts";
import { given, type Opening, opening } from "./opening.ts";
import type { ParsedOptions } from "./options.ts";
import { createRecorder, type Recorder } from "./recorder.ts";

/** What stands behind the middleware: the ledger, opened or being opened, and everything that is written into it. */
export interface Trail extends AuditLog {
  readonly recorder: Recorder;
  /** Why no access may begin now, if so. */
  hindrance(): string | undefined;
  /** An access begins, which will be recorded. */
  begin(): void;
  /** Its last record is handed over. */
  end(): void;
  rendering(): RenderOptions;
  ready(): Promise<void>;
  close(): Promise<void>;
}

export function createTrail(options: ParsedOptions): Trail {
  const { ledger, source, namingFor, geolocation, heartbeatSeconds, appendDeadlineMs } = options;
  let rendering: RenderOptions = { source, namingFor };
  let stopHeartbeat = (): void => undefined;
  const use = (reader: GeoReader): void => {
    rendering = { ...rendering, locate: locator(reader) };
  };
  if (typeof geolocation === "object") use(geolocation);
  const prepare = async (): Promise<void> => {
    if (typeof geolocation === "string") use(await readGeoDatabase(geolocation));
  };

  const crowding = createCrowding();
  const isCrowded = (): boolean => {
    const current = store.current();
    return current !== undefined && crowding.isCrowded(current.state());
  };
  const recorder = createRecorder(options, () => store.current(), isCrowded);
  const log = createAuditLog(() => store.ready(), { source, namingFor, appendDeadlineMs });
  const began = (opened: Ledger): void => {
    stopHeartbeat = startHeartbeat(opened, log, heartbeatSeconds);
  };
  const store: Opening = typeof ledger === "string" ? fromFolder(ledger) : fromOwner(ledger);

  return {
    recorder,
    record: (kind, facts) => log.record(kind, facts),
    rendering: () => rendering,
    hindrance() {
      const state = store.current()?.state();
      if (state?.status !== "open") return `the ledger is ${state?.status ?? "opening"}`;
      if (!crowding.isCrowded(state)) return undefined;
      recorder.failed("audit-event/ledger-full", 0);
      return "the ledger's queue must take what is under way";
    },
    begin: () => crowding.begin(),
    end: () => crowding.end(),
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
