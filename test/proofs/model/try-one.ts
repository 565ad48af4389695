import { exploreSetup } from '/work/h/model/test/proofs/model/explore-setup.ts';
import { setups } from '/work/h/model/test/proofs/model/setups.ts';
import { told } from '/work/h/model/test/proofs/model/story.ts';
const [name, moves = '0', states = '100000', violations = '8'] = process.argv.slice(2);
for (const setup of setups.filter(
  (s) =>
    name === 'all' ||
    s.name === name ||
    s.name.startsWith(name + '*') ||
    (name.startsWith('from:') && setups.indexOf(s) >= Number(name.slice(5))),
)) {
  const r = await exploreSetup(setup, { moves: Number(moves), states: Number(states), violations: Number(violations) });
  console.log(
    r.name,
    r.states,
    r.byMoves,
    r.transitions,
    'worlds',
    r.worlds,
    'quiet',
    r.quietRuns,
    'weaker',
    r.weaker,
    r.seconds.toFixed(1),
    's',
    r.exhausted,
  );
  for (const v of r.violations) {
    console.log('NOT HELD', v.promise);
    console.log(told(v.path));
  }
}
