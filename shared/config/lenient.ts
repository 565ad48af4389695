import { z } from 'zod';

/** A text; undefined where something else was written. */
export const maybeText = z.string().optional().catch(undefined);

/** A list of texts, with "" for what is none; undefined where something else was written. */
export const maybeTexts = z.array(z.string().catch('')).optional().catch(undefined);

/** A list; empty where something else was written. */
export const listOf = <T extends z.ZodType>(item: T) => z.array(item).catch([]);
