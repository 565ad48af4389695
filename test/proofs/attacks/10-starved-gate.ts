import type { Attack } from './attack.ts';
import { brokenDisk, crowds, hogged, oneLeft, stuck, type Tally } from './starved/starvations.ts';

const door = 'functions/local/gate/door.ts';

/** Clients take what the gate's process needs, and its log is to say that a healthy service refused them. */
export const attack: Attack = {
  number: 10,
  about: 'a gate that is short of descriptors, of a disk, or of an answer',
  run: async () => {
    const tally: Tally = { clients: 0, answered: 0, lost: 0, told: 0 };
    for (const cloud of ['aws', 'gcp', 'azure'] as const) await crowds(cloud, tally);
    for (const step of [hogged, oneLeft, stuck, brokenDisk]) await step(tally);
    const { clients, answered, lost, told } = tally;
    return `${clients} clients of healthy services, ${answered} answered, ${lost} lost and said to be, 0 logged as refused; people were told ${told} times; real refusals are logged`;
  },
  switchedBack: [
    {
      name: 'everything-is-refused',
      file: door,
      find: "if (error !== undefined && systemCode(error) === 'ECONNREFUSED')",
      replace: 'if (error !== undefined)',
    },
    { name: 'pending-at-the-end', file: door, find: "upstream.once('close', unanswered);", replace: '' },
    {
      name: 'no-budget',
      file: 'functions/local/gate/descriptors.ts',
      find: 'if (this.#others + this.#taken + 2 > this.#limit - this.#reserve) return false;',
      replace: '',
    },
    {
      name: 'no-look',
      file: 'functions/local/gate/gate.ts',
      find: 'if (!descriptors.hasOne())',
      replace: 'if (descriptors === undefined)',
    },
    {
      name: 'losses-not-in-the-log',
      file: 'functions/local/gate/flow-log-writer.ts',
      find: '...interval.losses.map((loss) => loss.interface)',
      replace: '',
    },
    {
      name: 'losses-hide-rows',
      file: 'functions/local/gate/formats/aws.ts',
      find: "return [...rows, statusRow('SKIPDATA')];",
      replace: "return [statusRow('SKIPDATA')];",
    },
    {
      name: 'losses-not-read-gcp',
      file: 'shared/flow-logs/formats/gcp-vpc.ts',
      find: "if (payload['log_status'] === 'SKIPDATA') return lostRow(entry, payload);",
      replace: '',
    },
    {
      name: 'losses-not-read-azure',
      file: 'shared/flow-logs/formats/azure-vnet.ts',
      find: "if (record['logStatus'] !== 'SKIPDATA') return",
      replace: "if (record['logStatus'] !== null) return",
    },
    {
      name: 'windows-that-a-disk-did-not-take',
      file: 'functions/local/gate/flow-log-writer.ts',
      find: '      this.#giveUpOldest();',
      replace: '      this.#batches = [];',
    },
  ],
};
