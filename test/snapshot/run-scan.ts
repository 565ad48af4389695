import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scanSnapshotVerb, type SnapshotOptions } from '../../functions/cli/scan-snapshot.ts';
import { snapshotDeps } from '../../functions/cli/snapshot-wire.ts';
import { testWorld } from '../world.ts';
import { asOf, type Account } from './account.ts';

/** The part of the output that tests look at. */
export interface Printed {
  readonly asOf: string;
  readonly window: { readonly from: string; readonly to: string };
  readonly verdicts: readonly {
    readonly rule: string;
    readonly verdict: string;
    readonly reasons: readonly { readonly code: string; readonly text: string }[];
    readonly usedPorts: readonly { readonly from: number; readonly to: number }[];
  }[];
  readonly damaged: readonly { readonly key: string; readonly unreadable: string | null }[];
}

export interface Ended {
  readonly out: readonly string[];
  readonly err: readonly string[];
  readonly code: number;
}

/** Runs the verb as the command line does. */
export async function scanned(directory: string, options: SnapshotOptions = { asOf }, json = true): Promise<Ended> {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = {
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
    json,
    signal: new AbortController().signal,
  };
  const code = await scanSnapshotVerb(directory, options, snapshotDeps(testWorld('2026-10-31T00:00:00Z')), terminal);
  return { out, err, code };
}

/** Writes an account to a place of its own, lets `prepare` spoil it, and judges it. */
export async function judged(
  account: Account,
  prepare: (directory: string) => Promise<void> = async () => {},
  encoding?: 'gz' | 'text',
): Promise<Printed> {
  return inPlace(
    account,
    async (directory) => {
      await prepare(directory);
      return printed(await scanned(directory));
    },
    encoding,
  );
}

/** A written account for as long as `use` takes. */
export async function inPlace<Answer>(
  account: Account,
  use: (directory: string) => Promise<Answer>,
  encoding?: 'gz' | 'text',
): Promise<Answer> {
  const directory = await mkdtemp(join(tmpdir(), 'snapshot-'));
  try {
    await account.write(directory, encoding);
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** What was printed, as one object. */
export function printed({ out }: Ended): Printed {
  const object: unknown = JSON.parse(out.join('\n'));
  if (!isPrinted(object)) throw new Error(`not what a scan prints: ${out.join('\n')}`);
  return object;
}

function isPrinted(value: unknown): value is Printed {
  return (
    typeof value === 'object' &&
    value !== null &&
    'verdicts' in value &&
    Array.isArray(value.verdicts) &&
    'damaged' in value &&
    'window' in value
  );
}

/** Verdict and first reason by rule. */
export function verdicts({ verdicts: all }: Printed): Readonly<Record<string, string>> {
  return Object.fromEntries(all.map(({ rule, verdict, reasons }) => [rule, `${verdict} ${reasons[0]?.code}`]));
}
