/**
 * True for the name of a member that holds a secret's text. Compared without case, "-" and "_": the end of a name is
 * what it is.
 */
export function isNamedLikeSecret(name: string): boolean {
  return secretNames.test(name.toLowerCase().replaceAll(/[-_]/g, ''));
}

/** True for a text that surely has a secret in it. Takes time in proportion to the text. */
export function looksLikeSecret(text: string): boolean {
  return secretShapes.some((shape) => shape.test(text));
}

/** True also for what may be one: good enough to leave a text out, not to refuse what somebody wants. */
export function mayBeSecret(text: string): boolean {
  return looksLikeSecret(text) || assigned.test(text);
}

const secretNames =
  /(password|passwd|passphrase|pwd|token|secretvalue|secretstring|secretkey|privatekey|apikey|accesskey|verifier|authorization|cookie|credentials)$/;

/**
 * A private key, a stored SCRAM verifier, an address with a password in it, a bearer's token, a web token, an address
 * that is signed.
 */
const secretShapes: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /SCRAM-SHA-(1|256|512)\$\d+:/,
  /:\/\/[^\s/:@]*:[^\s/@]+@/,
  /\bBearer [\w.~+/=-]{20,}/,
  /(?<![\w-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\./,
  /[?&](sig|x-amz-signature|x-amz-security-token|x-goog-signature)=[^\s&]{16,}/i,
];

/** password=…, "password": "…", as connection strings and dumps have it. */
const assigned = /(password|passwd|passphrase|pwd|secret_?key|api_?key|access_?key)["']?\s*[=:]\s*["']?[^\s"']/i;
