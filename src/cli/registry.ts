import type { Command } from './command.ts';
import { completionOf } from './commands/completion.ts';
import { graph } from './commands/graph.ts';
import { run } from './commands/run.ts';
import { simulate } from './commands/simulate.ts';
import { test } from './commands/test.ts';

/**
 * All commands, in the order of the help. A new one is a file in `commands/` and a line here: parsing, help and
 * completion are made of its description, and its `run` gets an `Io`, from which it takes all that it needs of the
 * process (streams, environment, signals), so that a test calls `runCli([...], io)` and spawns nothing.
 */
export const commands: readonly Command[] = [run, simulate, graph, test, completionOf(() => commands)];
