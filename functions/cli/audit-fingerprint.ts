import { LockkeeperError } from '../../shared/base/error.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';

/** What the wiring provides. */
export interface FingerprintDeps {
  /** The key under which the log's fingerprints are made. Never made here: `not-found` where there is none. */
  key(): Promise<Uint8Array>;
  /** Everything on stdin. */
  input(): Promise<string>;
}

/**
 * `lockkeeper audit fingerprint`: prints under which fingerprint a value would be in the log, so that whoever knows a
 * value can find it there. The value comes from stdin, never from the command line, which other people of the machine
 * can see; one line end after it is not part of it. `invalid` where nothing came. Reads only.
 */
export async function auditFingerprintVerb(deps: FingerprintDeps, terminal: Terminal): Promise<ExitCode> {
  const key = await deps.key();
  const value = (await deps.input()).replace(/\r?\n$/, '');
  if (value === '')
    throw new LockkeeperError('invalid', 'no value came on stdin', {
      hint: 'Pipe it: lockkeeper audit fingerprint < FILE',
    });
  const fingerprint = new Sealed(value).fingerprint(key);
  terminal.out(terminal.json ? JSON.stringify({ fingerprint }) : fingerprint);
  return exitCode.done;
}
