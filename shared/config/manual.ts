import { z } from 'zod';
import { day, instant, parseInstant, type Instant } from '../base/time.ts';
import { durationPattern, parseDuration, type Duration } from './duration.ts';
import { duration } from './fields.ts';
import type { FieldMistake, Kind } from './kinds.ts';
import { listOf, maybeText } from './lenient.ts';
import { secretPlace, type SecretPlace } from './references.ts';

/** When something ends: the moment, and the text that said so. */
export interface Ending {
  readonly at: Instant;
  readonly text: string;
}

/** A credential that nothing can rotate: people renew it, and lockkeeper reminds them. */
export interface ManualCredential {
  readonly engine: 'manual';
  readonly secrets: readonly SecretPlace[];
  readonly expires?: Ending;
  readonly lifetime?: Duration;
  /** How long before the end, in no order. */
  readonly remind: readonly Duration[];
  readonly renew: string;
}

/** It stands among the engines in the configuration, and no driver is opened for it. */
export const manualKind: Kind = {
  name: 'manual',
  description: 'A credential that nothing can rotate, such as the key of a partner or a license: people are reminded.',
  fields,
  mistakes,
};

/** A date has no hour and no zone: it is good to the last moment of that day in UTC. */
const ending = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], {
    error: 'is not a date such as 2027-03-31, nor a time such as 2027-03-31T12:00:00Z',
  })
  .transform((text): Ending => ({ text, at: endOf(text) }));

function endOf(text: string): Instant {
  return text.includes('T') ? parseInstant(text) : instant(Date.parse(`${text}T00:00:00Z`) + day);
}

function fields() {
  return {
    secrets: z.array(secretPlace).min(1).describe('Every place from which consumers read the credential.'),
    expires: ending
      .exactOptional()
      .describe('When it expires. A date without a time is the end of that day in UTC. Default: see `lifetime`.'),
    lifetime: duration
      .exactOptional()
      .describe(
        'How long a value is good, from when lockkeeper first saw it. Default: places of the form pem say it themselves.',
      ),
    remind: z
      .array(duration)
      .min(1)
      .prefault(['30d', '7d', '1d'])
      .describe('How long before the end people are reminded, each shorter than `lifetime`.'),
    renew: z.string().min(1).max(500).describe('Who renews it and how, for people.'),
  };
}

const lenient = z.object({
  expires: z.unknown().optional(),
  lifetime: z.unknown().optional(),
  remind: listOf(maybeText),
  secrets: listOf(z.object({ form: maybeText }).catch({})),
});

function mistakes(written: Readonly<Record<string, unknown>>): readonly FieldMistake[] {
  const { expires, lifetime, remind, secrets } = lenient.parse(written);
  if (expires !== undefined && lifetime !== undefined)
    return [{ field: 'lifetime', what: 'stands beside `expires`', hint: 'Say one of the two.' }];
  if (expires === undefined && lifetime === undefined && secrets.some(({ form }) => form !== 'pem'))
    return [
      {
        field: 'expires',
        what: 'is missing',
        hint: 'Say when it expires, or its `lifetime`. Only a certificate (form: pem) says it itself.',
      },
    ];
  const longestMs = msOf(lifetime);
  const isLonger = remind.some((one) => longestMs !== undefined && (msOf(one) ?? 0) >= longestMs);
  if (!isLonger) return [];
  return [{ field: 'remind', what: 'is as long as `lifetime`', hint: 'Remind people later than on the first day.' }];
}

function msOf(written: unknown): number | undefined {
  return typeof written === 'string' && durationPattern.test(written) ? parseDuration(written).ms : undefined;
}
