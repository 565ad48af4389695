#!/usr/bin/env node
// Plain JavaScript that any Node can read, so that a Node too old for the rest gets a sentence and not a syntax error.
import module from 'node:module';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `lockkeeper: needs Node.js 22.18 or later, and this is ${process.versions.node}.\n` +
      '  do:  run it as "npx lockkeeper" in a checkout after "npm ci", which brings its own Node, or update Node.\n',
  );
  process.exit(1);
}

// Compiled code is kept beside the packages; where that may not be written, everything only starts a little slower.
const refusals = new Set(/** @type {unknown[]} */ (['EACCES', 'EROFS', 'EPERM', 'ENOENT', 'ENOTDIR', 'ENOSPC', 'EDQUOT']));
const cache = fileURLToPath(new URL('../../node_modules/.cache/lockkeeper', import.meta.url));
if (mayWrite(cache)) module.enableCompileCache(cache);

const { main } = await import('./main.ts');
await main(process);

/** @param {string} directory */
function mayWrite(directory) {
  try {
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.W_OK);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && refusals.has(error.code)) return false;
    throw error;
  }
}
