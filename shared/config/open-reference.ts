import { readFile } from 'node:fs/promises';
import { LockkeeperError } from '../base/error.ts';
import { Sealed } from '../base/sealed.ts';
import { hasErrno } from './errno.ts';
import type { SecretReference } from './schema.ts';

/** Where references lead, given by the host. */
export interface ReferencePlaces {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The password that a secret of one of the configured stores holds now. */
  readonly fromStore: (store: string, secret: string) => Promise<Sealed>;
}

/**
 * The password a reference leads to. `not-found` where there is none, `denied` where it may not be read, `invalid`
 * where it is empty; whatever the store throws.
 */
export async function openReference(reference: SecretReference, places: ReferencePlaces): Promise<Sealed> {
  if (reference.secret) return await places.fromStore(reference.secret.store, reference.secret.name);
  if (reference.file !== undefined)
    return sealed(await fromFile(reference.file), `the password file ${reference.file}`);
  const variable = reference.env ?? '';
  const text = places.environment[variable];
  if (text === undefined) {
    throw new LockkeeperError('not-found', `the environment variable ${variable} is not set`, {
      hint: 'Set it to the password, or refer to a file.',
    });
  }
  return sealed(text, `the environment variable ${variable}`);
}

function sealed(text: string, where: string): Sealed {
  if (text === '')
    throw new LockkeeperError('invalid', `${where} is empty`, { hint: 'Put the password into it, and nothing else.' });
  return new Sealed(text);
}

async function fromFile(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
  } catch (cause) {
    const code = hasErrno(cause, 'ENOENT') ? 'not-found' : hasErrno(cause, 'EACCES') ? 'denied' : 'invalid';
    throw new LockkeeperError(code, `the password file ${path} cannot be read`, {
      cause,
      hint: 'It has to be a file that holds the password, readable by the user that runs lockkeeper.',
    });
  }
}
