import type { Requirement } from "../requirement.ts";
import { ADMINISTRATIVE } from "./administrative.ts";
import { BREACH } from "./breach.ts";
import { CMS_ACCESS } from "./cms.ts";
import { CMS_PRIOR_AUTHORIZATION } from "./cms-prior-authorization.ts";
import { INCIDENTS } from "./incidents.ts";
import { ORGANISATION } from "./organisation.ts";
import { PRIVACY } from "./privacy.ts";
import { TECHNICAL_ACCESS } from "./technical-access.ts";
import { TECHNICAL_TRAIL } from "./technical-trail.ts";

/** What the laws ask, by law and section. */
export const REQUIREMENTS: readonly Requirement[] = [
  ...ADMINISTRATIVE,
  ...INCIDENTS,
  ...ORGANISATION,
  ...TECHNICAL_ACCESS,
  ...TECHNICAL_TRAIL,
  ...PRIVACY,
  ...BREACH,
  ...CMS_ACCESS,
  ...CMS_PRIOR_AUTHORIZATION,
];
