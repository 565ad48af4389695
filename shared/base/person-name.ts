import { lookAlikes } from './look-alikes.ts';

/**
 * Whether two spellings name one person: they are compared without case, spaces and invisible characters, in Unicode's
 * compatibility form (NFKC). All places that compare names of people use this, so `Ann`, `ann` and a fullwidth `ａｎｎ`
 * are one person everywhere.
 */
export function isSamePerson(a: string, b: string): boolean {
  return a === b || spellingOf(a) === spellingOf(b);
}

/**
 * Whether a person can take one name for the other: as `isSamePerson`, or they look alike in some case, as a Cyrillic
 * `а` looks like a Latin `a` (skeletons of Unicode Technical Standard 39). Such a name is nobody's: it never counts as
 * the other person, nor as one more.
 */
export function looksLikePerson(a: string, b: string): boolean {
  if (isSamePerson(a, b)) return true;
  const looks = looksOf(b);
  return looksOf(a).some((look) => looks.includes(look));
}

/** The names without those that look like an earlier one: so many different people there are. */
export function differentPeople(names: readonly string[]): readonly string[] {
  const different: string[] = [];
  for (const name of names) if (!different.some((one) => looksLikePerson(one, name))) different.push(name);
  return different;
}

/** The name as `known` spells it; undefined where it is nobody's of them, though it may look like one. */
export function knownPerson(name: string, known: readonly string[]): string | undefined {
  return known.find((one) => one === name) ?? known.find((one) => isSamePerson(one, name));
}

const invisible = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}\p{Z}\s]/gu;

/** There and back again: `ß` becomes `ss`, a final sigma a sigma. */
function spellingOf(name: string): string {
  return plain(plain(name).toLowerCase().toUpperCase().toLowerCase());
}

function plain(name: string): string {
  return name.normalize('NFKC').replaceAll(invisible, '');
}

/** How it looks as it is written, and in either case: a capital I looks like an l, a small i does not. */
function looksOf(name: string): readonly string[] {
  const written = plain(name);
  return [...new Set([written, spellingOf(name), plain(written.toUpperCase())])].map(skeletonOf);
}

function skeletonOf(text: string): string {
  const seen = Array.from(text.normalize('NFD'), (character) => prototypes().get(character) ?? character);
  return seen.join('').normalize('NFD');
}

let known: ReadonlyMap<string, string> | undefined;

function prototypes(): ReadonlyMap<string, string> {
  known ??= new Map(
    lookAlikes
      .trim()
      .split(/\s+/)
      .flatMap((group) => {
        const [prototype = '', characters = ''] = group.split(':');
        const seen = prototype.split('+').map(fromHex).join('');
        return characters.split(',').map((character) => [fromHex(character), seen] as const);
      }),
  );
  return known;
}

function fromHex(point: string): string {
  return String.fromCodePoint(Number.parseInt(point, 16));
}
