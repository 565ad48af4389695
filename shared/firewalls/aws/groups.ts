import type { Description } from './descriptions.ts';
import { Fields } from './fields.ts';
import type { GroupedInterface } from './interfaces.ts';
import { ownerOf, tagsOf } from './tags.ts';

/** A security group that is described, or that an interface carries. */
export interface Group {
  /** False: it is known by its interfaces only, and may have more elsewhere. */
  readonly isDescribed: boolean;
  readonly managedBy: string | undefined;
  /** Ids of the interfaces that carry it. */
  readonly interfaces: readonly string[];
  /** Their addresses. */
  readonly members: readonly string[];
}

/** Reads describe-security-groups; `invalid` with every mistake at once. */
export function readGroups(
  { name, document }: Description,
  interfaces: readonly GroupedInterface[],
): ReadonlyMap<string, Group> {
  const fields = new Fields(name);
  const owners = new Map(
    fields.list(document, 'SecurityGroups').map((item) => [item.need('GroupId'), ownerOf(tagsOf(item))] as const),
  );
  fields.done();
  const ids = new Set([...owners.keys(), ...interfaces.flatMap(({ groups }) => groups)]);
  const carriers = Map.groupBy(
    interfaces.flatMap(({ one, groups }) => groups.map((group) => ({ group, one }))),
    ({ group }) => group,
  );
  return new Map(
    [...ids].map((id) => {
      const mine = (carriers.get(id) ?? []).map(({ one }) => one);
      return [
        id,
        {
          isDescribed: owners.has(id),
          managedBy: owners.get(id),
          interfaces: mine.map((one) => one.id),
          members: mine.flatMap(({ addresses }) => addresses),
        },
      ];
    }),
  );
}
