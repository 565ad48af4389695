import { z } from 'zod';

/**
 * Whether an entry has what the columns of every table hold, each of its type: one text where a number has to be would
 * keep a whole file from being written. More than that is left out by the tables that do not know it.
 */
export function hasColumns(entry: Uint8Array): boolean {
  return schema.safeParse(JSON.parse(Buffer.from(entry).toString())).success;
}

const whole = z.int();
const text = z.string();
const product = z.object({ name: text.optional(), vendor_name: text.optional() });

const schema = z.object({
  time: whole,
  category_uid: z.int32().optional(),
  class_uid: z.int32().nonnegative(),
  activity_id: z.int32().optional(),
  activity_name: text.optional(),
  type_uid: whole.optional(),
  severity_id: z.int32().optional(),
  status_id: z.int32().optional(),
  status: text.optional(),
  status_detail: text.optional(),
  message: text.optional(),
  actor: z.object({ user: z.object({ name: text }) }),
  metadata: z.object({
    uid: text,
    sequence: whole,
    correlation_uid: text,
    log_name: text.optional(),
    product: product.optional(),
    profiles: z.array(text).optional(),
    version: text.optional(),
  }),
  entity: z.object({ type: text.optional(), uid: text.optional() }).optional(),
  app: product.optional(),
  command_uid: text.optional(),
  connection_info: z.object({ direction_id: z.int32().optional() }).optional(),
});
