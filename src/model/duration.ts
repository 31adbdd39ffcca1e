/** A duration for people, in its two largest units: `850 ms`, `12.3 s`, `8 min 44 s`, `2 d 3 h`. */
export function showDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms * 100) / 100} ms`;
  // Anything that would round up to a minute is one.
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ] as const;
  const first = units.findIndex(([, size]) => seconds >= size);
  const [largest, next] = [units[first], units[first + 1]] as const;
  if (largest === undefined || next === undefined) return `${seconds} s`;
  const rest = Math.floor((seconds % largest[1]) / next[1]);
  const head = `${showCount(Math.floor(seconds / largest[1]))} ${largest[0]}`;
  return rest === 0 ? head : `${head} ${rest} ${next[0]}`;
}

/** A number with commas between thousands, whatever the locale. */
export function showCount(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 3 });
}

/** A count with its noun: `1 task`, `1,000 tasks`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${showCount(n)} ${n === 1 ? one : many}`;
}
