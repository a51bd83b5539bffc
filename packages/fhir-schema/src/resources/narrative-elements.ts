/** Elements of a narrative (invariant txt-1 of R4): formatting, lists, tables, links, images. */
const ELEMENTS: readonly string[] = (
  "a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img li " +
  "ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var"
).split(" ");

/** Names consist of digits and small letters. */
const FIRST = "1".charCodeAt(0);
const WIDTH = "z".charCodeAt(0) - FIRST + 1;
/** One more than their letters together is enough. */
const STATES = ELEMENTS.join("").length + 1;
/** Their names as a tree: `STEPS[state * WIDTH + letter]` is the next state, 0 where no name goes on so. */
const STEPS = new Uint16Array(STATES * WIDTH);
/** Of a state that is the end of a name, the name's length; else 0. */
const LENGTHS = new Uint8Array(STATES);

let states = 1;
for (const name of ELEMENTS) {
  let state = 0;
  for (const letter of name) {
    const step = state * WIDTH + letter.charCodeAt(0) - FIRST;
    if (STEPS[step] === 0) STEPS[step] = states++;
    state = STEPS[step] ?? 0;
  }
  LENGTHS[state] = name.length;
}

/** An element, by the state its name ends in; 0 is none. */
export type ElementState = number;

/** The element whose name the bytes go on with, whatever stands after it. */
export function elementAt(bytes: Uint8Array, start: number): ElementState {
  let state = 0;
  for (let at = start; ; at++) {
    const letter = (bytes[at] ?? 0) - FIRST;
    const next = letter >= 0 && letter < WIDTH ? (STEPS[state * WIDTH + letter] ?? 0) : 0;
    if (next === 0) return LENGTHS[state] === 0 ? 0 : state;
    state = next;
  }
}

export function nameLength(element: ElementState): number {
  return LENGTHS[element] ?? 0;
}
