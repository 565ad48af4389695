import { asLockkeeperError } from '../../shared/base/error.ts';
import { formatInstant } from '../../shared/base/time.ts';
import { visible } from '../../shared/base/visible.ts';
import { journals } from '../../shared/rotation/journal/journals.ts';
import type { ReminderDeps } from '../../shared/rotation/manual/manual-plan.ts';
import { readRecord } from '../../shared/rotation/manual/reminder-record.ts';
import type { PlannedCopy, RotationDeps } from '../../shared/rotation/plan.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';
import { isManual, readFrom, type SecretCredential } from './secret-place.ts';

/** One secret in one store; no value. */
interface Row {
  readonly name: string;
  readonly store: string;
  readonly secret: string;
  readonly form: string;
  readonly user: string | undefined;
  readonly version: string | undefined;
  /** RFC 3339; undefined where lockkeeper never rotated it, or is at it now. Of one that people renew: when it was first seen. */
  readonly rotated: string | undefined;
  /** The phase of the rotation that is under way. */
  readonly underWay: string | undefined;
  /** Why there is no user or no time: a sentence each. */
  readonly troubles: readonly string[];
  /** False also where a store holds nothing yet: that is no failure. */
  readonly failed: boolean;
}

/**
 * `lockkeeper secret list`: every secret of the configuration, where it lies, whose login it hands out, and when that was
 * rotated. Never a value; the services are not asked. Exit code 1 where something could not be read; 7 where nothing is
 * configured.
 */
export async function secretListVerb(credentials: readonly SecretCredential[], terminal: Terminal): Promise<ExitCode> {
  const rows = (await Promise.all(credentials.map(rowsOf))).flat();
  if (terminal.json) terminal.out(JSON.stringify({ secrets: rows }));
  else printRows(rows, terminal);
  if (rows.length === 0) return exitCode.nothing;
  return rows.some(({ failed }) => failed) ? exitCode.failed : exitCode.done;
}

function printRows(rows: readonly Row[], terminal: Terminal): void {
  if (rows.length === 0) terminal.err('No service in the configuration has a credential. Add `credential` to one.');
  else for (const line of table(rows)) terminal.out(line);
  for (const { troubles } of rows) for (const text of troubles) terminal.err(`warning: ${text}`);
}

async function rowsOf({ deps, slots }: SecretCredential): Promise<readonly Row[]> {
  const past = await tried(() => (isManual(deps) ? firstSeen(deps) : history(deps)));
  return await Promise.all(
    deps.plan.stores.map(async (place) => {
      const found = await tried(() => userIn(deps, place, slots));
      return {
        name: deps.plan.name,
        store: place.store,
        secret: place.secret,
        form: place.form.name,
        user: found.answer?.user,
        version: found.answer?.version,
        rotated: past.answer?.rotated,
        underWay: past.answer?.underWay,
        troubles: [...found.troubles, ...past.troubles],
        failed: found.failed || past.failed,
      };
    }),
  );
}

async function userIn(deps: SecretCredential['deps'], place: PlannedCopy, slots: SecretCredential['slots']) {
  const { login, version } = await readFrom(deps, place, slots);
  return { user: login?.slot, version };
}

/** A journal of an adoption, or of an order alone, tells of no rotation. */
async function history({ plan, state, world }: RotationDeps): Promise<Pick<Row, 'rotated' | 'underWay'>> {
  const journal = (await journals(state, world).read(plan.name))?.journal;
  if (!journal || journal.rotation.startsWith('adopted-')) return { rotated: undefined, underWay: undefined };
  const rotated = journal.finishedAt === null ? undefined : formatInstant(journal.finishedAt);
  return { rotated, underWay: journal.phase === 'done' ? undefined : journal.phase };
}

/** When the newest value of all places was first seen. */
async function firstSeen({ plan, state }: ReminderDeps): Promise<Pick<Row, 'rotated' | 'underWay'>> {
  const { record } = await readRecord(state, plan.name);
  const newest = record.places.flatMap(({ versions }) => versions.at(-1)?.since ?? []).toSorted((a, b) => b - a)[0];
  return { rotated: newest === undefined ? undefined : formatInstant(newest), underWay: undefined };
}

interface Tried<T> {
  readonly answer: T | undefined;
  readonly troubles: readonly string[];
  readonly failed: boolean;
}

async function tried<T>(work: () => Promise<T>): Promise<Tried<T>> {
  try {
    return { answer: await work(), troubles: [], failed: false };
  } catch (thrown) {
    const { code, message, hint } = asLockkeeperError(thrown);
    if (code === 'bug') throw thrown;
    const text = hint === undefined ? message : `${message}. ${hint}`;
    return { answer: undefined, troubles: [text], failed: code !== 'not-found' };
  }
}

const head = ['name', 'lies in', 'form', 'user', 'version', 'last rotated'];

function table(rows: readonly Row[]): readonly string[] {
  const cells = rows.map((row) => [
    row.name,
    `${row.store}/${row.secret}`,
    row.form,
    row.user ?? '-',
    row.version ?? '-',
    row.rotated ?? (row.underWay === undefined ? 'never' : `now: ${row.underWay}`),
  ]);
  const all = [head, ...cells.map((row) => row.map(visible))];
  const widths = head.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
