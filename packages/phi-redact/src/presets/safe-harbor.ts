import { defineProfile, type RedactionProfile, type RedactionRule } from "../profile/rules.ts";

const each = (action: "keep" | "remove" | "generalise", paths: string): readonly RedactionRule[] =>
  paths.split(" ").map((path) => ({ path, action }));

/** `Quantity` and the types made from it. */
const ofQuantities = (part: "unit" | "system"): string =>
  ["Quantity", "Age", "Count", "Distance", "Duration"].map((type) => `${type}.${part}`).join(" ");

/**
 * The eighteen identifiers of the Safe Harbor method, by datatype, so that they go wherever they stand: in a Patient, an
 * employer, a contained relative, a parameter. Free text goes, because any of the eighteen may be in it.
 *
 * Does NOT see identifiers in codes and numbers, nor give the "no actual knowledge" of (b)(2)(ii): that is for a person.
 *
 * @see 45 CFR 164.514(b)(2)(i)
 */
export const SAFE_HARBOR: RedactionProfile = defineProfile({
  name: "safe-harbor",
  rules: [
    // (A) names of people; of organisations and places too, which tell where somebody lives or works.
    ...each("remove", "HumanName ContactDetail Contributor Signature"),
    // (B) geography below a state.
    ...each("remove", "Address Location.position"),
    ...each("keep", "Address.state Address.country"),
    ...each("generalise", "Address.postalCode"),
    // (C) dates but for the year, and ages over 89.
    ...each("generalise", "date dateTime instant Age Quantity"),
    ...each("remove", "time Meta.lastUpdated Bundle.timestamp"),
    // (D) (E) (F) telephone, fax, e-mail.
    ...each("remove", "ContactPoint"),
    // (G) to (M), (R) numbers that identify, and this server's own.
    ...each("remove", "Identifier Resource.id Meta.versionId Meta.source Reference.reference oid uuid id"),
    ...each("remove", "Bundle.link Bundle.entry.fullUrl Bundle.entry.request Bundle.entry.response"),
    // (N) (O) URLs and addresses of machines.
    ...each("remove", "url uri canonical"),
    ...each("keep", `Coding.system Reference.type Meta.profile Resource.implicitRules ${ofQuantities("system")}`),
    // (P) (Q) recordings and pictures.
    ...each("remove", "Attachment base64Binary"),
    // Free text, and with it what the letters above have no datatype for.
    ...each("remove", "string markdown Annotation"),
    ...each("keep", `Coding.display Coding.version SampledData.data ${ofQuantities("unit")}`),
  ],
});
