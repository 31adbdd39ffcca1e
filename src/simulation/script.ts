import type { Schedule } from './schedule.ts';
import type { Told } from './stage.ts';

/** Writes a module that plays a schedule again and fails as it did; what bodies called stands beside it. */
export function scriptOf(told: readonly Told[], schedule: Schedule, message: string): string {
  const lines = told.map(
    ({ from, to, text }) => `//   ${oneLine(from === to ? `${from}: ${text}` : `${from} -> ${to}: ${text}`)}`,
  );
  return [
    "import { simulation } from './simulation.ts'; // made by createSimulation(flow, options)",
    '',
    ...lines,
    '',
    'const report = await simulation.run({',
    `  schedule: ${JSON.stringify(schedule)},`,
    '});',
    `// It throws: ${oneLine(message)}`,
    'report.assert();',
    '',
  ].join('\n');
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n\u2028\u2029]+/g, ' ');
}
