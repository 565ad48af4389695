import { Bench } from './bench.ts';
import { explore } from './explore.ts';
import { QuietRuns } from './quiet.ts';
import { setups } from './setups.ts';
import { ModelSpace } from './space.ts';
import { journalOf } from './watch.ts';
Error.stackTraceLimit = 0;
const setup = setups.find((s) => s.name === process.argv[2])!;
const bench = new Bench(setup);
const quiet = new QuietRuns(bench);
const { world, watch } = await quiet.begin();
const space = new ModelSpace(bench, { world, watch, flights: setup.clocks.map(() => undefined) }, quiet);
const hist = new Map<string, number>();
const next = space.next.bind(space);
space.next = (state, may) => {
  const j = journalOf(state.world);
  const k =
    state.flights
      .filter((f) => f)
      .map((f) => JSON.stringify(f!.request).slice(0, 9) + (f!.slept ? 'slept' : ''))
      .sort()
      .join('+') +
    ' ' +
    (j?.emergency ? 'E' : '') +
    (j?.orders.length ?? '') +
    ' ' +
    (j ? j.phase : 'none');
  hist.set(k, (hist.get(k) ?? 0) + 1);
  return next(state, may);
};
const r = await explore(space, {
  moves: Number(process.argv[3] ?? 1),
  states: Number(process.argv[4] ?? 20000),
  violations: 50,
});
console.log(r.states, r.byMoves, r.exhausted);
for (const [k, n] of [...hist].sort((a, b) => b[1] - a[1]).slice(0, 40)) console.log(n, k);
