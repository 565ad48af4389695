import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cruise } from './cruise.ts';
import { drivers, reachedFrom, suiteTests, testFiles } from './known-drivers.ts';
import { root } from './sources.ts';

test('everything imports only what it may', () => {
  const { modules, violations } = cruise(root);
  expect(violations).toEqual([]);
  expect(modules).toBeGreaterThan(100);
});

test('every driver is known by what it exports, and is shown to the suite of its contract', () => {
  const files = testFiles(root);
  expect(drivers).toEqual(expect.arrayContaining(['approvals/local-page', 'objects/file-system', 'services/postgres']));
  // What makes values has no suite of its own.
  const unshown = drivers.filter((driver) => !driver.endsWith('-issuer') && suiteTests(driver, files).length === 0);
  expect(unshown).toEqual([]);
});

test('what a test shows to a suite is known as a driver', () => {
  const suite = /^test\/(approvals|firewalls|flow-logs|objects|refreshes|secrets|services|signers)\/[^/]+\.test\.ts$/;
  const files = testFiles(root);
  const shown = [...files.values()].filter(({ path, text }) => suite.test(path) && /^\s*\w+Suite\(/m.test(text));
  const unknown = shown.filter((file) => {
    const [, capability = ''] = suite.exec(file.path) ?? [];
    const reached = reachedFrom(file, files);
    return !drivers.some((driver) => driver.startsWith(`${capability}/`) && reached.has(`shared/${driver}.ts`));
  });
  expect(shown.length).toBeGreaterThan(15);
  expect(unknown.map(({ path }) => path)).toEqual([]);
});

/** Planted imports: who imports what, and the rules that have to object; none where it is allowed. */
const planted: readonly (readonly [from: string, to: string, rule: string | undefined, how?: 'type'])[] = [
  ['shared/base/a.ts', 'shared/config/x.ts', 'base-alone'],
  ['shared/base/b.ts', 'node:fs', undefined],
  ['shared/base/c.ts', 'zod', 'base-alone'],
  ['shared/objects/contract.ts', 'shared/base/x.ts', undefined],
  ['shared/secrets/contract.ts', 'shared/objects/contract.ts', 'contract-base'],
  ['shared/secrets/memory.ts', 'shared/secrets/shelf.ts', undefined],
  ['shared/secrets/local-file.ts', 'shared/secrets/memory.ts', 'driver-not-driver'],
  ['shared/firewalls/memory.ts', 'shared/secrets/contract.ts', 'capability-own'],
  ['shared/firewalls/local-gate.ts', 'shared/idle-ports/x.ts', 'capability-own'],
  ['shared/refreshes/http.ts', 'shared/secrets/contract.ts', 'capability-own'],
  ['shared/refreshes/contract.ts', 'shared/base/y.ts', undefined],
  ['functions/local/a.ts', 'shared/refreshes/http.ts', 'drivers-only-in-wire'],
  ['shared/rotation/f.ts', 'shared/refreshes/contract.ts', undefined],
  ['shared/services/memory.ts', 'pg', 'package-pg'],
  ['shared/services/postgres.ts', 'pg', undefined],
  ['shared/services/other.ts', 'prompts', 'known-package'],
  ['shared/audit/a.ts', 'shared/objects/contract.ts', undefined],
  ['shared/audit/b.ts', 'shared/secrets/contract.ts', 'audit-own'],
  ['shared/rotation/a.ts', 'shared/services/contract.ts', undefined],
  ['shared/rotation/b.ts', 'shared/services/memory.ts', 'story-contracts'],
  ['shared/rotation/c.ts', 'shared/usage/x.ts', 'story-types-of-stories'],
  ['shared/rotation/d.ts', 'shared/usage/x.ts', undefined, 'type'],
  ['shared/rotation/e.ts', 'shared/config/x.ts', 'story-contracts'],
  ['shared/usage/a.ts', 'functions/cli/x.ts', 'shared-not-hosts story-contracts'],
  ['shared/config/a.ts', 'shared/audit/x.ts', 'config-base'],
  ['functions/cli/a.ts', 'shared/objects/memory.ts', 'drivers-only-in-wire'],
  ['functions/cli/b.ts', 'shared/objects/memory.ts', undefined, 'type'],
  ['functions/cli/wire.ts', 'shared/objects/memory.ts', undefined],
  ['functions/cli/c.ts', 'test/x.ts', 'not-test'],
  ['functions/cli/d.ts', './nowhere.ts', 'all-resolvable'],
  ['infra/a.ts', 'shared/config/x.ts', undefined],
  ['infra/b.ts', 'shared/rotation/x.ts', 'infra-little'],
  ['shared/usage/round.ts', 'shared/usage/trip.ts', 'no-cycles'],
];

describe('the rules object to a planted tree', () => {
  let directory = '';
  let found: readonly string[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lockkeeper-imports-'));
    await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
    const targets = planted.map(([, to]) => to).filter((to) => /^(shared|functions|test)\//.test(to));
    for (const path of targets) await write(path, 'export const x = 1;\nexport type X = number;\n');
    await write('shared/usage/trip.ts', statement('shared/usage/trip.ts', 'shared/usage/round.ts', undefined));
    for (const [from, to, , how] of planted) await write(from, statement(from, to, how));
    for (const empty of ['infra', 'test', 'functions']) await mkdir(join(directory, empty), { recursive: true });
    found = cruise(directory).violations;
  }, 60_000);
  afterAll(() => rm(directory, { recursive: true }));

  async function write(path: string, text: string): Promise<void> {
    await mkdir(join(directory, dirname(path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }

  test.each(planted.map(([from, to, rule, how]) => ({ from, to: how ? `a type of ${to}` : to, rule })))(
    '$from imports $to: $rule',
    ({ from, rule }) => {
      const rules = found.filter((one) => one.includes(`: ${from} -> `)).map((one) => one.split(':')[0]);
      expect(rules.join(' ')).toBe(rule ?? '');
    },
  );
});

function statement(from: string, to: string, how: 'type' | undefined): string {
  const target = /^(shared|functions|test)\//.test(to) ? `${'../'.repeat(from.split('/').length - 1)}${to}` : to;
  const also = 'export const x = 1;\nexport type X = number;\n';
  return how === 'type'
    ? `import type { X } from '${target}';\nexport type Y = X;\n${also}`
    : `import * as it from '${target}';\nexport const y = it;\n${also}`;
}
