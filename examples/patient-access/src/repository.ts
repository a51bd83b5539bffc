import { evalFhirPath, formatSearchQuery, getSearchParameter, Operator, type SearchRequest } from "@medplum/core";
import { MemoryRepository } from "@medplum/fhir-router";

type FhirResource = Parameters<MemoryRepository["updateResource"]>[0];
type WithId<T> = T & { readonly id: string };
type Entry = NonNullable<Awaited<ReturnType<MemoryRepository["search"]>>["entry"]>[number];
type IncludeTarget = NonNullable<SearchRequest["include"]>[number];

const PAGE_SIZE = 50;
const MOST_ITERATIONS = 10;

/**
 * Medplum's store in memory, with what it lacks and every FHIR server has: `_include` and `_revinclude` (with
 * `:iterate`), references by bare id, pages with links, `fullUrl` and `search.mode`.
 *
 * Does NOT know users: it answers everything to everybody, as servers behind an edge do.
 */
export class ExampleRepository extends MemoryRepository {
  readonly #baseUrl: string;

  constructor(baseUrl: string) {
    super();
    this.#baseUrl = baseUrl;
  }

  override async search<T extends FhirResource>(
    request: SearchRequest<T>,
  ): ReturnType<typeof MemoryRepository.prototype.search<T>> {
    const count = request.count ?? PAGE_SIZE;
    const offset = request.offset ?? 0;
    const bundle = await super.search<T>({ ...request, count, offset, filters: withWholeReferences(request) });
    const matches = (bundle.entry ?? []).flatMap(({ resource }) => resource ?? []);
    const included = await this.#included(request as SearchRequest, matches as readonly FhirResource[]);
    const page = (from: number) =>
      this.#baseUrl +
      `/${request.resourceType}` +
      formatSearchQuery({ ...request, count, offset: from } as SearchRequest);
    return {
      ...bundle,
      link: [
        { relation: "self", url: page(offset) },
        ...(offset + count < (bundle.total ?? 0) ? [{ relation: "next", url: page(offset + count) }] : []),
      ],
      entry: [
        ...matches.map((resource) => this.#entry(resource as FhirResource, "match")),
        ...included.map((resource) => this.#entry(resource, "include")),
      ] as NonNullable<typeof bundle.entry>,
    };
  }

  override async readHistory<T extends FhirResource>(
    resourceType: string,
    id: string,
  ): ReturnType<typeof MemoryRepository.prototype.readHistory<T>> {
    const bundle = await super.readHistory<T>(resourceType, id);
    // MemoryRepository turns its own list around at each reading; the second reading turns it back.
    await super.readHistory<T>(resourceType, id);
    return {
      ...bundle,
      total: bundle.entry?.length ?? 0,
      entry: (bundle.entry ?? []).map((entry) => ({
        ...entry,
        fullUrl: `${this.#baseUrl}/${resourceType}/${id}`,
        request: { method: "PUT", url: `${resourceType}/${id}` },
        response: { status: "200" },
      })),
    };
  }

  async #included(request: SearchRequest, matches: readonly FhirResource[]): Promise<readonly FhirResource[]> {
    const seen = new Set(matches.map(nameOf));
    const found: FhirResource[] = [];
    let from: readonly FhirResource[] = matches;
    for (let round = 0; round < MOST_ITERATIONS && from.length > 0; round++) {
      const applies = ({ modifier }: IncludeTarget) => round === 0 || modifier === "iterate";
      const reached = [
        ...(await this.#referred(from, (request.include ?? []).filter(applies))),
        ...(await this.#referring(from, (request.revInclude ?? []).filter(applies))),
      ];
      from = [...new Map(reached.map((resource) => [nameOf(resource), resource])).values()].filter(
        (resource) => !seen.has(nameOf(resource)),
      );
      for (const resource of from) seen.add(nameOf(resource));
      found.push(...from);
    }
    return found;
  }

  /** `_include`: what the given resources point to. */
  async #referred(from: readonly FhirResource[], includes: readonly IncludeTarget[]): Promise<readonly FhirResource[]> {
    const references = includes.flatMap(({ resourceType, searchParam, targetType }) =>
      from
        .filter((resource) => resource.resourceType === resourceType)
        .flatMap((resource) =>
          evalFhirPath(getSearchParameter(resourceType, searchParam)?.expression ?? "{}", resource),
        )
        .map((value) => (value as { reference?: string }).reference ?? "")
        .filter((reference) => targetType === undefined || reference.startsWith(`${targetType}/`)),
    );
    const read = await Promise.all(
      [...new Set(references)].map((reference) => this.readReference({ reference }).catch(() => undefined)),
    );
    return read.filter((resource) => resource !== undefined);
  }

  /** `_revinclude`: what points to the given resources. */
  async #referring(
    from: readonly FhirResource[],
    includes: readonly IncludeTarget[],
  ): Promise<readonly FhirResource[]> {
    const found = includes.flatMap(({ resourceType, searchParam }) =>
      from.map((resource) =>
        super.search({
          resourceType: resourceType as FhirResource["resourceType"],
          filters: [{ code: searchParam, operator: Operator.EQUALS, value: nameOf(resource) }],
        }),
      ),
    );
    return (await Promise.all(found)).flatMap(({ entry }) => (entry ?? []).flatMap(({ resource }) => resource ?? []));
  }

  #entry(resource: FhirResource, mode: "match" | "include"): Entry {
    return {
      fullUrl: `${this.#baseUrl}/${nameOf(resource)}`,
      resource: resource as WithId<FhirResource>,
      search: { mode },
    };
  }
}

function nameOf(resource: FhirResource): string {
  return `${resource.resourceType}/${resource.id ?? ""}`;
}

/** `patient=example` means `patient=Patient/example`; where several types may be meant, any of them. */
function withWholeReferences({ resourceType, filters = [] }: SearchRequest): NonNullable<SearchRequest["filters"]> {
  return filters.map((filter) => {
    const parameter = getSearchParameter(resourceType, filter.code);
    if (parameter?.type !== "reference" || filter.operator !== Operator.EQUALS) return filter;
    const targets = parameter.target ?? [];
    const values = filter.value
      .split(",")
      .flatMap((value) => (value.includes("/") ? value : targets.map((target) => `${target}/${value}`)));
    return { ...filter, value: values.join(",") };
  });
}
