import {
  APPLICATION_ACTIVITY,
  APPLICATION_START,
  APPLICATION_STOP,
  AUDIT_LOG_USED,
  AUDIT_STARTED,
  AUDIT_STOPPED,
  AUTHZ_CONSENT,
  EXPORT,
  LOGIN,
  LOGOUT,
  NODE_AUTHENTICATION,
  OVERRIDE_STARTED,
  OVERRIDE_STOPPED,
  ownCode,
  RESTRICTED_FUNCTION,
  SECURITY_ALERT,
  SECURITY_CONFIGURATION,
  USER_AUTHENTICATION,
} from "./codes.ts";
import type { AuditEvent, Coding } from "./resource.ts";

/** The events that are not requests. */
export const SYSTEM_EVENT_KINDS = [
  "start",
  "stop",
  "audit-start",
  "audit-stop",
  "audit-log-used",
  "heartbeat",
  "login",
  "login-failed",
  "logout",
  "node-authentication",
  "policy-loaded",
  "policy-changed",
  "policy-refused",
  "policy-drift",
  "configuration-changed",
  "security-alert",
  "throttle",
  "break-glass-start",
  "break-glass-stop",
  "consent-decision",
  "consent-changed",
  "export-requested",
  "export-completed",
  "export-cancelled",
] as const;
export type SystemEventKind = (typeof SYSTEM_EVENT_KINDS)[number];

interface SystemPattern {
  readonly type: Coding;
  readonly subtype: readonly Coding[];
  readonly action: AuditEvent["action"];
}

/** DICOM's code where it has one, and our own word for what it does not tell apart. */
export function patternOf(kind: SystemEventKind): SystemPattern {
  return PATTERNS[kind];
}

const PATTERNS: Readonly<Record<SystemEventKind, SystemPattern>> = Object.freeze({
  start: pattern(APPLICATION_ACTIVITY, "E", APPLICATION_START),
  stop: pattern(APPLICATION_ACTIVITY, "E", APPLICATION_STOP),
  "audit-start": pattern(SECURITY_ALERT, "E", AUDIT_STARTED),
  "audit-stop": pattern(SECURITY_ALERT, "E", AUDIT_STOPPED),
  "audit-log-used": pattern(AUDIT_LOG_USED, "R", ownCode("audit-log-used")),
  heartbeat: pattern(APPLICATION_ACTIVITY, "E", ownCode("heartbeat")),
  login: pattern(USER_AUTHENTICATION, "E", LOGIN),
  "login-failed": pattern(USER_AUTHENTICATION, "E", LOGIN, ownCode("login-failed")),
  logout: pattern(USER_AUTHENTICATION, "E", LOGOUT),
  "node-authentication": pattern(USER_AUTHENTICATION, "E", NODE_AUTHENTICATION),
  "policy-loaded": pattern(SECURITY_ALERT, "U", SECURITY_CONFIGURATION, ownCode("policy-loaded")),
  "policy-changed": pattern(SECURITY_ALERT, "U", SECURITY_CONFIGURATION, ownCode("policy-changed")),
  "policy-refused": pattern(SECURITY_ALERT, "U", SECURITY_CONFIGURATION, ownCode("policy-refused")),
  "policy-drift": pattern(SECURITY_ALERT, "E", SECURITY_CONFIGURATION, ownCode("policy-drift")),
  "configuration-changed": pattern(SECURITY_ALERT, "U", SECURITY_CONFIGURATION, ownCode("configuration-changed")),
  "security-alert": pattern(SECURITY_ALERT, "E", RESTRICTED_FUNCTION),
  throttle: pattern(SECURITY_ALERT, "E", ownCode("throttled")),
  "break-glass-start": pattern(SECURITY_ALERT, "E", OVERRIDE_STARTED),
  "break-glass-stop": pattern(SECURITY_ALERT, "E", OVERRIDE_STOPPED),
  "consent-decision": pattern(SECURITY_ALERT, "E", AUTHZ_CONSENT),
  "consent-changed": pattern(SECURITY_ALERT, "U", ownCode("consent-changed")),
  "export-requested": pattern(EXPORT, "E", ownCode("export-requested")),
  "export-completed": pattern(EXPORT, "R", ownCode("export-completed")),
  "export-cancelled": pattern(EXPORT, "E", ownCode("export-cancelled")),
});

function pattern(type: Coding, action: AuditEvent["action"], ...subtype: readonly Coding[]): SystemPattern {
  return { type, subtype, action };
}
