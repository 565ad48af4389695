/** Fails the case where `holds` is false; `otherwise` says what was found instead. */
export function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

/** Fails where none of the texts is as it must be. */
export function toldIn(texts: readonly (string | undefined)[], wanted: RegExp): string {
  const found = texts.find((text) => text !== undefined && wanted.test(text));
  if (found === undefined) throw new Error(`${wanted} is not told, but: ${texts.join('\n') || 'nothing'}`);
  return found;
}
