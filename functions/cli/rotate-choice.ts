import { LockkeeperError } from '../../shared/base/error.ts';

/** What a credential is chosen by. */
export interface Choosable {
  readonly plan: { readonly name: string; readonly owner?: string; readonly tags?: readonly string[] };
}

/** The words by which people choose credentials. */
export interface Choice {
  /** Every credential of the configuration. */
  readonly all?: boolean;
  /** Those of one owner. */
  readonly owner?: string;
  /** Those that have each of these tags. */
  readonly tag?: readonly string[];
}

/** What a person asks `rotate` for. */
export interface RotateOptions extends Choice {
  /** Begin before it is due. */
  readonly now?: boolean;
  /** Read only, and say what would happen. */
  readonly rehearse?: boolean;
  /** With now and a reason: the value is known to others. */
  readonly leaked?: boolean;
  readonly reason?: string;
  /** Check only, and count the credential as lockkeeper's from now on. */
  readonly adopt?: boolean;
  /** With adopt: print the statements that are missing, and nothing else. */
  readonly sql?: boolean;
  /** How many may begin a rotation in this run. */
  readonly limit?: number;
  /** How many at once. */
  readonly concurrency?: number;
}

/**
 * The credentials that are named, each once and in that order; those of an owner or with tags; or all. With names and a
 * filter those that are both. `invalid` where nothing was chosen, one is not known, or none fits.
 */
export function chosenCredentials<One extends Choosable>(
  names: readonly string[],
  choice: Choice,
  credentials: readonly One[],
): readonly One[] {
  const isFiltered = choice.owner !== undefined || (choice.tag ?? []).length > 0;
  if (choice.all && (names.length > 0 || isFiltered))
    throw new LockkeeperError('invalid', '--all and a choice exclude each other', { hint: 'Choose one.' });
  if (choice.all) return credentials;
  const list = known(credentials.map(({ plan }) => plan.name));
  if (names.length === 0 && !isFiltered)
    throw new LockkeeperError('invalid', 'no credential was named', {
      hint: `Name one, or use --owner, --tag or --all. Known: ${list}.`,
    });
  const named = names.length === 0 ? credentials : [...new Set(names)].map((name) => called(name, credentials, list));
  const found = named.filter((one) => fits(one, choice));
  if (found.length > 0) return found;
  throw new LockkeeperError('invalid', 'no credential fits all of what was asked for', { hint: hintFor(credentials) });
}

/** `invalid` where the options contradict each other. */
export function checkOptions(names: readonly string[], options: RotateOptions): void {
  const modes = [options.now && '--now', options.rehearse && '--rehearse', options.adopt && '--adopt'].filter(
    (mode) => typeof mode === 'string',
  );
  if (modes.length > 1)
    throw new LockkeeperError('invalid', `${modes.join(' and ')} exclude each other`, { hint: 'Choose one.' });
  if (options.sql && !options.adopt)
    throw new LockkeeperError('invalid', '--sql belongs to --adopt', { hint: 'lockkeeper rotate NAME --adopt --sql' });
  if (options.limit !== undefined && (options.adopt || options.rehearse || options.leaked))
    throw new LockkeeperError('invalid', '--limit belongs to a run that may begin rotations', {
      hint: 'Leave it out.',
    });
  checkLeaked(names, options);
}

function checkLeaked(names: readonly string[], options: RotateOptions): void {
  if (options.reason !== undefined && !options.leaked)
    throw new LockkeeperError('invalid', '--reason belongs to --leaked', { hint: 'Leave it out, or add --leaked.' });
  if (!options.leaked) return;
  if (!options.rehearse && !(options.now && options.reason?.trim()))
    throw new LockkeeperError('invalid', '--leaked needs --now and --reason', {
      hint: `lockkeeper rotate ${names.join(' ') || 'NAME'} --now --leaked --reason "where it was found"; with --rehearse it only says what would happen.`,
    });
  for (const [isGiven, option] of [
    [options.all, '--all'],
    [options.owner !== undefined, '--owner'],
    [(options.tag ?? []).length > 0, '--tag'],
  ] as const)
    if (isGiven)
      throw new LockkeeperError('invalid', `--leaked never means ${option}`, {
        hint: 'Name the credentials that leaked.',
      });
}

function called<One extends Choosable>(name: string, credentials: readonly One[], list: string): One {
  const found = credentials.find(({ plan }) => plan.name === name);
  if (found) return found;
  throw new LockkeeperError('invalid', `no credential is called "${name}"`, { hint: `Known: ${list}.` });
}

function fits({ plan }: Choosable, { owner, tag = [] }: Choice): boolean {
  return (owner === undefined || plan.owner === owner) && tag.every((one) => (plan.tags ?? []).includes(one));
}

function hintFor(credentials: readonly Choosable[]): string {
  const owners = credentials.flatMap(({ plan }) => plan.owner ?? []);
  const tags = credentials.flatMap(({ plan }) => plan.tags ?? []);
  return `Owners: ${known(owners)}. Tags: ${known(tags)}.`;
}

/** At most twenty of them, so that a screen holds the message. */
function known(words: readonly string[]): string {
  const all = [...new Set(words)].toSorted();
  if (all.length === 0) return 'none';
  return all.slice(0, 20).join(', ') + (all.length > 20 ? ` and ${all.length - 20} more` : '');
}
