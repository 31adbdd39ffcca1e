export type { Effect, SnapshotOf, Step } from './actor-logic.ts';
export { CompiledLogic } from './actor-logic.ts';
export { CompileError, compile } from './compile.ts';
export { CompiledSnapshot } from './snapshot.ts';
