/**
 * What the keys of a run's tasks begin with; a task's id goes on from there. A slash in the run's id is escaped, so
 * that the first one of a key parts the two, and no two tasks of any runs have the same.
 */
export function keyPrefixOf(runId: string): string {
  if (!runId.includes('/') && !runId.includes('%')) return `${runId}/`;
  return `${runId.replaceAll('%', '%25').replaceAll('/', '%2F')}/`;
}
