import { isId } from "@wardline/fhir-r4";
import type { Principal } from "@wardline/policy-types";
import { within } from "../deadline.ts";
import { createTokenCache, hashOf } from "../token-cache.ts";

/** Whose records a user may reach: bare patient ids, or everybody's. An empty list is nobody. */
export type UserAccess = "all" | readonly string[];

/** Looks up a user's patients: those in care, of the care team, or a child's for whom a parent acts. */
export type ResolveUserAccess = (user: Principal) => Promise<UserAccess>;

export interface UserAccessSettings {
  readonly resolve: ResolveUserAccess;
  readonly cacheSeconds: number;
  readonly deadlineMs: number;
  readonly now: () => number;
}

/** Questions under way at once; beyond them nobody is kept waiting (S8). */
const QUESTION_LIMIT = 256;
/** A clause of the grant each; whoever is to see more of them sees all. */
const PATIENT_LIMIT = 1000;

/**
 * Asks the hook, once per user at a time, and remembers its answer for a short while. `undefined` when it fails, is late,
 * or answers with anything else: then nobody's records are open (F1, F3). Never rejects.
 */
export function createUserAccess(settings: UserAccessSettings): (user: Principal) => Promise<UserAccess | undefined> {
  const known = createTokenCache<UserAccess>();
  const asking = new Map<string, Promise<UserAccess | undefined>>();
  const seconds = () => Math.floor(settings.now() / 1000);

  return async function accessOf(user) {
    const key = keyOf(user);
    const remembered = known.get(key, seconds());
    if (remembered !== undefined) return remembered;
    const underWay = asking.get(key);
    if (underWay !== undefined) return underWay;
    if (asking.size >= QUESTION_LIMIT) return undefined;
    const question = ask(user, key).finally(() => asking.delete(key));
    asking.set(key, question);
    return question;
  };

  async function ask(user: Principal, key: string): Promise<UserAccess | undefined> {
    try {
      const answer = read(await within(settings.deadlineMs, settings.resolve(user)));
      if (answer !== undefined) known.set(key, answer, seconds() + settings.cacheSeconds);
      return answer;
    } catch {
      return undefined;
    }
  }
}

function read(answer: unknown): UserAccess | undefined {
  if (answer === "all") return "all";
  if (!Array.isArray(answer) || answer.length > PATIENT_LIMIT) return undefined;
  const ids = answer as readonly unknown[];
  if (!ids.every((id): id is string => typeof id === "string" && isId(id))) return undefined;
  return Object.freeze([...new Set(ids)].sort());
}

/** Everything a hook may decide by: a user with other roles is another question. */
function keyOf(user: Principal): string {
  return hashOf("user", JSON.stringify({ ...user, tokenId: undefined, expiresAt: undefined }));
}
