import { goWalk, drawWalk } from './one-walk.ts';
import { shrink } from './shrink.ts';
for (const seed of process.argv.slice(2).map(Number)) {
  const plan = drawWalk(seed);
  const first = await goWalk(plan);
  if (!first.broken) { console.log(seed, 'holds'); continue; }
  const small = await shrink(plan, first.broken.promise);
  const { broken, story } = await goWalk(small, true);
  console.log(`\n=== seed ${seed}: ${broken?.promise}: ${broken?.text}`);
  console.log(JSON.stringify(small.setting));
  console.log(story.join('\n'));
}
