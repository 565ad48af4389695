import { createHash } from 'node:crypto';

/**
 * First byte of the key in its text, by who signs with it (https://c2sp.org/signed-note,
 * https://c2sp.org/tlog-cosignature).
 */
const types = { log: 1, witness: 4 } as const;

/**
 * True for a signed-note verifier key, NAME+ID+KEY, that holds an Ed25519 key for logs or for witnesses, and whose id
 * fits: then neither was mistyped.
 */
export function isVerifierKey(text: string, of: keyof typeof types): boolean {
  const [, name = '', id, encoded = ''] = /^([^\s+]{1,200})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/.exec(text) ?? [];
  const key = Buffer.from(encoded, 'base64');
  const expected = createHash('sha256').update(`${name}\n`).update(key).digest('hex').slice(0, 8);
  return key[0] === types[of] && id === expected;
}
