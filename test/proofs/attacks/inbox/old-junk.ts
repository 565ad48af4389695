import { readFile } from 'node:fs/promises';
import { canonicalJson, sha256 } from '../../../../shared/base/canonical.ts';
import { dayOf, instant } from '../../../../shared/base/time.ts';
import { batchKey, sequenceKey } from '../../../../shared/audit/layout.ts';
import { encodeSequence, noSequence } from '../../../../shared/audit/sealing/sequence.ts';
import { firstPrevious, encodeEntry } from '../../../../shared/audit/entries/codec.ts';
import { encodeBundle } from '../../../../shared/audit/tlog/bundle.ts';
import { mustHold } from '../attack.ts';
import { InboxPlace, forgedApproval, genuine } from './place.ts';

/**
 * A log of an earlier version, which had sealed well-formed junk between its entries: all verbs go on past it and tell
 * it. What waited in it without a proof is never sealed by itself, and is where a person vouches for it.
 */
export async function oldJunk(): Promise<void> {
  const place = await InboxPlace.make();
  try {
    await sealedByOldVersion(place);
    const waiting = batchKey({ day, run: 'old-waiting', batch: 0 });
    await place.plant(waiting, encodeBundle([entryOf('old-waiting', 0, 9)]));
    const sealed = await place.lockkeeper('audit', 'seal');
    mustHold(sealed.code === 1 && sealed.err.includes(waiting), `an unproven batch was sealed: ${sealed.out}`);
    const shown = await place.lockkeeper('audit', 'show');
    mustHold(shown.code === 0, `show fails on sealed junk: ${shown.err}`);
    mustHold(shown.out.includes('genuine-2') && shown.out.includes('unreadable'), `show says: ${shown.out}`);
    const done = await place.lockkeeper('audit', 'export', `${place.directory}/export`);
    mustHold(done.code === 0, `export fails on sealed junk: ${done.err}`);
    const csv = await readFile(`${place.directory}/export/entries.csv`, 'utf8');
    mustHold(csv.includes('genuine-2') && done.err.includes('in no table'), `export says: ${done.err}`);
    const proven = await place.lockkeeper('audit', 'prove', '3');
    mustHold(proven.code === 0, `prove fails on sealed junk: ${proven.err}`);
    const admitted = await place.lockkeeper('audit', 'seal', '--admit', waiting);
    mustHold(admitted.code === 0, `a person cannot admit what waited: ${admitted.err}`);
    const after = await place.lockkeeper('audit', 'show');
    mustHold(/^\d+ .*genuine-9/m.test(after.out) && after.out.includes('audit.admit'), `show says: ${after.out}`);
    const verified = await place.lockkeeper('audit', 'verify');
    mustHold(verified.code === 0, `verify says: ${verified.out}`);
  } finally {
    await place.remove();
  }
}

const day = dayOf(instant(Date.now()));

function entryOf(run: string, n: number, number: number): Uint8Array {
  const at = instant(Date.now());
  return encodeEntry({ run, n, previous: firstPrevious, id: `${number}`.padStart(32, '0'), at, event: genuine(number) })
    .bytes;
}

/** JSON in its canonical form that says its place in a run, and nothing else; and one whose columns have other types. */
function junkEntries(): readonly Uint8Array[] {
  const place = { metadata: { sequence: 0 }, unmapped: { run: 'junk', previous: firstPrevious } };
  const at = instant(Date.now());
  const { bytes } = encodeEntry({
    run: 'typed',
    n: 0,
    previous: firstPrevious,
    id: 'f'.repeat(32),
    at,
    event: forgedApproval,
  });
  const typed = Buffer.from(bytes)
    .toString()
    .replace(/"severity_id":\d+/, '"severity_id":"x"');
  return [Buffer.from(canonicalJson(place)), Buffer.from(typed)];
}

/** The inbox and the record as an earlier version wrote them; it sealed whatever named its run. */
async function sealedByOldVersion(place: InboxPlace): Promise<void> {
  const [junk = new Uint8Array(), typed = new Uint8Array()] = junkEntries();
  const contents = [entryOf('old-1', 0, 1), junk, typed, entryOf('old-2', 0, 2)];
  const batches = [];
  for (const [at, run] of ['old-1', 'junk', 'typed', 'old-2'].entries()) {
    const key = batchKey({ day, run, batch: 0 });
    const bytes = encodeBundle([contents[at] ?? new Uint8Array()]);
    await place.plant(key, bytes);
    batches.push({ key, hash: sha256(bytes), count: 1 });
  }
  await place.plant(sequenceKey(0), encodeSequence({ first: 0, previous: noSequence, batches }));
  await place.signAsItIs();
}
