import type { MaybePromise, Store } from './store.ts';

/**
 * A store that engines in several processes share.
 *
 * A root belongs to one engine at a time, and only that one may append to it while it is unsettled. Each store object is
 * one engine to the others. A root created by an append belongs to the appender; an append to a root that nobody owns, or
 * that has settled, makes it the owner.
 *
 * A child run belongs to whoever owns its root, with which it is claimed, released and lost. An append to it makes the
 * appender the owner of a root that is unsettled and that nobody owns. While the root is settled, only its last owner may
 * append to the runs below it, and the root stays settled.
 */
export interface SharedStore extends Store {
  /**
   * Takes up unsettled roots of these flows that nobody alive owns, oldest first. Runs of engines found dead are among
   * them. Runs that were set aside are not; of the runs whose process has been lost twice or more, at most one comes at
   * a time.
   */
  claim(flows: readonly string[], options?: ClaimOptions): MaybePromise<readonly ClaimedRun[]>;
  /**
   * Takes up one root, whatever its flow, and even if it was set aside. Returns it unchanged if this store owns it, and
   * `undefined` if it is unknown. Throws `StoreConflictError` if another engine that is alive owns it while it is
   * unsettled. The id of a child that is known stands for its root, which is what is returned.
   *
   * @param goesOn whether a run that was set aside is so no more: then one more loss sets it aside again. If false, it
   * is set aside again once it is released. Default true
   */
  claimRun(runId: string, goesOn?: boolean): MaybePromise<ClaimedRun | undefined>;
  /**
   * Gives roots up, so that others can claim them; children, and runs of others, are ignored. Closing the store releases
   * all.
   *
   * @param areRefused whether this store shall not claim them, nor watch for them, until another has had them or it
   * claims afresh. Default false
   */
  release(runIds: readonly string[], areRefused?: boolean): MaybePromise<void>;
  /** Sets what is called when something happens to runs. Replaces an earlier watcher; `undefined` ends the watch. */
  watch(watcher: StoreWatcher | undefined): MaybePromise<void>;
  /**
   * Asks the engine that owns a run to do something with it; done when the engine has answered, usually within a
   * second; returns its reply, if the request has one. Of a child that is the engine that owns the root, which must be unsettled. Throws `StoreError`: `unowned` if no engine that is alive owns it, or if the owner is gone before it
   * answers, `refused` with the owner's words if it refuses. After `unowned`, `claimRun` and do it oneself.
   */
  request(runId: string, request: RunRequest): MaybePromise<string | undefined>;
}

/** Which runs are claimed. */
export interface ClaimOptions {
  /** The most runs in one answer. Default 100. */
  readonly limit?: number | undefined;
  /** Whether runs of these flows that this store has released as refused come again. Default false. */
  readonly afresh?: boolean | undefined;
}

/** A root that a store has claimed, with all below it. */
export interface ClaimedRun {
  readonly id: string;
  readonly flow: string;
  /** `seq` of its last entry. */
  readonly seq: number;
  /** Counts the owners of the run, from 1. */
  readonly epoch: number;
  /**
   * How often its process was lost since one of its tasks settled, or one of a run below it. If it was, the start of an
   * attempt must be kept before its body is called, until a task settles: so the store can tell whether a body was under
   * way. This holds for all attempts of the tree.
   */
  readonly losses: number;
}

/** Callbacks of a watched store. What they throw is ignored, except by `requested`. */
export interface StoreWatcher {
  /** Flows whose runs this engine can continue. */
  readonly flows: readonly string[];
  /** There may be runs of `flows` to claim. Repeated while there are. */
  claimable?(): void;
  /** These roots of this store belong to it no more: others held this engine dead, perhaps because it was frozen. */
  taken?(runIds: readonly string[]): void;
  /** Another process asks something of a run of this store, perhaps a child. To throw or reject is to refuse, to return a text is to reply. */
  requested?(runId: string, request: RunRequest): MaybePromise<string | undefined>;
}

/**
 * A command for a run that another engine owns. Values must have JSON. An engine of an earlier topple replies nothing to a
 * request that it does not know, so one that must not be lost has a reply.
 */
export interface RunRequest {
  readonly type: 'cancel' | 'pause' | 'resume' | 'rerun' | 'deliver';
  /** Of a cancellation. */
  readonly reason?: unknown;
  /** Of a rerun. */
  readonly taskIds?: readonly string[] | undefined;
  /** Of a delivery: the task, after those that lead to its run. */
  readonly path?: readonly string[] | undefined;
  /** Of a delivery: the value, as the store writes it. */
  readonly value?: string | undefined;
  /** Of a delivery. */
  readonly key?: string | undefined;
}

/** Whether engines in several processes share a store. */
export function isShared(store: Store | undefined): store is SharedStore {
  return store !== undefined && 'claim' in store && 'watch' in store;
}
