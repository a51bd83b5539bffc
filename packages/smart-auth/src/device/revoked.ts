import { within } from "../deadline.ts";
import { type Crl, readCrl } from "./crl.ts";
import type { DeviceClassSettings } from "./options.ts";

const REFRESH_MS = 60_000;
const DEADLINE_MS = 2000;

/** Whether a serial number is on the class's list; `undefined` when there is no list that still counts. Never rejects. */
export type IsRevoked = (serial: string) => Promise<boolean | undefined>;

/** Keeps the list of one class: read when first needed, again each minute, kept through failures until its `nextUpdate`. */
export function createCrlCheck(settings: DeviceClassSettings, now: () => number): IsRevoked {
  const { readCrl: read } = settings;
  const [issuer] = settings.issuers;
  let held: Crl | undefined = settings.crl;
  let reading: Promise<void> | undefined;
  let readAt = Number.NEGATIVE_INFINITY;

  return async function isRevoked(serial) {
    if (read === undefined && held === undefined) return false;
    if (read !== undefined && now() - readAt >= REFRESH_MS) {
      const refreshed = refresh(read);
      if (held === undefined || now() >= held.nextUpdate) await refreshed;
    }
    return held === undefined || now() >= held.nextUpdate ? undefined : held.revoked.has(serial);
  };

  /** One at a time. An older list never takes the place of a newer one. */
  function refresh(load: NonNullable<typeof read>): Promise<void> {
    reading ??= within(DEADLINE_MS, load())
      .then((given) => {
        if (issuer === undefined) return;
        const fresh = readCrl(given, issuer.certificate);
        if (held === undefined || fresh.thisUpdate >= held.thisUpdate) held = fresh;
        readAt = now();
      })
      .catch(() => {
        // Asked again a second later, not at each request.
        readAt = now() - REFRESH_MS + 1000;
      })
      .finally(() => {
        reading = undefined;
      });
    return reading;
  }
}
