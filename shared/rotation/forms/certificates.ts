import { X509Certificate } from 'node:crypto';
import { hasCode } from '../../base/error.ts';
import { instant, type Instant } from '../../base/time.ts';
import type { Sealed } from '../../base/sealed.ts';

/** Until when a certificate is good, and whose it is, as it says itself. */
export type CertificateEnd = {
  readonly at: Instant;
  readonly subject: string;
};

/**
 * The certificate in a PEM text that ends first: a chain is worth no more than the part of it that ends first. Undefined
 * where the text holds none, or one that cannot be read.
 */
export function firstToEnd(text: Sealed): CertificateEnd | undefined {
  const blocks = text.open().match(certificate) ?? [];
  const ends = blocks.flatMap((block) => endOf(block) ?? []);
  return ends.length < blocks.length ? undefined : ends.toSorted((a, b) => a.at - b.at)[0];
}

const certificate = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

function endOf(block: string): CertificateEnd | undefined {
  try {
    const { validToDate, subject } = new X509Certificate(block);
    const names = subject.split('\n');
    return {
      at: instant(validToDate.getTime()),
      subject: names.find((one) => one.startsWith('CN=')) ?? names.join(', '),
    };
  } catch (thrown) {
    // A text that is no certificate is a fact about the store.
    if (isOfOpenSsl(thrown) || hasCode(thrown, 'invalid')) return undefined;
    throw thrown;
  }
}

function isOfOpenSsl(thrown: unknown): boolean {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return false;
  return typeof thrown.code === 'string' && thrown.code.startsWith('ERR_OSSL');
}
