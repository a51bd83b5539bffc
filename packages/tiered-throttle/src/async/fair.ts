/** Jobs of one tier waiting for their turn. */
export interface FairLine<Item> {
  add(organisation: string, item: Item): void;
  /** Before everybody else: work that was begun and has to begin anew. */
  addFirst(organisation: string, item: Item): void;
  /** Whose turn it is. `undefined` when nobody waits. */
  take(): Item | undefined;
  remove(item: Item): boolean;
  readonly size: number;
}

interface Place<Item> {
  readonly turn: number;
  readonly item: Item;
}

/**
 * Start-time fair queueing with every job costing one turn: an organisation's next job has the turn after its last one, and never one
 * that has passed. So organisations alternate however many jobs each brings, and one that was away saves nothing up.
 *
 * Does NOT weigh how long jobs run.
 *
 * @see P. Goyal, H. Vin, H. Cheng: Start-time Fair Queueing (1997)
 */
export function createFairLine<Item>(): FairLine<Item> {
  const places: Place<Item>[] = [];
  /** Turn of the last job each organisation brought, as long as it lies ahead. */
  const last = new Map<string, number>();
  let now = 0;

  function insert(place: Place<Item>): void {
    let at = places.length;
    while (at > 0 && (places[at - 1] as Place<Item>).turn > place.turn) at -= 1;
    places.splice(at, 0, place);
  }

  return {
    add(organisation, item) {
      const turn = Math.max(now, (last.get(organisation) ?? 0) + 1);
      last.set(organisation, turn);
      insert({ turn, item });
    },
    addFirst(organisation, item) {
      places.unshift({ turn: now, item });
      last.set(organisation, Math.max(now, last.get(organisation) ?? 0));
    },
    take() {
      const first = places.shift();
      if (first === undefined) return undefined;
      if (first.turn > now) {
        now = first.turn;
        // Whoever's last turn has passed begins as anybody new does.
        for (const [organisation, turn] of last) if (turn < now) last.delete(organisation);
      }
      return first.item;
    },
    remove(item) {
      const at = places.findIndex((place) => place.item === item);
      if (at >= 0) places.splice(at, 1);
      return at >= 0;
    },
    get size() {
      return places.length;
    },
  };
}
