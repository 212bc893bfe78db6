/** JSON text from outside, read with a schema: the value, or what is wrong with it in words. */

/** The part of a schema of zod's that is used here. */
export interface Schema<Value> {
  safeParse(
    value: unknown,
  ):
    | { readonly success: true; readonly data: Value }
    | { readonly success: false; readonly error: { readonly issues: readonly SchemaIssue[] } };
}

export interface SchemaIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

export type Read<Value> =
  | { readonly value: Value; readonly problem?: undefined; readonly cause?: undefined }
  | { readonly value?: undefined; readonly problem: string; readonly cause: unknown };

/** `problem` is `not JSON`, or says each wrong field with its path. */
export function readJson<Value>(text: string, schema: Schema<Value>): Read<Value> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    return { problem: 'not JSON', cause };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { value: parsed.data };
  return { problem: issuesText(parsed.error.issues), cause: parsed.error };
}

/** `a.b: what is wrong`, one after the other. */
function issuesText(issues: readonly SchemaIssue[]): string {
  return issues.map(({ path, message }) => `${path.map(String).join('.') || 'top level'}: ${message}`).join('; ');
}
