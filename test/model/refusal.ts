import { FlowError } from 'topple';
import * as assert from 'uvu/assert';

/** What a definition is refused with. */
export function refusalOf(define: () => unknown): FlowError {
  try {
    define();
  } catch (error) {
    assert.instance(error, FlowError);
    return error as FlowError;
  }
  throw new Error('nothing was refused');
}
