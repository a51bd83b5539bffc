export interface OrdinaryRequest {
  readonly path: string;
  readonly query: string;
  readonly headers: readonly (readonly [string, string])[];
}

/** Requests as clients of a FHIR API send them every day, none of which identifies a person. The same every time. */
export function ordinaryRequests(count: number): OrdinaryRequest[] {
  const random = seeded(20_261_128);
  return Array.from({ length: count }, () => ordinaryRequest(random));
}

interface Random {
  /** At least `from`, below `to`. */
  readonly between: (from: number, to: number) => number;
  readonly pick: <Item>(items: readonly Item[]) => Item;
  readonly digits: (length: number) => string;
  readonly hex: (length: number) => string;
  readonly base64url: (length: number) => string;
}

/** A counter through a mixing function (splitmix32): the same sequence everywhere, without `Math.random`. */
function seeded(seed: number): Random {
  let state = seed;
  const next = (): number => {
    state = (state + 0x9e37_79b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0_aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  const between = (from: number, to: number): number => from + (next() % (to - from));
  const text = (alphabet: string, length: number): string =>
    Array.from({ length }, () => alphabet[between(0, alphabet.length)]).join("");
  return {
    between,
    pick: (items) => items[between(0, items.length)] as (typeof items)[number],
    digits: (length) => text("123456789", 1) + text("0123456789", length - 1),
    hex: (length) => text("0123456789abcdef", length),
    base64url: (length) => text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", length),
  };
}

function ordinaryRequest(random: Random): OrdinaryRequest {
  const type = random.pick(TYPES);
  const mount = random.pick(["", "/fhir", "/fhir/r4", "/api/FHIR/R4"]);
  const path = random.pick([
    () => `${mount}/${type}`,
    () => `${mount}/${type}`,
    () => `${mount}/${type}/${idOf(random)}`,
    () => `${mount}/${type}/${idOf(random)}/_history/${random.digits(random.between(1, 10))}`,
    () => `${mount}/Patient/${idOf(random)}/$everything`,
    () => `${mount}/Patient/${idOf(random)}/${type}`,
  ])();
  const names = random.between(0, 5);
  const query = Array.from({ length: names }, () => parameter(random)).join("&");
  return { path, query, headers: headersOf(random) };
}

function idOf(random: Random): string {
  const { digits, hex } = random;
  return random.pick([
    () => uuid(random),
    () => uuid(random),
    () => digits(random.between(1, 10)),
    () => hex(24),
    () => random.base64url(random.between(16, 44)).replace(/[_-]/g, "A"),
    () => `${random.pick(["pat", "enc", "obs", "example", "smart"])}-${digits(random.between(1, 8))}`,
    () => `urn-uuid-${uuid(random)}`,
    () => `${random.pick(["a", "f", "e"])}${digits(random.between(5, 12))}`,
  ])();
}

function uuid({ hex }: Random): string {
  return `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
}

function parameter(random: Random): string {
  const { digits, pick, between } = random;
  const date = () => `20${between(10, 30)}-${two(between(1, 13))}-${two(between(1, 29))}`;
  const instant = () =>
    `${date()}T${two(between(0, 24))}:${two(between(0, 60))}:${two(between(0, 60))}.${digits(3)}${pick(["Z", "%2B02:00", "-05:00"])}`;
  const [name, value] = pick<() => readonly [string, string]>([
    () => ["patient", pick([idOf(random), `Patient/${idOf(random)}`, `Patient%2F${idOf(random)}`])],
    () => ["subject", `Patient/${idOf(random)}`],
    () => ["encounter", `Encounter/${idOf(random)}`],
    () => ["_id", [idOf(random), idOf(random), idOf(random)].slice(0, between(1, 4)).join(",")],
    () => ["code", `http://loinc.org%7C${digits(between(3, 6))}-${digits(1)}`],
    () => ["code", `http://snomed.info/sct%7C${digits(between(6, 19))}`],
    () => ["code", `http://hl7.org/fhir/sid/icd-10-cm%7C${pick(["E11.9", "I10", "Z23", "F32.1", "C50.911"])}`],
    () => ["code", `http://www.nlm.nih.gov/research/umls/rxnorm%7C${digits(between(5, 8))}`],
    () => ["code", `http://hl7.org/fhir/sid/ndc%7C${digits(5)}-${digits(4)}-${digits(2)}`],
    () => ["code", `urn:oid:2.16.840.1.113883.${between(1, 12)}.${digits(between(1, 4))}%7C${digits(between(3, 8))}`],
    () => ["category", pick(["vital-signs", "laboratory", "social-history", "survey"])],
    () => ["status", pick(["active", "final", "completed", "in-progress,finished"])],
    () => ["date", `${pick(["ge", "le", "gt", "lt", "sa", "eb", ""])}${date()}`],
    () => ["date", `ge${date()}&date=le${date()}`],
    () => ["_lastUpdated", `${pick(["ge", "le", "gt"])}${instant()}`],
    () => ["_since", instant()],
    () => ["_count", String(between(1, 1001))],
    () => ["_sort", pick(["-date", "date", "-_lastUpdated", "status,-date"])],
    () => ["_include", pick(["Observation:patient", "MedicationRequest:medication", "Encounter:location"])],
    () => ["_revinclude", "Provenance:target"],
    () => ["_elements", pick(["id,status,code", "identifier,active"])],
    () => ["_summary", pick(["true", "count", "data"])],
    () => [
      "value-quantity",
      `${pick(["gt", "lt", ""])}${between(1, 300)}.${digits(2)}%7Chttp://unitsofmeasure.org%7Cmg`,
    ],
    () => ["performer", `Practitioner/${idOf(random)}`],
    () => ["organization", `Organization/${idOf(random)}`],
    () => ["url", `http://hl7.org/fhir/StructureDefinition/${pick(["bodyweight", "lipidprofile"])}%7C4.0.1`],
    () => ["_getpages", `${uuid(random)}&_getpagesoffset=${between(0, 5000)}&_bundletype=searchset`],
    () => ["page", random.base64url(between(40, 200))],
    () => ["_", `17${digits(11)}`],
    () => ["_type", "Patient,Observation,Condition"],
    () => ["_tag", `http://example.org/batches%7C${date()}`],
    () => ["version", `${between(1, 9)}.${between(0, 20)}.${between(0, 20)}`],
  ])();
  return `${name}=${value}`;
}

