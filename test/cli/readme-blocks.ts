/** One fenced block of a document. */
export interface Block {
  /** What stands behind the fence: sh, yaml, text. */
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks under the heading `title`, up to the next heading of its level or above, in order. */
export function blocksUnder(document: string, title: string): readonly Block[] {
  const lines = document.split('\n');
  const start = lines.findIndex((line) => line.replace(/^#+ /, '') === title && line.startsWith('#'));
  if (start < 0) return [];
  const level = lines[start]?.indexOf(' ') ?? 0;
  const blocks: Block[] = [];
  let open: { language: string; lines: string[] } | undefined;
  for (const line of lines.slice(start + 1)) {
    const fence = /^```(\w*)$/.exec(line);
    if (!open && /^#+ /.test(line) && line.indexOf(' ') <= level) break;
    if (open && fence) {
      blocks.push({ language: open.language, text: `${open.lines.join('\n')}\n` });
      open = undefined;
    } else if (open) open.lines.push(line);
    else if (fence) open = { language: fence[1] ?? '', lines: [] };
  }
  return blocks;
}
