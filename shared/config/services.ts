import { z } from 'zod';
import { credential } from './engines.ts';
import { endpoint, name, person, port, type ResolvePath } from './fields.ts';

/** One service of the port map. */
export function service(resolve: ResolvePath) {
  return z.strictObject({
    name: name.describe('One word for the service, everywhere.'),
    owner: person.describe('Who answers for it. Owners do not approve changes to their own services.'),
    network: name.describe('One of `networks`.'),
    port: port.describe('Where clients reach it.'),
    protocol: z.enum(['tcp', 'udp']).default('tcp').describe('Its transport.'),
    forwardTo: endpoint.optional().describe('Where a gate that lockkeeper runs sends what it lets in.'),
    tags: z.array(name).default([]).describe('Words by which people choose services, like `rotate --tag payments`.'),
    consumers: z.array(z.string().min(1)).default([]).describe('Who uses it, by name.'),
    approvers: z
      .array(person)
      .min(1)
      .optional()
      .describe('Who may decide about it. Default: everybody under `approvals`.'),
    credential: credential(resolve)
      .optional()
      .describe('What clients show it, if lockkeeper is to rotate that, or to remind people to renew it.'),
  });
}
