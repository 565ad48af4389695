import { LockkeeperError } from '../../base/error.ts';
import type { Sealed } from '../../base/sealed.ts';
import type { Login, Slot } from '../../services/contract.ts';
import type { ConsumerForm } from './form.ts';
import { onlySlot } from './only-slot.ts';
import { proven } from './proven.ts';

/** The form `pem`: a private key or a chain of certificates; the whole text is the value of the service's only user. */
export const pemForm: ConsumerForm = {
  name: 'pem',
  read,
  write: (_, login) => proven(pemForm, login.value.open(), login),
  stale: () => [],
};

function read(text: Sealed, slots: readonly Slot[]): Login {
  const slot = onlySlot('pem', slots);
  if (block.test(text.open())) return { slot, value: text };
  throw new LockkeeperError('invalid', 'the secret has no block that begins with -----BEGIN (form pem)', {
    hint: 'Store the PEM text as it is, from -----BEGIN to -----END.',
  });
}

/** RFC 7468: the labels at both ends are equal, base64 between them; older keys have headers there. */
const block = /^-----BEGIN ([A-Z0-9 ]+)-----[ \t]*\r?\n(?:[^-\r\n][^\r\n]*\r?\n|\r?\n)+-----END \1-----[ \t]*\r?$/m;
