/** A kind of information that needs more than the ordinary right. */
export interface SensitiveCategory {
  readonly name: string;
  /** Codes of v3-ActCode (sensitivity, US privacy law) and of v3-Confidentiality that mark it, broader ones included. */
  readonly labels: readonly string[];
  readonly codes: readonly CodeList[];
}

export interface CodeList {
  readonly system: string;
  /** Where the codes are from, for whoever reviews them: a value set with its version, or who chose them. */
  readonly source?: string;
  /** Exact codes. */
  readonly codes?: readonly string[];
  /** Beginnings of codes, without dots: `F1` holds F10 to F19. */
  readonly prefixes?: readonly string[];
}

const LOINC = "http://loinc.org";
const SNOMED = "http://snomed.info/sct";
const RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm";
/** True of every list here: none is a published value set, and no clinician has reviewed them. */
const SOURCE = "chosen by hand from common codes; no published value set, not reviewed by a clinician";
const icd10 = (prefixes: string): readonly CodeList[] =>
  ["http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-10"].map((system) => ({
    system,
    source: SOURCE,
    prefixes: prefixes.split(" "),
  }));
const exact = (system: string, codes: string): CodeList => ({ system, source: SOURCE, codes: codes.split(" ") });

/**
 * A beginning, not a value set: common codes for each category, to be reviewed and replaced by the clinical owner's own
 * (`options.categories`). RxNorm codes are those of ingredients. `SPI` and `BH` stand for any of several categories, so they
 * count for each.
 *
 * @see https://hl7.org/fhir/R4/security-labels.html
 */
export const SENSITIVE_CATEGORIES: readonly SensitiveCategory[] = Object.freeze([
  {
    name: "hiv",
    labels: ["HIV", "SPI"],
    codes: [
      ...icd10("B20 B9735 Z21 R75 Z206 O987"),
      exact(
        LOINC,
        "75622-1 7917-8 7918-6 68961-2 20447-9 25836-8 56888-1 29893-5 31201-7 5221-7 49580-4 80387-4 24467-3",
      ),
      exact(SNOMED, "86406008 62479008 165816005 111880001 91947003 91948008"),
      exact(RXNORM, "11413 68244 190521 195085 276237 300195 719872 460132 1433868 1102270"),
    ],
  },
  {
    name: "psychiatric",
    labels: ["PSY", "MH", "BH", "SPI", "HIPAAPsyNotes"],
    codes: [
      ...icd10("F2 F3 F4 F5 F6 F9 Z914 Z915"),
      exact(LOINC, "44261-6 44249-1 69737-5 70274-6 55758-7 55757-9 69725-0"),
      exact(SNOMED, "74732009 35489007 13746004 58214004 197480006 47505003 370143000"),
      exact(RXNORM, "6448 2626 61381 51272 5093 35636"),
    ],
  },
  {
    name: "substance-use",
    labels: ["SUD", "ETH", "ETHUD", "OPIOIDUD", "BH", "SPI", "42CFRPart2"],
    codes: [
      ...icd10("F1 T40 Z7141 Z7151 O9931 O9932 K70 R780"),
      exact(LOINC, "75626-2 82667-7 72110-2 5643-2 5640-8"),
      exact(SNOMED, "66214007 7200002 75544000 191816009 5602001 26416006"),
      exact(RXNORM, "1819 6813 7243 3554 82819"),
    ],
  },
  {
    name: "reproductive",
    labels: ["SEX", "STD", "SDV"],
    codes: [
      ...icd10("O0 Z30 Z31 Z32 Z33 Z640 N97 N46 A5 A60 A61 A62 A63 A64 T742 T762"),
      exact(LOINC, "2106-3 2118-8 2119-6 21198-7 11884-4"),
      exact(SNOMED, "57797005 386639001 70317007 8098009"),
      exact(RXNORM, "6916 42331 6373"),
    ],
  },
  {
    name: "genetic",
    labels: ["GDIS", "SCA", "SICKLE"],
    codes: [
      ...icd10("Z14 Z15 Z315 D57 Q9"),
      exact(LOINC, "51969-4 48018-6 81247-9 69548-6 53039-4 21636-6"),
      exact(SNOMED, "32895009 409709004 417357006"),
    ],
  },
  { name: "restricted", labels: ["R", "V"], codes: [] },
]);
