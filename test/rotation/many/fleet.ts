import type { Instant } from '../../../shared/base/time.ts';
import { memoryObjects, MemoryBucket } from '../../../shared/objects/memory.ts';
import type { RotateRequest } from '../../../shared/rotation/effects/under-way.ts';
import { rotateMany, type ManyOptions, type ManyReport } from '../../../shared/rotation/many/rotate-many.ts';
import type { CredentialPlan, RotationDeps } from '../../../shared/rotation/plan.ts';
import { rotate } from '../../../shared/rotation/run.ts';
import { testWorld, type TestWorld } from '../../world.ts';
import { makePlace, withOther, type Place } from '../place.ts';

/** Several credentials with one state store and one clock, each with stores and a service of its own. */
export interface ManyPlaces {
  readonly world: TestWorld;
  readonly bucket: MemoryBucket;
  readonly places: ReadonlyMap<string, Place>;
  /** What every run began to work on, in order. */
  readonly begun: string[];
  /** How many worked at once at most. */
  readonly most: () => number;
  deps(): ReadonlyMap<string, RotationDeps>;
  /** One run over all. */
  run(options?: ManyOptions): Promise<ManyReport>;
  /** A run whose deadline comes as soon as `count` are done. */
  runUntil(count: number, options?: ManyOptions): Promise<ManyReport>;
  /** A run of one alone. */
  alone(name: string, request?: RotateRequest): Promise<void>;
  place(name: string): Place;
}

/** Credentials with these names; each is done in the run in which it begins, unless `plan` says otherwise. */
export async function manyPlaces(names: readonly string[], plan: Partial<CredentialPlan> = {}): Promise<ManyPlaces> {
  const world = testWorld();
  const bucket = new MemoryBucket();
  const state = memoryObjects(bucket);
  const begun: string[] = [];
  const atWork = new Set<string>();
  let most = 0;
  const places = new Map<string, Place>();
  for (const name of names)
    places.set(name, await makePlace({ plan: { propagationMs: 0, ...plan, name }, host: { world } }));
  const depsOf = (name: string, place: Place): RotationDeps => {
    const deps = place.deps();
    const describe: RotationDeps['service']['describe'] = async () => {
      if (!atWork.has(name)) begun.push(name);
      atWork.add(name);
      most = Math.max(most, atWork.size);
      // Others come to their turn.
      await new Promise((resolve) => void setImmediate(resolve));
      return await deps.service.describe();
    };
    return { ...deps, world, state, service: withOther(deps.service, { describe }) };
  };
  const deps = () => new Map([...places].map(([name, place]) => [name, depsOf(name, place)] as const));
  const run = async (options: ManyOptions = {}): Promise<ManyReport> => {
    atWork.clear();
    const onProgress: ManyOptions['onProgress'] = (progress) => {
      if (progress.report) atWork.delete(progress.report.credential);
      options.onProgress?.(progress);
    };
    return await rotateMany(deps(), { ...options, onProgress });
  };
  const place = (name: string): Place => {
    const found = places.get(name);
    if (found) return found;
    throw new Error(`there is no ${name}`);
  };
  return {
    world,
    bucket,
    places,
    begun,
    most: () => most,
    deps,
    run,
    async runUntil(count, options) {
      const far: Instant = world.deadline();
      const onProgress: ManyOptions['onProgress'] = ({ done }) => {
        if (done >= count) world.setDeadline(world.now());
      };
      const report = await run({ ...options, onProgress });
      world.setDeadline(far);
      return report;
    },
    alone: async (name, request) => void (await rotate(depsOf(name, place(name)), request)),
    place,
  };
}
