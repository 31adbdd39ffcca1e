import { adapterContract } from './contract.ts';
import { frameworks } from './servers.ts';

for (const framework of frameworks) adapterContract(framework);
