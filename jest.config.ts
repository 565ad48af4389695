import { availableParallelism } from 'node:os';
import type { Config } from 'jest';

/** Node runs the .ts files as they are, so jest transforms nothing. */
const config: Config = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {},
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  // By default one core is left idle, which is half of a small machine; and tests often wait for a disk or another
  // process.
  maxWorkers: availableParallelism() + 1,
  // Far more than any test takes alone: what is measured here is not how busy the machine is.
  testTimeout: 90_000,
};

export default config;
