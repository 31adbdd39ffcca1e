import { choice, defineCommand, number, text, toggle } from '../command.ts';
import { storedGroup, storeOption } from '../stored/store-options.ts';
import { time } from '../time-option.ts';

export const prune = defineCommand({
  name: 'prune',
  summary: 'Remove runs that have ended, with their journals.',
  description:
    'Say which by --keep, --older-than, or both: a run goes if both say so. Prints the ids of what it removes. Runs that ' +
    'have not ended stay. The file keeps its size, and uses the room again.',
  group: storedGroup,
  options: {
    ...storeOption,
    keep: number('N', 'keep the latest N'),
    olderThan: time('only runs that ended longer ago than this'),
    flow: text('NAME', 'only runs of this flow'),
    status: choice('STATUS', ['done', 'failed', 'cancelled'], 'only runs that ended so'),
    dryRun: toggle('print the ids, and remove nothing'),
  },
  examples: [
    ['prune --store runs.sqlite --older-than 30d --dry-run', 'what would go'],
    ['prune --store runs.sqlite --status done --keep 1000', 'all but the latest'],
  ],
  run: async (_, given, io) => (await import('../stored/prune-runs.ts')).pruneRuns(given, io),
});
