import type { Logger } from '../../index.ts';
import type { PageFiles } from '../page-files.ts';
import { type Hello, type LiveWay, protocolVersion } from '../protocol.ts';
import type { Sources } from '../sources/sources.ts';
import type { Access } from './access.ts';

/** What requests are answered from. */
export interface InspectorParts {
  readonly sources: Sources;
  readonly access: Access;
  readonly files: PageFiles;
  /** topple's version. */
  readonly version: string;
  /** Where the inspector is mounted, without a slash at its end. */
  readonly path: string;
  readonly logger: Logger;
  live(): LiveWay;
}

/** Facts about an inspector. */
export function helloOf({ version, sources, live }: InspectorParts): Hello {
  return {
    version: protocolVersion,
    topple: version,
    now: Date.now(),
    live: live(),
    sources: sources.infos(),
  };
}
