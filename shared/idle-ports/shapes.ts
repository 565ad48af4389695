/** True for a value of the right form. */
export type Check = (value: unknown) => boolean;

/** One check for every member of T; a member that the type gains without a check is a mistake of types. */
export type Shape<T> = { readonly [Field in keyof T]-?: Check };

/** Any text. */
export const text: Check = (value) => typeof value === 'string';

/** Any number. */
export const number: Check = (value) => typeof value === 'number';

/** True or false. */
export const flag: Check = (value) => typeof value === 'boolean';

/** Anything that is there. */
export const plain: Check = (value) => value !== undefined;

/** Nothing, or what `check` takes. */
export function optional(check: Check): Check {
  return (value) => value === undefined || check(value);
}

/** One of these texts. */
export function oneOf(...texts: readonly string[]): Check {
  return (value) => typeof value === 'string' && texts.includes(value);
}

/** Any number of what `check` takes. */
export function list(check: Check): Check {
  return (value) => Array.isArray(value) && value.every((item) => check(item));
}

/** What at least one of them takes. */
export function either(...checks: readonly Check[]): Check {
  return (value) => checks.some((check) => check(value));
}

/** An object whose members all fit; members without a check are let through. */
export function record<T>(shape: Shape<T>): Check {
  return (value) => isObject(value) && wrongFields(shape, value).length === 0;
}

/** Names of the members that are missing or of another form. */
export function wrongFields<T>(shape: Shape<T>, value: unknown): readonly string[] {
  const fields = new Map<string, unknown>(isObject(value) ? Object.entries(value) : []);
  return Object.entries<Check>(shape)
    .filter(([name, check]) => !check(fields.get(name)))
    .map(([name]) => name);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
