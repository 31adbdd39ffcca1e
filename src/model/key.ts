/** Names one task of one run, and no other: a slash in the run's id is escaped, so that the first one parts the two. */
export function keyOf(runId: string, taskId: string): string {
  const isPlain = !runId.includes('/') && !runId.includes('%');
  return `${isPlain ? runId : runId.replaceAll('%', '%25').replaceAll('/', '%2F')}/${taskId}`;
}
