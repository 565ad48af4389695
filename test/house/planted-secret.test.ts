import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { memoryObjects } from '../../shared/objects/memory.ts';
import { PlantedSecret } from '../planted-secret.ts';

const text = new PlantedSecret().bare();

describe('a planted secret is found', () => {
  test.each<[string, unknown]>([
    ['bare', `password=${text}!`],
    ['in bytes', Buffer.from(`x${text}`)],
    ['in gzip', gzipSync(`x${text}`)],
    ['in JSON', JSON.stringify({ a: text })],
    ['in JSON in JSON', JSON.stringify(JSON.stringify({ a: text }))],
    ['in hex', Buffer.from(text).toString('hex')],
    ['percent encoded', `/?q=${encodeURIComponent(text)}`],
    ['percent encoded in small letters', encodeURIComponent(text).replaceAll(/%../g, (escape) => escape.toLowerCase())],
    ['in a form', new URLSearchParams({ q: `x ${text}` }).toString()],
    ['in CSV', `1,"${text.replaceAll('"', '""')}"`],
    ['in JSON that keeps to ASCII', JSON.stringify(text).replaceAll('ü', '\\u00fc')],
    ['in UTF-16', Buffer.from(`x${text}`, 'utf16le')],
    ['in UTF-16 the other way round', Buffer.from(text, 'utf16le').swap16()],
    ['in capital hex', Buffer.from(text).toString('hex').toUpperCase()],
    ['in base64', Buffer.from(text).toString('base64')],
    ['in base64 one byte on', Buffer.from(`:${text}`).toString('base64')],
    ['in base64 two bytes on, safe for URLs', Buffer.from(`u:${text}:x`).toString('base64url')],
    ['deep in a value', { a: [{ b: new Map([['c', text]]) }] }],
    ['in an error', new Error(`no: ${text}`)],
    [
      'in the cause of an error',
      new LockkeeperError('denied', 'no', { cause: new Error('why', { cause: { detail: text } }) }),
    ],
  ])('%s', (_, came) => {
    expect(() => new PlantedSecret().search('there', came).expectNowhere()).toThrow('came out in: there');
  });

  test('where a long one is cut off', () => {
    const long = new PlantedSecret('0123456789+/'.repeat(30));
    expect(() => long.search('there', `it says ${long.bare().slice(0, 50)}…`).expectNowhere()).toThrow(
      'came out in: there',
    );
  });

  test('in a directory, by name and by content, and in an object store', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-planted-'));
    await writeFile(join(directory, 'inside'), `a ${text}`);
    await expect(new PlantedSecret().searchDirectory(directory).then((one) => one.expectNowhere())).rejects.toThrow(
      'inside',
    );
    (await new PlantedSecret().searchDirectory(directory, 'inside')).expectNowhere();
    await rm(directory, { recursive: true });
    const store = memoryObjects();
    await store.create('a/b', Buffer.from(text));
    await expect(new PlantedSecret().searchObjects('state', store).then((one) => one.expectNowhere())).rejects.toThrow(
      'state: a/b',
    );
  });
});

test('a sealed secret is not found, however it is printed', () => {
  const planted = new PlantedSecret();
  const sealed = planted.sealed();
  planted
    .search('value', sealed)
    .search('deep', { a: [sealed] })
    .search('text', `${String(sealed)} ${JSON.stringify({ sealed })}`);
  expect(() => planted.expectNowhere()).not.toThrow();
});

test('a search that searched nothing is no proof', () => {
  expect(() => new PlantedSecret().expectNowhere()).toThrow('nothing was searched');
});
