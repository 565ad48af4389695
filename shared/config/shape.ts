import { z } from 'zod';
import { configSchema } from './schema.ts';
import type { Path } from './source.ts';

let published: Record<string, unknown> | undefined;

/**
 * The JSON Schema (2020-12) of lockkeeper.yaml, as published in docs/lockkeeper.schema.json. It is made once, and is the
 * same object at every call.
 */
export function configJsonSchema(): Record<string, unknown> {
  published ??= z.toJSONSchema(
    configSchema((path) => path),
    { io: 'input' },
  );
  return published;
}

/** What the schema says about one place of the file. */
export interface Shape {
  /** Keys that may stand there; empty where the place is no map, or its keys are free. */
  readonly keys: readonly string[];
  readonly description: string | undefined;
}

/**
 * Looks `path` up in the schema, every alternative of a union counted. An entry without a text has that of its list.
 */
export function shapeAt(schema: unknown, path: Path): Shape {
  let places = alternatives(schema);
  let described = places;
  for (const step of path) {
    described = places.flatMap((place) => below(place, step));
    places = described.flatMap(alternatives);
  }
  const keys = new Set(places.flatMap((place) => Object.keys(record(place['properties']))));
  const description = [...described, ...places]
    .map((place) => place['description'])
    .find((text) => typeof text === 'string');
  if (description === undefined && typeof path.at(-1) === 'number')
    return { ...shapeAt(schema, path.slice(0, -1)), keys: [...keys] };
  return { keys: [...keys], description };
}

type Place = Readonly<Record<string, unknown>>;

function alternatives(schema: unknown): readonly Place[] {
  const place = record(schema);
  const inner = [place['oneOf'], place['anyOf']].flatMap((list): readonly unknown[] =>
    Array.isArray(list) ? list : [],
  );
  return [place, ...inner.flatMap(alternatives)];
}

function below(place: Place, step: string | number): readonly Place[] {
  if (typeof step === 'number') return isRecord(place['items']) ? [place['items']] : [];
  const named = record(place['properties'])[step];
  if (isRecord(named)) return [named];
  return isRecord(place['additionalProperties']) ? [place['additionalProperties']] : [];
}

function record(value: unknown): Place {
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Place {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