function headersOf(random: Random): (readonly [string, string])[] {
  const { digits, hex, pick, between } = random;
  const chrome = `${between(90, 140)}.0.${pick(["0.0", `${digits(4)}.${digits(2)}`])}`;
  const all: (() => readonly [string, string])[] = [
    () => ["Host", pick(["fhir.example.org", "localhost:8080", "ehr.hospital.example:8443"])],
    () => ["Accept", pick(["application/fhir+json", "application/fhir+json;fhirVersion=4.0", "*/*;q=0.8"])],
    () => [
      "User-Agent",
      pick([
        `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${chrome} Safari/537.36`,
        "okhttp/4.12.0",
        `HAPI-FHIR/7.${between(0, 9)}.0 (FHIR Client; FHIR 4.0.1/R4; apache)`,
        "python-requests/2.32.3",
        `Epic/${between(80, 110)}.${digits(2)}.${digits(3)}`,
      ]),
    ],
    () => ["X-Request-Id", pick([uuid(random), hex(32), `req-${digits(12)}`])],
    () => ["X-Correlation-Id", uuid(random)],
    () => ["traceparent", `00-${hex(32)}-${hex(16)}-01`],
    () => ["X-Amzn-Trace-Id", `Root=1-${hex(8)}-${hex(24)}`],
    () => ["X-Cloud-Trace-Context", `${hex(32)}/${digits(between(5, 20))};o=1`],
    () => ["CF-Ray", `${hex(16)}-FRA`],
    () => ["X-Request-Start", `t=17${digits(11)}`],
    () => ["If-None-Match", `W/"${digits(between(1, 10))}"`],
    () => ["If-Modified-Since", `Tue, ${two(between(1, 29))} Jan 20${between(10, 30)} 0${between(1, 9)}:00:00 GMT`],
    () => ["Content-Length", digits(between(1, 6))],
    () => ["sec-ch-ua-full-version-list", `"Chromium";v="${chrome}", "Not_A Brand";v="8.0.0.0"`],
    () => ["Prefer", "return=representation; respond-async"],
    () => [
      "Referer",
      `https://app.example.org/launch?iss=https%3A%2F%2Ffhir.example.org&launch=${random.base64url(24)}`,
    ],
    () => ["Accept-Language", "en-US,en;q=0.9,de;q=0.8"],
    () => ["Range", `bytes=${digits(4)}-${digits(6)}`],
    () => ["X-Envoy-Expected-Rq-Timeout-Ms", "15000"],
    () => ["X-B3-TraceId", hex(16)],
  ];
  return all.filter(() => between(0, 3) === 0).map((make) => make());
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

const TYPES = [
  "Patient",
  "Observation",
  "Condition",
  "Encounter",
  "MedicationRequest",
  "Immunization",
  "DiagnosticReport",
  "Practitioner",
  "Location",
  "Claim",
  "ValueSet",
] as const;
