/** True for an error of the operating system with this name, such as ENOENT. */
export function hasErrno(thrown: unknown, name: string): boolean {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && thrown.code === name;
}
