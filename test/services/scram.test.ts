import { fc } from '../properties.ts';
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { Sealed } from '../../shared/base/sealed.ts';
import { checkedVerifier, scramVerifier } from '../../shared/services/scram.ts';

/** The exchange of RFC 7677, section 3: user "user", password "pencil". */
const rfc = {
  salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
  message:
    'n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  clientProof: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverSignature: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

const hmac = (key: Uint8Array, text: string) => createHmac('sha256', key).update(text).digest();

describe('a SCRAM verifier', () => {
  test('is the one with which the exchange of RFC 7677 succeeds, both ways', () => {
    const verifier = scramVerifier(new Sealed('pencil'), { iterations: 4096, salt: rfc.salt });
    const [, keys = ''] = verifier.split(/\$(?=[^$]*$)/);
    const [stored = '', server = ''] = keys.split(':').map((part) => part);
    const signature = hmac(Buffer.from(stored, 'base64'), rfc.message);
    const proof = Buffer.from(rfc.clientProof, 'base64');
    const clientKey = Buffer.from(proof.map((byte, at) => byte ^ (signature[at] ?? 0)));
    expect(createHash('sha256').update(clientKey).digest('base64')).toBe(stored);
    expect(hmac(Buffer.from(server, 'base64'), rfc.message).toString('base64')).toBe(rfc.serverSignature);
  });

  test('always has the shape that the server recognises, and its keys fit the value', () => {
    const value = fc.string({
      unit: fc.integer({ min: 33, max: 126 }).map((code) => String.fromCharCode(code)),
      minLength: 1,
      maxLength: 100,
    });
    fc.assert(
      fc.property(
        value,
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.integer({ min: 4096, max: 6000 }),
        (text, salt, iterations) => {
          const verifier = scramVerifier(new Sealed(text), { iterations, salt });
          expect(checkedVerifier(verifier)).toBe(verifier);
          expect(verifier.startsWith(`SCRAM-SHA-256$${iterations}:${Buffer.from(salt).toString('base64')}$`)).toBe(
            true,
          );
          expect(
            verifier.endsWith(hmac(pbkdf2Sync(text, salt, iterations, 32, 'sha256'), 'Server Key').toString('base64')),
          ).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('that is malformed is never sent: the server would take it for a password in clear', () => {
    const good = scramVerifier(new Sealed('pencil'), { iterations: 4096, salt: rfc.salt });
    const bad = [
      good.slice(0, -1),
      `${good}\n`,
      ` ${good}`,
      good.replace('SCRAM-SHA-256', 'SCRAM-SHA-1'),
      good.replace('4096', '409'),
      good.replace('4096', '1000'),
      good.replace(':', ''),
      'pencil',
      '',
    ];
    for (const verifier of bad) expect(() => checkedVerifier(verifier)).toThrow(/malformed/);
    expect(() => scramVerifier(new Sealed('pencil'), { iterations: 4096, salt: new Uint8Array(8) })).toThrow(
      /malformed/,
    );
    for (const value of ['', 'pass word', 'pässwort', 'tab\t'])
      expect(() => scramVerifier(new Sealed(value), { iterations: 4096, salt: rfc.salt })).toThrow(/ASCII/);
  });
});
