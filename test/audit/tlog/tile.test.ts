import { fc } from '../../properties.ts';
import { describe, expect, test } from '@jest/globals';
import { bundlePath, newTiles, parseTilePath, tilePath, tilesOf, type Tile } from '../../../shared/audit/tlog/tile.ts';

describe('the path of a tile', () => {
  test.each([
    [tilePath(0, 0), 'tile/0/000'],
    [tilePath(0, 67), 'tile/0/067'],
    [tilePath(0, 1067), 'tile/0/x001/067'],
    [tilePath(2, 1_234_067), 'tile/2/x001/x234/067'],
    [tilePath(63, 999, 255), 'tile/63/999.p/255'],
    [tilePath(1, 0, 1), 'tile/1/000.p/1'],
    [bundlePath(1_234_067), 'tile/entries/x001/x234/067'],
    [bundlePath(273, 112), 'tile/entries/273.p/112'],
  ])('%s is %s', (path, expected) => {
    expect(path).toBe(expected);
  });

  test('is understood again, whatever it names', () => {
    const indexes = fc.oneof(fc.nat(3000), fc.maxSafeNat());
    fc.assert(
      fc.property(fc.nat(63), indexes, fc.integer({ min: 1, max: 256 }), (level, index, width) => {
        expect(parseTilePath(tilePath(level, index, width))).toEqual({ kind: 'hashes', level, index, width });
        expect(parseTilePath(bundlePath(index, width))).toEqual({ kind: 'entries', index, width });
      }),
    );
  });

  test.each([
    '',
    'tile/0/67',
    'tile/0/0067',
    'tile/0/x000/067',
    'tile/0/001/067',
    'tile/0/x001/x067',
    'tile/00/067',
    'tile/64/067',
    'tile/8/0/067',
    'tile/-1/067',
    'tile/0/067.p/0',
    'tile/0/067.p/256',
    'tile/0/067.p/08',
    'tile/0/067.p/',
    'tile/0/067.p',
    'tile/0/067/',
    '/tile/0/067',
    'tile/0/067\n',
    'tile/0/x999/x999/x999/x999/x999/999',
    'tile/data/067',
    'tile/entries/67',
    'tile/entries/0/067',
    'checkpoint',
  ])('%j names nothing', (path) => {
    expect(parseTilePath(path)).toBeUndefined();
  });

  test('cannot be asked for what no log has', () => {
    for (const ask of [
      () => tilePath(64, 0),
      () => tilePath(-1, 0),
      () => tilePath(0, -1),
      () => tilePath(0, 0.5),
      () => tilePath(0, 0, 0),
      () => bundlePath(0, 257),
      () => bundlePath(NaN),
    ]) {
      expect(ask).toThrow(expect.objectContaining({ code: 'bug' }));
    }
  });
});

describe('the tiles of a log', () => {
  test('of 70 000 entries are 273 full and three partial ones, and one full above', () => {
    const tiles = tilesOf(70_000);
    expect(tiles.filter(({ level, width }) => level === 0 && width === 256)).toHaveLength(273);
    expect(tiles.filter(({ level, width }) => level > 0 || width < 256)).toEqual([
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 0, width: 256 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ]);
  });

  test.each<[number, readonly Tile[]]>([
    [0, []],
    [1, [{ level: 0, index: 0, width: 1 }]],
    [255, [{ level: 0, index: 0, width: 255 }]],
    [
      256,
      [
        { level: 0, index: 0, width: 256 },
        { level: 1, index: 0, width: 1 },
      ],
    ],
    [
      257,
      [
        { level: 0, index: 0, width: 256 },
        { level: 0, index: 1, width: 1 },
        { level: 1, index: 0, width: 1 },
      ],
    ],
  ])('of %i entries', (size, tiles) => {
    expect(tilesOf(size)).toEqual(tiles);
  });

  test('that are new are those of the larger log that the smaller one has not', () => {
    const sizes = fc.oneof(fc.nat(1000), fc.nat(200_000));
    fc.assert(
      fc.property(sizes, sizes, (one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        const had = new Set(tilesOf(from).map(nameOf));
        expect(newTiles(from, to)).toEqual(tilesOf(to).filter((tile) => !had.has(nameOf(tile))));
      }),
      { numRuns: 50 },
    );
  });

  test('hold every hash once: the full ones below a level are the hashes of that level', () => {
    fc.assert(
      fc.property(fc.nat(300_000), (size) => {
        const counts = new Map<number, number>();
        for (const { level, width } of tilesOf(size)) counts.set(level, (counts.get(level) ?? 0) + width);
        for (const [level, count] of counts) expect(count).toBe(Math.floor(size / 256 ** level));
      }),
      { numRuns: 30 },
    );
  });

  test('of a log that shrinks are a defect', () => {
    expect(() => newTiles(2, 1)).toThrow(expect.objectContaining({ code: 'bug' }));
    expect(() => tilesOf(-1)).toThrow(expect.objectContaining({ code: 'bug' }));
  });
});

function nameOf({ level, index, width }: Tile): string {
  return tilePath(level, index, width);
}
