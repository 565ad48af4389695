import type { AlteredObject } from './contract.ts';
import type { Generation } from './gcp-storage-bucket.ts';

/**
 * Objects of which more than one generation, or no live one, is known. Each source comes in the order of its keys; a
 * generation may be in both. `deleted` is told by a gap, for Google does not say it: a replaced generation ends when
 * the next begins, a deleted one earlier. Who deletes and creates again within one millisecond shows as one who
 * replaced.
 */
export async function* alteredObjects(
  kept: AsyncIterable<Generation>,
  softDeleted: AsyncIterable<Generation>,
): AsyncGenerator<AlteredObject> {
  let group: Generation[] = [];
  for await (const one of merged(kept, softDeleted)) {
    if (group[0] && group[0].key !== one.key) {
      yield* judged(group);
      group = [];
    }
    group.push(one);
  }
  yield* judged(group);
}

function* judged(group: readonly Generation[]): Generator<AlteredObject> {
  const lives = [...new Map(group.map((one) => [one.generation, one])).values()].toSorted((a, b) =>
    order(BigInt(a.generation), BigInt(b.generation)),
  );
  const [first] = lives;
  if (!first) return;
  const deleted = lives.some(({ ended }, at) => {
    if (ended === undefined) return false;
    const next = lives[at + 1];
    return next === undefined || Date.parse(ended) < Date.parse(next.created);
  });
  if (deleted || lives.length > 1) yield { key: first.key, contents: lives.length, deleted };
}

/** Both in one, by key. Neither is read further than it has to be. */
async function* merged(a: AsyncIterable<Generation>, b: AsyncIterable<Generation>): AsyncGenerator<Generation> {
  const [left, right] = [a[Symbol.asyncIterator](), b[Symbol.asyncIterator]()];
  let [one, two] = [await left.next(), await right.next()];
  while (one.done !== true || two.done !== true) {
    if (two.done === true || (one.done !== true && byBytes(one.value.key, two.value.key) <= 0)) {
      yield one.value;
      one = await left.next();
    } else {
      yield two.value;
      two = await right.next();
    }
  }
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function order(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
