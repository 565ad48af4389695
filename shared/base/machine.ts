const codes = new Set([
  'EACCES',
  'EPERM',
  'ENOSPC',
  'EDQUOT',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'EIO',
  'EROFS',
  'EBUSY',
  'ESTALE',
  'EAGAIN',
]);

/**
 * True where the machine failed, and not what was read: no permission, disk full, too many open files. The same object
 * can be read another time. DuckDB's errors have no codes, only words.
 */
export function isMachines(thrown: unknown): boolean {
  for (let cause: unknown = thrown; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string' && codes.has(cause.code)) return true;
    if (words.test(cause.message)) return true;
  }
  return false;
}

const words = /^IO Error: [^]*(No space left on device|Too many open files|Permission denied|Input\/output error)/;
