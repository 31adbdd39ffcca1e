// What tests are made of, exported without its type.

import { compile } from 'topple/logic';
import { createGraph, Ledger, orchestratorMachine, taskMachine } from 'topple/machines';
import { createSimulation } from 'topple/simulation';
import * as testing from 'topple/testing';
import { getShortestPaths, runPathOptions, taskPathOptions } from 'topple/testing/paths';
import { flow } from './flows.ts';

export const clock = testing.createVirtualClock();
export const model = testing.createFlowModel(flow);
export const paths = model.getTestPaths();
export const exploration = testing.explore(flow);
export const tested = () => testing.testFlow(flow);
export const lints = testing.lint(flow);
export const held = testing.hold<number>();
export const property = testing.eventually((view) => view.status === 'done');
export const scripts = [testing.ok(1), testing.fails(2), testing.takes(5)];
export const pathOptions = { run: runPathOptions(flow), task: taskPathOptions() };
export const runPaths = getShortestPaths(taskMachine, taskPathOptions());

export const simulation = createSimulation(flow, { world: (sim) => ({ list: sim.service([1]) }) });

export const compiled = compile(taskMachine);
export const compiledLogic = compiled.logic;
export const step = compile(orchestratorMachine).initial({
  ledger: Ledger.open({
    graph: createGraph('g', [{ id: 'a' }]),
    rules: ['always'],
    optional: new Uint8Array(1),
  }),
});
