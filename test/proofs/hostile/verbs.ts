import { mkdirSync, rmSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { auditExportVerb } from '../../../functions/cli/audit-export.ts';
import { exportDeps } from '../../../functions/cli/audit-export-wire.ts';
import { auditShowVerb } from '../../../functions/cli/audit-show.ts';
import { auditVerifyVerb } from '../../../functions/cli/audit-verify.ts';
import { auditDeps } from '../../../functions/cli/audit-wire.ts';
import { auditLog } from '../../../shared/audit/log.ts';
import type { VerifyReport } from '../../../shared/audit/verify/report.ts';
import { LockkeeperError } from '../../../shared/base/error.ts';
import { logAt } from './ground.ts';

const noConfig = async () => await Promise.reject(new LockkeeperError('not-found', 'no configuration'));

/** What `audit verify --output json` says about a directory, in this process. */
export async function verified(dir: string, key: string): Promise<VerifyReport> {
  const lines: string[] = [];
  await auditVerifyVerb({ dir, key }, auditDeps(noConfig), screen(lines));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the verb prints
  return JSON.parse(lines.join('\n')) as VerifyReport;
}

/** The verbs besides verify; export writes to an empty directory `out`. */
export type OtherVerb = 'seal' | 'show' | 'export';

/** Runs a verb over a hostile directory. Throws what it throws. */
export async function run(verb: OtherVerb, { dir, out }: { readonly dir: string; readonly out: string }) {
  if (verb === 'seal') return await auditLog({ ...logAt(dir), run: 'later' }).seal();
  if (verb === 'show') return await auditShowVerb({ dir }, auditDeps(noConfig), screen([]));
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  return await exportTo(out, dir);
}

/** Runs `audit export OUT --dir DIR --format tiles`. Throws what it throws. */
export async function exportTo(out: string, dir: string): Promise<number> {
  return await auditExportVerb({ dir, out, format: 'tiles' }, exportDeps(noConfig), screen([]));
}

function screen(lines: string[]) {
  return {
    out: (line: string) => void lines.push(line),
    err: () => undefined,
    json: true,
    signal: new AbortController().signal,
  };
}

/** What came, or how it failed; a refusal is an error that is none of our own defects. */
export type Said<Came> = { readonly came: Came } | { readonly fault: string; readonly isRefusal: boolean };

/** Waits for at most `ms` milliseconds. */
export async function inTime<Came>(act: () => Promise<Came>, ms: number): Promise<Said<Came>> {
  const late = new AbortController();
  try {
    return await Promise.race([
      act().then((came) => ({ came })),
      wait(ms, undefined, { signal: late.signal }).then(() => ({ fault: `took ${ms} ms`, isRefusal: false })),
    ]);
  } catch (thrown) {
    const isRefusal =
      thrown instanceof LockkeeperError &&
      thrown.code !== 'bug' &&
      thrown.code !== 'unreachable' &&
      thrown.code !== 'throttled';
    return { fault: `threw ${String(thrown)}`, isRefusal };
  } finally {
    late.abort();
  }
}
