/**
 * True for an error of the operating system with one of these names, such as ENOENT. Not by instanceof: errors of Node
 * itself come from another realm where code runs in a vm, as under jest.
 */
export function hasErrno(thrown: unknown, ...names: readonly string[]): boolean {
  return (
    typeof thrown === 'object' && thrown !== null && 'code' in thrown && names.some((name) => thrown.code === name)
  );
}
