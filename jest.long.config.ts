import type { Config } from 'jest';
import quick from './jest.config.ts';

/** Tests that take many processes or much time: `npm run long`, which CI runs after `npm test`. */
const config: Config = { ...quick, testMatch: ['<rootDir>/test/**/*.long.ts'] };

export default config;
