/** A scalar somewhere in the text of a JSON object: a string, a number, true, false or null. */
export interface JsonScalar {
  /** The member of the outermost object that it belongs to. */
  readonly member: string;
  /** True where it is that member's own value, not deeper. */
  readonly isOwn: boolean;
  readonly from: number;
  readonly to: number;
  readonly value: unknown;
}

/** A JSON object as its text has it, so that parts can change and every other byte stays. */
export interface JsonText {
  readonly scalars: readonly JsonScalar[];
  /** Every member of the outermost object in order, and where its value is; a name may come twice. */
  readonly members: readonly { readonly name: string; readonly from: number; readonly to: number }[];
  /** Every name of a member at any depth. */
  readonly names: readonly string[];
  /** Where the last member ends, or the object begins: a new member goes there. */
  readonly end: number;
}

/** The parts of `text`; undefined where it is not one JSON object. */
export function jsonText(text: string): JsonText | undefined {
  if (!isObject(text)) return undefined;
  const tokens = tokensOf(text);
  const scalars: JsonScalar[] = [];
  const members: { name: string; from: number; to: number }[] = [];
  const names: string[] = [];
  let depth = 0;
  for (const [at, { kind, from, to }] of tokens.entries()) {
    if (kind === '}' || kind === ']') depth -= 1;
    const isName = kind === 'scalar' && tokens[at + 1]?.kind === ':';
    const scalar: unknown = kind === 'scalar' ? JSON.parse(text.slice(from, to)) : undefined;
    if (isName && depth === 1) members.push({ name: String(scalar), from: to, to });
    if (isName) names.push(String(scalar));
    const last = members.at(-1);
    if (last && !isName && depth > 0 && kind !== ',' && kind !== ':') {
      if (tokens[at - 1]?.kind === ':' && depth === 1) last.from = from;
      last.to = to;
    }
    if (last && kind === 'scalar' && !isName) {
      scalars.push({ member: last.name, isOwn: depth === 1, from, to, value: scalar });
    }
    if (kind === '{' || kind === '[') depth += 1;
  }
  return { scalars, members, names, end: members.at(-1)?.to ?? text.indexOf('{') + 1 };
}

interface Token {
  readonly kind: 'scalar' | '{' | '}' | '[' | ']' | ',' | ':';
  readonly from: number;
  readonly to: number;
}

/** Only of a text that the parser took. */
function tokensOf(text: string): readonly Token[] {
  return [...text.matchAll(/"(?:[^"\\]|\\.)*"|([{}[\],:])|[^\s{}[\],:"]+/g)].map((match) => {
    return { kind: signOf(match[1]), from: match.index, to: match.index + match[0].length };
  });
}

function signOf(sign: string | undefined): Token['kind'] {
  switch (sign) {
    case '{':
    case '}':
    case '[':
    case ']':
    case ',':
    case ':':
      return sign;
    default:
      return 'scalar';
  }
}

function isObject(text: string): boolean {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null && !Array.isArray(json);
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return false;
    throw thrown;
  }
}
