// An XState machine, nested and parallel. `topple graph examples/checkout-machine.ts --format svg` draws it.

import { createActor, fromPromise, setup } from 'xstate';

export const checkout = setup({
  types: { events: {} as { type: 'next' | 'back' | 'cancel' | 'pay' | 'retry' | 'sign_in' | 'sign_out' } },
  actors: { charge: fromPromise(async () => 'receipt') },
  guards: { hasItems: () => true, isPaid: () => false },
  actions: { notify: () => {}, focus: () => {} },
}).createMachine({
  id: 'checkout',
  type: 'parallel',
  states: {
    session: {
      initial: 'guest',
      states: { guest: { on: { sign_in: 'member' } }, member: { on: { sign_out: 'guest' } } },
    },
    order: {
      initial: 'cart',
      on: { cancel: [{ guard: 'isPaid', actions: 'notify' }, { target: '.cancelled' }] },
      states: {
        cart: { entry: 'focus', on: { next: { guard: 'hasItems', target: 'address' } } },
        address: { tags: 'form', on: { next: 'payment', back: 'cart' } },
        payment: {
          initial: 'choosing',
          on: { back: 'address' },
          onDone: 'shipped',
          states: {
            choosing: { on: { pay: 'charging' } },
            charging: {
              invoke: { src: 'charge', onDone: 'charged', onError: 'failed' },
              after: { 10000: { target: 'failed', actions: 'notify' } },
            },
            failed: { on: { retry: 'charging', cancel: '#checkout.order.cart' } },
            charged: { type: 'final' },
          },
        },
        shipped: { type: 'final' },
        cancelled: { type: 'final' },
      },
    },
  },
});

const actor = createActor(checkout).start();
for (const type of ['sign_in', 'next', 'next'] as const) actor.send({ type });
console.log(JSON.stringify(actor.getSnapshot().value));

// Output:
// {"session":"member","order":{"payment":"choosing"}}
