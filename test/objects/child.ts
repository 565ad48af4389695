import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';

/**
 * A process of its own on a store: `node child.ts DIRECTORY WHAT NAME COUNT`. Tells one JSON line an answer, at once,
 * so that a killed process has told everything that was acknowledged.
 */
const [directory = '', what = '', name = '', count = '0'] = process.argv.slice(2);
const store = fileSystemObjects({ directory });
const bytes = (text: string) => new TextEncoder().encode(text);
const print = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`);

/** Waits until all are there, so that they race. */
async function together(): Promise<void> {
  print({ ready: name });
  await once(process.stdin, 'data');
  process.stdin.destroy();
}

/** All processes want the same keys; who gets one tells it. */
async function creates(): Promise<void> {
  await together();
  for (let i = 0; i < Number(count); i += 1) {
    const answer = await store.create(`race/${i}`, bytes(`${name}-${i}`));
    if (answer.outcome === 'done') print({ key: `race/${i}`, by: `${name}-${i}` });
  }
}

/** All processes raise one counter. */
async function counts(): Promise<void> {
  await together();
  for (let i = 0; i < Number(count);) {
    const held = await store.get('count');
    if (!held) throw new Error('no counter');
    const next = Number(new TextDecoder().decode(held.bytes)) + 1;
    const answer = await store.replace('count', bytes(String(next)), held.version);
    if (answer.outcome !== 'done') continue;
    print({ raised: next });
    i += 1;
  }
}

/** Creates, replaces and deletes its own keys for ever, large enough to be caught half-way. */
async function churns(): Promise<void> {
  for (let i = 0; ; i += 1) {
    const key = `churn/${name}-${i % 4}`;
    const content = bytes(`${i}:`.padEnd(50_000, String(i % 10)));
    const held = await store.get(key);
    if (!held) await store.create(key, content);
    else if (i % 3 === 0) await store.delete(key, held.version);
    else await store.replace(key, content, held.version);
    print({ i });
  }
}

/** Writes once and tells how it went. */
async function writes(): Promise<void> {
  try {
    print(await store.create(name, bytes('x'.repeat(Number(count)))));
  } catch (thrown) {
    print({ thrown: Object.assign({}, thrown), message: String(thrown) });
  }
}

const acts: Readonly<Record<string, () => Promise<void>>> = { creates, counts, churns, writes };
await acts[what]?.();
