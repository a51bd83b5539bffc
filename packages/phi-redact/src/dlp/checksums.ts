/** @see ISO/IEC 7812-1, annex B */
export function passesLuhn(digits: string): boolean {
  return luhnSum(digits) % 10 === 0;
}

/**
 * The check digit of a National Provider Identifier: Luhn with the card issuer prefix 80840, which adds 24.
 *
 * @see https://www.cms.gov/Regulations-and-Guidance/Administrative-Simplification/NationalProvIdentStand/Downloads/NPIcheckdigit.pdf
 */
export function passesNpi(digits: string): boolean {
  return digits.length === 10 && (luhnSum(digits) + NPI_PREFIX_SUM) % 10 === 0;
}

/** The check digit of a GTIN-14: weights 3 and 1 from the left. */
export function passesGtin14(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) sum += Number(digits[index]) * (index % 2 === 0 ? 3 : 1);
  return digits.length === 14 && sum % 10 === 0;
}

function luhnSum(digits: string): number {
  let sum = 0;
  for (let index = digits.length - 1, second = false; index >= 0; index--, second = !second) {
    const digit = Number(digits[index]);
    sum += second ? (digit * 2 > 9 ? digit * 2 - 9 : digit * 2) : digit;
  }
  return sum;
}

const NPI_PREFIX_SUM = 24;
