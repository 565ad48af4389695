import { postgresService } from '../../../shared/services/postgres.ts';
import { runPrinted } from '../postgres-versions.ts';
import type { FoundCase } from './case.ts';
import { consumerRights, missing, type ConsumerRights } from './consumer-rights.ts';
import { foundPair, passwordOf, q, type FoundPair } from './found-pair.ts';

/** A way in which roles are found, which the printed SQL must put right in one round. */
export interface RoleCase {
  readonly name: string;
  readonly since?: number;
  readonly start: 'plain' | 'ready';
  /** Names with everything that names can have, 63 bytes long. */
  readonly oddNames?: boolean;
  /** What the superuser did, in the pair's database. */
  readonly arrange: (pair: FoundPair) => string | Promise<void>;
  /** Each is found in one of the problems. */
  readonly problems: readonly RegExp[];
  /** Each is found in one of the risks, before anything is changed. */
  readonly risks?: readonly RegExp[];
  /** Rights are looked at here too. */
  readonly alsoIn?: (pair: FoundPair) => readonly string[];
  /** Lines of the rights that today's consumers may lose: what adoption takes on purpose. */
  readonly mayGo?: RegExp;
  /** More that must hold after the printed SQL was run. */
  readonly after?: (pair: FoundPair) => Promise<void>;
}

/**
 * The case, and that what is printed for it is enough, in one round, takes no right from a consumer that logs in
 * today, and leaves both users with the same rights.
 */
export function roleCase(wanted: RoleCase): FoundCase {
  const { name, since } = wanted;
  return {
    name,
    ...(since === undefined ? {} : { since }),
    run: async (found) => {
      const pair = await foundPair(found, wanted.start, wanted.oddNames);
      if (wanted.start === 'ready') await clean(pair, 'before anything is arranged');
      const arranged = wanted.arrange(pair);
      await (typeof arranged === 'string' ? pair.sql(arranged) : arranged);
      await told(pair, wanted);
      const users = wanted.start === 'plain' ? [pair.a] : [pair.a, pair.b];
      const before = new Map<string, ConsumerRights>();
      for (const user of users) before.set(user, await rightsOf(pair, user, wanted));
      await runPrinted(postgresService(pair.options()), {
        sql: (text) => pair.sql(text),
        sqlIn: (database, text) => pair.sql(text, database),
      });
      await clean(pair, 'after the printed SQL');
      await sameRights(pair, wanted, before);
      await wanted.after?.(pair);
    },
  };
}

/** Fails where the pair is not ready. */
async function clean(pair: FoundPair, when: string): Promise<void> {
  const { problems, slotsEqual } = await postgresService(pair.options()).describe();
  if (problems.length > 0 || !slotsEqual) throw new Error(`${when} it is not ready: ${problems.join('\n')}`);
}

async function told(pair: FoundPair, { problems, risks = [] }: RoleCase): Promise<void> {
  const seen = await postgresService(pair.options()).describe();
  for (const [wanted, texts] of [
    [problems, seen.problems],
    [risks, seen.risks],
  ] as const)
    for (const one of wanted)
      if (!texts.some((text) => one.test(text))) throw new Error(`${one} is not told, but:\n${texts.join('\n')}`);
  if (problems.length > 0 && seen.slotsEqual && seen.problems.length === 0) throw new Error('it is ready');
}

async function rightsOf(pair: FoundPair, user: string, { alsoIn }: RoleCase): Promise<ConsumerRights> {
  const lines: string[] = [];
  for (const database of [pair.database, ...(alsoIn?.(pair) ?? [])])
    lines.push(...[...(await consumerRights(pair, user, database))].map((line) => `${database}: ${line}`));
  return new Set(lines);
}

async function sameRights(
  pair: FoundPair,
  wanted: RoleCase,
  before: ReadonlyMap<string, ConsumerRights>,
): Promise<void> {
  await pair.sql(`ALTER ROLE ${q(pair.b)} PASSWORD '${passwordOf(pair.b)}'`);
  const a = await rightsOf(pair, pair.a, wanted);
  const b = await rightsOf(pair, pair.b, wanted);
  const { mayGo = /no login/ } = wanted;
  for (const [user, had] of before) {
    const lost = missing(user === pair.a ? a : b, had).filter((line) => !mayGo.test(line));
    if (lost.length > 0) throw new Error(`a consumer that is ${user} lost:\n${lost.join('\n')}`);
  }
  const between = (one: ConsumerRights, other: ConsumerRights) =>
    missing(other, one).filter(
      (line) => !line.includes(`becomes ${pair.a}`) && !line.includes(`becomes ${pair.b}`) && !mayGo.test(line),
    );
  const unequal = [
    ...between(a, b).map((line) => `only a: ${line}`),
    ...between(b, a).map((line) => `only b: ${line}`),
  ];
  if (unequal.length > 0) throw new Error(`the users are not equal:\n${unequal.join('\n')}`);
}
