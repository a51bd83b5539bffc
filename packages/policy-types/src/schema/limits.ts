import { closed, count, flag, list, name, named, oneOrSome, positive, share, text } from "./parts.ts";

const owner = { enum: ["client", "user", "organisation", "device", "department", "address"] } as const;
const jobs = { type: "integer", minimum: 1, maximum: 10_000 } as const;
const connections = { type: "integer", minimum: 1, maximum: 1_000_000 } as const;
const cost = { type: "integer", minimum: 1, maximum: 1000 } as const;

export const tier: object = {
  ...closed({
    windows: list(
      closed({ name, limit: positive, windowSeconds: positive, by: owner }, ["name", "limit", "windowSeconds", "by"]),
    ),
    quotas: list(
      closed({ name, limit: positive, per: { enum: ["day", "month"] }, by: owner, timeZone: text, carry: count }, [
        "name",
        "limit",
        "per",
      ]),
    ),
    concurrency: positive,
    costs: closed({ ordinary: cost, expensive: cost, bulk: cost }),
  }),
  minProperties: 1,
};

export const tierChoice: object = closed(
  {
    tier: name,
    when: {
      ...closed({
        operationClass: {
          anyOf: [
            { enum: ["ordinary", "expensive", "bulk"] },
            { type: "array", minItems: 1, items: { enum: ["ordinary", "expensive", "bulk"] } },
          ],
        },
        issuer: oneOrSome,
        client: oneOrSome,
        organisation: oneOrSome,
        user: oneOrSome,
        device: oneOrSome,
        department: oneOrSome,
      }),
      minProperties: 1,
    },
  },
  ["tier", "when"],
);

export const breaker: object = closed({
  windowMs: positive,
  minimumCalls: positive,
  errorRate: share,
  slowRate: share,
  slowCallMs: positive,
  openMs: positive,
  maxOpenMs: positive,
  probes: positive,
  concurrency: positive,
  shared: flag,
});

/** Members of the policy that say how much. */
export const limits: Readonly<Record<string, object>> = {
  door: closed({
    limit: positive,
    windowSeconds: positive,
    failures: closed({ limit: positive, windowSeconds: positive }, ["limit", "windowSeconds"]),
    connections: closed({ total: connections, perAddress: connections, perClient: connections, exempt: list(text) }),
  }),
  pools: closed(
    {
      capacity: positive,
      requestsPerSecond: positive,
      pools: named(
        closed({
          reserved: count,
          lend: count,
          maximum: positive,
          priority: { type: "integer" },
          waiting: count,
          waitMs: positive,
          reservedPerSecond: count,
        }),
      ),
      shedByLoad: flag,
    },
    ["capacity", "pools"],
  ),
  bulkExport: closed(
    {
      folder: text,
      queue: { enum: ["folder", "redis"] },
      concurrency: { type: "integer", minimum: 1, maximum: 1000 },
      perOrganisation: jobs,
      waiting: jobs,
      lifetimeSeconds: { type: "integer", minimum: 1, maximum: 302_400 },
    },
    ["folder"],
  ),
  redis: closed(
    {
      url: {
        type: "string",
        pattern: "^(rediss?://|env:|file:|provider:).+$",
        description: "`redis://`, `rediss://`, or where that URL is, `env:NAME`",
      },
      prefix: { type: "string", pattern: "^[\\w:.-]{1,64}$" },
      replicas: positive,
      onFailure: { enum: ["local", "closed"] },
    },
    ["url"],
  ),
};
