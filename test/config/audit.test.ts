import { describe, expect, test } from '@jest/globals';
import { checkConfig } from '../../shared/config/check.ts';
import { keyOf, neededOf, originOf } from '../../shared/config/audit.ts';
import { isVerifierKey } from '../../shared/config/verifier-key.ts';
import { example } from './example.ts';
import { mistakes, right, withStores } from './place.ts';

const state = '{ kind: file-system, path: kept/state }';
const log = '{ kind: file-system, path: kept/log }';
const inCloud = '{ kind: aws-s3, bucket: lockkeeper-state }';
const first =
  '{ key: witness.example+4ac50073+BAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH, url: "https://witness.example" }';
const second =
  '{ key: other.example+fc26012d+BAkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJ, url: "https://other.example" }';
const ofLog = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';

describe('without a section audit', () => {
  test('nobody cosigns, nothing is copied, and it is sealed every minute', () => {
    const config = right(withStores(state, log));
    expect(config.audit).toEqual({ witnesses: [], anchors: [] });
    expect(neededOf(config.audit)).toBe(0);
    expect(config.schedules).toMatchObject({ seal: '* * * * *', head: '0 7 * * *' });
  });

  test('the key is a file beside the directory of the state store', () => {
    expect(keyOf(right(withStores(state, log)))).toEqual({ kind: 'file', path: '/etc/lockkeeper/kept/audit.key' });
  });

  test('a state store that is no directory is told to name its key', () => {
    expect(mistakes(withStores(inCloud, log))).toEqual(['1:1 audit.key is missing']);
    expect(mistakes(withStores(inCloud, log, 'audit: { key: { kind: aws-kms, keyId: alias/lockkeeper } }\n'))).toEqual(
      [],
    );
  });

  test.each([
    [log, 'lockkeeper.local/log'],
    ['{ kind: file-system, path: "/srv/our log+more" }', 'lockkeeper.local/our-log-more'],
    ['{ kind: aws-s3, bucket: my-log }', 'lockkeeper.local/my-log'],
    ['{ kind: gcp-storage, bucket: my-log, prefix: office/ }', 'lockkeeper.local/my-log/office'],
    ['{ kind: azure-blob, account: account1, container: my-log }', 'lockkeeper.local/my-log'],
  ])('a log in %s is called %s', (place, origin) => {
    expect(originOf(right(withStores(state, place)))).toBe(origin);
  });
});

test('what is said counts before the defaults', () => {
  const config = right(example);
  expect(originOf(config)).toBe('logs.example.org/lockkeeper');
  expect(keyOf(config)).toEqual({ kind: 'file', path: '/etc/lockkeeper/keys/audit.key' });
  expect(neededOf(config.audit)).toBe(1);
  expect(config.audit.anchors).toEqual([{ kind: 'gcp-storage', bucket: 'lockkeeper-anchor', prefix: 'office/' }]);
  expect(config.schedules).toMatchObject({ seal: '*/2 * * * *', head: '0 8 * * *' });
});

test('all listed witnesses are needed unless a number is said', () => {
  expect(neededOf(right(withStores(state, log, `audit: { witnesses: [${first}, ${second}] }\n`)).audit)).toBe(2);
});

describe('each rule of the section audit has its mistake', () => {
  test.each([
    ['origin: https://logs.example.org', 'audit.origin is not a name'],
    ['origin: our log', 'audit.origin is not a name'],
    ['origin: a+b', 'audit.origin is not a name'],
    [`witnesses: [${first}], needed: 2`, 'audit.needed is more than the 1 witnesses that are listed'],
    [`witnesses: [${first}, ${first}]`, 'audit.witnesses[1].key is the key of two witnesses'],
    [`witnesses: [{ key: ${ofLog}, url: "https://w.example" }]`, 'audit.witnesses[0].key is not the key of a witness'],
    [`witnesses: [${first.replace('4ac5', '4ac6')}]`, 'audit.witnesses[0].key is not the key of a witness'],
    [`witnesses: [${first.replace('https', 'http')}]`, 'audit.witnesses[0].url is not https://HOST'],
    ['verifyWith: example.com', 'audit.verifyWith is not the key of a log'],
    [
      'key: { kind: gcp-kms, version: projects/p/locations/l/keyRings/r/cryptoKeys/k }',
      'audit.key.version is not projects/…',
    ],
    ['key: { kind: aws-kms }', 'audit.key.keyId is missing'],
    ['key: { kind: file, path: kept/log/audit.key }', 'audit.key.path is inside `stores.log`'],
    [
      'key: { kind: file, path: /anchor/audit.key }, anchors: [{ kind: file-system, path: /anchor }]',
      'audit.key.path is inside `audit.anchors[0]`',
    ],
    ['anchors: [{ kind: file-system, path: kept/log/copies }]', 'audit.anchors[0].path is the place of `stores.log`'],
    [
      'anchors: [{ kind: gcp-storage, bucket: one }, { kind: gcp-storage, bucket: one, prefix: a }]',
      'audit.anchors[1].bucket is the place of `audit.anchors[0]`',
    ],
    ['anchors: [{ kind: gcp-storage, bucket: One }]', 'audit.anchors[0].bucket is not the name of a bucket'],
    ['orgin: x', 'audit.<name 1> is not a key of this format'],
  ])('%s', (audit, what) => {
    const found = mistakes(withStores(state, log, `audit: { ${audit} }\n`));
    expect(found).toEqual([expect.stringContaining(what)]);
    expect(found[0]).toMatch(/^5:/);
  });

  test('a key that is pasted where a public one belongs is not repeated', () => {
    const planted = 'PRIVATE+KEY+witness.example+4ac50073+AplantedSecret';
    const found = checkConfig(
      withStores(
        state,
        log,
        `audit: { verifyWith: ${planted}, witnesses: [{ key: ${planted}, url: "https://w.example" }] }\n`,
      ),
      '/',
    ).mistakes;
    expect(found).toHaveLength(2);
    expect(JSON.stringify(found)).not.toContain('plantedSecret');
  });
});

test('the text of a public key is taken only whole, for what it is of, and with its own id', () => {
  expect(isVerifierKey(ofLog, 'log')).toBe(true);
  expect(isVerifierKey(ofLog, 'witness')).toBe(false);
  for (const at of [0, 16, ofLog.length - 1]) {
    const other = ofLog[at] === '0' ? '1' : '0';
    expect(isVerifierKey(`${ofLog.slice(0, at)}${other}${ofLog.slice(at + 1)}`, 'log')).toBe(false);
  }
  expect(isVerifierKey(ofLog.slice(0, -1), 'log')).toBe(false);
});
