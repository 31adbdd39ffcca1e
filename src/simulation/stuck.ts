import type { OpenBody } from './bodies.ts';
import type { Broken } from './stage.ts';

/**
 * Says what is wrong where nothing can happen any more; `undefined` if that is as it should be.
 *
 * @param waiting tasks that wait for a value from outside
 */
export function whyStuck(
  open: readonly OpenBody[],
  waiting: readonly string[],
  hasEnded: boolean,
  unsettled: string,
): Broken | undefined {
  const idle = open.filter(({ calls }) => calls.size === 0).map(({ name }) => `\`${name}\``);
  if (hasEnded) {
    if (idle.length === 0) return undefined;
    return {
      kind: 'left over',
      message: `the body of ${idle.join(' and ')} never ended: it waits for something that nobody gives`,
    };
  }
  const why = open.map(({ name, calls, hung }) => {
    if (calls.size === 0) return `\`${name}\` waits for something that nobody gives`;
    const keys = hung.size > 0 ? hung : calls;
    return `\`${name}\` waits for ${[...keys].map(answerOf).join(', ')}, which never comes, without a time limit`;
  });
  why.push(...waiting.map((id) => `\`${id}\` waits for a value that nobody delivers, without a time limit`));
  const isOne = !unsettled.includes(', ');
  return {
    kind: 'never settles',
    message: `${unsettled} ${isOne ? 'has' : 'have'} never settled${why.length === 0 ? '' : `: ${why.join('; ')}`}`,
  };
}

/** Names bodies that wait for something real, and says what to do. */
export function waitsForReal(bodies: readonly OpenBody[]): Broken {
  const names = bodies.map(({ name }) => `\`${name}\``).join(' or ');
  return {
    kind: 'waits for something real',
    message:
      `the body of ${names} waits for something real, such as a file or a socket: make it a service of the world, ` +
      '`sim.service(…)`, or give the task another body by `bodies`',
  };
}

function answerOf(key: string): string {
  return `the answer of \`${key.slice(key.indexOf(' ') + 1)}\``;
}
