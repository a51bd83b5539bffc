import type { Findings } from "@wardline/policy-types";
import type { BreakGlassEvent } from "./break-glass/event.ts";
import { type BreakGlassOptions, type BreakGlassSettings, parseBreakGlass } from "./break-glass/options.ts";
import { checkBooleans } from "./checks.ts";
import { type ClientRegistration, type ClientRegistry, parseClients } from "./clients/registry.ts";
import { parseConditions, type RuleSettings } from "./conditions/options.ts";
import type { AccessRule } from "./conditions/rules.ts";
import { type ConsentOptions, type ConsentSettings, parseConsent } from "./consent/options.ts";
import { type DeviceClass, type DeviceClassSettings, parseDevices } from "./device/options.ts";
import { parseUserAccess, type UserAccessOptions } from "./user-access/options.ts";

/** Who may do what, beyond what a token's scopes say. */
export interface PolicyOptions {
  /** Only these clients count, for the scopes they were approved for. Absent: every client, for its token's scopes. */
  readonly clients?: readonly ClientRegistration[];
  /** Scopes for every type (`user/*.rs`) grant nothing. Default false. */
  readonly refuseWildcardScopes?: boolean;
  /** Rules on roles, purpose, sign-in, network, hours. Default none. */
  readonly conditions?: readonly AccessRule[];
  /** Absent: nobody may, and whoever declares an emergency is treated like everybody. */
  readonly breakGlass?: BreakGlassOptions;
  /** The alarm; needed with `breakGlass`. Must not throw. */
  readonly onBreakGlass?: (event: BreakGlassEvent) => void;
  /** Absent: nothing is withheld. */
  readonly consent?: ConsentOptions;
  /** Whose records a user may reach. Absent: practitioners everybody's, patients their own. */
  readonly userAccess?: UserAccessOptions;
  /** Devices that come with a certificate in place of a token. Absent: none. */
  readonly devices?: readonly DeviceClass[];
}

export interface PolicySettings {
  readonly clients?: ClientRegistry;
  readonly refuseWildcardScopes: boolean;
  readonly conditions: readonly RuleSettings[];
  readonly breakGlass?: BreakGlassSettings;
  readonly onBreakGlass: (event: BreakGlassEvent) => void;
  readonly consent: ConsentSettings;
  readonly userAccess?: Required<UserAccessOptions>;
  readonly devices?: readonly DeviceClassSettings[];
}

export const POLICY_OPTIONS: readonly (keyof PolicyOptions)[] = [
  "clients",
  "refuseWildcardScopes",
  "conditions",
  "breakGlass",
  "onBreakGlass",
  "consent",
  "userAccess",
  "devices",
];

/** Fills in the defaults; adds what is wrong to `found`. */
export function parsePolicy(found: Findings, options: PolicyOptions): PolicySettings {
  checkBooleans(found, options, ["refuseWildcardScopes"]);
  const consent = parseConsent(found, options.consent ?? {}, "consent");
  const clients = options.clients === undefined ? undefined : parseClients(found, options.clients, "clients");
  const breakGlass =
    options.breakGlass === undefined ? undefined : parseBreakGlass(found, options.breakGlass, "breakGlass");
  if (
    (options.breakGlass !== undefined || options.onBreakGlass !== undefined) &&
    typeof options.onBreakGlass !== "function"
  ) {
    found.add("onBreakGlass", "missing", "broken glass needs somebody who hears of it");
  }
  const userAccess =
    options.userAccess === undefined ? undefined : parseUserAccess(found, options.userAccess, "userAccess");
  const devices = options.devices === undefined ? undefined : parseDevices(found, options.devices, "devices");
  return {
    ...(clients === undefined ? {} : { clients }),
    refuseWildcardScopes: options.refuseWildcardScopes === true,
    conditions: parseConditions(found, options.conditions ?? [], "conditions", new Set(consent.categories.keys())),
    ...(breakGlass === undefined ? {} : { breakGlass }),
    onBreakGlass: options.onBreakGlass ?? (() => undefined),
    consent,
    ...(userAccess === undefined ? {} : { userAccess }),
    ...(devices === undefined ? {} : { devices }),
  };
}
