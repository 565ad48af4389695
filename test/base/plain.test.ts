import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { asPlain, canonicalJson } from '../../shared/base/canonical.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { toolVersion } from '../../shared/base/version.ts';

describe('plain data', () => {
  test('is told from what only looks like it, and comes through as it is', () => {
    const value = { a: [1, 'b', null, { c: undefined }], d: true };
    expect(asPlain(value)).toBe(value);
    expect(canonicalJson(asPlain(value))).toBe('{"a":[1,"b",null,{}],"d":true}');
  });

  test.each<[string, unknown]>([
    ['a sealed value', { a: [new Sealed('planted')] }],
    ['a map', new Map()],
    ['bytes', new Uint8Array(1)],
    ['a time that is none', { at: Number.NaN }],
    ['a hole in a list', [undefined]],
    ['a function', { toJSON: () => 'planted' }],
    ['nothing', undefined],
  ])('is not %s', (_, value) => {
    expect(() => asPlain(value)).toThrow(
      expect.objectContaining({ code: 'bug', message: expect.not.stringContaining('planted') }),
    );
  });
});

test('the version that evidence names is the version of the package', async () => {
  expect(JSON.parse(await readFile('package.json', 'utf8'))).toMatchObject({ version: toolVersion });
});
