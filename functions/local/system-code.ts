/** The system's own code of a thrown error (ENOENT, EADDRINUSE, …); undefined where it has none. */
export function systemCode(thrown: unknown): string | undefined {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'string'
    ? thrown.code
    : undefined;
}
