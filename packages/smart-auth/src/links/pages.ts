import { createHash } from "node:crypto";
import { matches, parseInteraction, parseSearch, renderQuery } from "@wardline/fhir-r4";
import { type Decision, deny, type Grant, type Interaction, type Principal, permit } from "@wardline/policy-types";
import type { Access } from "../access.ts";
import type { Narrowing } from "../narrow.ts";
import { PAGE_LINK_INVALID } from "../problems.ts";
import type { FhirResource } from "../resource.ts";
import type { Rights } from "../rights.ts";
import type { PageState, Sealer } from "./sealer.ts";

/** The one parameter of a sealed page link. */
const PARAMETER = "_sealed";

/** The page links of one answer. */
export interface Pages {
  /** The sealed form of the server's own link, given below its base. */
  link(below: string): string | undefined;
  /** Where the answer goes on after the server's last page. */
  following(): string | undefined;
  /** An earlier part of the answer has shown it. */
  isRepeat(resource: FhirResource): boolean;
}

export interface PageFacts {
  readonly sealer: Sealer;
  readonly bindings: readonly string[];
  readonly baseUrl: string;
  readonly access: Access;
  /** Which of `access.parts` is answered. */
  readonly part: number;
  readonly rights: Rights;
}

/** A link is bound to who asked and to what they may do: another caller, or another grant, cannot use it (A3). */
export function bindingsOf(principal: Principal, grant: Grant, baseUrl: string): readonly string[] {
  const { issuer, subject, clientId = "", fhirUser = "", tenant = "", launch } = principal;
  const rights = createHash("sha256").update(JSON.stringify(grant.clauses)).digest("base64url");
  const { patient = "", encounter = "" } = launch;
  return [baseUrl, issuer, subject, clientId, fhirUser, tenant, patient, encounter, rights];
}

export function createPages({ sealer, bindings, baseUrl, access, part, rights }: PageFacts): Pages {
  const { interaction, parts = [] } = access;
  const path = interaction.path.replace(/\/_search$/, "") || "/";
  const query = renderQuery(interaction.search?.pairs ?? []);
  const earlier = parts.slice(0, part).map(({ wanted = [], at }) => ({
    type: at?.type,
    criteria: criteriaOf(at ?? interaction, wanted),
  }));
  const urlOf = (state: Pick<PageState, "part" | "next">): string | undefined => {
    const text = sealer.seal({ path, query, ...state }, bindings);
    return text === undefined ? undefined : `${baseUrl}${path === "/" ? "" : path}?${PARAMETER}=${text}`;
  };
  return {
    link: (below) => (linkedPath(below) === undefined ? undefined : urlOf({ part, next: below })),
    following: () => (part + 1 < parts.length ? urlOf({ part: part + 1 }) : undefined),
    isRepeat: (resource) =>
      earlier.some(
        ({ type = resource.resourceType, criteria }) =>
          type === resource.resourceType && matches(resource, criteria, rights.references) === true,
      ),
  };
}

function criteriaOf({ type = "*" }: Pick<Interaction, "type">, wanted: NonNullable<Narrowing["wanted"]>) {
  return parseSearch([type], wanted).criteria;
}

/** The path of a server's link, when it is a place FHIR reads and pages from. */
function linkedPath(below: string): string | undefined {
  const mark = below.indexOf("?");
  const [path, query] = mark < 0 ? [below, ""] : [below.slice(0, mark), below.slice(mark + 1)];
  const linked = parseInteraction({ method: "GET", path: path.replace(/(?:^|\/)_search$/, ""), query });
  const { code } = linked;
  return code.startsWith("search-") || code.startsWith("history-") ? linked.path : undefined;
}

/** A page that was asked for by its sealed link. */
export interface AskedPage {
  /** The search it is a page of, judged anew with every page. */
  readonly interaction: Interaction;
  readonly part: number;
  /** What is asked of the server: path, and path with query, below the base. Absent: the first page of the part. */
  readonly server?: { readonly path: string; readonly url: string };
}

/** Opens the sealed link a client follows; `undefined` when the request is none. */
export function openPage(
  interaction: Interaction,
  sealer: Sealer | undefined,
  bindings: () => readonly string[],
): Decision<AskedPage> | undefined {
  const { code, path, search } = interaction;
  const sealed = search?.pairs.filter(([name]) => name === PARAMETER) ?? [];
  if (sealer === undefined || sealed.length === 0) return undefined;
  const isPaged = code.startsWith("search-") || code.startsWith("history-");
  const state = isPaged && search?.pairs.length === 1 ? sealer.open(sealed[0]?.[1] ?? "", bindings()) : undefined;
  if (state?.path !== path) return deny(PAGE_LINK_INVALID, ["a page link that cannot be opened"]);
  const asked = parseInteraction({ method: "GET", path: state.path, query: state.query });
  const server = state.next === undefined ? undefined : serverPage(state.next);
  return permit({ interaction: asked, part: state.part, ...(server === undefined ? {} : { server }) }, [
    "page link opened",
  ]);
}

function serverPage(next: string): AskedPage["server"] {
  const path = linkedPath(next);
  return path === undefined ? undefined : { path, url: `/${next}` };
}

/** The access to one part of a search. */
export function accessToPart(access: Access, part: number): Access {
  const narrowing = access.parts?.[part];
  return narrowing === undefined ? access : { ...access, narrowing };
}
