import { describe, expect, test } from '@jest/globals';
import { fc } from '../properties.ts';
import type { FlowLog, LogObject, ParsedRow } from '../../shared/flow-logs/contract.ts';
import { cellsOfBatch, expectedCells } from '../flow-logs/tables.ts';
import { rowsOf, type TrafficCloud } from '../flow-logs/traffic.ts';

/** One object to lay down; `isBroken`: in a way that it cannot be read. */
export interface TrafficObject {
  readonly key: string;
  readonly rows: readonly ParsedRow[];
  readonly isBroken?: boolean;
}

/** A flow log that holds just these objects. */
export interface FlowLogHarness {
  readonly log: FlowLog;
  close(): Promise<void>;
}

export interface FlowLogAbilities {
  readonly cloud: TrafficCloud;
  /** Keys of this log in ascending order, as many as asked for. */
  readonly keys: (count: number) => readonly string[];
}

type Fresh = (objects: readonly TrafficObject[], options?: { readonly peerCap?: number }) => Promise<FlowLogHarness>;

/** Every promise of the FlowLog contract. Facts are compared with the aggregation in TypeScript (daily.ts). */
export function flowLogSuite(name: string, fresh: Fresh, { cloud, keys }: FlowLogAbilities): void {
  const made = (seed: number): readonly ParsedRow[] => fc.sample(rowsOf(cloud), { seed, numRuns: 1 }).flat();
  const within = async (
    objects: readonly TrafficObject[],
    use: (log: FlowLog) => Promise<void>,
    options?: { peerCap: number },
  ) => {
    const harness = await fresh(objects, options);
    try {
      await use(harness.log);
    } finally {
      await harness.close();
    }
  };
  const [first = '', second = '', third = ''] = keys(3);

  describe(`${name} keeps the flow log contract`, () => {
    test('lists objects in the order of their keys, and only those after one', async () => {
      const objects = [third, first, second].map((key) => ({ key, rows: made(1) }));
      await within(objects, async (log) => {
        expect((await listed(log)).map(({ key }) => key)).toEqual([first, second, third]);
        expect((await listed(log, first)).map(({ key }) => key)).toEqual([second, third]);
      });
    });
    test('any traffic gives the facts and the coverage that the table of kinds says', async () => {
      await fc.assert(
        fc.asyncProperty(rowsOf(cloud), fc.constantFrom(1, 2, 64), async (rows, peerCap) => {
          await within(
            [{ key: first, rows }],
            async (log) => {
              expect(await cellsOfBatch(await log.usage(await listed(log)))).toEqual(
                expectedCells(rows, undefined, peerCap),
              );
            },
            { peerCap },
          );
        }),
        { numRuns: 10, seed: 7 },
      );
    }, 60_000);
    test('counts every good row and every bad row of every object', async () => {
      const objects = keys(3).map((key, index) => ({ key, rows: made(index + 10) }));
      await within(objects, async (log) => {
        const batch = await log.usage(await listed(log));
        expect(batch.objects.map(({ key, records, malformed }) => ({ key, records, malformed }))).toEqual(
          objects.map(({ key, rows }) => ({
            key,
            records: rows.filter(isGood).length,
            malformed: rows.filter((row) => !isGood(row)).length,
          })),
        );
      });
    });
    test('several objects are one traffic, whatever order they are asked for in, and give the same bytes again', async () => {
      const objects = keys(3).map((key, index) => ({ key, rows: made(index + 20) }));
      await within(objects, async (log) => {
        const wanted = await listed(log);
        const batch = await log.usage(wanted);
        const again = await log.usage(wanted.toReversed());
        expect(await cellsOfBatch(batch)).toEqual(expectedCells(objects.flatMap(({ rows }) => rows)));
        expect(Buffer.compare(again.facts.parquet, batch.facts.parquet)).toBe(0);
        expect(Buffer.compare(again.coverage.parquet, batch.coverage.parquet)).toBe(0);
      });
    });
    test('an object that cannot be read is named, adds nothing, and the others are read', async () => {
      const [one, broken, two] = keys(3).map((key, index) => ({ key, rows: made(index + 30), isBroken: index === 1 }));
      await within(
        [one, broken, two].filter((object) => object !== undefined),
        async (log) => {
          const batch = await log.usage(await listed(log));
          expect(batch.objects.map(({ unreadable }) => typeof unreadable)).toEqual([
            'undefined',
            'string',
            'undefined',
          ]);
          expect(batch.objects[1]).toMatchObject({ key: second, records: 0 });
          expect(await cellsOfBatch(batch)).toEqual(expectedCells([...(one?.rows ?? []), ...(two?.rows ?? [])]));
        },
      );
    });
    test('no objects, no facts', async () => {
      await within([], async (log) => {
        expect(await cellsOfBatch(await log.usage([]))).toEqual({ facts: [], coverage: [] });
      });
    });
    test('gives every row of an object in order', async () => {
      const rows = made(40);
      await within([{ key: first, rows }], async (log) => {
        const [object] = await listed(log);
        const read: ParsedRow[] = [];
        if (object) for await (const row of log.records(object)) read.push(row);
        expect(read.map(essence)).toEqual(rows.map(essence));
      });
    });
  });
}

async function listed(log: FlowLog, after?: string): Promise<LogObject[]> {
  const objects: LogObject[] = [];
  for await (const object of log.objects(after)) objects.push(object);
  return objects;
}

function isGood(row: ParsedRow): boolean {
  return row.kind !== 'malformed';
}

/** A row without what a format may word as it likes. */
function essence(row: ParsedRow): unknown {
  if (row.kind === 'malformed') return 'malformed';
  return row.kind === 'record'
    ? JSON.parse(JSON.stringify(row.record, Object.keys(row.record).toSorted()))
    : { scope: row.scope, end: row.end };
}
