/**
 * Does `work` for each thing, at most `limit` at a time, in the order of `things`. The iterable is asked for the next thing
 * only when somebody is free, so it may end early. `work` must not throw for what is expected; what it throws comes out.
 */
export async function atOnce<Thing>(
  things: Iterable<Thing>,
  limit: number,
  work: (thing: Thing) => Promise<void>,
): Promise<void> {
  const left = things[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = left.next(); next.done !== true; next = left.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: Math.max(1, limit) }, worker));
}
