import { asLockkeeperError, LockkeeperError } from '../../shared/base/error.ts';
import { adopt } from '../../shared/rotation/adopt.ts';
import { atOnce } from '../../shared/rotation/many/at-once.ts';
import { rotateMany, type Progress } from '../../shared/rotation/many/rotate-many.ts';
import type { ReminderDeps } from '../../shared/rotation/manual/manual-plan.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import { rehearse } from '../../shared/rotation/rehearse.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';
import { checkOptions, chosenCredentials, type RotateOptions } from './rotate-choice.ts';
import { adoptResult, failedResult, leftResult, rehearsalResult, rotationResult, type Result } from './rotate-lines.ts';
import { manualResult } from './rotate-manual.ts';

/** What wire.ts provides: one credential with its drivers, and what all of them share. */
export interface RotateDeps extends Pick<
  RotationDeps,
  'state' | 'audit' | 'world' | 'notify' | 'actor' | 'account' | 'fingerprintKey'
> {
  readonly credentials: readonly Pick<RotationDeps, 'plan' | 'service' | 'stores'>[];
  /** Credentials that people renew. */
  readonly manual?: readonly ReminderDeps[];
}

type Chosen = RotateDeps['credentials'][number] | ReminderDeps;

/**
 * `lockkeeper rotate [NAME…] [--owner X] [--tag T…] [--all] [--now [--leaked --reason TEXT]] [--rehearse] [--adopt]`. Carries
 * each rotation on as far as it goes now, several at once; results are printed in the order in which they were named. Exit
 * code 1 where one is blocked or failed, or could not be adopted; 7 where there is nothing to rotate, or nothing of it was
 * adopted.
 */
export async function rotateVerb(
  names: readonly string[],
  options: RotateOptions,
  deps: RotateDeps,
  terminal: Terminal,
): Promise<ExitCode> {
  checkOptions(names, options);
  const chosen: readonly Chosen[] = chosenCredentials(names, options, [...deps.credentials, ...(deps.manual ?? [])]);
  if (chosen.length === 0) return nothingConfigured(terminal);
  const results = new Results(chosen, terminal);
  await carryOutAll(chosen, { options, deps, terminal }, results);
  return results.end();
}

function nothingConfigured(terminal: Terminal): ExitCode {
  if (terminal.json) terminal.out(JSON.stringify({ rotations: [] }));
  else
    terminal.err('No service in the configuration has a credential, so nothing was rotated. Add `credential` to one.');
  return exitCode.nothing;
}

interface Around {
  readonly options: RotateOptions;
  readonly deps: RotateDeps;
  readonly terminal: Terminal;
}

async function carryOutAll(chosen: readonly Chosen[], around: Around, results: Results): Promise<void> {
  const { options, deps, terminal } = around;
  const isRun = !options.rehearse && !options.adopt;
  const many = isRun ? chosen.flatMap((one) => ('service' in one ? [depsOf(deps, one)] : [])) : [];
  await rotateAll(many, around, results);
  const others = chosen.filter((one) => !isRun || !('service' in one));
  await atOnce(untilStopped(others, terminal), options.concurrency ?? usual, async (one) => {
    await results.tried(one.plan.name, () => looked(one, around));
  });
}

const usual = 8;

function* untilStopped(chosen: readonly Chosen[], { signal }: Terminal): Generator<Chosen> {
  for (const one of chosen) {
    if (signal.aborted) return;
    yield one;
  }
}

async function looked(one: Chosen, { options, deps }: Around): Promise<Result> {
  if (!('service' in one)) return await manualResult(one, options);
  if (options.adopt) return adoptResult(await adopt(depsOf(deps, one)), options);
  return rehearsalResult(await rehearse(depsOf(deps, one), { leaked: options.leaked ?? false }));
}

