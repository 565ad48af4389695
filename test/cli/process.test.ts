import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const command = fileURLToPath(new URL('../../functions/cli/lockkeeper.js', import.meta.url));
const options = { encoding: 'utf8', timeout: 30_000 } as const;

test('the command starts, prints its help and ends with 0', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, '--help'], options);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('Usage: lockkeeper');
});

test('no colour and no cursor signs reach a pipe', () => {
  const { stdout, stderr } = spawnSync(process.execPath, [command, 'rotat'], {
    ...options,
    env: { ...process.env, FORCE_COLOR: '0' },
  });
  expect(`${stdout}${stderr}`).not.toContain('\u001B');
});

test('a reader that closes early gets no error and no crash', async () => {
  const child = spawn(process.execPath, [command, 'config', 'schema'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
  child.stdout.destroy();
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  expect({ code, told }).toEqual({ code: 0, told: '' });
});

test('help loads no parser, no SDK and no engine', () => {
  const loaded = `import('node:module').then(({ registerHooks }) => registerHooks({ resolve: (name, context, next) => { process.stderr.write(name + '\\n'); return next(name, context); } }))`;
  const { stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,await ${loaded}`, command, '--help'],
    options,
  );
  expect(stderr).toContain('./help.ts');
  expect(stderr).not.toMatch(/commander|zod|yaml|duckdb|aws|pg|croner/);
});
