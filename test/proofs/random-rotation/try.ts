import { goWalk, drawWalk } from './one-walk.ts';
import { shrink } from './shrink.ts';
const [from = '1', count = '300', show = '8'] = process.argv.slice(2);
const t0 = process.hrtime.bigint();
const found = new Map<string, number[]>();
let events = 0, runs = 0;
const outcomes = new Map<string, number>();
const phases = new Map<string, number>();
const secs = () => Number(process.hrtime.bigint() - t0) / 1e9;
let done = 0;
for (let seed = Number(from); seed < Number(from) + Number(count); seed++) {
  const plan = drawWalk(seed);
  let broken;
  try { const r = await goWalk(plan); broken = r.broken; runs += r.walk.runs;
    for (const [k, n] of r.walk.outcomes) outcomes.set(k, (outcomes.get(k) ?? 0) + n);
    for (const k of r.walk.watch.phases) { const kk = plan.setting.strategy + ' ' + k; phases.set(kk, (phases.get(kk) ?? 0) + 1); }
  } catch (e) { broken = { promise: 'harness', text: e instanceof Error ? String(e.stack) : String(e) }; }
  done++; events += plan.happenings.length;
  if (broken) { const k = broken.promise; const l = found.get(k) ?? []; l.push(seed); found.set(k, l); if (l.length <= 1) console.log(seed, k, broken.text.slice(0, 300)); }
}
console.log(`${done} walks, ${events} events, ${runs} runs, ${secs().toFixed(1)} s`);
console.log(Object.fromEntries(outcomes));
for (const [k, l] of found) console.log(k, l.length, l.slice(0, 10).join(' '));
if (process.env.PHASES) console.log(Object.fromEntries([...phases].toSorted()));
