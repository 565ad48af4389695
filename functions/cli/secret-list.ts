import { asLockkeeperError } from '../../shared/base/error.ts';
import { formatInstant } from '../../shared/base/time.ts';
import { visible } from '../../shared/base/visible.ts';
import { journals } from '../../shared/rotation/journals.ts';
import type { PlannedCopy, RotationDeps } from '../../shared/rotation/plan.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';
import { readFrom, type SecretCredential } from './secret-place.ts';

/** One secret in one store; no value. */
interface Row {
  readonly name: string;
  readonly store: string;
  readonly secret: string;
  readonly form: string;
  readonly user: string | undefined;
  readonly version: string | undefined;
  /** RFC 3339; undefined where lockkeeper never rotated it. */
  readonly rotated: string | undefined;
  /** Why there is no user or no time: one sentence each. */
  readonly troubles: readonly string[];
}

/**
 * `lockkeeper secret list`: every secret of the configuration, where it lies, whose login it hands out, and when that was
 * rotated. Never a value; the services are not asked. Exit code 1 where something could not be read.
 */
export async function secretListVerb(credentials: readonly SecretCredential[], terminal: Terminal): Promise<ExitCode> {
  const rows = (await Promise.all(credentials.map(rowsOf))).flat();
  if (terminal.json) terminal.out(JSON.stringify({ secrets: rows }));
  else if (rows.length === 0) terminal.out('No credential is configured.');
  else for (const line of table(rows)) terminal.out(line);
  if (!terminal.json) for (const { troubles } of rows) for (const text of troubles) terminal.err(`warning: ${text}`);
  return rows.some(({ troubles }) => troubles.length > 0) ? exitCode.failed : exitCode.done;
}

async function rowsOf({ deps, slots }: SecretCredential): Promise<readonly Row[]> {
  const rotated = await tried(() => lastRotated(deps));
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
        rotated: rotated.answer,
        troubles: [...found.troubles, ...rotated.troubles],
      };
    }),
  );
}

async function userIn(deps: RotationDeps, place: PlannedCopy, slots: SecretCredential['slots']) {
  const { login, version } = await readFrom(deps, place, slots);
  return { user: login.slot, version };
}

/** A journal that only says since when it is lockkeeper's tells of no rotation. */
async function lastRotated({ plan, state, world }: RotationDeps): Promise<string | undefined> {
  const journal = (await journals(state, world).read(plan.name))?.journal;
  const at = journal?.rotation.startsWith('adopted-') === true ? null : (journal?.drain?.host ?? journal?.finishedAt);
  return at === null || at === undefined ? undefined : formatInstant(at);
}

async function tried<T>(work: () => Promise<T>): Promise<{ answer: T | undefined; troubles: readonly string[] }> {
  try {
    return { answer: await work(), troubles: [] };
  } catch (thrown) {
    const { code, message, hint } = asLockkeeperError(thrown);
    if (code === 'bug') throw thrown;
    return { answer: undefined, troubles: [hint === undefined ? message : `${message}. ${hint}`] };
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
    row.rotated ?? 'never',
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
