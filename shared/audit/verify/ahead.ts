/** What `begin` makes of each item, in their order; up to `most` are begun before the oldest has ended, so that memory stays what it is. */
export async function* ahead<Item, Made>(items: Iterable<Item> | AsyncIterable<Item>, begin: (item: Item) => Promise<Made>, most: number): AsyncGenerator<Made> {
  const begun: Promise<Made>[] = [];
  for await (const item of items) {
    const one = begin(item);
    // Whoever asks for it is told of its error; until then nobody waits for it, which would end the process.
    one.catch(() => {});
    begun.push(one);
    const oldest = begun.length > most ? begun.shift() : undefined;
    if (oldest) yield await oldest;
  }
  for (const one of begun) yield await one;
}

/** How many objects are read ahead: bundles are a few hundred kilobytes at most. */
export const objectsAhead = 16;
