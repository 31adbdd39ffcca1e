/** An instant in UTC to the second; anything that is none as text. */
export function showInstant(at: unknown): string {
  if (at === null || at === undefined) return '';
  const date = new Date(at as number);
  return Number.isNaN(date.getTime()) ? String(at) : `${date.toISOString().slice(0, 19)}Z`;
}
