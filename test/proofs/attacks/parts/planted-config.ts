import { isMap, isScalar, isSeq, parseDocument, visit } from 'yaml';
import { example } from '../../../config/example.ts';

/** A configuration with a secret at one place, and a mistake somewhere. */
export interface PlantedConfig {
  readonly how: string;
  readonly text: string;
}

/** The secret in forms that a password has, that a name has, and that a number has. */
export const secrets = ['Hunter2!Planted', 'hunter2planted', '8374992173'] as const;

/** One piece of the example's text. */
interface Piece {
  readonly from: number;
  readonly to: number;
  readonly what: 'key' | 'value';
}

/** What may be written in the place of a value, with the secret in it. */
const written: readonly ((secret: string) => string)[] = [
  (secret) => secret,
  (secret) => `"${secret}"`,
  (secret) => `"postgres://lockkeeper:${secret}@db.internal:5432/orders"`,
  (secret) => `"https://example.org/log?token=${secret}"`,
  (secret) => `{ ${secret}: 1 }`,
  (secret) => `[${secret}, { x: ${secret} }]`,
  (secret) => `{ password: ${secret}, value: "${secret}" }`,
  (secret) => `!${secret} x`,
  (secret) => `&${secret} x`,
  (secret) => `*${secret}`,
  (secret) => `"${secret}`,
  (secret) => `'${secret}`,
  (secret) => `{ ? { ${secret}: a } : b }`,
  (secret) => `{ ? [${secret}] : b }`,
  (secret) => `"x # ${secret}\\u0000"`,
  (secret) => `x # ${secret}\n :`,
  (secret) => `{ "${secret}": 1, "${secret}": 2 }`,
  (secret) => `"${secret}\n\n      ${secret}"`,
  (secret) => `\t${secret}`,
  (secret) => `}${secret}`,
];

/** Other mistakes, so that what is right by itself is read beside one. */
const mistakes: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => text.replace('version: 1', 'version: 3\nnext: 1'),
  (text) => text.replaceAll('network: office', 'network: offcie').replaceAll('store: main', 'store: mian'),
  (text) => `${text}\n  : [`,
];

/** Every place, with every third form in turn, and secrets and other mistakes in turn; each as the text of a file. */
export function* plantedConfigs(): Generator<PlantedConfig & { readonly secret: string }> {
  let turn = 0;
  for (const piece of pieces()) {
    const forms = piece.what === 'key' ? written.slice(0, 4) : written;
    for (const form of forms) {
      const secret = secrets[Math.floor(turn / 3) % secrets.length] ?? secrets[0];
      const mistake = mistakes[Math.floor(turn / 9) % mistakes.length];
      turn += 1;
      if (turn % 3 !== 0) continue;
      const text = example.slice(0, piece.from) + form(secret) + example.slice(piece.to);
      yield {
        secret,
        how: `${form('SECRET')} for the ${piece.what} ${example.slice(piece.from, piece.to)}`,
        text: mistake?.(text) ?? text,
      };
    }
  }
  for (const secret of secrets) {
    yield { secret, how: 'a comment beside a mistake', text: example.replace('cloud: aws', `cloud: asw # ${secret}`) };
    yield { secret, how: 'a directive', text: `%${secret}\n---\n${example}` };
    yield { secret, how: 'a second document', text: `${example}\n---\n${secret}: [` };
    yield { secret, how: 'the whole file', text: secret };
    yield {
      secret,
      how: 'a block text',
      text: example.replace('port: 5432', `port: |\n      ${secret}\n      ${secret}`),
    };
  }
}

/** The words of the example: scalars, and the lists and maps that are values. */
function pieces(): readonly Piece[] {
  const found: Piece[] = [];
  visit(parseDocument(example), (at, node) => {
    const range = isScalar(node) || isMap(node) || isSeq(node) ? node.range : undefined;
    if (range && range[0] > 0) found.push({ from: range[0], to: range[1], what: at === 'key' ? 'key' : 'value' });
  });
  return found;
}
