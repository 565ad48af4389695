import { sha256 } from '../../../../shared/base/canonical.ts';
import { dayOf, instant } from '../../../../shared/base/time.ts';
import { batchKey, checkpointKey, cosignatureKey, evidenceKey, sequenceKey } from '../../../../shared/audit/layout.ts';
import { encodeSequence, noSequence } from '../../../../shared/audit/sealing/sequence.ts';
import { encodeBundle } from '../../../../shared/audit/tlog/bundle.ts';
import { bundlePath, tilePath } from '../../../../shared/audit/tlog/tile.ts';
import { mustHold } from '../attack.ts';
import { InboxPlace, forgedBy, genuine } from './place.ts';
import { forgedEntry, type Plant } from './plants.ts';

/** Everything else in the log store that somebody may believe, one kind after the other. Answers how many. */
export async function besidesTheInbox(): Promise<number> {
  let planted = 0;
  for (const plants of [nextRecord, strayRecords, checkpoints, tiles, longRecord, others])
    planted += await plantBeside(plants);
  return planted;
}

/** What is planted where the log has `size` entries; `previous` is the hash of its last record. */
type Planting = (at: { readonly size: number; readonly previous: string }) => readonly Plant[];

async function plantBeside(planting: Planting): Promise<number> {
  const place = await InboxPlace.make();
  try {
    const host = await place.host('host');
    const audit = await host.audit();
    await audit.record(genuine(0));
    const { size } = await audit.seal();
    const [last = ''] = (await place.keys('seq/')).slice(-1);
    const plants = planting({ size, previous: sha256(await place.bytes(last)) });
    for (const { key, bytes } of plants) await place.plant(key, bytes);
    // What cannot be sealed is told; what was recorded is there all the same.
    await audit.record(genuine(1));
    const outcome = await audit.seal().then(
      (report) => report.alarms.join(' '),
      (thrown: unknown) => String(thrown),
    );
    await audit.record(genuine(2));
    await expectNamed(place, plants, outcome);
    return plants.length;
  } finally {
    await place.remove();
  }
}

async function expectNamed(place: InboxPlace, plants: readonly Plant[], outcome: string): Promise<void> {
  const verified = await place.lockkeeper('audit', 'verify');
  mustHold(verified.code === 1, `verify of planted ${plants[0]?.kind} ends with ${verified.code}: ${verified.out}`);
  for (const { kind, key } of plants)
    mustHold(verified.out.includes(key), `verify does not name ${kind} ${key}: ${verified.out}`);
  const blocking = plants.filter(({ kind }) => kind.startsWith('blocking'));
  for (const { kind, key } of blocking)
    mustHold(outcome.includes(key), `the sealing does not name ${kind}: ${outcome}`);
  for (const words of [[], ['--dir', place.directory]]) {
    const shown = await place.lockkeeper('audit', 'show', ...words);
    mustHold(shown.code === 0, `show fails: ${shown.err}`);
    for (const line of shown.out.split('\n').filter((one) => one.includes(forgedBy)))
      mustHold(line.startsWith('unproven') && words.length > 0, `show prints a planted ${plants[0]?.kind}: ${line}`);
    for (const number of [0, 1, 2])
      mustHold(
        shown.out.includes(`genuine-${number}`),
        `show does not print entry ${number}: ${shown.out}${shown.err}`,
      );
  }
}

const day = dayOf(instant(Date.now()));

/** The record that comes next, with a batch of the attacker's, every byte in its form. */
function nextRecord({ size, previous }: { readonly size: number; readonly previous: string }): readonly Plant[] {
  const key = batchKey({ day, run: 'planted', batch: 0 });
  const bytes = encodeBundle([forgedEntry('planted', 0)]);
  const batches = [{ key, hash: sha256(bytes), count: 1 }];
  return [
    { kind: 'batch', key, bytes },
    {
      kind: 'blocking record',
      key: sequenceKey(size),
      bytes: encodeSequence({ first: size, previous, batches, proof: 'ab'.repeat(32) }),
    },
  ];
}

/** Records where none begins, before and after the end. */
function strayRecords({ size, previous }: { readonly size: number; readonly previous: string }): readonly Plant[] {
  const batches = [{ key: 'inbox/2026-01-01/x/00000000', hash: 'ab'.repeat(32), count: 1 }];
  return [1, size + 1, size + 7].map((first) => ({
    kind: 'record',
    key: sequenceKey(first),
    bytes: encodeSequence({ first, previous: first === 1 ? noSequence : previous, batches }),
  }));
}

/** Checkpoints of sizes that come, and of one that never comes. */
function checkpoints({ size }: { readonly size: number }): readonly Plant[] {
  const note = (count: number) =>
    Buffer.from(`lockkeeper.local/log\n${count}\n${'A'.repeat(43)}=\n\n— lockkeeper.local/log ${'A'.repeat(90)}==\n`);
  return [size + 1, 9_999].map((count, at) => ({
    kind: at === 0 ? 'blocking checkpoint' : 'checkpoint',
    key: checkpointKey(count),
    bytes: note(count),
  }));
}

/** Full tiles of a log that has none yet. */
function tiles(): readonly Plant[] {
  const bundle = encodeBundle(Array.from({ length: 256 }, (_, at) => forgedEntry('planted', at)));
  return [
    { kind: 'bundle', key: bundlePath(0), bytes: bundle },
    { kind: 'tile', key: tilePath(0, 0), bytes: new Uint8Array(8_192) },
    { kind: 'tile', key: tilePath(1, 0), bytes: new Uint8Array(8_192) },
  ];
}

/** A record that would make the log long enough for the tiles. */
function longRecord({ size, previous }: { readonly size: number; readonly previous: string }): readonly Plant[] {
  const batches = [{ key: 'inbox/2026-01-01/x/00000000', hash: 'ab'.repeat(32), count: 300 }];
  const bytes = encodeSequence({ first: size, previous, batches });
  return [...tiles(), { kind: 'blocking record', key: sequenceKey(size), bytes }];
}

function others({ size }: { readonly size: number }): readonly Plant[] {
  return [
    { kind: 'cosignature', key: cosignatureKey(size, 'abcdef01'), bytes: Buffer.from('mallory+abcdef01+AAAA\nx\n') },
    { kind: 'facts', key: evidenceKey('ab'.repeat(32)), bytes: Buffer.from('{}') },
    { kind: 'other', key: 'checkpoint', bytes: Buffer.from('x') },
  ];
}
