// loadgen/theory/mva.py and loadgen/prediction/stack.py in JavaScript, function by function: what each is and why stands there.
// A test holds both to the same 200 points.
const predictionLaws = (() => {
  "use strict";
  const HALVINGS = 60, TOLERANCE = 1e-9, BINDING_SHARE = 0.9, TIE = 0.02;

  // Throughput and queue of one process: exact mean value analysis.
  function flow(users, serviceS, heldS) {
    let rps = 0, queue = 0;
    for (let n = 1; n <= users; n += 1) {
      const responseS = heldS * (1 + queue);
      rps = n / (serviceS + responseS);
      queue = rps * responseS;
    }
    return { rps, queue };
  }

  // What is known at a queue between those of the points, linear in its logarithm.
  function atQueue(points, queue) {
    if (queue <= points[0].queue) return points[0];
    for (let index = 1; index < points.length; index += 1) {
      const [below, above] = [points[index - 1], points[index]];
      if (queue <= above.queue) {
        const share = Math.log(queue / below.queue) / Math.log(above.queue / below.queue);
        return {
          queue,
          held_s: below.held_s + share * (above.held_s - below.held_s),
          cpu_s: below.cpu_s + share * (above.cpu_s - below.cpu_s),
        };
      }
    }
    return points[points.length - 1];
  }

  function fixedPoint(points, users, serviceS) {
    const queueOf = (point) => flow(users, serviceS, point.held_s).queue;
    const last = points[points.length - 1];
    let [low, high] = [points[0].queue, last.queue];
    if (queueOf(points[0]) < low * (1 - TOLERANCE) || queueOf(last) > high * (1 + TOLERANCE)) return null;
    for (let halving = 0; halving < HALVINGS; halving += 1) {
      const middle = Math.sqrt(low * high);
      if (queueOf(atQueue(points, middle)) > middle) low = middle;
      else high = middle;
    }
    return atQueue(points, Math.sqrt(low * high));
  }

  const inService = (stack, users) => stack.slots === null ? users : Math.min(users, stack.slots);

  function memoryOf(stack, inFlight) {
    const memory = stack.memory;
    if (!memory || inFlight < memory.fewest || inFlight > memory.most) return null;
    return memory.base_mib + memory.per_view_mib * inFlight;
  }

  // What is used up, of shares by name; null: there is no such limit.
  function bound(shares) {
    const known = Object.entries(shares).filter(([, share]) => share !== null);
    const most = Math.max(...known.map(([, share]) => share));
    if (most < BINDING_SHARE) return "unexplained";
    return known.filter(([, share]) => share >= most - TIE).map(([name]) => name).join("+");
  }

  function first(point, queue, serviceS) {
    let users = 0, found = 0;
    while (found < queue) {
      users += 1;
      const responseS = point.held_s * (1 + found);
      found = users / (serviceS + responseS) * responseS;
    }
    return users;
  }

  function refusal(stack, serviceS, cpus) {
    const [lightest, heaviest] = [stack.points[0], stack.points[stack.points.length - 1]];
    const fewest = first(lightest, lightest.queue * (1 - TOLERANCE), serviceS);
    const tooMany = first(heaviest, heaviest.queue * (1 + TOLERANCE), serviceS);
    const none = (stack.slots !== null && fewest > stack.slots) || fewest >= tooMany;
    if (none) return { refused: true, fewest: null, most: null };
    const full = stack.slots !== null && tooMany > stack.slots;
    return { refused: true, fewest: fewest * cpus, most: full ? null : (tooMany - 1) * cpus };
  }

  // What a stack makes of a closed load, or a refusal with the users that were measured.
  function predict(stack, users, serviceS, cpus) {
    const fewer = Math.floor(users / cpus), withOneMore = users % cpus;
    let rps = 0, used = 0, memory = 0;
    for (const [usersEach, count] of [[fewer + 1, withOneMore], [fewer, cpus - withOneMore]]) {
      if (!count) continue;
      const served = inService(stack, usersEach);
      const each = memoryOf(stack, served);
      memory = memory === null || each === null ? null : memory + count * each;
      if (!served) continue;
      const point = fixedPoint(stack.points, served, serviceS);
      if (point === null) return refusal(stack, serviceS, cpus);
      const made = flow(served, serviceS, point.held_s).rps;
      rps += count * made;
      used += count * made * point.cpu_s;
    }
    let busy = used / cpus;
    const pool = stack.pool === null ? null : stack.pool * cpus / serviceS;
    if (pool !== null && rps > pool) {
      busy *= pool / rps;
      rps = pool;
    }
    const shares = {
      users: rps * serviceS / users,
      slots: stack.slots === null ? null : rps * serviceS / (stack.slots * cpus),
      pool: pool === null ? null : rps / pool,
      cpu: Math.min(busy, 1),
    };
    return {
      refused: false, rps, latency_ms: users / rps * 1000, cpu_share: busy,
      cpu_ms_per_view: busy * cpus / rps * 1000, memory_mib: memory, bound_by: bound(shares),
    };
  }

  return { flow, atQueue, predict };
})();
