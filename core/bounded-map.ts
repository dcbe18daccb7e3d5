interface Entry<Value> {
  value: Value
  expiresAt: number
}

/** A map of a limited size, whose entries may expire. To make room it removes the entry that was set first. */
export class BoundedMap<Value> {
  readonly #entries = new Map<string, Entry<Value>>()
  readonly #maxSize: number

  constructor(maxSize: number) {
    this.#maxSize = maxSize
  }

  /** The value that was set last, unless it has expired at `now`. */
  get(key: string, now = 0): Value | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined || now < entry.expiresAt) return entry?.value
    this.#entries.delete(key)
    return undefined
  }

  /** Makes the entry the newest one. */
  set(key: string, value: Value, expiresAt = Number.POSITIVE_INFINITY): void {
    this.#entries.delete(key)
    if (this.#entries.size === this.#maxSize) {
      const [oldest = ''] = this.#entries.keys()
      this.#entries.delete(oldest)
    }
    this.#entries.set(key, { value, expiresAt })
  }

  /** Removes the entry only if it still has this value. */
  delete(key: string, value: Value): void {
    if (this.#entries.get(key)?.value === value) this.#entries.delete(key)
  }
}
