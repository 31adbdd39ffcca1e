import type { FlowOutline } from '../../model/flow-outline.ts';

/** The first line of an exported run. The lines after it are its entries, with values as the store writes them. */
export interface RunFileHeader {
  readonly type: 'topple.run';
  /** Version of this form. */
  readonly version: number;
  readonly id: string;
  readonly flow: string;
  /** Of the version that the run follows. */
  readonly flowHash: string;
  /** Version of the entries' form. */
  readonly journal: number;
  /** The number of entries, each a line. */
  readonly entries: number;
  /** Where the flow was, relative to the store that the run comes from: for people. */
  readonly module: string | null;
  /** The flow as plain data, without bodies; `null` if the store does not know it. */
  readonly outline: FlowOutline | null;
}

export const runFileType = 'topple.run';
export const runFileVersion = 1;

/** The most bytes of a line. */
export const maxLineBytes = 2 ** 26;
