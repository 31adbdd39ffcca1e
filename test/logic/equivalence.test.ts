import * as assert from 'uvu/assert';
import { type AnyEventObject, type AnyMachineSnapshot, type AnyStateMachine } from 'xstate';
import { orchestratorMachine } from '../../machines/orchestrator.ts';
import { taskMachine } from '../../machines/task.ts';
import { type CompiledLogic, compile } from '../../src/logic/index.ts';
import type { CompiledSnapshot } from '../../src/logic/snapshot.ts';
import { triggerRules } from '../../src/model/trigger-rule.ts';
import { spec } from '../spec.ts';
import { shortestPaths, simplePaths } from '../support/graph.ts';
import {
  compiledStart,
  compiledStep,
  diceOf,
  differenceOf,
  interpretStart,
  interpretStep,
  lookDifferenceOf,
  oneOf,
} from './oracle.ts';
