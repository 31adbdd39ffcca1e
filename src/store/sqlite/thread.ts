import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { refusalOf } from './failure.ts';
import { open } from './open.ts';
import type { FromThread, ThreadSettings, ToThread } from './protocol.ts';
import { Service } from './service.ts';

// The thread that owns the connection to the file.

const port = parentPort as MessagePort;
const settings = workerData as ThreadSettings;
const tell = (message: FromThread): void => port.postMessage(message);

try {
  const service = new Service(open(settings), settings, tell);
  port.on('message', (first: ToThread) => {
    // All that has come while the disk was busy goes into one transaction.
    const messages = [first];
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
      messages.push(next.message);
    service.receive(messages);
    if (service.isClosed) port.close();
  });
  tell({ type: 'opened' });
} catch (error) {
  tell({ type: 'refused', refusal: refusalOf(error, settings.file) });
}
