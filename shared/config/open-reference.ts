import { hasErrno } from '../base/errno.ts';
import { asLockkeeperError, LockkeeperError } from '../base/error.ts';
import { readGuarded } from '../base/owner-file.ts';
import { Sealed } from '../base/sealed.ts';
import type { SecretPlace, SecretReference } from './references.ts';

/** Where references lead, given by the host. */
export interface ReferencePlaces {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The password that a secret of one of the configured stores holds now. */
  readonly fromStore: (place: SecretPlace) => Promise<Sealed>;
}

/**
 * The password a reference leads to. `not-found` where there is none, `denied` where it may not be read or others may,
 * `invalid` where it is empty; whatever the store throws. What stands under the three is in no error: it may be
 * the password itself, put where its place belongs.
 */
export async function openReference(reference: SecretReference, places: ReferencePlaces): Promise<Sealed> {
  if (reference.secret) return await fromSecret(reference.secret, places);
  if (reference.file !== undefined) return sealed(await fromFile(reference.file), 'the file that `file` names');
  const text = places.environment[reference.env ?? ''];
  if (text === undefined) {
    throw new LockkeeperError('not-found', 'the environment variable that `env` names is not set', {
      hint: 'Set it to the password, or refer to a file.',
    });
  }
  return sealed(text, 'the environment variable that `env` names');
}

function sealed(text: string, where: string): Sealed {
  if (text === '')
    throw new LockkeeperError('invalid', `${where} is empty`, { hint: 'Put the password into it, and nothing else.' });
  return new Sealed(text);
}

async function fromSecret(place: SecretPlace, places: ReferencePlaces): Promise<Sealed> {
  try {
    return await places.fromStore(place);
  } catch (cause) {
    const { code, hint } = asLockkeeperError(cause);
    throw new LockkeeperError(
      code,
      'the secret that `secret` names gives no password',
      hint === undefined ? {} : { hint },
    );
  }
}

async function fromFile(path: string): Promise<string> {
  let text: string | undefined;
  try {
    text = await readGuarded(path, 'group-of-root');
  } catch (cause) {
    if (cause instanceof LockkeeperError) throw unfit();
    throw unreadable(hasErrno(cause, 'EACCES', 'EPERM') ? 'denied' : 'invalid');
  }
  if (text === undefined) throw unreadable('not-found');
  return text.replace(/\r?\n$/, '');
}

/** Without its cause, which has the path. */
function unreadable(code: 'denied' | 'invalid' | 'not-found'): LockkeeperError {
  const how = { denied: 'may not be read', invalid: 'cannot be read', 'not-found': 'is not there' }[code];
  return new LockkeeperError(code, `the password file that \`file\` names ${how}`, {
    hint: 'It has to be a file that holds the password, readable by the user that runs lockkeeper alone.',
  });
}

function unfit(): LockkeeperError {
  return new LockkeeperError(
    'denied',
    'the password file that `file` names is not safe: others may read or replace it',
    {
      hint: 'It and the folders above it have to belong to the user that runs lockkeeper or to root, and be writable by nobody else; run chmod 600 on the file, and change the password if others may have had it.',
    },
  );
}
