import { readFile, writeFile } from 'node:fs/promises';

/** Changes one bit of a file, shows it to `judge`, and puts the file back. */
export async function withFlippedByte<T>(path: string, at: number, judge: () => Promise<T>): Promise<T> {
  const bytes = await readFile(path);
  const changed = Buffer.from(bytes);
  const place = at < 0 ? changed.length + at : at;
  changed[place] = (changed[place] ?? 0) ^ 1;
  if (changed.equals(bytes)) throw new Error(`${path} has no byte ${at}`);
  await writeFile(path, changed);
  try {
    return await judge();
  } finally {
    await writeFile(path, bytes);
  }
}
