import * as assert from 'uvu/assert';
import {
  CancelledError,
  EngineStoppedError,
  FlowError,
  InputError,
  RetryAfterError,
  RunFailedError,
  SkipTask,
  StoreConflictError,
  TimeoutError,
  textOf,
  viewError,
} from '../../src/model/error.ts';
import { spec } from '../spec.ts';

const test = spec('errors');

test('say what happened, and carry it as fields', () => {
  const failure = {
    taskId: 'mail',
    error: { name: 'TypeError', message: 'broken' },
    cause: 'exhausted',
  } as const;
  const texts: [Error, string][] = [
    [
      new InputError('f', [
        { message: 'too short', path: ['a', 0] },
        { message: 'no', path: [] },
      ]),
      'Input of flow `f` is not valid: a.0: too short; no',
    ],
    [new RetryAfterError(5), 'Try again in 5 ms'],
    [new SkipTask(), 'The task skipped itself'],
    [new TimeoutError('Task `a`', 'timeoutMs', 5), 'Task `a` took longer than its `timeoutMs` of 5 ms'],
    [new CancelledError(), 'The run was cancelled'],
    [new CancelledError('enough'), 'The run was cancelled: enough'],
    [
      new EngineStoppedError(),
      'The engine was stopped before the run settled; `engine.recover` continues it',
    ],
    [new StoreConflictError('r', 'taken'), 'taken'],
    [
      new RunFailedError('f', 'r', 'failed', [failure]),
      'Run r of flow `f` ended failed: task `mail` failed with TypeError: broken',
    ],
    [
      new RunFailedError('f', 'r', 'failed', [failure, failure, failure]),
      'Run r of flow `f` ended failed: task `mail` failed with TypeError: broken (and 2 more)',
    ],
    [new RunFailedError('f', 'r', 'cancelled', []), 'Run r of flow `f` was cancelled'],
    [
      new RunFailedError('f', 'r', 'cancelled', [], { code: 1 }),
      'Run r of flow `f` ended cancelled: {"code":1}',
    ],
  ];
  for (const [error, text] of texts) assert.is(error.message, text);
  assert.equal(new FlowError('bad_option', 'no', { flow: 'f', option: 'o' }).option, 'o');
  assert.equal(Object.keys(new FlowError('bad_id', 'no')).sort(), ['code', 'name']);
});

test('describe any value in words', () => {
  assert.equal(
    [textOf('a'), textOf(new Error('b')), textOf({ c: 1 }), textOf(undefined), textOf(() => {}).slice(0, 2)],
    ['a', 'b', '{"c":1}', 'undefined', '()'],
  );
  assert.is(textOf({ toJSON: () => undefined }), 'an object');
  assert.is(
    textOf(
      Object.defineProperty(new Error(), 'message', {
        get: () => {
          throw new Error();
        },
      }),
    ),
    'an unreadable error',
  );
});

test('view an error as data, with its stack where it has one', () => {
  assert.equal(viewError({ message: 'like an error' }), { name: 'Error', message: 'like an error' });
  const { name, message, stack } = viewError(new RangeError('far'));
  assert.equal([name, message], ['RangeError', 'far']);
  assert.match(stack ?? '', 'RangeError: far');
});
