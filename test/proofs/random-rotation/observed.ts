import type { AuditEvent, AuditLog } from '../../../shared/audit/entry.ts';
import type { ObjectStore } from '../../../shared/objects/contract.ts';
import type { Login, LoginAnswer, Service, Slot } from '../../../shared/services/contract.ts';
import type { Process } from './process.ts';

/** Who hears of what a process does. It throws where a promise is broken. */
export interface Hearing {
  beforeEffect(process: Process, name: string): void;
  afterEffect(process: Process, name: string): void;
  noteLogin(login: Login): void;
  noteAnswers(process: Process, login: Login, answers: readonly LoginAnswer[]): void;
  noteEntry(process: Process, event: AuditEvent): void;
  beforeRetire(process: Process, slot: Slot, keep: Login | undefined, endSessions: boolean): void;
  afterRetire(process: Process): void;
  noteJournal(process: Process): void;
}

/** The service, with what is asked of it told. */
export function observedService(service: Service, process: Process, hearing: Hearing): Service {
  return {
    describe: () => service.describe(),
    sessions: (slot, before) => service.sessions(slot, before),
    async change(login, keep, guard) {
      hearing.noteLogin(login);
      return await service.change(login, keep, guard);
    },
    async accepts(login) {
      const answers = await service.accepts(login);
      hearing.noteAnswers(process, login, answers);
      return answers;
    },
    async retire(...[slot, keep, guard, options]) {
      hearing.beforeRetire(process, slot, keep, options?.endSessions ?? false);
      const results = await service.retire(slot, keep, guard, options);
      hearing.afterRetire(process);
      return results;
    },
  };
}

/** The state store, with every journal that was written told. */
export function observedState(state: ObjectStore, process: Process, hearing: Hearing): ObjectStore {
  const told = <T>(key: string, answer: T): T => {
    if (key.startsWith('rotations/')) hearing.noteJournal(process);
    return answer;
  };
  return {
    get: (key) => state.get(key),
    list: (prefix, after) => state.list(prefix, after),
    delete: (key, version) => state.delete(key, version),
    create: async (key, bytes) => told(key, await state.create(key, bytes)),
    replace: async (key, bytes, version) => told(key, await state.replace(key, bytes, version)),
  };
}

/** The log, with every entry told. */
export function observedLog(log: AuditLog, process: Process, hearing: Hearing): AuditLog {
  return {
    async record(event) {
      const acknowledgement = await log.record(event);
      hearing.noteEntry(process, event);
      return acknowledgement;
    },
  };
}
