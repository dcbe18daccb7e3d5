/** One log event, as `POST /api/logs` takes it. */
export interface LogEvent {
  organizationId: string
  level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'
  message: string
  service: string
  timestamp: string
  traceId: string
  attributes: Record<string, string | number | boolean>
}

interface Template {
  /** The number of such events in a thousand. */
  weight: number
  level: LogEvent['level']
  service: string
  make(pick: Picking): Pick<LogEvent, 'message' | 'attributes'>
}

type Picking = (below: number) => number

const TEMPLATES: Template[] = [
  {
    weight: 420,
    level: 'info',
    service: 'gateway',
    make(pick) {
      const [path, status, ms] = [
        PATHS[pick(PATHS.length)] ?? '/',
        STATUSES[pick(STATUSES.length)] ?? 200,
        pick(400) + 2,
      ]
      return {
        message: `GET ${path} ${status} in ${ms} ms`,
        attributes: { 'http.path': path, 'http.status': status, 'duration.ms': ms },
      }
    },
  },
  {
    weight: 210,
    level: 'info',
    service: 'orders',
    make(pick) {
      const [order, items] = [pick(1_000_000), pick(9) + 1]
      return { message: `Order ${order} accepted with ${items} items`, attributes: { order, items } }
    },
  },
  {
    weight: 150,
    level: 'debug',
    service: 'catalogue',
    make(pick) {
      const key = `product:${pick(50_000)}`
      const isHit = pick(100) < 87
      return { message: `Cache ${isHit ? 'hit' : 'miss'} for ${key}`, attributes: { key, hit: isHit } }
    },
  },
  {
    weight: 80,
    level: 'trace',
    service: 'catalogue',
    make: (pick) => ({ message: `Read ${pick(200) + 1} rows`, attributes: { table: 'products' } }),
  },
  {
    weight: 90,
    level: 'warn',
    service: 'payments',
    make(pick) {
      const attempt = pick(3) + 1
      return {
        message: `Payment provider answered late, attempt ${attempt} of 3`,
        attributes: { attempt, provider: 'acme' },
      }
    },
  },
  {
    weight: 45,
    level: 'error',
    service: 'payments',
    make(pick) {
      const order = pick(1_000_000)
      return { message: `Payment of order ${order} failed: card declined`, attributes: { order, retryable: false } }
    },
  },
  {
    weight: 5,
    level: 'fatal',
    service: 'stock',
    make: (pick) => ({ message: 'Out of memory, going down', attributes: { 'heap.mb': 480 + pick(32) } }),
  },
]

/** Each template as often as it weighs. */
const LOTS = TEMPLATES.flatMap((template) => Array<Template>(template.weight).fill(template))
const PATHS = ['/', '/basket', '/search?q=kettle', '/products/4711', '/checkout', '/account']
const STATUSES = [200, 200, 200, 200, 200, 204, 304, 404, 500]
const ORGANISATIONS = ['acme', 'globex', 'initech', 'umbrella', 'hooli', 'stark', 'wayne', 'wonka']

/**
 * Events of a shop's services. Each organisation has fewer events than the previous one. Some consecutive events share a trace.
 * The same seed gives the same events.
 */
export function logEvents(organisations: number, seed: number): (now: number) => LogEvent {
  const pick = picker(seed)
  let traceId = ''
  let left = 0
  let organizationId = ''
  return (now) => {
    if (left-- <= 0) {
      left = pick(5)
      traceId = Array.from({ length: 4 }, () =>
        pick(2 ** 32)
          .toString(16)
          .padStart(8, '0'),
      ).join('')
      const at = Math.min(pick(organisations), pick(organisations))
      organizationId = ORGANISATIONS[at] ?? `organisation-${at + 1}`
    }
    const template = LOTS[pick(LOTS.length)] as Template
    const { level, service } = template
    return { organizationId, level, service, timestamp: new Date(now).toISOString(), traceId, ...template.make(pick) }
  }
}

/** Mulberry32. */
function picker(seed: number): Picking {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}
