/** One thing that is not as lockkeeper wrote it. */
export interface Finding {
  /** The object it is about. */
  readonly key: string;
  /** The entry it is about, by its index in the tree, where it is about one. */
  readonly index?: number;
  /**
   * changed: bytes differ · missing: no object where one must be · moved: holds what belongs elsewhere · doubled: has a
   * place twice · chain: does not follow the entry before it in its run · omitted: a run's entries are fewer than it
   * counts · cut-off: the log was longer · forked: another tree of this size was signed · unsigned: not signed by the
   * key · altered: the store kept that it was replaced, deleted or hidden · foreign: no object of the log ·
   * unreadable: what lies there is no object, is longer than any, or may not be read · unproven: waits, and nobody
   * with the log's key is known to have written it
   */
  readonly kind:
    | 'changed'
    | 'missing'
    | 'moved'
    | 'doubled'
    | 'chain'
    | 'omitted'
    | 'cut-off'
    | 'forked'
    | 'unsigned'
    | 'altered'
    | 'foreign'
    | 'unreadable'
    | 'unproven';
  /** One phrase that continues "KEY …". */
  readonly what: string;
}

/** Takes what is found. */
export type Note = (finding: Finding) => void;
