import { createServer } from 'node:http';
import express from 'express';
import fastify from 'fastify';
import { createBackground, createRunsHandler } from 'topple/http';
import { withTasks as onExpress } from 'topple/http/express';
import { withTasks as onFastify, runsPlugin } from 'topple/http/fastify';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';
import { listen } from './servers.ts';

const test = spec("habits of frameworks' users");

test('a handler may return anything that has a `then`: its tasks are dropped where that is rejected', async () => {
  const background = createBackground({ logger: silent });
  const ran: string[] = [];
  const app = fastify();
  app.get(
    '/',
    onFastify(background, (_request, _reply, tasks) => {
      tasks.add(() => ran.push('task'));
      const failing = Promise.reject(new Error('late'));
      return { then: failing.then.bind(failing) };
    }),
  );
  assert.is((await app.inject('/')).statusCode, 500);
  await background.drain();
  assert.equal(ran, []);
});

test('a handler of Fastify has the app as `this`', async () => {
  const background = createBackground({ logger: silent });
  const app = fastify();
  app.get(
    '/',
    onFastify(background, function () {
      return { isApp: this.server === app.server };
    }),
  );
  assert.equal((await app.inject('/')).json(), { isApp: true });
  await background.drain();
});

test('`next` of Express may be given what is falsy, as no error', async () => {
  const background = createBackground({ logger: silent });
  const ran: string[] = [];
  const app = express();
  app.use(
    onExpress(background, (_req, _res, tasks, next) => {
      tasks.add(() => ran.push('task'));
      next(0);
    }),
  );
  app.use((_req, res) => void res.send('went on'));
  await using server = await listen(createServer(app));
  assert.is(await (await fetch(`http://127.0.0.1:${server.port}/`)).text(), 'went on');
  await background.drain();
  assert.equal(ran, ['task']);
});

test('what Fastify refuses of the requests about runs is a problem, too', async () => {
  const background = createBackground({ logger: silent });
  const app = fastify();
  app.register(runsPlugin(createRunsHandler({ engine: background.engine })));
  const response = await app.inject({
    method: 'POST',
    url: '/runs/x/cancel',
    headers: { 'content-type': '///' },
    payload: '{}',
  });
  assert.is(response.headers['content-type'], 'application/problem+json');
  assert.equal(response.json().status, response.statusCode);
  assert.is(response.statusCode, 415);
});
