import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { atLeast, type Figure } from '../bench/figure.ts';

/** Classes that are no tampering to be found. */
const others: Readonly<Record<string, string>> = {
  sound: 'whole objects',
  'not-to-be-seen': 'as documented',
  'random-whole': 'without a false alarm',
  'directories-1': 'each thing named, nothing lost',
  'directories-2': 'each thing named, nothing lost',
  'rolled-back-not-to-be-seen': 'as documented',
};

const classes = z.record(z.string(), z.object({ made: z.number(), unseen: z.array(z.string()) }));

/**
 * A log of 10,000 entries in which one bit is changed, or an object deleted, moved, doubled, rewritten, signed with
 * another key, cut off or forked. Each change must be found and the object named; the first figure is how many were, of
 * all. One byte in a hundred of every object is changed and shown to the function that verification calls for that
 * object (`by-object`, with `sound` as its counter-proof); the other classes are whole verifications; `not-to-be-seen`
 * is what needs a saved checkpoint, an anchor or a witness. `random` and `rolled-back` are a log of five hundred
 * entries in the midst of its life, its export, its extract and earlier moments of it, changed at random one to three
 * times over. `directories-1` and `-2` are 10,000 hostile directories, see tamper-directories.ts. Five threads, each
 * with a log of its own.
 */
export async function auditTamper(): Promise<Figure[]> {
  const parts = await Promise.all(['flips', 'attacks', 'random', 'directories1', 'directories2'].map(resultOf));
  const done = parts.flatMap((part) => Object.entries(part));
  for (const [name, { unseen }] of done)
    for (const text of unseen.slice(0, 10)) process.stderr.write(`NOT FOUND ${name}: ${text}\n`);
  const figures = done.map(([name, { made, unseen }]) =>
    atLeast(`audit-tamper-${name}`, made - unseen.length, others[name] ?? 'found', Math.max(made, 1)),
  );
  const tampered = done.filter(([name]) => !(name in others)).map(([, one]) => one);
  const [made, unseen] = [
    tampered.reduce((sum, one) => sum + one.made, 0),
    tampered.reduce((sum, one) => sum + one.unseen.length, 0),
  ];
  return [atLeast('audit-tamper', made - unseen, 'found', Math.max(made, 1)), ...figures];
}

async function resultOf(part: string): Promise<z.infer<typeof classes>> {
  const worker = new Worker(new URL('tamper-part.ts', import.meta.url), { workerData: part });
  try {
    const answer: readonly unknown[] = await once(worker, 'message');
    return classes.parse(answer[0]);
  } finally {
    await worker.terminate();
  }
}
