import { manyWalks } from './many-walks.ts';
import { drawWalk, goWalk } from './one-walk.ts';
import { shrink } from './shrink.ts';
import { inWords } from './words.ts';

/**
 * `node test/proofs/random-rotation/show.ts SEED…` tells the shortest story found of each seed's broken promise;
 * `--walks FIRST COUNT` walks many and lists the seeds.
 */
async function main(words: readonly string[]): Promise<void> {
  if (words[0] !== '--walks') {
    for (const seed of words.map(Number)) out(await storyOf(seed));
    return;
  }
  const { broken, coverage } = await manyWalks(Number(words[1] ?? 1), Number(words[2] ?? 1_000));
  const promises = new Map<string, number[]>();
  for (const { promise, seed } of broken) promises.set(promise, [...(promises.get(promise) ?? []), seed]);
  for (const [promise, seeds] of promises) out(`${promise}: ${seeds.length} (${seeds.slice(0, 12).join(' ')})`);
  out(
    `${coverage.walks} walks, ${coverage.happenings} happenings, ${coverage.runs} runs, ${coverage.settings} settings`,
  );
  out(`not reached: ${coverage.missed.join(', ') || 'nothing'}`);
}

async function storyOf(seed: number): Promise<string> {
  const plan = drawWalk(seed);
  const first = await goWalk(plan);
  if (!first.broken) return `seed ${seed} breaks nothing`;
  const small = await shrink(plan, first.broken.promise);
  const { broken, story } = await goWalk(small, true);
  const head = [`seed ${seed}: ${broken?.promise}: ${broken?.text}`, JSON.stringify(small.setting)];
  return [...head, small.happenings.map(inWords).join(' / '), ...shortened(story)].join('\n');
}

function shortened(story: readonly string[]): readonly string[] {
  if (story.length <= 40) return story;
  return [...story.slice(0, 30), `(${story.length - 38} more)`, ...story.slice(-8)];
}

function out(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main(process.argv.slice(2));
