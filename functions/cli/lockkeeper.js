#!/usr/bin/env node
// Plain JavaScript that any Node can read, so that a Node too old for the rest gets a sentence and not a syntax error.
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `lockkeeper: needs Node.js 22.18 or later, and this is ${process.versions.node}.\n` +
      '  do:  run it as "npx lockkeeper" in a checkout after "npm ci", which brings its own Node, or update Node.\n',
  );
  process.exit(1);
}

// Compiled code is kept beside the packages. Where that is not this account's own folder nothing is kept, and the start
// is slower: what stands there is run, unchecked, and others must not have put it there.
const { isOwnFolder } = await import('./own-folder.js');
const cache = fileURLToPath(new URL('../../node_modules/.cache/lockkeeper', import.meta.url));
if (isOwnFolder(cache)) module.enableCompileCache(cache);

const { main } = await import('./main.ts');
await main(process);
