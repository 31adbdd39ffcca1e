import type { FlowOutline } from '../../model/flow-outline.ts';

/** What the header of any run says. */
interface Header {
  readonly id: string;
  readonly flow: string;
  /** Of the version that the run follows. */
  readonly flowHash: string;
  /** The number of entries, each a line. */
  readonly entries: number;
  /** The flow as plain data, without bodies; `null` if the store does not know it, or a header before has it. */
  readonly outline: FlowOutline | null;
}

/**
 * The first line of an exported run. The lines after it are its entries, with values as the store writes them, and then,
 * for each run below it, a header and entries, those of a parent before those of its children.
 */
export interface RunFileHeader extends Header {
  readonly type: 'topple.run';
  /** The first version of this form that has what is in the file. */
  readonly version: number;
  /** Version of the entries' form. */
  readonly journal: number;
  /** The number of child runs, at any depth. From version 2 on; before, there are none. */
  readonly children?: number | undefined;
  /** Where the flow was, relative to the store that the run comes from: for people. */
  readonly module: string | null;
}

/** The line before the entries of a child run. */
export interface ChildHeader extends Header {
  readonly type: 'topple.child';
}

export const runFileType = 'topple.run';
export const childType = 'topple.child';
/** Version 2 has child runs. */
export const runFileVersions = [1, 2] as const;

/** The most bytes of a line. */
export const maxLineBytes = 2 ** 26;