async function rotateAll(
  many: readonly RotationDeps[],
  { options, terminal }: Around,
  results: Results,
): Promise<void> {
  if (many.length === 0) return;
  const { limit, concurrency, reason = '' } = options;
  const leaked = options.leaked ? { reason } : undefined;
  const { problems, held } = await rotateMany(new Map(many.map((one) => [one.plan.name, one])), {
    request: { now: options.now ?? false, ...(leaked && { leaked }) },
    ...(concurrency !== undefined && { concurrency }),
    limit,
    signal: terminal.signal,
    onProgress: (progress) => {
      const { report } = progress;
      if (report) results.add(report.credential, rotationResult(report, leaked?.reason));
      results.tellProgress(progress);
    },
  });
  for (const [name, problem] of problems) await results.tried(name, () => Promise.reject(problem));
  for (const name of held) results.add(name, leftResult(name, `--limit ${limit} were begun`));
}

function depsOf(deps: RotateDeps, one: RotateDeps['credentials'][number]): RotationDeps {
  const { credentials: _credentials, manual: _manual, ...shared } = deps;
  return { ...shared, ...one };
}

/** What became of the chosen credentials, printed in their order as soon as all before are known. */
class Results {
  readonly #names: readonly string[];
  readonly #terminal: Terminal;
  readonly #results = new Map<string, Result>();
  #printed = 0;

  constructor(chosen: readonly Chosen[], terminal: Terminal) {
    this.#names = chosen.map(({ plan }) => plan.name);
    this.#terminal = terminal;
  }

  add(name: string, result: Result): void {
    this.#results.set(name, result);
    for (let next = this.#next(); next; next = this.#next()) {
      this.#printed += 1;
      if (!this.#terminal.json) for (const line of next.lines) this.#terminal.out(line);
    }
  }

  #next(): Result | undefined {
    const name = this.#names[this.#printed];
    return name === undefined ? undefined : this.#results.get(name);
  }

  /** Of several, what one fails with is its own; of a single one it is the command's. */
  async tried(name: string, work: () => Promise<Result>): Promise<void> {
    try {
      this.add(name, await work());
    } catch (thrown) {
      if (this.#names.length === 1 || !(thrown instanceof LockkeeperError)) throw thrown;
      this.add(name, failedResult(name, asLockkeeperError(thrown)));
    }
  }

  tellProgress({ done, total, atWork }: Progress): void {
    if (this.#terminal.json || total < 2) return;
    const failed = [...this.#results.values()].filter(({ ok }) => !ok).length;
    const trouble = failed > 0 ? `, ${failed} in trouble` : '';
    this.#terminal.status?.(done < total ? `${done} of ${total} done${trouble}; now: ${atWork.join(', ')}` : undefined);
  }

  end(): ExitCode {
    const { json, out, err, status } = this.#terminal;
    status?.(undefined);
    const all = this.#names.flatMap((name) => this.#results.get(name) ?? []);
    const left = this.#names.filter((name) => !this.#results.has(name));
    if (json) out(JSON.stringify({ rotations: all.map(({ plain }) => plain), ...(left.length > 0 && { left }) }));
    else {
      // Printed out of order: what comes after one that was not reached.
      for (const name of this.#names.slice(this.#printed))
        for (const line of this.#results.get(name)?.lines ?? []) out(line);
      if (left.length > 0) err(`not reached: ${left.join(', ')}`);
      if (this.#names.length > 1) err(summary(all, left.length));
    }
    if (left.length > 0) return exitCode.interrupted;
    if (!all.every(({ ok }) => ok)) return exitCode.failed;
    return all.every(({ isIdle }) => isIdle) ? exitCode.nothing : exitCode.done;
  }
}

function summary(all: readonly Result[], left: number): string {
  const failed = all.filter(({ ok }) => !ok).length;
  const parts = [
    `${all.length - failed} in order`,
    `${failed} in trouble`,
    ...(left > 0 ? [`${left} not reached`] : []),
  ];
  return `${all.length + left} credentials: ${parts.join(', ')}`;
}
