// Functions of every form, each of which allocates far more than the sampling interval and keeps it. The tests look up their lines here.

interface Box {
  content: number[];
}

const kept: unknown[] = [];

const block = (content: number): number[] => new Array(40_000).fill(content);

class Store<T> {
  private label: string | undefined;

  constructor(private readonly value: T) {}

  add(content: number): void {
    kept.push([this.value, this.label, new Array(40_000).fill(content)]);
  }

  static async later(content: number): Promise<void> {
    await null;
    kept.push(new Array(40_000).fill(content));
  }

  get all(): number {
    return kept.push(new Array(40_000).fill(1));
  }
}

const arrow = async (content: number): Promise<void> => {
  await null;
  kept.push(new Array(40_000).fill(content));
};

function* generated(content: number): Generator<number[]> {
  yield new Array(40_000).fill(content);
}

export async function named(content: number): Promise<void> {
  const inner = (value: number): (() => number) => {
    return function deep(): number {
      return kept.push(new Array(40_000).fill(value));
    };
  };
  inner(content)();
  kept.push(
    [content].map(
      // In the middle of a statement.
      (value): Box => ({ content: new Array(40_000).fill(value) }),
    ),
  );
}

export async function allocate(): Promise<void> {
  const store = new Store('a');
  for (let round = 0; round < 30; round++) {
    kept.push(block(round), ...generated(round));
    store.add(round);
    void store.all;
    await Store.later(round);
    await arrow(round);
    await named(round);
  }
}
