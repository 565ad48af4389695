import { LockkeeperError } from '../base/error.ts';

/** `conflict` for an object that is longer than any that lockkeeper wrote: reading it would fill the memory. */
export function expectSize(tried: string, bytes: number | undefined, most: number): void {
  if (bytes === undefined || bytes <= most) return;
  throw new LockkeeperError('conflict', `${tried}: it has ${bytes} bytes, and no such object has more than ${most}`, {
    hint: 'lockkeeper did not write it: find out who did, and take the object from a copy.',
  });
}
