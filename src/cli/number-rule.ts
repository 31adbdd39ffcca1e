/** What a number must be that somebody writes. */
export interface NumberRule {
  /** Default 0. */
  readonly min?: number | undefined;
  /** Default 2^53 - 1: above it neither whole numbers nor instants are told apart. */
  readonly max?: number | undefined;
  /** Default true. */
  readonly isInteger?: boolean | undefined;
}

const { MAX_SAFE_INTEGER } = Number;

/** Whether a number keeps the rule. */
export function keepsRule(
  value: number,
  { min = 0, max = MAX_SAFE_INTEGER, isInteger = true }: NumberRule,
): boolean {
  const least = Math.max(min, -MAX_SAFE_INTEGER);
  return value >= least && value <= max && (!isInteger || Number.isInteger(value));
}

/** The rule in words, which go on after "must be"; with the bound that the value found is beyond. */
export function describeRule(
  { min = 0, max = MAX_SAFE_INTEGER, isInteger = true }: NumberRule,
  found: unknown,
): string {
  const noun = isInteger ? 'a whole number' : 'a number';
  const hasMin = min >= -MAX_SAFE_INTEGER;
  const isFar = typeof found === 'number' && Math.abs(found) > MAX_SAFE_INTEGER;
  if (max < MAX_SAFE_INTEGER || (isFar && (!hasMin || found > 0)))
    return `${noun} from ${hasMin ? min : -MAX_SAFE_INTEGER} to ${max}`;
  return hasMin ? `${noun} of at least ${min}` : noun;
}

/** Reads a number: digits, with `_` between them, a fraction and an exponent; `NaN` for anything else. */
export function parseNumber(text: string): number {
  const digits = text.replaceAll('_', '');
  return /^\d+(\.\d+)?(e\d+)?$/i.test(digits) ? Number(digits) : Number.NaN;
}
