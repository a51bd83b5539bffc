/** One part of a union: element steps from a type, and the reference type it is limited to. */
export interface ExpressionPart {
  readonly type: string;
  readonly steps: readonly { readonly name: string; readonly as?: string; readonly filter?: string }[];
  readonly is?: string;
}

export function compileExpression(id: string, base: string, expression: string): readonly ExpressionPart[] | undefined;
