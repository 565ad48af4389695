import { describe, expect, test } from '@jest/globals';
import { publishedKey, verifierKeyKey } from '../../shared/audit/layout.ts';
import { verifierKey } from '../../shared/audit/tlog/note.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { longLog } from './long-log.ts';
import { event, filled, identity, runOn, stored, tamper } from './place.ts';

const ownKey = async () => verifierKey(identity.origin, await identity.signer.publicKey());

describe('verify finds', () => {
  test('a batch put into the inbox again under the next number of its run', async () => {
    const at = await filled(3);
    const last = [...at.bucket.objects.keys()].filter((key) => key.startsWith('inbox/')).toSorted().at(-1) ?? '';
    const again = last.replace(/\d$/, (digit) => String(Number(digit) + 1));
    tamper(at.bucket, again, stored(at.bucket, last));
    expect((await verifyLog(at)).findings).toMatchObject([{ key: again }]);
  });
  test('a batch that waits and does not go on where its run is', async () => {
    const at = await filled(3);
    const log = runOn(at, 'open');
    await log.record(event(1));
    await log.seal();
    await log.record(event(2));
    await log.record(event(3));
    expect((await verifyLog(at)).findings).toEqual([]);
    const waiting = [...at.bucket.objects.keys()].filter((key) => key.includes('/open.')).toSorted().slice(-2);
    tamper(at.bucket, waiting[0] ?? '', stored(at.bucket, waiting[1] ?? ''));
    expect((await verifyLog(at)).findings).toMatchObject([{ key: waiting[0], kind: 'omitted' }, { key: waiting[1], kind: 'chain' }]);
  });
  test('the key of the log gone, or ending otherwise, even where the right key is given', async () => {
    const at = await filled(3);
    const key = await ownKey();
    for (const other of [`${key}\v`, `${key}\n\n`, `${key} `]) {
      tamper(at.bucket, verifierKeyKey, Buffer.from(other));
      for (const given of [key, undefined]) expect((await verifyLog({ ...at, verifierKey: given })).findings.map((one) => one.key)).toContain(verifierKeyKey);
    }
    at.bucket.objects.delete(verifierKeyKey);
    expect((await verifyLog({ ...at, verifierKey: key })).findings).toMatchObject([{ key: verifierKeyKey, kind: 'missing' }]);
  });
  test('a line of the published checkpoint that no witness put there, whoever is trusted', async () => {
    const at = await longLog({ turns: 1 });
    const note = Buffer.from(stored(at.heads, publishedKey)).toString();
    expect((await verifyLog(at)).findings).toEqual([]);
    for (const other of [note.replace('— witness', '— wutness'), note.replace(/.(?==*\n$)/, (sign) => (sign === 'A' ? 'Q' : 'A')), `${note}${note.split('\n').at(-2)?.replace('witness', 'another')}\n`]) {
      tamper(at.heads, publishedKey, Buffer.from(other));
      expect((await verifyLog(at)).findings).toMatchObject([{ key: publishedKey, kind: 'changed' }]);
    }
  });
  test('a bundle cut short whose tile is gone, and goes on to the end', async () => {
    const at = await filled(600, 50);
    tamper(at.bucket, 'tile/entries/000', stored(at.bucket, 'tile/entries/000').slice(0, 1_000));
    at.bucket.objects.delete('tile/0/000');
    for (const key of at.bucket.objects.keys()) if (key.startsWith('inbox/') && key.endsWith('07')) at.bucket.objects.delete(key);
    const { findings, entries } = await verifyLog(at);
    expect(findings.map(({ key }) => key)).toEqual(expect.arrayContaining(['tile/0/000']));
    expect(entries).toBeGreaterThan(300);
  });
});

test('verify of a store that breaks down throws what it throws, however many objects were asked for at once', async () => {
  const at = await filled(600, 50);
  const broken: ObjectStore = {
    ...at.log,
    get: async (key) => {
      if (key.startsWith('inbox/') && key.endsWith('5')) throw new LockkeeperError('unreachable', `${key}: no answer`);
      return await at.log.get(key);
    },
  };
  await expect(verifyLog({ log: broken, state: at.state })).rejects.toMatchObject({ code: 'unreachable' });
});
