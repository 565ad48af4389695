// Plain JavaScript, as lockkeeper.js that loads it.
import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * True where `folder` is this account's alone (0700, made where it is missing), in a folder that only this account or
 * root may write. False where it cannot be known, as on systems without such accounts.
 *
 * @param {string} folder
 */
export function isOwnFolder(folder) {
  const me = process.geteuid?.();
  if (me === undefined) return false;
  try {
    mkdirSync(dirname(folder), { recursive: true, mode: 0o755 });
    const above = lstatSync(dirname(folder));
    if (!above.isDirectory() || (above.uid !== 0 && above.uid !== me) || (above.mode & 0o022) !== 0) return false;
    makeOnce(folder);
    if (isOwn(folder, me)) return true;
    // It was made for others to write or read too: nobody knows who wrote it.
    rmSync(folder, { recursive: true });
    makeOnce(folder);
    return isOwn(folder, me);
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown) return false;
    throw thrown;
  }
}

/**
 * @param {string} folder
 * @param {number} me
 */
function isOwn(folder, me) {
  const { uid, mode } = lstatSync(folder);
  return (mode & 0o170000) === 0o040000 && uid === me && (mode & 0o077) === 0;
}

/** @param {string} folder */
function makeOnce(folder) {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (thrown) {
    if (!(thrown instanceof Error) || !('code' in thrown) || thrown.code !== 'EEXIST') throw thrown;
  }
}
