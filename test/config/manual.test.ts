import { describe, expect, test } from '@jest/globals';
import { checkConfig } from '../../shared/config/check.ts';
import { rotatedCredential } from '../../shared/config/schema.ts';
import { formatInstant } from '../../shared/base/time.ts';
import { right } from './place.ts';

/** A configuration with one credential that people renew. */
function config(fields: string, secrets = '{ store: vault, name: partner, form: plain }'): string {
  return `version: 1
stores: { state: { kind: file-system, path: state }, log: { kind: file-system, path: log } }
secrets:
  vault: { kind: local-file, path: vault, keyFile: vault.key }
networks: { office: { cloud: aws } }
services:
  - name: partner-api
    owner: olga
    network: office
    port: 443
    credential:
      engine: manual
      secrets: [${secrets}]
      renew: ask ben
${fields}`;
}

function manual(fields: string, secrets?: string) {
  const { credential } = right(config(fields, secrets)).services[0] ?? {};
  if (credential?.engine === 'manual') return credential;
  throw new Error('it is another credential');
}

const wrong = (fields: string, secrets?: string) =>
  checkConfig(config(fields, secrets), '/etc').mistakes.map(
    ({ path, what }) => `${path.replace(/^services\[0\].credential\.?/, '')} ${what}`,
  );

describe('a manual credential', () => {
  test('has an end, reminders 30, 7 and 1 days before it, and nothing that a rotation needs', () => {
    expect(manual('      expires: 2027-03-31')).toMatchObject({
      expires: { text: '2027-03-31' },
      remind: [{ ms: 30 * 86_400_000 }, { ms: 7 * 86_400_000 }, { ms: 86_400_000 }],
      renew: 'ask ben',
    });
    expect(right(config('      expires: 2027-03-31')).services.map(rotatedCredential)).toEqual([undefined]);
  });

  test.each([
    ['2027-03-31', '2027-04-01T00:00:00Z'],
    ['"2027-03-31"', '2027-04-01T00:00:00Z'],
    ['2028-02-29', '2028-03-01T00:00:00Z'],
    ['2026-12-31', '2027-01-01T00:00:00Z'],
    ['2027-03-31T12:00:00Z', '2027-03-31T12:00:00Z'],
    ['2027-03-31T12:00:00+02:00', '2027-03-31T10:00:00Z'],
    ['2027-03-31T23:00:00-05:00', '2027-04-01T04:00:00Z'],
  ])('that expires %s ends at %s: a date is the whole day in UTC, wherever lockkeeper runs', (written, at) => {
    const { expires } = manual(`      expires: ${written}`);
    expect(expires && formatInstant(expires.at)).toBe(at);
  });

  test('may say a lifetime, or leave it to the certificates that its places hold', () => {
    expect(manual('      lifetime: 90d\n      remind: [14d]')).toMatchObject({
      lifetime: { ms: 90 * 86_400_000 },
      remind: [{ ms: 14 * 86_400_000 }],
    });
    expect(manual('', '{ store: vault, name: partner, form: pem }')).not.toHaveProperty('expires');
  });

  test.each([
    ['', 'expires is missing'],
    ['      expires: 2027-02-29', 'expires is not a date such as 2027-03-31, nor a time such as 2027-03-31T12:00:00Z'],
    ['      expires: 31.3.2027', 'expires is not a date such as 2027-03-31, nor a time such as 2027-03-31T12:00:00Z'],
    [
      '      expires: 2027-03-31T12:00',
      'expires is not a date such as 2027-03-31, nor a time such as 2027-03-31T12:00:00Z',
    ],
    ['      expires: 2027-03-31\n      lifetime: 90d', 'lifetime stands beside `expires`'],
    ['      lifetime: 30d\n      remind: [30d]', 'remind is as long as `lifetime`'],
    ['      lifetime: 90d\n      remind: [7d, 13w]', 'remind is as long as `lifetime`'],
    ['      lifetime: 90d\n      remind: [soon]', 'remind[0] is not a duration'],
    ['      expires: 2027-03-31\n      every: 30d', 'every is not a key of this format'],
    ['      expires: 2027-03-31\n      endpoints: ["a:1"]', 'endpoints is not a key of this format'],
  ])('is wrong with %j', (fields, what) => {
    expect(wrong(fields)).toEqual([what]);
  });

  test('keeps its secrets to itself, in a store that there is', () => {
    expect(wrong('      expires: 2027-03-31', '{ store: vualt, name: partner }')).toEqual([
      'secrets[0].store is not in `secrets`',
    ]);
    const twice = '{ store: vault, name: partner }, { store: vault, name: partner }';
    expect(wrong('      expires: 2027-03-31', twice)).toEqual(['secrets[1].name is the secret of two credentials']);
  });
});
