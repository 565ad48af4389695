/**
 * The least that the driver needs on its bus: `send` for the event, `look` besides where the bus is not the default one.
 */
export const permissions = { send: ['events:PutEvents'], look: ['events:DescribeEventBus'] } as const;
