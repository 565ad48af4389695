import { runMeasures, type Measure } from '../bench/run-measures.ts';

const proofs: readonly Measure[] = [];

process.exitCode = await runMeasures(proofs, process.argv.slice(2), { out: console.log, err: console.error });
