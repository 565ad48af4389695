/**
 * The newest checkpoint of the log `origin` among everything that a person saved: a file of the log, a notice, or a
 * page of a channel with words around it, quoted or indented. What has no such checkpoint is given back as it is:
 * whoever reads it as a note says what is wrong with it.
 */
export function noteIn(text: string, origin: string): string {
  const lines = text.split(/\r?\n/).map((line) => line.replace(/^[\s>|]+/, '').trimEnd());
  const found = lines.flatMap((line, at) => (line === origin ? noteAt(lines, at) : []));
  return found.toSorted((a, b) => b.size - a.size)[0]?.note ?? text;
}

/** Origin, size, root, an empty line, then signature lines for as long as there are any. */
function noteAt(lines: readonly string[], at: number): readonly { readonly size: number; readonly note: string }[] {
  const [body, rest] = [lines.slice(at, at + 3), lines.slice(at + 4)];
  const [, size = ''] = body;
  const after = rest.findIndex((line) => !line.startsWith('— '));
  const signatures = after === -1 ? rest : rest.slice(0, after);
  if (!/^\d+$/.test(size) || lines[at + 3] !== '' || signatures.length === 0) return [];
  return [{ size: Number(size), note: [...body, '', ...signatures, ''].join('\n') }];
}
