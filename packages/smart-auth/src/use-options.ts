import type { Findings } from "@wardline/policy-types";
import { parseCertificateHeader } from "./certificate/options.ts";
import type { ClientCertificateHeader } from "./certificate/settings.ts";
import { checkBooleans } from "./checks.ts";
import { parseDpop } from "./dpop/options.ts";
import type { DpopOptions } from "./dpop/settings.ts";
import { createMemoryHolderStore, type HolderStore, remembered } from "./first-holder/store.ts";
import { createMemoryReplayStore, type ReplayStore } from "./replay.ts";
import type { RevocationList } from "./revocation.ts";
import type { UseSettings } from "./use.ts";

/** Who may use a token, how, and how often. */
export interface UseOptions {
  /** Absent: only the connection's own certificate counts (RFC 8705). */
  readonly clientCertificateHeader?: ClientCertificateHeader;
  /** Only tokens that are bound to a certificate count. Default false: those that are bound must be presented with it. */
  readonly requireCertificateBound?: boolean;
  /** Accept tokens bound to a key, with the DPoP scheme (RFC 9449). `{}` takes the defaults. Absent: they are refused. */
  readonly dpop?: DpopOptions;
  /** What was used once; one for all instances. Default: in memory, for one process. */
  readonly replayStore?: ReplayStore;
  /** Absent: a token counts until it expires. */
  readonly revocation?: RevocationList;
  /** Each token counts once, told by its `jti`. Default false. */
  readonly oneTimeTokens?: boolean;
  /**
   * Each token counts only for who used it first, told by the key of its `cnf` or by the client's certificate, and by its
   * `jti`. Default false.
   */
  readonly bindToFirstHolder?: boolean;
  /** Who used a token first; one for all instances. Default: in memory, for one process. */
  readonly holderStore?: HolderStore;
}

export const USE_OPTIONS: readonly (keyof UseOptions)[] = [
  "clientCertificateHeader",
  "requireCertificateBound",
  "dpop",
  "replayStore",
  "revocation",
  "oneTimeTokens",
  "bindToFirstHolder",
  "holderStore",
];

/** Checks what a token is held to when it is used. Findings go to `found`. */
export function parseUse(found: Findings, options: UseOptions, now: () => number): UseSettings {
  const { clientCertificateHeader, dpop, revocation } = options;
  checkStores(found, options);
  checkBooleans(found, options, ["requireCertificateBound", "oneTimeTokens", "bindToFirstHolder"]);
  const certificateHeader =
    clientCertificateHeader === undefined
      ? undefined
      : parseCertificateHeader(found, clientCertificateHeader, "clientCertificateHeader");
  const proofs = dpop === undefined ? undefined : parseDpop(found, dpop, "dpop");
  return {
    now,
    ...(certificateHeader === undefined ? {} : { certificateHeader }),
    requireCertificateBound: options.requireCertificateBound === true,
    ...(proofs === undefined ? {} : { dpop: proofs }),
    replayStore: options.replayStore ?? createMemoryReplayStore({ now }),
    ...(revocation === undefined ? {} : { revocation }),
    oneTimeTokens: options.oneTimeTokens === true,
    ...(options.bindToFirstHolder === true
      ? { holderStore: remembered(options.holderStore ?? createMemoryHolderStore({ now }), now) }
      : {}),
  };
}

function checkStores(found: Findings, options: UseOptions): void {
  if (options.replayStore !== undefined && typeof options.replayStore?.add !== "function") {
    found.add("replayStore", "not-a-store", "must have `add`");
  }
  if (options.holderStore !== undefined && typeof options.holderStore?.hold !== "function") {
    found.add("holderStore", "not-a-store", "must have `hold`");
  }
  if (options.bindToFirstHolder === true && options.oneTimeTokens === true) {
    found.add("bindToFirstHolder", "contradictory", "a token that counts once has no second holder");
  }
  if (options.holderStore !== undefined && options.bindToFirstHolder !== true) {
    found.add("holderStore", "unused", "nothing is asked of it without `bindToFirstHolder`");
  }
  if (options.revocation !== undefined && typeof options.revocation?.isRevoked !== "function") {
    found.add("revocation", "not-a-list", "must have `isRevoked`");
  }
}
