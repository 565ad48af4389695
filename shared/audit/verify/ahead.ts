/**
 * What `begin` makes of each item, in their order; up to `most` are begun before the oldest has ended, so that memory
 * stays what it is.
 */
export async function* ahead<Item, Made>(
  items: Iterable<Item> | AsyncIterable<Item>,
  begin: (item: Item) => Promise<Made>,
  most: number,
): AsyncGenerator<Made> {
  const begun: Promise<readonly [PromiseSettledResult<Made>]>[] = [];
  for await (const item of items) {
    // Settled: an error waits until its turn is asked for, and ends no process meanwhile.
    begun.push(Promise.allSettled([begin(item)]));
    const oldest = begun.length > most ? begun.shift() : undefined;
    if (oldest) yield made(await oldest);
  }
  for (const one of begun) yield made(await one);
}

/** How many objects are read ahead: bundles are a few hundred kilobytes at most. */
export const objectsAhead = 16;

function made<Made>([result]: readonly [PromiseSettledResult<Made>]): Made {
  if (result.status === 'fulfilled') return result.value;
  throw result.reason;
}
