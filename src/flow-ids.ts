// An object without keys fits an index signature, and no key that is written out.

/** An id of which only the form is known, as of `string` and `file-${string}`; never for any other. */
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

/** Whether a list of ids is made of data: how many there are, or what they say, is known when it runs. */
export type IsListed<Ids extends readonly unknown[]> = number extends Ids['length']
  ? true
  : [LooseId<Ids[number]>] extends [never]
    ? false
    : true;

/** The ids that are in a list whatever its length: those written before and after what is spread into it. */
export type FixedIds<Ids extends readonly unknown[]> = Ids extends readonly [infer Id, ...infer Rest]
  ? TextId<Id> | FixedIds<Rest>
  : Ids extends readonly [...infer Rest, infer Id]
    ? TextId<Id> | FixedIds<Rest>
    : never;

/** The ids that may be in a list. */
export type RestIds<Ids extends readonly unknown[]> = Exclude<TextId<Ids[number]>, FixedIds<Ids>>;

/** Refuses a list with an id that is known to be no task. */
export type KnownIds<Tasks, Ids extends readonly unknown[]> = [
  Exclude<IsListed<Ids> extends true ? FixedIds<Ids> | RestIds<Ids> : Ids[number], keyof Tasks>,
] extends [never]
  ? unknown
  : readonly (keyof Tasks & string)[];
