/** The rule of a number in user input. */
export interface NumberRule {
  /** Default 0. */
  readonly min?: number | undefined;
  /** Default 2^53 - 1: above it neighbouring integers and instants are not distinct. */
  readonly max?: number | undefined;
  /** Default true. */
  readonly isInteger?: boolean | undefined;
}

const { MAX_SAFE_INTEGER } = Number;

/** Whether a number satisfies the rule. */
export function keepsRule(
  value: number,
  { min = 0, max = MAX_SAFE_INTEGER, isInteger = true }: NumberRule,
): boolean {
  const least = Math.max(min, -MAX_SAFE_INTEGER);
  return value >= least && value <= max && (!isInteger || Number.isInteger(value));
}

/** The rule in words, which follow "must be", with the bound that the value exceeds. */
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

/** Reads a number: digits, with `_` between them, a fraction and an exponent; `NaN` for any other text. */
export function parseNumber(text: string): number {
  const digits = text.replaceAll('_', '');
  return /^\d+(\.\d+)?(e\d+)?$/i.test(digits) ? Number(digits) : Number.NaN;
}
