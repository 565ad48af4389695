import { createPrivateKey } from 'node:crypto';
import { LockkeeperError } from '../../base/error.ts';
import { Sealed } from '../../base/sealed.ts';
import type { World } from '../../base/world.ts';
import type { ValueKind, ValueRule } from '../../services/contract.ts';
import type { RotationId } from '../../secrets/contract.ts';

/** A new value of a kind that is made here: a text by its rule, or a private key in PEM. */
export function drawValue(kind: Exclude<ValueKind, { readonly kind: 'issued' }>, world: World): Sealed {
  return kind.kind === 'text' ? generateValue(kind.rule, world) : privateKey(world);
}

/** What stands before the 32 bytes of an Ed25519 key in PKCS #8: RFC 8410, section 7. */
const ed25519Head = Buffer.from('302e020100300506032b657004220420', 'hex');

function privateKey(world: World): Sealed {
  const der = Buffer.concat([ed25519Head, world.random(32)]);
  const pem = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' });
  return new Sealed(pem.toString());
}

/**
 * A new value: `rule.length` characters, each drawn evenly from the alphabet. Bytes that would favour some characters
 * are thrown away. `invalid` where the rule allows fewer than 128 bits.
 */
export function generateValue(rule: ValueRule, world: World): Sealed {
  const letters = [...new Set(rule.alphabet)];
  const bits = rule.length * Math.log2(letters.length);
  if (letters.length > 256 || !(bits >= 128)) {
    throw new LockkeeperError(
      'invalid',
      `a value of ${rule.length} characters out of ${letters.length} can be guessed`,
      {
        hint: 'Allow 2 to 256 different characters and at least 128 bits: 32 characters of the URL-safe alphabet have 192.',
      },
    );
  }
  const even = 256 - (256 % letters.length);
  let value = '';
  while (value.length < rule.length) {
    for (const byte of world.random(rule.length)) {
      if (byte < even && value.length < rule.length) value += letters[byte % letters.length];
    }
  }
  return new Sealed(value);
}

/** A name for a new rotation that no other rotation has. */
export function newRotationId(world: World): RotationId {
  return `r-${Buffer.from(world.random(16)).toString('hex')}`;
}
