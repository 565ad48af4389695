import { inWords } from './walk.ts';
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
  console.log(small.happenings.map(inWords).join(' / '));
  const cut = (line: string) => line.split('\n').map((part) => (part.length > 330 ? `${part.slice(0, 330)}…` : part)).join('\n');
  const shown = story.length > 24 ? [...story.slice(0, 16), `(${story.length - 21} more)`, ...story.slice(-5)] : story;
  console.log(shown.map(cut).join('\n'));
}
