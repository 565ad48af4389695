import { spawnSync } from 'node:child_process';
import { fc } from '../../properties.ts';
import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../../shared/base/error.ts';
import { Sealed } from '../../../shared/base/sealed.ts';
import { consumerForm } from '../../../shared/rotation/forms/consumer-form.ts';
import { quoted } from '../../../shared/rotation/forms/env-text.ts';
import { address, login, logins, opened, words } from './arbitraries.ts';

const env = consumerForm({ form: 'env', userKey: 'PGUSER', passwordKey: 'PGPASSWORD' });
const write = (basis: string, slot: string, value: string) =>
  env.write(new Sealed(basis), login(slot, value), address).open();

describe('the form env', () => {
  test('keeps comments, order, blanks, quotes and other keys', () => {
    const text = (user: string, value: string) =>
      `# the orders database\r\nexport PGUSER=${user}   # who\r\n\n  PGPASSWORD = "${value}" # what\nMULTI='a\nPGUSER=no\n'\nX="1" # tick\nEMPTY=\nLAST=1`;
    expect(opened(env.read(new Sealed(text('app_a', 'old')), []))).toEqual(['app_a', 'old']);
    expect(write(text('app_a', 'old'), 'app_b', 'next one')).toBe(text('app_b', 'next one'));
  });

  test('adds what is missing at the end, and makes a new text where there is none or something else', () => {
    expect(write('A=1', 'u', 'p')).toBe('A=1\nPGUSER=u\nPGPASSWORD=p\n');
    expect(write('PGUSER=x\n', 'u', 'a b')).toBe(`PGUSER=u\nPGPASSWORD='a b'\n`);
    expect(write('{"not": "this"}', 'u', 'p')).toBe('PGUSER=u\nPGPASSWORD=p\n');
    const both = consumerForm({ form: 'env', userKey: 'U', passwordKey: 'P', urlKey: 'DATABASE_URL' });
    expect(both.write(undefined, login('u', 'p@'), address).open()).toBe(
      'U=u\nP=p@\nDATABASE_URL=postgres://u:p%40@db.internal:5432/orders\n',
    );
  });

  test('changes every line of a key that comes twice', () => {
    expect(write('PGUSER=a\nPGPASSWORD=1\nPGPASSWORD=2\n', 'b', '3')).toBe('PGUSER=b\nPGPASSWORD=3\nPGPASSWORD=3\n');
  });

  test('derives every URL with the same login, and leaves those of others', () => {
    const text = (user: string, value: string) =>
      `PGUSER=${user}\nPGPASSWORD=${value}\nDATABASE_URL="postgres://${user}:${value}@h1,h2/db?sslmode=verify-full"\nREDIS_URL=redis://x:y@h\n`;
    expect(write(text('a', 'old'), 'b', 'next')).toBe(text('b', 'next'));
    const alone = consumerForm({ form: 'env', urlKey: 'DATABASE_URL' });
    expect(opened(alone.read(new Sealed(text('a', 'old')), []))).toEqual(['a', 'old']);
    expect(alone.write(new Sealed('DATABASE_URL=postgres://a:b@h/db # x'), login('c', 'd'), address).open()).toBe(
      'DATABASE_URL=postgres://c:d@h/db # x',
    );
  });

  test('is invalid where readers would disagree, and never a wrong text', () => {
    for (const value of [`it's "both"`, "a'b$c", "'\\", 'a\rb', 'a\0b']) {
      expect(() => write('', 'u', value)).toThrow(expect.objectContaining({ code: 'invalid' }));
    }
  });

  test('a quote that was there stays where it can', () => {
    expect(["'", '"', '`', ''].map((quote) => quoted('a b', quote))).toEqual(["'a b'", '"a b"', "'a b'", "'a b'"]);
    expect(["'", '"', '`', ''].map((quote) => quoted("a'b", quote))).toEqual(Array(4).fill(`"a'b"`));
    expect(["'", '"', '`', ''].map((quote) => quoted('a-b', quote))).toEqual(["'a-b'", '"a-b"', 'a-b', 'a-b']);
  });

  test('names what repeats the value', () => {
    const text = 'PGUSER=a\nPGPASSWORD=longpassword\nDSN="password=longpassword"\n# was longpassword\n';
    expect(env.stale(new Sealed(text))).toEqual(['DSN', 'a comment or the name of a key']);
    expect(env.stale(new Sealed('PGUSER=a\nPGPASSWORD=longpassword\nU=pg://a:longpassword@h\n'))).toEqual([]);
    const token = consumerForm({ form: 'env', passwordKey: 'T' });
    expect(token.stale(new Sealed('T=longpassword\nU=pg://a:longpassword@h\n'))).toEqual([]);
  });

  test('what is written over other lines leaves them as they were', () => {
    const keys = fc.uniqueArray(fc.stringMatching(/^[A-Z][A-Z0-9_]{0,6}$/), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(keys, fc.array(words, { minLength: 4, maxLength: 4 }), logins, (names, values, wanted) => {
        const lines = names.map((name, at) => `${name}=${quoted(values[at] ?? '') ?? ''}\n`);
        const basis = lines.join('# comment\n');
        let text: string;
        try {
          text = env.write(new Sealed(basis), wanted, address).open();
        } catch (thrown) {
          if (thrown instanceof LockkeeperError && thrown.code === 'invalid') return;
          throw thrown;
        }
        expect(text.startsWith(basis)).toBe(true);
        expect(opened(env.read(new Sealed(text), []))).toEqual(opened(wanted));
      }),
      { numRuns: 80 },
    );
  });

  test('a shell that sources the text has the same values', () => {
    const values = fc.sample(words, { numRuns: 400, seed: 7 }).filter((value) => quoted(value) !== undefined);
    expect(values.length).toBeGreaterThan(100);
    const text = values.map((value, at) => `export V${at}=${quoted(value) ?? ''}`).join('\n');
    const { stdout } = spawnSync('bash', ['-c', `${text}\nexec ${JSON.stringify(process.execPath)} -e '${print}'`], {
      env: {},
      encoding: 'utf8',
    });
    expect(JSON.parse(stdout)).toEqual(values.map((value) => value.toWellFormed()));
  });
});

const print = `const v=[];for(let i=0;\`V\${i}\` in process.env;i++)v.push(process.env[\`V\${i}\`]);console.log(JSON.stringify(v))`;
