// Ratios of one run, and how they are told.
const WIDTH = 27;
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const rounded = (value) => Math.round(value * 1000) / 1000;

/**
 * By variant and work: requests per second and processor time as shares of the variant it is compared with (more is
 * better, 1 is as good), and the medians they are made of.
 */
export function ratios(results, variants) {
  const medians = new Map([...results].map(([name, works]) => [name, medianOf(works)]));
  return Object.fromEntries(
    variants.map(([name, base]) => [
      name,
      Object.fromEntries(
        Object.entries(medians.get(name)).map(([work, own]) => {
          const other = medians.get(base)[work];
          return [
            work,
            { of: base, ...share("rate", own.rate, other.rate), ...share("cpu", other.cpu, own.cpu), ...own },
          ];
        }),
      ),
    ]),
  );
}

const share = (name, above, below) => (above === undefined ? {} : { [`${name}Share`]: rounded(above / below) });

function medianOf(works) {
  return Object.fromEntries(
    Object.entries(works).map(([work, measured]) => [
      work,
      Object.fromEntries(
        Object.keys(measured[0]).map((figure) => [figure, rounded(median(measured.map((one) => one[figure])))]),
      ),
    ]),
  );
}

/** A line for each variant: share by rate, by processor time, microseconds, and the change since the kept run. */
export function printTable({ at: _, load, shares }, kept) {
  const works = Object.keys(Object.values(shares)[0]);
  console.log(
    `share by requests/s, by processor time (us each), change of the latter since ${kept?.at ?? "no kept run"}`,
  );
  console.log(`machine load ${load.join(", ")}`);
  console.log(" ".repeat(WIDTH) + works.map((work) => work.padStart(WIDTH)).join(""));
  for (const [name, byWork] of Object.entries(shares)) {
    const cells = works.map((work) => cell(byWork[work], kept?.shares[name]?.[work]).padStart(WIDTH));
    console.log(name.padEnd(WIDTH) + cells.join(""));
  }
}

/** Processor time by variant and work, beside what each is compared with. */
export function costs({ shares }) {
  const cells = Object.entries(shares).flatMap(([name, byWork]) =>
    Object.entries(byWork).map(([work, { cpuShare }]) => [`${name}, ${work}`, 1 / cpuShare]),
  );
  return Object.fromEntries(cells);
}

/** Requests per second of one variant as a multiple of another's, for each work. */
export function printBeside({ shares }, name, other) {
  const works = Object.entries(shares[name]).filter(([work, { rate }]) => rate !== undefined && shares[other][work]);
  const cells = works.map(([work, { rate }]) => `${work} ${(rate / shares[other][work].rate).toFixed(2)}`);
  console.log(`${name}, as a multiple of ${other}: ${cells.join(", ")}`);
}

function cell(now, before) {
  if (now === undefined) return "-";
  const rate = now.rateShare === undefined ? "" : `${now.rateShare.toFixed(2)} `;
  const change = before === undefined ? "" : ` ${signed((now.cpuShare / before.cpuShare - 1) * 100)} %`;
  return `${rate}${now.cpuShare.toFixed(2)} (${Math.round(now.cpu)})${change}`;
}

const signed = (value) => `${value < 0 ? "" : "+"}${value.toFixed(0)}`;
