import { approval } from './approval.ts';
import type { Case } from './case.ts';
import { ci } from './ci.ts';
import { document } from './document.ts';
import { importFlow } from './import.ts';
import { order } from './order.ts';
import { renewal } from './renewal.ts';
import { signUp } from './sign-up.ts';
import { transfer } from './transfer.ts';

/** Eight flows, each with six mistakes. */
export const cases: readonly Case[] = [signUp, order, importFlow, ci, approval, document, transfer, renewal];
