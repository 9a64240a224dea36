// The twin of children/leaky.js: a service that leaks on its main thread. Prints the leak as JSON and ends; gives up after a while.

import type { Leak } from 'leakguard';

type Note = { index: number; text: string };

const JOBS_A_TICK = 20;
const TICK_MS = 20;
const GIVE_UP_MS = 55_000;

const kept = new Map<number, { id: number; notes: Note[] }>();
let id = 0;

function work(): string {
  return JSON.stringify(Array.from({ length: 200 }, (_, index) => ({ index, name: `row ${index}`, tags: [index] })));
}

function remember(): void {
  for (let job = 0; job < JOBS_A_TICK; job++) {
    work();
    kept.set(id, {
      id,
      notes: Array.from({ length: 20 }, (_, index): Note => ({ index, text: `note ${id}:${index}` })),
    });
    id++;
  }
}

setInterval(remember, TICK_MS);

process.on('leak', (leak: Leak) => {
  if (leak.kind === 'heap') process.stdout.write(JSON.stringify(leak), () => process.exit(0));
});
setTimeout(() => process.exit(1), GIVE_UP_MS);
