/** Direct broader codes of v3-ActReason, as far as R4's purposes of use go. @see https://terminology.hl7.org/CodeSystem/v3-ActReason */
const BROADER: ReadonlyMap<string, string> = new Map(
  (
    "ETREAT>TREAT BTG>ETREAT ERTREAT>ETREAT CLINTRL>TREAT COC>TREAT POPHLTH>TREAT CLMATTCH>HPAYMT COVAUTH>HPAYMT " +
    "COVERAGE>HPAYMT ELIGDTRM>COVERAGE ELIGVER>COVERAGE ENROLLM>COVERAGE REMITADV>HPAYMT CAREMGT>HOPERAT " +
    "HQUALIMP>HOPERAT HSYSADMIN>HOPERAT PATADMIN>HOPERAT RECORDMGT>HOPERAT SYSDEV>HOPERAT HTEST>SYSDEV TRAIN>HOPERAT " +
    "HLEGAL>HOPERAT FRAUD>HOPERAT GOV>HOPERAT FAMRQT>PATRQT PWATRNY>PATRQT SUPNWK>PATRQT DISASTER>PUBHLTH THREAT>PUBHLTH"
  )
    .split(" ")
    .map((pair) => pair.split(">") as [string, string]),
);

/** Is `purpose` the wanted one, or a kind of it? */
export function isPurpose(purpose: string, wanted: string): boolean {
  for (let code: string | undefined = purpose; code !== undefined; code = BROADER.get(code)) {
    if (code === wanted) return true;
  }
  return false;
}
