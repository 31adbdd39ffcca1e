export type { AnyScope, Effect, LogicOf, SnapshotOf, Step } from './actor-logic.ts';
export { CompiledLogic } from './actor-logic.ts';
export { CompileError, type CompileOptions, compile } from './compile.ts';
export { CompiledSnapshot, type Status } from './snapshot.ts';
