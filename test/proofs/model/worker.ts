import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { exploreSetup } from './explore-setup.ts';
import { setups } from './setups.ts';

// One thread of the proof: it explores one setup and answers what it found.
const { name, states } = z.object({ name: z.string(), states: z.number() }).parse(workerData);
const setup = setups.find((one) => one.name === name);
if (!setup) throw new Error(`no setup is called ${name}`);
parentPort?.postMessage(await exploreSetup(setup, { states }), []);
