import type { ResolvePath } from './fields.ts';
import type { Mistake } from './mistakes.ts';
import type { Rough, RoughStore } from './rough.ts';
import { pathText, type Path } from './source.ts';

/** What is wrong between the places where objects are: no two may share one, and the log's key is in none of them. */
export function placeMistakes({ stores, audit }: Rough, resolve: ResolvePath): readonly Mistake[] {
  const { state, log } = stores;
  const written: readonly (readonly [Path, RoughStore])[] = [
    [['stores', 'state'], state],
    [['stores', 'log'], log],
    ...audit.anchors.map((store, at) => [['audit', 'anchors', at], store] as const),
  ];
  const all = written.flatMap(([path, store]) => located(path, store, resolve));
  const key = audit.key?.path;
  return [
    ...all.flatMap((one, at) => shared(one, all.slice(0, at))),
    ...(key === undefined ? [] : keyInside(resolve(key), all)),
  ];
}

/** A store as one place: `root` says whose keys or paths they are, `below` which of them. */
interface Place {
  readonly path: Path;
  /** The key that names the place. */
  readonly names: string;
  readonly root: string;
  readonly below: string;
}

/**
 * Buckets and accounts have one owner in the world, whichever endpoint leads there; compatible stores are many worlds.
 */
function located(path: Path, store: RoughStore, resolve: ResolvePath): readonly Place[] {
  const { kind, bucket = '', container = '', account = '', endpoint = '', prefix = '' } = store ?? {};
  const below = closed(prefix);
  if (kind === 'file-system' && store?.path)
    return [{ path, names: 'path', root: 'files', below: closed(resolve(store.path)) }];
  if (kind === 'azure-blob' && container)
    return [{ path, names: 'container', root: `azure ${account} ${container}`, below }];
  if (kind === 'gcp-storage' && bucket) return [{ path, names: 'bucket', root: `gcp ${bucket}`, below }];
  if (kind === 'aws-s3' && bucket) return [{ path, names: 'bucket', root: `s3 ${closed(endpoint)} ${bucket}`, below }];
  return [];
}

function shared({ path, names, root, below }: Place, earlier: readonly Place[]): readonly Mistake[] {
  const other = earlier.find(
    (one) => one.root === root && (below.startsWith(one.below) || one.below.startsWith(below)),
  );
  if (other === undefined) return [];
  const called =
    other.path[0] === path[0] && path[0] === 'stores' ? `\`${other.path[1]}\`` : `\`${pathText(other.path)}\``;
  return [
    {
      path: [...path, names],
      what: `is the place of ${called}, or one is inside the other`,
      hint: names === 'path' ? 'Give it a directory of its own.' : `Give it a ${names} or a prefix of its own.`,
    },
  ];
}

function keyInside(key: string, places: readonly Place[]): readonly Mistake[] {
  const around = places.find(({ root, below }) => root === 'files' && key.startsWith(below));
  if (around === undefined) return [];
  return [
    {
      path: ['audit', 'key', 'path'],
      what: `is inside \`${pathText(around.path)}\``,
      hint: 'Keep the key outside of every store: who reads a store, or gets a copy of it, must not find it there.',
    },
  ];
}

/** With exactly one "/" at its end, so that a/b is in a, and ab is not; nothing stays nothing. */
function closed(path: string): string {
  return path.replace(/\/*$/, path === '' ? '' : '/');
}
