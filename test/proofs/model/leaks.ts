import { LockkeeperError } from '../../../shared/base/error.ts';
import type { RotationReport } from '../../../shared/rotation/run.ts';
import { loginIn, type Bench, type Snapshot } from './bench.ts';
import type { Landing } from './flight.ts';
import { validIn } from './watch.ts';

/** Values that came out where no value may be: in entries, notices, journals, reports or errors. The bench is set. */
export function saidAloud(bench: Bench, world: Snapshot, landing: Landing): readonly string[] {
  const said: string[] = [JSON.stringify(landing.events)];
  if ('report' in landing) said.push(reportText(landing.report));
  if ('flight' in landing) {
    for (const { port, args } of landing.flight.pending) {
      if (port === 'people' || port === 'refresh') said.push(JSON.stringify(args));
      if (port === 'state') said.push(...args.map(textOf));
    }
  }
  const text = said.join('\n');
  return valuesIn(bench, world).some((value) => text.includes(value))
    ? ['no value leaves the stores and the service']
    : [];
}

/** Everything that a report says, its error and what caused that included. */
export function reportText(report: RotationReport): string {
  const { error, ...rest } = report;
  const causes: string[] = [];
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    causes.push(one.message, one.stack ?? '');
    if (one instanceof LockkeeperError) causes.push(one.hint ?? '');
  }
  return `${JSON.stringify(rest)}\n${causes.join('\n')}`;
}

function textOf(arg: unknown): string {
  if (arg instanceof Uint8Array) return Buffer.from(arg).toString('latin1');
  return typeof arg === 'string' ? arg : '';
}

function valuesIn(bench: Bench, world: Snapshot): readonly string[] {
  const texts = Object.values(world.vaults).flatMap((vault) =>
    Object.values(vault.secrets).flatMap(({ shelf }) =>
      [shelf.current, shelf.pending, ...shelf.earlier].flatMap((version) => version?.text ?? []),
    ),
  );
  return [...texts, ...validIn(bench)].flatMap((text) => loginIn(text)?.value.open() ?? []);
}
