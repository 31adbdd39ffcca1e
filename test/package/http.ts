// Handlers with background tasks, for each server, exported without their types.

import { createBackground, createRunsHandler, createTask } from 'topple/http';
import { withTasks as onExpress } from 'topple/http/express';
import { withTasks as onFastify, runsPlugin } from 'topple/http/fastify';
import { withTasks as onFetch } from 'topple/http/fetch';
import { withTasks as onHono } from 'topple/http/hono';
import { drainOn, withTasks as onNode, toNodeHandler } from 'topple/http/node';
import { createStatelyInspect } from 'topple/inspector';
import { z } from 'zod';
import { flow } from './flows.ts';

export const background = createBackground({ maxPending: 10 });
export const mail = createTask('mail', {
  args: z.tuple([z.email()]),
  retry: { maxAttempts: 2 },
  perform: async (to) => to.length,
});
export const express = onExpress(background, (_req, res, tasks) => {
  tasks.add(mail, 'ada@example.org');
  res.end();
});
export const fastify = onFastify(background, async (_request, _reply, tasks) =>
  tasks.start(flow, { n: '1' }),
);
export const hono = onHono(background);
export const node = onNode(background, (_request, response, tasks) => {
  const first = tasks.task('first', { perform: () => 1 });
  tasks.task('second', { dependsOn: [first, 'other'], perform: ({ deps }) => deps.first + 1 });
  response.end();
});
export const fetching = onFetch(background, (_request, tasks) => {
  const one = tasks.add(() => 7);
  return Response.json({ id: one.id, runId: tasks.runId });
});
export const handles = (tasks: Parameters<Parameters<typeof onNode>[1]>[2]) => {
  const one = tasks.task('one', { perform: () => 7 });
  return { one, list: tasks.add(mail, 'ada@example.org'), flow: tasks.start(flow, { n: '1' }) };
};
export const delivery = background.open();
export const drained = background.drain({ graceMs: 1 });
export const runs = createRunsHandler({ engine: background.engine, authorize: () => true });
export const plugin = runsPlugin(runs);
export const runsOnNode = toNodeHandler(runs);
export const stopDraining = drainOn;
export const inspect = createStatelyInspect();
