import { parentPort } from 'node:worker_threads';
import { exploreSetup } from './explore-setup.ts';
import { setups } from './setups.ts';

// One thread of the proof: it is given the name of a setup at a time and answers what it found.
parentPort?.on('message', (name: string) => {
  const setup = setups.find((one) => one.name === name);
  if (!setup) throw new Error(`no setup is called ${name}`);
  void exploreSetup(setup).then((report) => parentPort?.postMessage(report));
});
