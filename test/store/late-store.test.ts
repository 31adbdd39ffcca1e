import { lateStore } from '../support/late-store.ts';
import { storeContract } from './contract.ts';

storeContract('a store double that takes its time', () => lateStore());
