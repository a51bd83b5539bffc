/** Where an address is, no finer than a state: smaller areas identify people. */
export interface Place {
  /** ISO 3166-1 alpha-2. */
  readonly country?: string;
  /** ISO 3166-2 without the country. */
  readonly region?: string;
  /** Number of the network's operator, `AS64496`. */
  readonly network?: string;
}

/** What the readers of `.mmdb` files have in common (`maxmind`, `mmdb-lib`). */
export interface GeoReader {
  get(address: string): unknown;
}

/**
 * Takes country, state and operator out of what a database holds for an address; cities, postcodes and coordinates stay
 * behind. A reader that throws or knows nothing gives no place.
 *
 * @see https://www.hhs.gov/hipaa/for-professionals/privacy/special-topics/de-identification/ 45 CFR 164.514(b)(2)(i)(B)
 */
export function locator(reader: GeoReader): (address: string) => Place | undefined {
  return (address) => {
    try {
      const found = (reader.get(address) ?? {}) as Found;
      const country = text(found.country?.iso_code);
      const region = text(found.subdivisions?.[0]?.iso_code);
      const operator = found.autonomous_system_number;
      return {
        ...(country === undefined ? {} : { country }),
        ...(region === undefined ? {} : { region }),
        ...(Number.isSafeInteger(operator) ? { network: `AS${String(operator)}` } : {}),
      };
    } catch {
      return undefined;
    }
  };
}

interface Found {
  readonly country?: { readonly iso_code?: unknown };
  readonly subdivisions?: readonly { readonly iso_code?: unknown }[];
  readonly autonomous_system_number?: unknown;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && /^[A-Za-z0-9-]{1,8}$/.test(value) ? value : undefined;
}
