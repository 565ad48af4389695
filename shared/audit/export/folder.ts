import type { ObjectStore } from '../../objects/contract.ts';

/**
 * The directory that a log is exported to. What is put into it is there whole or not at all, wherever the export dies.
 */
export interface ExportFolder {
  /** Where it is, for people. */
  readonly where: string;
  /** What lies in it, to be read. */
  readonly objects: Pick<ObjectStore, 'get' | 'list'>;
  /** Names of everything at its top but unfinished work; none where it is not there yet. */
  names(): Promise<readonly string[]>;
  /** Puts a file there, over one that was there. */
  put(path: string, bytes: Uint8Array): Promise<void>;
  /** Deletes a file; nothing where there is none. */
  remove(path: string): Promise<void>;
  /** A file that is written bit by bit and has no place yet. */
  draft(): Promise<Draft>;
  /** On return a power loss takes away nothing that was put there before. */
  settle(): Promise<void>;
  /**
   * Comes before the first write. Throws unfinished work of other exports away: of one that died, and of one that goes
   * on, whose next write is `conflict`, so that no two write at once.
   */
  begin(): Promise<void>;
  /** Waits for what is under way, and throws away what has no place by then. */
  end(): Promise<void>;
}

/** A file on its way. */
export interface Draft {
  /** Where it is meanwhile, for a library that writes it itself. */
  readonly file: string;
  append(text: string): Promise<void>;
  /** Gives it its place. */
  keep(path: string): Promise<void>;
  /** Throws it away. */
  drop(): Promise<void>;
}
