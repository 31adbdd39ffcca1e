// `{}` fits an index signature, but no object type with a key of known text.

/** An id of which only the form is known, such as `string` or `file-${string}`; never for any other. */
export type LooseId<Id> = Id extends string
  ? Record<never, never> extends Record<Id, 1>
    ? Id
    : never
  : never;

/** An id whose text is known; never for any other. */
export type TextId<Id> = Id extends string
  ? Record<never, never> extends Record<Id, 1>
    ? never
    : Id
  : never;

/** Whether a list of ids is made of data: its length or its ids are known only at run time. */
export type IsListed<Ids extends readonly unknown[]> = number extends Ids['length']
  ? true
  : [LooseId<Ids[number]>] extends [never]
    ? false
    : true;

/** The ids that are in a list whatever its length: those written before and after a spread. */
export type FixedIds<Ids extends readonly unknown[]> = Ids extends readonly [infer Id, ...infer Rest]
  ? TextId<Id> | FixedIds<Rest>
  : Ids extends readonly [...infer Rest, infer Id]
    ? TextId<Id> | FixedIds<Rest>
    : never;

/** The ids that may be in a list. */
export type RestIds<Ids extends readonly unknown[]> = Exclude<TextId<Ids[number]>, FixedIds<Ids>>;

/** Refuses a list that contains an id known to be no task. */
export type KnownIds<Tasks, Ids extends readonly unknown[]> = [
  Exclude<IsListed<Ids> extends true ? FixedIds<Ids> | RestIds<Ids> : Ids[number], keyof Tasks>,
] extends [never]
  ? unknown
  : readonly (keyof Tasks & string)[];
