import { createMemoryStore } from 'topple';
import { storeContract } from './contract.ts';

storeContract('memory store', createMemoryStore);
