import { createSqliteStore } from 'topple/sqlite';
import { storeContract } from '../contract.ts';

storeContract('SQLite store', () => createSqliteStore(':memory:'));
