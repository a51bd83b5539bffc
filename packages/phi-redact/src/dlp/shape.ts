/** What a text is made of, counted in one pass: most texts cannot hold most identifiers. */
export interface Shape {
  readonly digits: number;
  readonly dots: number;
  readonly colons: number;
  readonly hyphens: number;
  readonly spaces: number;
  readonly at: boolean;
}

export function shapeOf(text: string): Shape {
  let digits = 0;
  let dots = 0;
  let colons = 0;
  let hyphens = 0;
  let spaces = 0;
  let at = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 48 && code <= 57) digits += 1;
    else if (code === 32) spaces += 1;
    else if (code === 45) hyphens += 1;
    else if (code === 46) dots += 1;
    else if (code === 58) colons += 1;
    else if (code === 64) at = true;
  }
  return { digits, dots, colons, hyphens, spaces, at };
}
